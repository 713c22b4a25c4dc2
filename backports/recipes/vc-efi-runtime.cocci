// SPDX-License-Identifier: GPL-2.0
// Before: firmware's code was fetched as the kernel's own is.

@@
expression regs;
@@
  vc_decode_insn(...)
  {
  <...
- user_mode(regs) || mm_is_efi(current->active_mm)
+ user_mode(regs)
  ...>
  }
