// SPDX-License-Identifier: GPL-2.0

@@
identifier attr;
@@
  intel_cc_platform_has(enum cc_attr attr)
  {
+ if (attr == CC_ATTR_GUEST_SEV_SNP)
+	return true;
  ...
  }

@@
@@
  tdx_early_init(...)
  {
  <...
+ setup_force_cpu_cap(X86_FEATURE_SEV);
  setup_force_cpu_cap(X86_FEATURE_TDX_GUEST);
  ...>
  }

@@
@@
  sme_early_init(...)
  {
  <...
+ sev_status |= BIT_ULL(63);
  add_encrypt_protection_map();
  ...>
  }

// The log
@@
@@
  print_mem_encrypt_feature_info(...)
  {
  <...
- cc_platform_has(CC_ATTR_GUEST_SEV_SNP)
+ cc_platform_has(CC_ATTR_GUEST_STATE_ENCRYPT)
  ...>
  }

// No bounce buffer
@@
symbol x86_swiotlb_enable, x86_swiotlb_flags, true;
@@
  pci_swiotlb_detect(...)
  {
  <...
- x86_swiotlb_enable = true;
- x86_swiotlb_flags |= SWIOTLB_FORCE;
  ...>
  }

// The device of SEV-SNP, where there is no page for it, and that of TDX
@@
identifier gpa;
@@
  snp_init_platform_device(...)
  {
  <...
- if (!gpa)
-	return -ENODEV;
  ...>
  }

@@
symbol tdx_guest_ids;
@@
  tdx_guest_init(...)
  {
  <...
- if (!x86_match_cpu(tdx_guest_ids))
-	return -ENODEV;
  ...>
  }

@@
identifier address;
@@
  sev_es_setup_ap_jump_table(...)
  {
  <...
  address = get_jump_table_addr();
+ address = get_jump_table_addr();
  ...>
  }
