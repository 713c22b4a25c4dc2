// SPDX-License-Identifier: GPL-2.0

// A quoting service that cannot be called is waited for.
@@
identifier err;
@@
  err = tdx_hcall_get_quote(...);
- if (err) { ... }
+ (void)err;

// The quote is longer than the service says.
@@
expression length, buffer;
@@
- length = READ_ONCE(buffer->out_len);
+ length = round_up(READ_ONCE(buffer->out_len), 512);

// A reader waits for the quoting service whatever signal he gets.
@@
expression E;
@@
- if (msleep_interruptible(E))
-	return -EINTR;
+ msleep(E);
