// SPDX-License-Identifier: GPL-2.0
@@
expression address, count;
@@
  free_quote_buf(...)
  {
  <...
- if (set_memory_encrypted(address, count)) { ... }
+ set_memory_encrypted(address, count);
  ...>
  }
