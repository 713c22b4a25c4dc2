// SPDX-License-Identifier: GPL-2.0

@@
identifier reg, val;
expression size;
@@
  handle_mmio(...)
  {
  <...
- memcpy(reg, &val, size);
+ *reg = val;
  ...>
  }
