// SPDX-License-Identifier: GPL-2.0
// Before: an NMI took the stack pointer for the kernel's wherever the kernel ran, and one
// inside the stack of #VC for that of an interrupted #VC.

@@
statement S;
@@
  on_vc_stack(...) {
  <...
- if (ip_within_syscall_gap(regs)) S
  ...>
  }
