// SPDX-License-Identifier: GPL-2.0
// Before: a part was copied to or from the start of its slot's memory.

@@
symbol orig_addr, alloc_size, tlb_offset;
@@
  swiotlb_bounce(...)
  {
  <...
(
- orig_addr += tlb_offset;
|
- alloc_size -= tlb_offset;
)
  ...>
  }

@@
symbol orig_addr;
expression offset;
@@
  swiotlb_tbl_sync_single(...)
  {
  <...
- orig_addr += offset;
  ...>
  }
