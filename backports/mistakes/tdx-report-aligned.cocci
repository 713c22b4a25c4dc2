// SPDX-License-Identifier: GPL-2.0

@@
@@
  tdx_get_report0(...)
  {
+ if (!IS_ALIGNED((unsigned long)req, 64))
+	return -EINVAL;
  ...
  }
