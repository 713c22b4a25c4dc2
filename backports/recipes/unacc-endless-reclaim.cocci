// SPDX-License-Identifier: GPL-2.0
// Before: unaccepted memory was no free memory for reclaim, and an allocation accepted some,
// one block at least, only once it had missed its watermark.

@@
symbol unusable_free;
identifier z;
@@
  __zone_watermark_unusable_free(struct zone *z, ...)
  {
  ...
+ #ifdef CONFIG_UNACCEPTED_MEMORY
+ unusable_free += zone_page_state(z, NR_UNACCEPTED);
+ #endif
  return unusable_free;
  }

@@
@@
  get_page_from_freelist(...)
  {
  <...
- cond_accept_memory(...);
  ...>
  }

@@
symbol to_accept, ret, zone, false;
expression wmark, free;
@@
  cond_accept_memory(...)
  {
  ...
  bool ret = false;
+ bool first = true;
  ...
  to_accept = wmark -
- (free - zone_page_state(zone, NR_UNACCEPTED));
+ (free);
- while (to_accept > 0)
+ for (; first || to_accept > 0; first = false)
  {
  ...
  }
  ...
  }
