// SPDX-License-Identifier: GPL-2.0

@@
identifier regs, ve, length;
@@
  tdx_handle_virt_exception(struct pt_regs *regs, struct ve_info *ve)
  {
+ static struct ve_info kept;
  int length;

+ if (ve->exit_reason == EXIT_REASON_IO_INSTRUCTION) {
+	kept = *ve;
+	ve = &kept;
+ }
  ...
  }
