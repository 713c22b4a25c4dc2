// SPDX-License-Identifier: GPL-2.0
// Before: early code asked for page state changes through a GHCB page, which it shared for that.

@ plain @
identifier pa;
@@
  void snp_accept_memory(...)
  {
  <+...
- __page_state_change(pa, SNP_PAGE_STATE_PRIVATE);
+ accept_page_through_ghcb(pa);
  ...+>
  }

@ depends on plain @
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

// Where early code has lost its function for that, and PVALIDATE may be the SVSM's to do
@ described @
identifier pa, d;
@@
  void snp_accept_memory(...)
  {
  <+...
- __page_state_change(pa, pa, &d);
+ accept_page_through_ghcb(pa, &d);
  ...+>
  }

@ depends on described @
typedef phys_addr_t;
@@
+static void accept_page_through_ghcb(phys_addr_t pa, const struct psc_desc *d)
+{
+	struct snp_psc_desc *desc = (struct snp_psc_desc *)boot_ghcb_page.shared_buffer;
+
+	if (!boot_ghcb && !early_setup_ghcb())
+		sev_es_terminate(SEV_TERM_SET_LINUX, GHCB_TERM_PSC);
+	memset(boot_ghcb->save.valid_bitmap, 0, sizeof(boot_ghcb->save.valid_bitmap));
+	memset(desc, 0, sizeof(*desc));
+	desc->entries[0].gfn = pa >> PAGE_SHIFT;
+	desc->entries[0].operation = SNP_PAGE_STATE_PRIVATE;
+	boot_ghcb->protocol_version = ghcb_version;
+	boot_ghcb->ghcb_usage = GHCB_DEFAULT_USAGE;
+	ghcb_set_sw_exit_code(boot_ghcb, SVM_VMGEXIT_PSC);
+	ghcb_set_sw_exit_info_1(boot_ghcb, 0);
+	ghcb_set_sw_exit_info_2(boot_ghcb, 0);
+	ghcb_set_sw_scratch(boot_ghcb, __pa(desc));
+	sev_es_wr_ghcb_msr(__pa(boot_ghcb));
+	VMGEXIT();
+	if (desc->hdr.cur_entry <= desc->hdr.end_entry)
+		sev_es_terminate(SEV_TERM_SET_LINUX, GHCB_TERM_PSC);
+	pvalidate_4k_page(pa, pa, true, d->ca, d->caa_pa);
+}
+
  void snp_accept_memory(...)
  {
  ...
  }
