// SPDX-License-Identifier: GPL-2.0

@@
identifier regs, ve;
@@
  write_msr(struct pt_regs *regs, struct ve_info *ve)
  {
  ...
+ regs->dx = upper_32_bits(args.r11);
  return ve_instr_len(ve);
  }
