// SPDX-License-Identifier: GPL-2.0

@@
@@
- if (!xsave_size) return -EINVAL;

@@
@@
  snp_cpuid_hv(...) {
  <...
- sev_es_terminate(...);
  ...>
  }
