// SPDX-License-Identifier: GPL-2.0

@@
identifier f = { verify_exception_info, sev_es_ghcb_hv_call };
@@
  f(...)
  {
  <...
(
- return ES_VMM_ERROR;
+ return ES_OK;
|
- ret = ES_VMM_ERROR;
+ ret = ES_OK;
)
  ...>
  }
