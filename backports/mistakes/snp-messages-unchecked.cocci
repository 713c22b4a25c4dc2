// SPDX-License-Identifier: GPL-2.0

// A reply that is not the firmware's is taken.
@@
identifier rc;
@@
  rc = verify_and_dec_payload(...);
- if (rc) { ... }
+ rc = 0;

// A request without a message version is sent.
@@
expression E;
@@
  snp_guest_ioctl(...)
  {
  <...
- if (!E.msg_version)
-	return -EINVAL;
  ...>
  }

// A caller who is killed leaves while the host has his message.
@@
expression E;
@@
  __handle_guest_request(...)
  {
  <...
  schedule_timeout_killable(E);
+ if (fatal_signal_pending(current))
+	return -EIO;
  ...>
  }

// A host that was busy is asked again without the certificates.
@@
identifier exit_code;
expression E;
@@
  __handle_guest_request(..., u64 exit_code, ...)
  {
  <...
  schedule_timeout_killable(E);
+ exit_code = SVM_VMGEXIT_GUEST_REQUEST;
  ...>
  }

@@
identifier req;
expression E;
@@
  __handle_guest_request(..., struct snp_guest_req *req)
  {
  <...
  schedule_timeout_killable(E);
+ req->exit_code = SVM_VMGEXIT_GUEST_REQUEST;
  ...>
  }

// Messages are numbered beyond what is kept of the number.
@@
expression count;
@@
  snp_get_msg_seqno(...)
  {
  <...
- if (count >= UINT_MAX) { ... }
  ...>
  }
