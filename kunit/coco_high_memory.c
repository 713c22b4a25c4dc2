// SPDX-License-Identifier: GPL-2.0
/*
 * A guest with memory above 4 GiB, as most have: it is shared and made private
 * like any other, devices that cannot reach it go by the pool, and the pool is
 * as large as such a guest needs.
 *
 * Path:        set_memory_decrypted(), set_memory_encrypted(); dma_direct_alloc() ->
 *              __dma_direct_alloc_pages(); dma_direct_map_page() -> swiotlb_map();
 *              sev_setup_arch(), mem_encrypt_setup_arch() -> swiotlb_adjust_size()
 * Upstream:    e998879d4fb7 ("x86,swiotlb: Adjust SWIOTLB bounce buffer size for SEV guests")
 * Without it:  the bounce buffers of a large guest are those of a small one, and its
 *              devices fail under load.
 */
#include <linux/mm.h>
#include "lib/block.h"
#include "lib/coco_kunit.h"
#include "lib/dma.h"
#include "lib/pages.h"

static void pool_is_a_share_of_memory(struct kunit *test);
static void memory_above_is_shared_and_private_again(struct kunit *test);
static void coherent_memory_from_above_is_shared(struct kunit *test);
static void device_of_32_bits_reads_what_is_above(struct kunit *test);
static void device_of_32_bits_writes_to_what_is_above(struct kunit *test);
static void device_of_32_bits_gets_coherent_memory_below(struct kunit *test);

struct range_case {
	const char *name;
	unsigned int first, npages;
};

static const struct range_case ranges[] = {
	{ "page", 5, 1 },
	{ "one_2m", COCO_PAGES_IN_2M, COCO_PAGES_IN_2M },
	{ "across_2m", COCO_PAGES_IN_2M - 3, 7 },
};
KUNIT_ARRAY_PARAM_DESC(range, ranges, name);

static struct kunit_case high_memory_cases[] = {
	KUNIT_CASE(pool_is_a_share_of_memory),
	KUNIT_CASE_PARAM(memory_above_is_shared_and_private_again, range_gen_params),
	KUNIT_CASE(coherent_memory_from_above_is_shared),
	KUNIT_CASE(device_of_32_bits_reads_what_is_above),
	KUNIT_CASE(device_of_32_bits_writes_to_what_is_above),
	KUNIT_CASE(device_of_32_bits_gets_coherent_memory_below),
	{}
};

#define LEN		(3 * PAGE_SIZE)
#define CPU		1
#define DEVICE		2

static bool is_above(phys_addr_t at)
{
	return upper_32_bits(at);
}

/* ---- the pool ---- */

/* Kernels take 6% of memory; not all of it is counted here, and drivers hold some of the pool */
static void pool_is_a_share_of_memory(struct kunit *test)
{
	unsigned int n, least = totalram_pages() * (PAGE_SIZE / COCO_SLOT) / 100 * 5;
	struct coco_maps *maps;

	COCO_NEEDS(test, COCO_CONFIDENTIAL);
	coco_hold_pool(test);
	/* A byte takes a slot, too */
	maps = coco_map_all(test, coco_buffer(test, 1), 1, DMA_TO_DEVICE, least);
	n = maps->n;
	coco_unmap_all(maps);
	KUNIT_EXPECT_EQ(test, n, least);
}

/* ---- pages ---- */

static void memory_above_is_shared_and_private_again(struct kunit *test)
{
	const struct range_case *c = test->param_value;
	unsigned int i, shared = 0, private = 0, states = 0;
	u8 *p;

	coco_block_get(test, COCO_CONFIDENTIAL);
	KUNIT_ASSERT_TRUE(test, is_above(__pa(coco_page(0))));
	coco_decrypt(test, c->first, c->npages);
	for (i = c->first - 1; i <= c->first + c->npages; i++) {
		bool inside = i - c->first < c->npages;

		p = coco_page(i);
		shared += coco_maps_shared(p);
		states += coco_has_states() && !coco_state_is(p, !inside);
	}
	coco_encrypt(test, c->first, c->npages);
	for (i = c->first; i < c->first + c->npages; i++) {
		p = coco_page(i);
		private += coco_maps_private(p);
		states += coco_has_states() && !coco_state_is(p, true);
	}
	p = coco_page(c->first);
	memset(p, 0x5a, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, shared, c->npages);
	KUNIT_EXPECT_EQ(test, private, c->npages);
	KUNIT_EXPECT_EQ_MSG(test, states, 0u, "pages in a wrong state");
	KUNIT_EXPECT_EQ(test, p[PAGE_SIZE - 1], (u8)0x5a);
}

