// SPDX-License-Identifier: GPL-2.0
// Before: whoever is behind an IOMMU had no limit, bounced or not.

@@
identifier dev, fn = iommu_dma_max_mapping_size;
@@
  fn(struct device *dev)
  {
- if (dev_is_untrusted(dev))
-	return swiotlb_max_mapping_size(dev);
  ...
  }
