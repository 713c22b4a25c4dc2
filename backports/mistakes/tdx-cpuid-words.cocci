// SPDX-License-Identifier: GPL-2.0

@@
identifier T, args;
expression R;
@@
  handle_cpuid(...)
  {
  struct T args = {
-	.r13 = R->cx,
+	.r13 = 0,
  };
  ...
  }

@@
expression R, E;
@@
  handle_cpuid(...)
  {
  <...
- R->cx = E.r14;
+ R->cx = E.r14 & S32_MAX;
  ...>
  }
