// SPDX-License-Identifier: GPL-2.0
// Before: a number of pages was taken for a size in bytes, and just one page made private.

@@
expression address;
@@
  dma_direct_free(...)
  {
  <...
(
- dma_set_encrypted(dev, address, size)
+ dma_set_encrypted(dev, address, 1 << get_order(size))
|
- set_memory_encrypted(address, PFN_UP(size))
+ set_memory_encrypted(address, PFN_UP(1 << get_order(size)))
)
  ...>
  }
