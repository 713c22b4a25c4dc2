// SPDX-License-Identifier: GPL-2.0
/*
 * A bounce buffer in whole granules of an IOMMU, for a device that nobody trusts.
 *
 * Path:        swiotlb_tbl_map_single() with an alignment of the allocation, as
 *              iommu_dma_map_page() calls it -> swiotlb_find_slots(), swiotlb_align_offset()
 * Upstream:    0eee5ae10256 ("swiotlb: fix slot alignment checks"), bbb73a103fbb ("swiotlb: fix a
 *              braino in the alignment check fix"), af133562d5af ("swiotlb: extend buffer
 *              pre-padding to alloc_align_mask if necessary")
 * Without it:  the page that is mapped for the device has bytes of another one's mapping, or
 *              the device is told an address with other low bits than it asked for.
 *
 * Called directly, since it takes an IOMMU to be called so; what is asserted is what
 * the function's description promises.
 */
#include <linux/dma-direct.h>
#include <linux/swiotlb.h>
#include "lib/dma_suite.h"
#include "lib/symbol.h"

static void mapping_has_its_granules_for_itself(struct kunit *test);
static void address_keeps_the_bits_of_the_mask(struct kunit *test);

static struct kunit_case swiotlb_granule_cases[] = {
	KUNIT_CASE(mapping_has_its_granules_for_itself),
	KUNIT_CASE(address_keeps_the_bits_of_the_mask),
	{}
};

#define GRANULE		PAGE_SIZE	/* the least of every x86 IOMMU */
#define MASK		(GRANULE - 1)

/* Where a mapping starts in its page: before and behind the end of a slot */
static const size_t offsets[] = { 0, 0x200, 0x7ff, 0x800, 0xa00, 0xfff };
static const size_t sizes[] = { 1, 0x100, 0x900, GRANULE };

#if defined(CC_HAVE_SWIOTLB_ALIGN_MASK) && defined(CC_HAVE_DMA_MIN_ALIGN_MASK)
static typeof(swiotlb_tbl_map_single) *map_single;

static void need_map_single(struct kunit *test)
{
	COCO_NEEDS_BOUNCE(test);
	if (!map_single)
		map_single = coco_need_symbol(test, "swiotlb_tbl_map_single");
	coco_keep_bits(test, MASK);
}

/* As an IOMMU's driver does for a device that is not trusted */
static dma_addr_t __nocfi map(struct kunit *test, const void *buf, size_t len)
{
	struct device *dev = coco_dma_dev(test);
	phys_addr_t phys = virt_to_phys((void *)buf), at;
#ifdef CC_HAVE_SWIOTLB_ATTRS_POINTER
	unsigned long attrs = 0;

	at = map_single(dev, phys, len, MASK, DMA_TO_DEVICE, &attrs);
#elif defined(CC_HAVE_SWIOTLB_ALLOC_SIZE)
	size_t alloc = ALIGN((phys & MASK) + len, GRANULE);

	at = map_single(dev, phys, len, alloc, MASK, DMA_TO_DEVICE, 0);
#else
	at = map_single(dev, phys, len, MASK, DMA_TO_DEVICE, 0);
#endif
	KUNIT_ASSERT_NE(test, at, (phys_addr_t)DMA_MAPPING_ERROR);
	return phys_to_dma_unencrypted(dev, at);
}
#else
static void need_map_single(struct kunit *test)
{
	kunit_skip(test, "this kernel's swiotlb knows no alignment of an allocation");
}

static dma_addr_t map(struct kunit *test, const void *buf, size_t len)
{
	return 0;
}
#endif

static void unmap(struct kunit *test, dma_addr_t at, size_t len)
{
	dma_unmap_single(coco_dma_dev(test), at, len, DMA_TO_DEVICE);
}

/* Mappings of a slot each before and behind it, as others make them */
static void mapping_has_its_granules_for_itself(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, 3 * GRANULE), *other = coco_buffer(test, COCO_SLOT);
	dma_addr_t at, before, behind;
	unsigned int shared = 0;
	size_t i, j;

	need_map_single(test);
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			size_t len = sizes[j];

			coco_keep_bits(test, 0);
			before = dma_map_single(dev, other, COCO_SLOT, DMA_TO_DEVICE);
			coco_keep_bits(test, MASK);
			at = map(test, buf + offsets[i], len);
			coco_keep_bits(test, 0);
			behind = dma_map_single(dev, other, COCO_SLOT, DMA_TO_DEVICE);
			unmap(test, before, COCO_SLOT);
			unmap(test, behind, COCO_SLOT);
			coco_keep_bits(test, MASK);
			unmap(test, at, len);
			if (before / GRANULE == at / GRANULE ||
			    behind / GRANULE == (at + len - 1) / GRANULE) {
				kunit_info(test, "%zu bytes at 0x%zx: %pad between %pad and %pad\n",
					   len, offsets[i], &at, &before, &behind);
				shared++;
			}
		}
	}
	KUNIT_EXPECT_EQ_MSG(test, shared, 0u, "mappings with a granule that another one is in");
}

static void address_keeps_the_bits_of_the_mask(struct kunit *test)
{
	u8 *buf = coco_buffer(test, 3 * GRANULE), *seen = coco_buffer(test, GRANULE);
	size_t i, j;

	need_map_single(test);
	coco_fill(buf, 3 * GRANULE, 1);
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			u8 *start = buf + offsets[i];
			dma_addr_t at = map(test, start, sizes[j]);

			coco_device_reads(test, at, seen, sizes[j]);
			unmap(test, at, sizes[j]);
			KUNIT_EXPECT_EQ_MSG(test, at & MASK, (dma_addr_t)virt_to_phys(start) & MASK,
					    "%zu bytes at 0x%zx", sizes[j], offsets[i]);
			COCO_EXPECT_SAME(test, seen, start, sizes[j]);
		}
	}
}

static struct kunit_suite swiotlb_granule_suite = {
	.name = "swiotlb_granule",
	.init = coco_dma_case_begin,
	.exit = coco_dma_end,
	.test_cases = swiotlb_granule_cases,
};
kunit_test_suite(swiotlb_granule_suite);

MODULE_DESCRIPTION("Bounce buffers in whole granules of an IOMMU");
MODULE_LICENSE("GPL");
