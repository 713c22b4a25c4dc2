// SPDX-License-Identifier: GPL-2.0

@@
identifier change = { __set_memory_enc_pgtable, __set_memory_enc_dec };
expression ret;
@@
  change(...)
  {
  ...
  ret = __change_page_attr_set_clr(...);
- cpa_flush(...);
  ...
  }
