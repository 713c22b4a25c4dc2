// SPDX-License-Identifier: GPL-2.0

// The quoting service is not waited for.
@@
identifier ret;
@@
- ret = wait_for_quote_completion(...);
+ ret = 0;

// A buffer that the quoting service still has is used for the next request.
@@
identifier f =~ "^tdx_report_new";
expression quote_buf;
statement S;
@@
  f(...)
  {
  <...
- if (quote_buf->status == GET_QUOTE_IN_FLIGHT) S
  ...>
  }
