// SPDX-License-Identifier: GPL-2.0

@@
identifier tlb_addr;
@@
  swiotlb_tbl_map_single(...)
  {
  ...
- phys_addr_t tlb_addr;
+ static volatile phys_addr_t tlb_addr;
  ...
  }