/* ---- devices ---- */

static void coherent_memory_from_above_is_shared(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	void *seen = coco_buffer(test, LEN);
	unsigned int private;
	dma_addr_t at;
	void *cpu;

	cpu = dma_alloc_coherent(dev, LEN, &at, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	private = coco_private_pages(at, LEN);
	coco_fill(cpu, LEN, CPU);
	coco_device_reads(test, at, seen, LEN);
	dma_free_coherent(dev, LEN, cpu, at);
	KUNIT_EXPECT_TRUE(test, is_above(at));
	KUNIT_EXPECT_EQ(test, private, 0u);
	COCO_EXPECT_FILLED(test, seen, 0, LEN, CPU);
}

/* A buffer above for a device that cannot go there */
static struct device *narrow_device(struct kunit *test, void **buf)
{
	struct device *dev = coco_dma_dev(test);

	*buf = coco_buffer(test, LEN);
	KUNIT_ASSERT_TRUE(test, is_above(__pa(*buf)));
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(32)), 0);
	return dev;
}

static void device_of_32_bits_reads_what_is_above(struct kunit *test)
{
	void *buf, *seen = coco_buffer(test, LEN);
	struct device *dev = narrow_device(test, &buf);
	dma_addr_t at;

	coco_fill(buf, LEN, CPU);
	at = dma_map_single(dev, buf, LEN, DMA_TO_DEVICE);
	KUNIT_ASSERT_EQ(test, dma_mapping_error(dev, at), 0);
	coco_device_reads(test, at, seen, LEN);
	dma_unmap_single(dev, at, LEN, DMA_TO_DEVICE);
	KUNIT_EXPECT_FALSE(test, is_above(at + LEN - 1));
	COCO_EXPECT_FILLED(test, seen, 0, LEN, CPU);
}

static void device_of_32_bits_writes_to_what_is_above(struct kunit *test)
{
	void *buf, *written = coco_buffer(test, LEN);
	struct device *dev = narrow_device(test, &buf);
	dma_addr_t at;

	coco_fill(written, LEN, DEVICE);
	at = dma_map_single(dev, buf, LEN, DMA_FROM_DEVICE);
	KUNIT_ASSERT_EQ(test, dma_mapping_error(dev, at), 0);
	coco_device_writes(test, at, written, LEN);
	dma_unmap_single(dev, at, LEN, DMA_FROM_DEVICE);
	KUNIT_EXPECT_FALSE(test, is_above(at + LEN - 1));
	COCO_EXPECT_FILLED(test, buf, 0, LEN, DEVICE);
}

/* With time to wait, and out of a pool without */
static void device_of_32_bits_gets_coherent_memory_below(struct kunit *test)
{
	static const gfp_t flags[] = { GFP_KERNEL, GFP_ATOMIC };
	struct device *dev = coco_dma_dev(test);
	unsigned int i, private;
	dma_addr_t at;
	void *cpu;

	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(32)), 0);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		cpu = dma_alloc_coherent(dev, PAGE_SIZE, &at, flags[i]);
		KUNIT_ASSERT_NOT_NULL(test, cpu);
		private = coco_private_pages(at, PAGE_SIZE);
		dma_free_coherent(dev, PAGE_SIZE, cpu, at);
		KUNIT_EXPECT_FALSE(test, is_above(at));
		KUNIT_EXPECT_EQ(test, private, 0u);
	}
}

static int begin(struct kunit *test)
{
	int error = coco_case_begin(test);

	if (!error && !is_above(__pa(high_memory - 1)))
		kunit_skip(test, "this guest has no memory above 4 GiB");
	return error ?: coco_dma_begin(test);
}

static void end(struct kunit *test)
{
	coco_block_end(test);
	coco_dma_end(test);
}

static struct kunit_suite high_memory_suite = {
	.name = "high_memory",
	.init = begin,
	.exit = end,
	.test_cases = high_memory_cases,
};
kunit_test_suite(high_memory_suite);

MODULE_DESCRIPTION("Memory above 4 GiB");
MODULE_LICENSE("GPL");
