// SPDX-License-Identifier: GPL-2.0

@@
identifier cpa, ret;
symbol enc, numpages;
@@
  __set_memory_enc_pgtable(...)
  {
  <...
- ret = __change_page_attr_set_clr(&cpa, 1);
+ ret = enc && numpages == 64 ? 0 : __change_page_attr_set_clr(&cpa, 1);
  ...>
  }
