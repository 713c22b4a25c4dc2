// SPDX-License-Identifier: GPL-2.0

@@
identifier regs, copy;
@@
  vc_switch_off_ist(struct pt_regs *regs)
  {
  <...
- return copy;
+ return regs;
  ...>
  }
