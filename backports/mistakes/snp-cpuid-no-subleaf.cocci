// SPDX-License-Identifier: GPL-2.0

@@
expression F;
@@
  snp_cpuid_get_validated_func(...)
  {
  <...
- cpuid_function_is_indexed(F)
+ (F != 0xd && cpuid_function_is_indexed(F))
  ...>
  }
