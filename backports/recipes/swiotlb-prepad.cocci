// SPDX-License-Identifier: GPL-2.0
// Before: only bits within a slot were kept by an offset, and no slot was left free for more.

@@
expression dev, mask, addr;
@@
  swiotlb_tbl_map_single(...)
  {
  <...
- swiotlb_align_offset(dev, mask, addr)
+ swiotlb_align_offset(dev, 0, addr)
  ...>
  }
