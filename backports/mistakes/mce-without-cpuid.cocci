// SPDX-License-Identifier: GPL-2.0

@@
expression C;
@@
  mce_available(...)
  {
  ...
- return cpu_has(C, X86_FEATURE_MCE) && cpu_has(C, X86_FEATURE_MCA);
+ return 1;
  }
