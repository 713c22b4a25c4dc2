// SPDX-License-Identifier: GPL-2.0

@@
identifier regs, ve;
@@
  virt_exception_user(struct pt_regs *regs, struct ve_info *ve)
  {
+ unsigned long val;
+
  <...
- return -EIO;
+ if (ve->exit_reason == EXIT_REASON_EPT_VIOLATION)
+	mmio_read(1, ve->gpa, &val);
+ return ve->exit_reason == EXIT_REASON_IO_INSTRUCTION ? ve->instr_len : -EIO;
  ...>
  }
