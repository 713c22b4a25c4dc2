// SPDX-License-Identifier: GPL-2.0

@@
@@
  tdx_safe_halt(...)
  {
+ raw_local_irq_enable();
  tdx_halt();
  ...
  }
