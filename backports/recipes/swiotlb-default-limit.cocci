// SPDX-License-Identifier: GPL-2.0
// Before: the limit was that of new pools, also where none is added any more.

@@
@@
  default_swiotlb_limit(void)
  {
  <...
- io_tlb_default_mem.can_grow
+ true
  ...>
  }
