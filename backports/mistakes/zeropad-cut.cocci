// SPDX-License-Identifier: GPL-2.0

@@
identifier addr, ret;
@@
  load_unaligned_zeropad(const void *addr)
  {
  ...
- return ret;
+ if (((unsigned long)addr & 4095) > 4096 - sizeof(ret))
+	ret &= ~0UL >> 8 * (((unsigned long)addr & 4095) - (4096 - sizeof(ret)));
+ return ret;
  }
