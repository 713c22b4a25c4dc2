// SPDX-License-Identifier: GPL-2.0
// Before: early code asked for page state changes through a GHCB page, which it shared for that.

@@
identifier pa;
@@
  void snp_accept_memory(...)
  {
  <...
- __page_state_change(pa, SNP_PAGE_STATE_PRIVATE);
+ accept_page_through_ghcb(pa);
  ...>
  }

@@
typedef phys_addr_t;
@@
+static void accept_page_through_ghcb(phys_addr_t pa)
+{
+	struct snp_psc_desc desc = { };
+
+	if (!boot_ghcb && !early_setup_ghcb())
+		sev_es_terminate(SEV_TERM_SET_LINUX, GHCB_TERM_PSC);
+	desc.entries[0].gfn = pa >> PAGE_SHIFT;
+	desc.entries[0].operation = SNP_PAGE_STATE_PRIVATE;
+	if (vmgexit_psc(boot_ghcb, &desc))
+		sev_es_terminate(SEV_TERM_SET_LINUX, GHCB_TERM_PSC);
+	pvalidate_4k_page(pa, pa, true);
+}
+
  void snp_accept_memory(...)
  {
  ...
  }
