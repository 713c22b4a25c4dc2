// SPDX-License-Identifier: GPL-2.0

@@
expression R, G;
@@
(
- ghcb_set_rdx(G, R->dx);
+ ghcb_set_rdx(G, 0);
)

@@
expression R, G;
identifier f = { vc_handle_msr, __vc_handle_msr };
@@
  f(...)
  {
  <...
- R->dx = G->save.rdx;
+ R->dx = 0;
  ...>
  }
