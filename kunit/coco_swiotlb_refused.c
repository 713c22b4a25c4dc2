// SPDX-License-Identifier: GPL-2.0
/*
 * A shared pool that the host did not share is not used: a mapping fails, or lies in
 * memory that the device reaches.
 *
 * Path:        mem_encrypt_init() -> swiotlb_update_mem_attributes() -> set_memory_decrypted();
 *              dma_map_single() -> swiotlb_tbl_map_single()
 * Upstream:    ad8d2326d264 ("dma: swiotlb: handle set_memory_decrypted() failures")
 * Without it:  drivers and devices talk through different memory, without an error anywhere.
 *
 * The host refuses every conversion of the boot (GHCI 344426, TDG.VP.VMCALL<MapGPA>; a rule
 * of backports/expect/suites).  The kernel warns of that once.
 */
#include <linux/gfp.h>
#include <asm/set_memory.h>
#include "lib/dma_suite.h"

static void mapping_fails_or_is_shared(struct kunit *test);

static struct kunit_case swiotlb_refused_cases[] = {
	KUNIT_CASE(mapping_fails_or_is_shared),
	{}
};

#define MANY	64

/* Or else the boot has been another one.  Nobody knows what the page is then: it goes to nobody */
static void expect_host_to_refuse(struct kunit *test)
{
	unsigned long page = __get_free_page(GFP_KERNEL);

	KUNIT_ASSERT_NE(test, page, 0ul);
	KUNIT_ASSERT_LT_MSG(test, set_memory_decrypted(page, 1), 0, "the host shares what it is asked to");
}

static void mapping_fails_or_is_shared(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	void *buf = coco_buffer(test, PAGE_SIZE);
	unsigned int i, failed = 0, private = 0;

	COCO_NEEDS(test, COCO_ONLY(COCO_TDX));
	COCO_NEEDS_MACHINE(test);
	expect_host_to_refuse(test);
	for (i = 0; i < MANY; i++) {
		dma_addr_t at = dma_map_single_attrs(dev, buf, PAGE_SIZE, DMA_TO_DEVICE,
						     DMA_ATTR_NO_WARN);

		if (dma_mapping_error(dev, at)) {
			failed++;
			continue;
		}
		private += coco_private_pages(at, PAGE_SIZE);
		dma_unmap_single(dev, at, PAGE_SIZE, DMA_TO_DEVICE);
	}
	KUNIT_EXPECT_EQ_MSG(test, private, 0u, "and %u mappings of %u failed", failed, MANY);
}

static struct kunit_suite swiotlb_refused_suite = {
	.name = "swiotlb_refused",
	.init = coco_dma_case_begin,
	.exit = coco_dma_end,
	.test_cases = swiotlb_refused_cases,
};
kunit_test_suite(swiotlb_refused_suite);

MODULE_DESCRIPTION("A shared pool that the host did not share");
MODULE_LICENSE("GPL");
