// SPDX-License-Identifier: GPL-2.0
// Before: the alignment of an allocation set the steps of the search and where it starts, and no
// slot was tested for it.

@@
symbol alloc_align_mask, iotlb_align_mask, orig_addr, tlb_addr, stride, index, area, pool;
@@
  swiotlb_search_pool_area(...)
  {
  ...
- iotlb_align_mask &= ~alloc_align_mask;
+ iotlb_align_mask &= ~(IO_TLB_SIZE - 1);
  ...
- index = area->index;
+ index = wrap_area_index(pool, ALIGN(area->index, stride));
  <...
- (tlb_addr & alloc_align_mask) ||
- (orig_addr && (tlb_addr & iotlb_align_mask) != (orig_addr & iotlb_align_mask))
+ orig_addr && (tlb_addr & iotlb_align_mask) != (orig_addr & iotlb_align_mask)
  ...>
  }
