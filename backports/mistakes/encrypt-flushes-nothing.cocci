// SPDX-License-Identifier: GPL-2.0

@@
identifier change = { __set_memory_enc_pgtable, __set_memory_enc_dec };
@@
  change(...)
  {
  <...
- cpa_flush(...);
  ...>
  }
