// SPDX-License-Identifier: GPL-2.0

// Where the decompressor reads the option, a flag hands it on

@@
statement S;
@@
  parse_mem_encrypt(...)
  {
  ...
+ if (off > on)
+	hdr->xloadflags |= XLF_MEM_ENCRYPTION << 1;
  if (on > off) S
  }

@flag@
symbol bp, feature_mask;
@@
+ if (bp->hdr.xloadflags & XLF_MEM_ENCRYPTION << 1)
+	return;
  if (feature_mask == AMD_SME_BIT) {
	if (!(bp->hdr.xloadflags & XLF_MEM_ENCRYPTION))
		return;
	...
  }

// Before, the function that sets up encryption does

@@
symbol sev_enabled, physical_mask, sme_me_mask;
@@
  sev_enabled = true;
  physical_mask &= ~sme_me_mask;
- return;

@skips depends on !flag@
symbol out;
@@
  sme_enable(...)
  {
  <+...
- goto out;
  ...+>
  }

@depends on skips@
expression list arguments;
expression is_not_on;
@@
- cmdline_find_option(arguments) < 0 || is_not_on
+ cmdline_find_option(arguments) >= 0 && is_not_on
