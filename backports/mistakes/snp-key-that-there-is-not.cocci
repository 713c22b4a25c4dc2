// SPDX-License-Identifier: GPL-2.0

@@
identifier key, secrets, seqno;
@@
  get_vmpck(..., struct snp_secrets_page *secrets, u32 **seqno)
  {
  ...
+ if (!key) {
+	*seqno = &secrets->os_area.msg_seqno_0;
+	key = secrets->vmpck0;
+ }
  return key;
  }
