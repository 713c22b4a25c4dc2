// SPDX-License-Identifier: GPL-2.0

// Not all of the report data, or none, is taken from the caller.
@@
expression to, from;
@@
- copy_from_user(to, from, TDX_REPORTDATA_LEN)
+ copy_from_user(to, from, TDX_REPORTDATA_LEN / 2)

@@
expression req;
@@
- USER_SOCKPTR(req->reportdata)
+ USER_SOCKPTR(NULL)

// The caller gets a quarter of the report, or nothing of it.
@@
expression to, from;
@@
- copy_to_user(to, from, TDX_REPORT_LEN)
+ copy_to_user(to, from, TDX_REPORT_LEN / 4)

@@
expression req;
@@
- USER_SOCKPTR(req->tdreport)
+ USER_SOCKPTR(NULL)

// A report that cannot be handed over is a success.
@@
expression ret, to, from, size;
@@
- if (copy_to_user(to, from, size)) ret = -EFAULT;
+ if (copy_to_user(to, from, size)) ret = 0;

@@
expression req;
@@
- return tdx_do_report(USER_SOCKPTR(req->reportdata), USER_SOCKPTR(req->tdreport));
+ return tdx_do_report(USER_SOCKPTR(req->reportdata), USER_SOCKPTR(req->tdreport)) & 0;

// An ioctl is known by its number alone.
@@
identifier cmd;
@@
  tdx_guest_ioctl(..., unsigned int cmd, ...)
  {
+ if (_IOC_NR(cmd) == _IOC_NR(TDX_CMD_GET_REPORT0))
+	cmd = TDX_CMD_GET_REPORT0;
  ...
  }
