// SPDX-License-Identifier: GPL-2.0
// Before: a refusal was handed up without a word.

@@
@@
  __set_memory_enc_pgtable(...)
  {
  <+...
- WARN_ONCE(1, ...);
  ...+>
  }
