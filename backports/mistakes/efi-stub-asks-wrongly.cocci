// SPDX-License-Identifier: GPL-2.0

@@
expression lacking;
@@
  snp_get_unsupported_features(...)
  {
  ...
+ if (lacking) {
+	sev_es_wr_ghcb_msr(GHCB_MSR_HV_FT_REQ | (lacking) << 12);
+	VMGEXIT();
+ }
  return lacking;
  }
