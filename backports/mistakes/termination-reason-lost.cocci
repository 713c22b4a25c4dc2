// SPDX-License-Identifier: GPL-2.0

@@
expression set, reason;
@@
  sev_es_terminate(...)
  {
  <...
(
- GHCB_SEV_TERM_REASON(set, reason)
+ GHCB_SEV_TERM_REASON(set, 0x7f)
|
- GHCB_SEV_TERMINATE_REASON(set, reason)
+ GHCB_SEV_TERMINATE_REASON(set, 0x7f)
)
  ...>
  }
