// SPDX-License-Identifier: GPL-2.0
/*
 * A shared pool that grows: what is added is as shared as the first of it, and
 * what cannot be converted is kept out of the allocator.
 *
 * Path:        swiotlb_find_slots() -> swiotlb_dyn_alloc(), swiotlb_alloc_pool(),
 *              alloc_dma_pages()
 * Upstream:    79636caad361 ("swiotlb: if swiotlb is full, fall back to a transient memory
 *              pool"), 1aaa736815eb ("swiotlb: allocate a new memory pool when existing pools
 *              are full"), a5e3b127455d ("swiotlb: do not free decrypted pages if dynamic"),
 *              53c87e846e33 ("swiotlb: fix out-of-bounds TLB allocations with
 *              CONFIG_SWIOTLB_DYNAMIC") CVE-2023-52790
 * Without it:  devices get memory that they cannot reach, or pages that may be shared go back
 *              to the allocator, or a mapping goes on behind the end of its pool.
 *
 * The boot gives the pool 2 MiB (swiotlb=1024), so that it soon is full.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include "lib/dma_suite.h"
#include "lib/override.h"
#include "lib/pages.h"

static void full_pool_grows_by_shared_memory(struct kunit *test);
static void mapping_ends_within_a_pool_of_its_own(struct kunit *test);
static void new_pool_that_is_not_converted_is_kept(struct kunit *test);

static struct kunit_case swiotlb_dynamic_cases[] = {
	/* In this order: what the pool grows by stays */
	KUNIT_CASE(new_pool_that_is_not_converted_is_kept),
	KUNIT_CASE(mapping_ends_within_a_pool_of_its_own),
	KUNIT_CASE(full_pool_grows_by_shared_memory),
	{}
};

#define GRAIN		SZ_64K
#define MANY		(SZ_8M / GRAIN)	/* four times what the pool has */
#define PATIENCE_MS	2000

#define PIECE		SZ_4K
#define PIECES		(SZ_4M / PIECE)	/* twice what the pool has */

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

/*
 * While the pool grows in the background, a mapping gets a pool of its own, just as large as it
 * is.  One that keeps bit 11 of its address does not fit there: it would start in the second
 * slot and end in the page behind, which is the pool of the next one.
 *
 *	|  slot 0   |  slot 1   |  slot 0   |  slot 1   |
 *	|           |<-- kept bit: 1 ------>|
 *	                        |<-- kept bit: 0 ------>|
 */
static dma_addr_t map_keeping_bit_11(struct device *dev, u8 *buf, unsigned int i)
{
	u8 *part = buf + (i % 2 ? 0 : COCO_SLOT);

	coco_fill(part, PIECE, i);
	return dma_map_single_attrs(dev, part, PIECE, DMA_TO_DEVICE, DMA_ATTR_NO_WARN);
}

/* As often as it takes for the pool to grow; how many it could map */
static unsigned int map_many(struct device *dev, dma_addr_t *at, unsigned int many,
			     dma_addr_t (*map)(struct device *dev, u8 *buf, unsigned int i),
			     u8 *buf)
{
	unsigned int n, waited = 0;

	for (n = 0; n < many && waited < PATIENCE_MS;) {
		at[n] = map(dev, buf, n);
		if (!dma_mapping_error(dev, at[n])) {
			n++;
			continue;
		}
		msleep(20);	/* the pool grows in the background */
		waited += 20;
	}
	return n;
}

/* How many a device reads otherwise than they were written */
static unsigned int overwritten(struct device *dev, const dma_addr_t *at, unsigned int n,
				u8 *seen, size_t len)
{
	unsigned int i, wrong = 0;

	for (i = 0; i < n; i++)
		wrong += !coco_device_finds(dev, at[i], seen, len, i);
	return wrong;
}

static void unmap_many(struct device *dev, const dma_addr_t *at, unsigned int n, size_t len)
{
	while (n--)
		dma_unmap_single(dev, at[n], len, DMA_TO_DEVICE);
}

static void mapping_ends_within_a_pool_of_its_own(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, 2 * PIECE), *seen = coco_buffer(test, PIECE);
	dma_addr_t *at = kunit_kcalloc(test, PIECES, sizeof(*at), GFP_KERNEL);
	unsigned int n, wrong;

	COCO_NEEDS_GROWING_POOL(test);
	KUNIT_ASSERT_NOT_NULL(test, at);
	KUNIT_ASSERT_TRUE(test, PAGE_ALIGNED(buf));
	coco_keep_bits(test, PIECE - 1);
	n = map_many(dev, at, PIECES, map_keeping_bit_11, buf);
	wrong = overwritten(dev, at, n, seen, PIECE);
	unmap_many(dev, at, n, PIECE);
	KUNIT_EXPECT_EQ(test, n, (unsigned int)PIECES);
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0u, "mappings that another one overwrote");
}

static dma_addr_t map_grain(struct device *dev, u8 *buf, unsigned int i)
{
	coco_fill(buf, GRAIN, i);
	return dma_map_single_attrs(dev, buf, GRAIN, DMA_TO_DEVICE, DMA_ATTR_NO_WARN);
}

static void full_pool_grows_by_shared_memory(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, GRAIN), *seen = coco_buffer(test, GRAIN);
	dma_addr_t *at = kunit_kcalloc(test, MANY, sizeof(*at), GFP_KERNEL);
	unsigned int i, n, private = 0, wrong;

	COCO_NEEDS_GROWING_POOL(test);
	KUNIT_ASSERT_NOT_NULL(test, at);
	n = map_many(dev, at, MANY, map_grain, buf);
	for (i = 0; i < n; i++)
		private += coco_private_pages(at[i], GRAIN);
	wrong = overwritten(dev, at, n, seen, GRAIN);
	unmap_many(dev, at, n, GRAIN);
	KUNIT_EXPECT_EQ(test, n, (unsigned int)MANY);
	KUNIT_EXPECT_EQ(test, private, 0u);
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0u, "mappings that another one overwrote");
}

static struct kunit_suite swiotlb_dynamic_suite = {
	.name = "swiotlb_dynamic",
	.init = coco_dma_case_begin,
	.exit = coco_dma_end,
	.test_cases = swiotlb_dynamic_cases,
};
kunit_test_suite(swiotlb_dynamic_suite);

COCO_INJECTS_FAULTS;
MODULE_DESCRIPTION("A shared pool that grows");
MODULE_LICENSE("GPL");
