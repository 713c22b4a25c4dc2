// SPDX-License-Identifier: GPL-2.0
/*
 * A device that the firmware calls untrusted is bounced behind an IOMMU, too, and
 * is not told otherwise.
 *
 * Path:        dma_max_mapping_size() -> iommu_dma_max_mapping_size()
 * Upstream:    afc5aa46ed56 ("iommu/dma: Force swiotlb_max_mapping_size on an untrusted device")
 * Without it:  its driver makes requests that no bounce buffer has room for, and each fails.
 *
 * No IOMMU translates for the machine's devices: the case has one of them look for a
 * moment as if one did.  Nothing is mapped then.
 */
#include <linux/pci.h>
#include "lib/coco_kunit.h"
#include "lib/dma.h"

static void largest_mapping_of_an_untrusted_device_fits_a_bounce_buffer(struct kunit *test);
static void trusted_device_has_no_such_limit(struct kunit *test);

static struct kunit_case dma_untrusted_cases[] = {
	KUNIT_CASE(largest_mapping_of_an_untrusted_device_fits_a_bounce_buffer),
	KUNIT_CASE(trusted_device_has_no_such_limit),
	{}
};

static bool assign_iommu(struct device *dev, bool new)
{
	bool old = false;

#ifdef CC_HAVE_DMA_IOMMU_FLAG
	old = dev_dma_iommu(dev);
	dev_assign_dma_iommu(dev, new);
#elif defined(CC_HAVE_DMA_IOMMU)
	old = dev->dma_iommu;
	dev->dma_iommu = new;
#endif
	return old;
}

static size_t largest_mapping(struct kunit *test, bool untrusted)
{
	struct pci_dev *pdev = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, NULL);
	bool iommu, was;
	size_t size;

#if !defined(CC_HAVE_DMA_IOMMU) && !defined(CC_HAVE_DMA_IOMMU_FLAG)
	kunit_skip(test, "this kernel asks the IOMMU's driver in another way");
#endif
	if (!pdev)
		kunit_skip(test, "no device on a PCI bus");
	iommu = assign_iommu(&pdev->dev, true);
	was = pdev->untrusted;
	pdev->untrusted = untrusted;
	size = dma_max_mapping_size(&pdev->dev);
	pdev->untrusted = was;
	assign_iommu(&pdev->dev, iommu);
	pci_dev_put(pdev);
	return size;
}

static void largest_mapping_of_an_untrusted_device_fits_a_bounce_buffer(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, largest_mapping(test, true), (size_t)COCO_SEGMENT);
}

static void trusted_device_has_no_such_limit(struct kunit *test)
{
	KUNIT_EXPECT_GT(test, largest_mapping(test, false), (size_t)COCO_SEGMENT);
}

static struct kunit_suite dma_untrusted_suite = {
	.name = "dma_untrusted",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = dma_untrusted_cases,
};
kunit_test_suite(dma_untrusted_suite);

MODULE_DESCRIPTION("A device that the firmware calls untrusted");
MODULE_LICENSE("GPL");
