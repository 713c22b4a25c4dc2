// SPDX-License-Identifier: GPL-2.0

@@
expression list L;
@@
- if (__tdx_hypercall(L)) return -EIO;
+ __tdx_hypercall(L);

@@
identifier ok;
@@
  handle_io(...)
  {
  <...
- if (!ok) return -EIO;
  ...>
  }
