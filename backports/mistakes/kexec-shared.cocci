// SPDX-License-Identifier: GPL-2.0

@@
@@
  snp_kexec_finish(void)
  {
  ...
- unshare_all_memory();
  ...
  }

@@
expression pte;
@@
  tdx_kexec_finish(void)
  {
  <...
- if (pte && pte_decrypted(*pte)) { ... }
  ...>
  }
