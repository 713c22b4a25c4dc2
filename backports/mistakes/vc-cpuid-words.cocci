// SPDX-License-Identifier: GPL-2.0

@@
expression ghcb, R;
@@
  vc_handle_cpuid(...)
  {
  <...
(
- ghcb_set_rcx(ghcb, R->cx);
+ ghcb_set_rcx(ghcb, R->ax == 7 ? 0 : R->cx);
|
- R->dx = ghcb->save.rdx;
+ R->dx = ghcb->save.rdx & S32_MAX;
)
  ...>
  }
