// SPDX-License-Identifier: GPL-2.0

@@
@@
  snp_kexec_finish(void)
  {
  ...
- unshare_all_memory();
  ...
  }
