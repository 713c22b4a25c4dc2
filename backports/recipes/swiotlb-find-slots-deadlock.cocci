// SPDX-License-Identifier: GPL-2.0
// Before: the search ended where it had started, which steps of several slots may pass by.

@@
symbol index, area, pool, stride;
identifier n;
expression limit;
@@
  swiotlb_search_pool_area(...)
  {
  ...
  unsigned long flags;
+ unsigned int wrap;
+ bool first = true;
  ...
- index = area->index;
+ index = wrap = wrap_area_index(pool, ALIGN(area->index, stride));
  ...
- for (n = 0; n < limit; )
+ for (; first || index != wrap; first = false)
  {
  ...
  }
  ...
  }
