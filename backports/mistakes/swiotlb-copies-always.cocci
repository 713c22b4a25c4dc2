// SPDX-License-Identifier: GPL-2.0

@@
identifier fn = {swiotlb_sync_single_for_cpu, __swiotlb_sync_single_for_cpu};
expression dir;
statement S;
@@
  fn(...)
  {
  <...
- if (dir == DMA_FROM_DEVICE || dir == DMA_BIDIRECTIONAL)
- 	S
- else
- 	BUG_ON(...);
+ S
  ...>
  }

@@
expression attrs;
statement S;
@@
  dma_direct_unmap_page(...)
  {
  <...
- if (!(attrs & DMA_ATTR_SKIP_CPU_SYNC))
- 	S
+ S
  ...>
  }
