// SPDX-License-Identifier: GPL-2.0

@@
@@
- vmsa->tsc_offset = snp_tsc_offset;
+ vmsa->tsc_offset = snp_tsc_offset + (1 << 22);

@@
expression list arguments;
@@
- if (sev_status & MSR_AMD64_SNP_SECURE_TSC)
-	return __vc_handle_secure_tsc_msrs(arguments);

@@
expression mdesc;
@@
  __handle_guest_request(..., struct snp_guest_req *req)
  {
  <...
+ if (req->msg_type != SNP_MSG_TSC_INFO_REQ)
	snp_inc_msg_seqno(mdesc);
  ...>
  }
