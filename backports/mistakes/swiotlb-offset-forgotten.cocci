// SPDX-License-Identifier: GPL-2.0

// What a slot knows of the end of its mapping, and what is released, goes with what was forgotten.
@@
identifier pool, offset;
symbol i, slot_index, alloc_size;
@@
  swiotlb_search_pool_area(...)
  {
  <...
- pool->slots[i].alloc_size = alloc_size - (offset + ((i - slot_index) << IO_TLB_SHIFT));
+ pool->slots[i].alloc_size = alloc_size - ((i - slot_index) << IO_TLB_SHIFT);
  ...>
  }

@@
expression size, mapping_size, offset, mask;
@@
  swiotlb_tbl_map_single(...)
  {
  <...
- size = ALIGN(mapping_size + offset, mask + 1);
+ size = ALIGN(mapping_size, mask + 1);
  ...>
  }

@@
expression size, offset;
symbol nslots;
@@
  swiotlb_release_slots(...)
  {
  <...
- nslots = nr_slots(size + offset);
+ nslots = nr_slots(size);
  ...>
  }
