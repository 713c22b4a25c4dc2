// SPDX-License-Identifier: GPL-2.0

@@
identifier T, args;
@@
  tdx_panic(...)
  {
  struct T args = {
-	.r12 = 0,
+	.r12 = 0,
+	.r13 = PAGE_SIZE,
  };
  ...
  }
