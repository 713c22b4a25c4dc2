// SPDX-License-Identifier: GPL-2.0
/*
 * A shared pool in more areas than it has room for: the boot asks for so many of
 * both that the pool must be made smaller.
 *
 * Path:        swiotlb=<slots>,<areas> -> swiotlb_init_remap() -> limit_nareas();
 *              dma_map_single() -> swiotlb_find_slots()
 * Upstream:    8ac04063354a ("swiotlb: reduce the number of areas to match actual memory pool
 *              size"), 20347fca71a3 ("swiotlb: split up the global swiotlb lock")
 * Without it:  an area is smaller than the largest mapping, which is refused while all of the
 *              pool is free; or has no slot at all.
 */
#include "lib/dma_suite.h"

static void largest_mapping_fits_an_area(struct kunit *test);
static void areas_make_up_the_pool(struct kunit *test);

static struct kunit_case swiotlb_areas_cases[] = {
	KUNIT_CASE(largest_mapping_fits_an_area),
	KUNIT_CASE(areas_make_up_the_pool),
	{}
};

static void largest_mapping_fits_an_area(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, COCO_SEGMENT), *seen = coco_buffer(test, COCO_SEGMENT);
	size_t largest;
	dma_addr_t at;
	int refused;

	COCO_NEEDS_BOUNCE(test);
	coco_hold_pool(test);
	largest = dma_max_mapping_size(dev);
	KUNIT_ASSERT_EQ(test, largest, (size_t)COCO_SEGMENT);
	coco_fill(buf, largest, 1);
	at = dma_map_single_attrs(dev, buf, largest, DMA_TO_DEVICE, DMA_ATTR_NO_WARN);
	refused = dma_mapping_error(dev, at);
	KUNIT_ASSERT_EQ_MSG(test, refused, 0, "%zu bytes, with nothing else in the pool", largest);
	coco_device_reads(test, at, seen, largest);
	dma_unmap_single(dev, at, largest, DMA_TO_DEVICE);
	COCO_EXPECT_FILLED(test, seen, 0, largest, 1);
}

/* Of what is left of the 512 MiB that were asked for; drivers may hold some */
#define LEAST	SZ_64M

static void areas_make_up_the_pool(struct kunit *test)
{
	void *buf = coco_buffer(test, COCO_SEGMENT);
	struct coco_maps *maps;
	unsigned int n;

	COCO_NEEDS_BOUNCE(test);
	coco_hold_pool(test);
	maps = coco_map_all(test, buf, COCO_SEGMENT, DMA_TO_DEVICE, SZ_1G / COCO_SEGMENT);
	n = maps->n;
	coco_unmap_all(maps);
	KUNIT_EXPECT_GE(test, n, (unsigned int)(LEAST / COCO_SEGMENT));
	KUNIT_EXPECT_LT_MSG(test, n, (unsigned int)(SZ_512M / COCO_SEGMENT),
			    "the pool was not made smaller");
}

static struct kunit_suite swiotlb_areas_suite = {
	.name = "swiotlb_areas",
	.init = coco_dma_case_begin,
	.exit = coco_dma_end,
	.test_cases = swiotlb_areas_cases,
};
kunit_test_suite(swiotlb_areas_suite);

MODULE_DESCRIPTION("A shared pool in more areas than it has room for");
MODULE_LICENSE("GPL");
