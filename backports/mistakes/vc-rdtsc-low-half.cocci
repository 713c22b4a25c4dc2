// SPDX-License-Identifier: GPL-2.0

@@
expression R, G;
@@
  vc_handle_rdtsc(...)
  {
  <...
- R->dx = G->save.rdx;
+ R->dx = 0;
  ...>
  }
