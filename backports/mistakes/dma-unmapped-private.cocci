// SPDX-License-Identifier: GPL-2.0

@@
expression attrs, dev;
@@
- (attrs & DMA_ATTR_NO_KERNEL_MAPPING) && !force_dma_unencrypted(dev)
+ (attrs & DMA_ATTR_NO_KERNEL_MAPPING)

@@
identifier fn = {dma_direct_alloc, dma_direct_free};
@@
  fn(...)
  {
  <...
- DMA_ATTR_NO_KERNEL_MAPPING | __DMA_ATTR_ALLOC_CC_SHARED
+ DMA_ATTR_NO_KERNEL_MAPPING
  ...>
  }
