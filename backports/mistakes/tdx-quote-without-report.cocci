// SPDX-License-Identifier: GPL-2.0

@@
expression quote_buf, tdreport;
@@
(
- memcpy(quote_buf->data, tdreport, TDX_REPORT_LEN);
|
- KERNEL_SOCKPTR(quote_buf->data)
+ KERNEL_SOCKPTR(NULL)
)
