// SPDX-License-Identifier: GPL-2.0
// Before: a device's alignment took nothing from what was promised.

@@
@@
  swiotlb_max_mapping_size(...)
  {
- ...
+ return ((size_t)IO_TLB_SIZE) * IO_TLB_SEGSIZE;
  }
