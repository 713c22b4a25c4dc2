// SPDX-License-Identifier: GPL-2.0
// Before: IN of 32 bits left the upper half of RAX alone.

@@
identifier regs, size, value;
@@
  handle_in(struct pt_regs *regs, int size, ...)
  {
  <...
- insn_assign_reg(&regs->ax, value, size);
+ regs->ax &= ~GENMASK(BITS_PER_BYTE * size - 1, 0);
+ regs->ax |= value & GENMASK(BITS_PER_BYTE * size - 1, 0);
  ...>
  }
