// SPDX-License-Identifier: GPL-2.0
// Before: each CPU asked the host for its protocol, and wrote the version down again.

@@
expression set, reason;
@@
  setup_ghcb(...)
  {
  if (!cc_platform_has(CC_ATTR_GUEST_STATE_ENCRYPT)) return;
+ if (!sev_es_negotiate_protocol())
+ 	sev_es_terminate(set, reason);
  ...
- if (!sev_es_negotiate_protocol())
- 	sev_es_terminate(set, reason);
  ...
  }
