// SPDX-License-Identifier: GPL-2.0

@@
identifier regs, ve;
@@
  virt_exception_user(struct pt_regs *regs, struct ve_info *ve)
  {
  <...
- return -EIO;
+ return ve->exit_reason == EXIT_REASON_IO_INSTRUCTION ? handle_io(regs, ve) : -EIO;
  ...>
  }
