// SPDX-License-Identifier: GPL-2.0

@@
symbol bp, feature_mask;
@@
+ if (bp->hdr.xloadflags & XLF_MEM_ENCRYPTION)
+	feature_mask = AMD_SME_BIT;
  if (feature_mask == AMD_SME_BIT) {
	if (!(bp->hdr.xloadflags & XLF_MEM_ENCRYPTION))
		return;
	...
  }
