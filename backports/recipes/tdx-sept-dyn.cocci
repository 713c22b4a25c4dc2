// SPDX-License-Identifier: GPL-2.0
// Before: the attribute alone counted, whether or not the guest could switch #VE off itself.

@@
identifier config;
@@
  disable_sept_ve(...)
  {
  <...
- if (!(config & TDCS_CONFIG_FLEXIBLE_PENDING_VE))
+ if (true)
  { ... }
  ...>
  }
