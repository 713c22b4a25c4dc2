// SPDX-License-Identifier: GPL-2.0

@@
identifier report, length, quote_buf;
@@
  struct tdx_quote_buf *quote_buf = ...;
  ...
- report->outblob_len = length;
+ report->outblob_len = READ_ONCE(quote_buf->out_len);
