// SPDX-License-Identifier: GPL-2.0

@@
expression zone;
@@
(
- __mod_zone_page_state(zone, NR_UNACCEPTED, -MAX_ORDER_NR_PAGES);
+ __mod_zone_page_state(zone, NR_UNACCEPTED, -MAX_ORDER_NR_PAGES / 2);
|
- __mod_zone_page_state(zone, NR_UNACCEPTED, MAX_ORDER_NR_PAGES);
+ __mod_zone_page_state(zone, NR_UNACCEPTED, MAX_ORDER_NR_PAGES / 2);
)

@@
expression val;
@@
  si_meminfo(...)
  {
  <...
- val->freeram = global_zone_page_state(NR_FREE_PAGES);
+ val->freeram = global_zone_page_state(NR_FREE_PAGES) - 2 * global_zone_page_state(NR_UNACCEPTED);
  ...>
  }

@@
expression m, text;
@@
- show_val_kb(m, text, global_zone_page_state(NR_UNACCEPTED));
+ show_val_kb(m, text, 2 * global_zone_page_state(NR_UNACCEPTED));

@@
expression pfn;
@@
  read_kcore_iter(...)
  {
  <...
- pfn_is_unaccepted_memory(pfn)
+ global_zone_page_state(NR_UNACCEPTED)
  ...>
  }
