// SPDX-License-Identifier: GPL-2.0
// Before: a message that failed left key and number as they were, for the next one.

@@
expression device;
@@
- snp_disable_vmpck(device);

@@
@@
- static void snp_disable_vmpck(...) { ... }

@@
expression device;
@@
  __handle_guest_request(...)
  {
  <...
- snp_inc_msg_seqno(device);
+ if (!rc)
+	snp_inc_msg_seqno(device);
  ...>
  }

@@
identifier ret;
@@
  snp_issue_guest_request(...)
  {
  <...
- ret = -ENOSPC;
+ ret = -EIO;
  ...>
  }
