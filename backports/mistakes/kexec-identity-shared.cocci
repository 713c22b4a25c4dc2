// SPDX-License-Identifier: GPL-2.0

@@
identifier info;
@@
  init_pgtable(...)
  {
  <...
- info.page_flag |= _PAGE_ENC;
  ...>
  }
