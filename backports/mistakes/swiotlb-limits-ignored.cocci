// SPDX-License-Identifier: GPL-2.0

@@
@@
- iommu_is_span_boundary(...)
+ false

@@
expression dev, at, size;
@@
  swiotlb_map(...)
  {
  <...
- if (unlikely(!dma_capable(dev, at, size, true))) { ... }
  ...>
  }

@@
expression E;
@@
  swiotlb_max_mapping_size(...)
  {
  ...
- return E;
+ return 2 * (E);
  }
