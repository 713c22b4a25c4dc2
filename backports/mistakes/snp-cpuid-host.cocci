// SPDX-License-Identifier: GPL-2.0

@@
expression E;
@@
- E = vc_handle_cpuid_snp(...);
+ E = -EOPNOTSUPP;
