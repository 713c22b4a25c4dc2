// SPDX-License-Identifier: GPL-2.0
/*
 * The shared pool has the size that the command line asks for, in whole areas.
 *
 * Path:        setup_io_tlb_npages(), swiotlb_adjust_nareas() -> round_up_default_nslabs();
 *              sev_setup_arch() -> swiotlb_adjust_size(), which leaves a size alone that was
 *              asked for
 * Upstream:    20347fca71a3 ("swiotlb: split up the global swiotlb lock")
 * Without it:  an administrator cannot give a guest with many devices the pool that it needs,
 *              nor one with little memory a small one.
 */
#include "lib/dma_suite.h"

static void pool_has_the_size_that_was_asked_for(struct kunit *test);

static struct kunit_case swiotlb_size_cases[] = {
	KUNIT_CASE(pool_has_the_size_that_was_asked_for),
	{}
};

/*
 * swiotlb=1100,3 of backports/expect/suites: whole segments of 128 slots; and in
 * kernels that have areas, four of them and the next power of two
 */
#define LEAST	1024u		/* drivers of the guest may hold some */
#define MOST	2048u

static void pool_has_the_size_that_was_asked_for(struct kunit *test)
{
	void *buf = coco_buffer(test, COCO_SLOT);
	struct coco_maps *maps;
	unsigned int n;

	COCO_NEEDS_BOUNCE(test);
	coco_hold_pool(test);
	maps = coco_map_all(test, buf, COCO_SLOT, DMA_TO_DEVICE, 2 * MOST);
	n = maps->n;
	coco_unmap_all(maps);
	KUNIT_EXPECT_GT(test, n, LEAST);
	KUNIT_EXPECT_LE(test, n, MOST);
}

static struct kunit_suite swiotlb_size_suite = {
	.name = "swiotlb_size",
	.init = coco_dma_case_begin,
	.exit = coco_dma_end,
	.test_cases = swiotlb_size_cases,
};
kunit_test_suite(swiotlb_size_suite);

MODULE_DESCRIPTION("The size of the shared pool");
MODULE_LICENSE("GPL");
