// SPDX-License-Identifier: GPL-2.0
// Before: a sync copied as much as it was asked to, however long the mapping.

@@
symbol tlb_offset, alloc_size, size;
@@
  swiotlb_bounce(...)
  {
  <...
- if (tlb_offset > alloc_size) { ... }
  ...>
  }

@@
symbol tlb_offset, alloc_size, size;
@@
  swiotlb_bounce(...)
  {
  <...
- if (size > alloc_size) { ... }
  ...>
  }
