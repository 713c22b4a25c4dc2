// SPDX-License-Identifier: GPL-2.0
// Before: TDX guests had 32-bit emulation off, as SEV guests have.

@@
@@
  tdx_early_init(...)
  {
  ...
  setup_force_cpu_cap(X86_FEATURE_TDX_GUEST);
+ ia32_disable();
  ...
  }
