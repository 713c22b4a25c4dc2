// SPDX-License-Identifier: GPL-2.0

@@
expression dev;
@@
  iommu_dma_max_mapping_size(...)
  {
- if (dev_is_untrusted(dev))
-	return swiotlb_max_mapping_size(dev);
- return SIZE_MAX;
+ return swiotlb_max_mapping_size(dev);
  }
