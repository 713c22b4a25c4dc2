// SPDX-License-Identifier: GPL-2.0

@@
@@
  snp_secure_tsc_prepare(...)
  {
  <...
- if (snp_get_tsc_info()) { ... }
+ snp_get_tsc_info();
+ snp_get_tsc_info();
  ...>
  }

@@
@@
  vc_handle_rdtsc(...)
  {
  <...
- if (sev_status & MSR_AMD64_SNP_SECURE_TSC)
-	return ES_VMM_ERROR;
  ...>
  }

@@
expression E;
@@
  __vc_handle_secure_tsc_msrs(...)
  {
  <...
(
- if (write) { ... }
|
- if (E == MSR_AMD64_GUEST_TSC_FREQ)
-	return ES_VMM_ERROR;
)
  ...>
  }
