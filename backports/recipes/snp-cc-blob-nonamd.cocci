// SPDX-License-Identifier: GPL-2.0
// Before: the tables of EFI were searched for the blob before the processor was asked.

@@
@@
  sev_enable(...)
  {
  ...
(
- if (sev_check_cpu_support() < 0)
-	return;
|
- eax = 0x80000000;
- ecx = 0;
- native_cpuid(...);
- if (eax < 0x8000001f)
-	return;
)
  ...
  snp = \(snp_init\|early_snp_init\)(...);
  ...
  }
