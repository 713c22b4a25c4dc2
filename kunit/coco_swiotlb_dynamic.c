// SPDX-License-Identifier: GPL-2.0
/*
 * A shared pool that grows: what is added is as shared as the first of it, and
 * what cannot be converted is kept out of the allocator.
 *
 * Path:        swiotlb_find_slots() -> swiotlb_dyn_alloc(), swiotlb_alloc_pool(),
 *              alloc_dma_pages()
 * Upstream:    79636caad361 ("swiotlb: if swiotlb is full, fall back to a transient memory
 *              pool"), 1aaa736815eb ("swiotlb: allocate a new memory pool when existing pools
 *              are full"), a5e3b127455d ("swiotlb: do not free decrypted pages if dynamic")
 * Without it:  devices get memory that they cannot reach, or pages that may be shared go back
 *              to the allocator.
 *
 * The boot gives the pool 2 MiB (swiotlb=1024), so that it soon is full.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include "lib/coco_kunit.h"
#include "lib/dma.h"
#include "lib/override.h"
#include "lib/pages.h"

static void full_pool_grows_by_shared_memory(struct kunit *test);
static void new_pool_that_is_not_converted_is_kept(struct kunit *test);

static struct kunit_case swiotlb_dynamic_cases[] = {
	/* In this order: what the pool grows by stays */
	KUNIT_CASE(new_pool_that_is_not_converted_is_kept),
	KUNIT_CASE(full_pool_grows_by_shared_memory),
	{}
};

#define GRAIN		SZ_64K
#define MANY		(SZ_8M / GRAIN)	/* four times what the pool has */
#define PATIENCE_MS	2000

/* set_memory_*() fails, by a kprobe: no host can make it fail on all technologies */
static struct coco_override decrypt = { .function = "set_memory_decrypted" };
static struct coco_override encrypt = { .function = "set_memory_encrypted" };

static void new_pool_that_is_not_converted_is_kept(struct kunit *test)
{
	void *buf = coco_buffer(test, GRAIN);
	unsigned int i, waited, tried;
	struct coco_maps *maps;

	COCO_NEEDS_GROWING_POOL(test);
	KUNIT_ASSERT_EQ(test, coco_override_begin(&decrypt), 0);
	KUNIT_EXPECT_EQ(test, coco_override_begin(&encrypt), 0);
	maps = coco_map_all(test, buf, GRAIN, DMA_TO_DEVICE, MANY);
	for (waited = 0; waited < PATIENCE_MS && !READ_ONCE(encrypt.ncalls); waited += 20)
		msleep(20);
	msleep(100);		/* for the last attempt to be over */
	coco_override_end(&encrypt);
	coco_override_end(&decrypt);
	coco_unmap_all(maps);
	tried = min_t(unsigned int, encrypt.ncalls, COCO_OVERRIDE_CALLS);
	KUNIT_ASSERT_GT_MSG(test, tried, 0u, "the pool did not try to grow");
	for (i = 0; i < tried; i++) {
		unsigned long address = encrypt.calls[i].arg[0];
		unsigned int order = get_order(encrypt.calls[i].arg[1] << PAGE_SHIFT);
		int users = coco_page_users(address);

		KUNIT_EXPECT_EQ_MSG(test, users, 1, "%lu pages went back to the allocator",
				    encrypt.calls[i].arg[1]);
		/* They are as private as ever, since nothing was really done to them */
		if (users == 1)
			free_pages(address, order);
	}
}

static void full_pool_grows_by_shared_memory(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, GRAIN), *seen = coco_buffer(test, GRAIN);
	dma_addr_t *at = kunit_kcalloc(test, MANY, sizeof(*at), GFP_KERNEL);
	unsigned int i, n, waited = 0, private = 0, wrong = 0;

	COCO_NEEDS_GROWING_POOL(test);
	KUNIT_ASSERT_NOT_NULL(test, at);
	for (n = 0; n < MANY && waited < PATIENCE_MS;) {
		coco_fill(buf, GRAIN, n);
		at[n] = dma_map_single_attrs(dev, buf, GRAIN, DMA_TO_DEVICE, DMA_ATTR_NO_WARN);
		if (!dma_mapping_error(dev, at[n])) {
			n++;
			continue;
		}
		msleep(20);	/* the pool grows in the background */
		waited += 20;
	}
	for (i = 0; i < n; i++) {
		private += coco_private_pages(at[i], GRAIN);
		coco_device_reads(test, at[i], seen, GRAIN);
		wrong += coco_first_wrong(seen, 0, GRAIN, i) != GRAIN;
	}
	for (i = 0; i < n; i++)
		dma_unmap_single(dev, at[i], GRAIN, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, n, (unsigned int)MANY);
	KUNIT_EXPECT_EQ(test, private, 0u);
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0u, "mappings that another one overwrote");
}

static int begin(struct kunit *test)
{
	return coco_case_begin(test) ?: coco_dma_begin(test);
}

static struct kunit_suite swiotlb_dynamic_suite = {
	.name = "swiotlb_dynamic",
	.init = begin,
	.exit = coco_dma_end,
	.test_cases = swiotlb_dynamic_cases,
};
kunit_test_suite(swiotlb_dynamic_suite);

COCO_INJECTS_FAULTS;
MODULE_DESCRIPTION("A shared pool that grows");
MODULE_LICENSE("GPL");
