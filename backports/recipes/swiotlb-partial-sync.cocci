// SPDX-License-Identifier: GPL-2.0
// Before: what starts less than the offset into any slot was taken for a place before the mapping.

@@
symbol tlb_offset, orig_addr;
@@
  swiotlb_bounce(...)
  {
  <...
+ if (tlb_offset < 0) {
+	dev_WARN_ONCE(dev, 1, "Access before mapping start detected.\n");
+	return;
+ }
  orig_addr += tlb_offset;
  ...>
  }
