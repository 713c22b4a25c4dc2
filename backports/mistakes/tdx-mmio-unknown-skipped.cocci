// SPDX-License-Identifier: GPL-2.0

@@
@@
  handle_mmio(...)
  {
  <...
- return -EINVAL;
+ return insn.length;
  ...>
  }
