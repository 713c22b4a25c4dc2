// SPDX-License-Identifier: GPL-2.0

@@
statement S;
@@
  vc_switch_off_ist(...) {
  <...
- if (ip_within_syscall_gap(regs)) S
  ...>
  }
