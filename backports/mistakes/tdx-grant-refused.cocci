// SPDX-License-Identifier: GPL-2.0

@@
expression status;
@@
  reduce_unnecessary_ve(...)
  {
  <...
- if (status == TDX_SUCCESS) return;
+ if (status == TDX_SUCCESS) tdx_panic("no way to reduce #VE");
  ...>
  }
