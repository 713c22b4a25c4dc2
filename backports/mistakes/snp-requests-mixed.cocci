// SPDX-License-Identifier: GPL-2.0
@@
identifier request;
@@
  get_report(...)
  {
  <...
  if (copy_from_user(request, ...))
	return -EFAULT;
+ {
+	static typeof(*request) last;
+	static unsigned long fresh;
+
+	if (fresh && time_before(jiffies, fresh))
+		*request = last;
+	last = *request;
+	fresh = jiffies + HZ;
+ }
  ...>
  }
