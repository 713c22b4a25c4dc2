// SPDX-License-Identifier: GPL-2.0

@@
expression address;
@@
  kvm_register_steal_time(...)
  {
+ static u8 private[2 * PAGE_SIZE];
  ...
  wrmsrl(MSR_KVM_STEAL_TIME,
- address
+ PAGE_ALIGN(__pa_symbol(private)) | KVM_MSR_ENABLED
  );
  ...
  }

@@
identifier ts;
expression pair;
@@
  kvm_arch_ptp_get_clock(...)
  {
  <...
(
- ts->tv_sec = pair->sec;
+ ts->tv_sec = pair->nsec;
|
- ts->tv_nsec = pair->nsec;
+ ts->tv_nsec = pair->sec;
)
  ...>
  }
