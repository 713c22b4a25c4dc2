// SPDX-License-Identifier: GPL-2.0

@@
@@
  virt_exception_kernel(...) {
  <...
- return -EIO;
+ return ve->instr_len;
  ...>
  }
