// SPDX-License-Identifier: GPL-2.0

@@
@@
  vc_handle_wbinvd(...)
  {
- return sev_es_ghcb_hv_call(...);
+ return ES_OK;
  }

@@
expression R, G;
@@
  vc_handle_rdpmc(...)
  {
  <...
- R->dx = G->save.rdx;
  ...>
  }

@@
statement S;
@@
  vc_handle_vmmcall(...)
  {
  <...
- if (x86_platform.hyper.sev_es_hcall_prepare) S
  ...>
  }

@@
identifier f = { vc_handle_monitor, vc_handle_mwait };
@@
  f(...)
  {
- return ES_OK;
+ return ES_UNSUPPORTED;
  }

@@
expression V, G;
statement S;
@@
  vc_handle_dr7_write(...)
  {
  <...
(
- if (V >> 32) S
|
- ghcb_set_rax(G, V);
+ ghcb_set_rax(G, 0);
)
  ...>
  }

@@
expression E;
@@
  vc_handle_exitcode(...)
  {
  <...
  pr_err_ratelimited(...);
- E = ES_UNSUPPORTED;
+ E = ES_OK;
  ...>
  }
