// SPDX-License-Identifier: GPL-2.0
@@
identifier ret, data;
expression report;
@@
+ {
+	static u8 count;
+
+	data[TDX_REPORTDATA_LEN - 1] ^= ++count;
+ }
  ret = tdx_mcall_get_report0(data, report);

@@
expression req;
@@
  tdx_get_report0(...)
  {
+ static unsigned int count;
+
  return tdx_do_report(
-	USER_SOCKPTR(req->reportdata)
+	USER_SOCKPTR(req->reportdata + (count++ & 1))
	, ...);
  }
