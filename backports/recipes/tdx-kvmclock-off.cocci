// SPDX-License-Identifier: GPL-2.0
// Before: the MSR was written whether or not the clock was in use.

@@
statement S;
@@
  kvmclock_disable(...)
  {
- if (msr_kvm_system_time) S
+ S
  }
