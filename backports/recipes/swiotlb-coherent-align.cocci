// SPDX-License-Identifier: GPL-2.0
// Before: memory from a device's own pool was asked for without an alignment.

@@
expression dev, size, align, pool;
@@
  swiotlb_alloc(...)
  {
  <...
- swiotlb_find_slots(dev, 0, size, align, pool)
+ swiotlb_find_slots(dev, 0, size, 0, pool)
  ...>
  }
