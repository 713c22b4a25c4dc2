// SPDX-License-Identifier: GPL-2.0
// Before: with swiotlb=force all was refused that cannot be bounced, so all MMIO.

@enumerated@
@@
  swiotlb_force == SWIOTLB_FORCE

@depends on enumerated@
identifier fn = dma_direct_map_resource, dev;
expression list rest;
@@
  fn(struct device *dev, ...)
  {
  <...
- !dma_capable(dev, rest)
+ (swiotlb_force == SWIOTLB_FORCE || !dma_capable(dev, rest))
  ...>
  }

@depends on !enumerated@
identifier fn = dma_direct_map_resource, dev;
expression list rest;
@@
  fn(struct device *dev, ...)
  {
  <...
- !dma_capable(dev, rest)
+ (is_swiotlb_force_bounce(dev) || !dma_capable(dev, rest))
  ...>
  }
