// SPDX-License-Identifier: GPL-2.0
// Before: the number that the pool has room for was computed, and the one that was asked for used.

@@
identifier init = {swiotlb_init_io_tlb_mem, swiotlb_init_io_tlb_pool};
symbol nareas, default_nareas;
@@
  swiotlb_init_remap(...)
  {
  <...
(
  array_size(sizeof(struct io_tlb_area),
- 	     nareas
+ 	     default_nareas
  )
|
  init(...,
- 	nareas
+ 	default_nareas
  )
)
  ...>
  }
