// SPDX-License-Identifier: GPL-2.0
@@
identifier rc;
expression E;
@@
  __handle_guest_request(...)
  {
  ...
  int rc;
  <...
- snp_inc_msg_seqno(E);
+ if (!rc)
+	snp_inc_msg_seqno(E);
  ...>
  }
