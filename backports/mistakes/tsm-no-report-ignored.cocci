// SPDX-License-Identifier: GPL-2.0
@@
identifier hdr;
expression refusal;
@@
- if (hdr.status == refusal)
-	return -EINVAL;

@@
expression device;
@@
- snp_disable_vmpck(device);

@@
@@
- static void snp_disable_vmpck(...) { ... }
