// SPDX-License-Identifier: GPL-2.0
// Before: the MSR was read, whether or not the processor said that it has it.

@@
expression chosen;
statement S;
@@
  sme_enable(...)
  {
  ... when any
+ S
+ feature_mask = chosen;
  eax = 0x8000001f;
  ecx = 0;
  native_cpuid(...);
- if (!(eax & (AMD_SEV_BIT | AMD_SME_BIT)))
+ if (!(eax & feature_mask))
 	return;
  ... when any
- S
- feature_mask = chosen;
  ... when any
  }
