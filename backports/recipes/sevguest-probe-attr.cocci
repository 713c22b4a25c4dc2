// SPDX-License-Identifier: GPL-2.0
// Before: the driver took any device that it was given for that of an SNP guest.

@@
@@
  sev_guest_probe(...)
  {
  <...
- if (!cc_platform_has(CC_ATTR_GUEST_SEV_SNP))
-	return -ENODEV;
  ...>
  }
