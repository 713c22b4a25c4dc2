// SPDX-License-Identifier: GPL-2.0
/*
 * A device with a shared pool of its own, as a device tree gives it one
 * (restricted-dma-pool): all its memory comes from there.
 *
 * Path:        rmem_swiotlb_device_init(); dma_alloc_coherent() -> swiotlb_alloc();
 *              dma_map_single() -> swiotlb_tbl_map_single()
 * Upstream:    75961ffb5cb3 ("swiotlb: initialise restricted pool list_head when
 *              SWIOTLB_DYNAMIC=y") CVE-2024-36925, 04867a7a3332 ("swiotlb: Fix double-allocation
 *              of slots due to broken alignment handling") CVE-2024-35814, cbf53074a528
 *              ("swiotlb: Honour dma_alloc_coherent() alignment in swiotlb_alloc()")
 * Without it:  the guest dies when the device is set up, or two users get the same slot.
 *
 * Nobody describes the machine by a device tree: the pool is made of pages of ours, and
 * handed to the driver of such pools.  It stays, as it does elsewhere.
 */
#include <linux/mm.h>
#include <linux/of_reserved_mem.h>
#include "lib/dma_suite.h"
#include "lib/symbol.h"

static void mapping_comes_from_the_pool(struct kunit *test);
static void coherent_memory_comes_from_the_pool(struct kunit *test);
static void coherent_memory_starts_a_page(struct kunit *test);
static void coherent_memory_is_aligned_to_its_size(struct kunit *test);
static void coherent_memory_and_mappings_are_disjoint(struct kunit *test);

static struct kunit_case swiotlb_restricted_cases[] = {
	KUNIT_CASE(mapping_comes_from_the_pool),
	KUNIT_CASE(coherent_memory_comes_from_the_pool),
	KUNIT_CASE(coherent_memory_starts_a_page),
	KUNIT_CASE(coherent_memory_is_aligned_to_its_size),
	KUNIT_CASE(coherent_memory_and_mappings_are_disjoint),
	{}
};

#define POOL_ORDER	9		/* 2 MiB, aligned to that */
#define POOL_SIZE	(PAGE_SIZE << POOL_ORDER)

static struct reserved_mem pool = { .name = "coco_pool" };

static bool in_pool(dma_addr_t at, size_t len)
{
	return at >= pool.base && at + len <= pool.base + pool.size;
}

static int __nocfi attach(struct kunit *test)
{
	int (*device_init)(struct reserved_mem *rmem, struct device *dev);
	struct page *page;

	device_init = coco_symbol("rmem_swiotlb_device_init");
	if (!device_init)
		return -ENOENT;
	if (!pool.size) {
		page = alloc_pages(GFP_KERNEL, POOL_ORDER);
		if (!page)
			return -ENOMEM;
		pool.base = page_to_phys(page);
		pool.size = POOL_SIZE;
	}
	return device_init(&pool, coco_dma_dev(test));
}

static void mapping_comes_from_the_pool(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, PAGE_SIZE), *seen = coco_buffer(test, PAGE_SIZE);
	dma_addr_t at;

	coco_fill(buf, PAGE_SIZE, 1);
	at = dma_map_single(dev, buf, PAGE_SIZE, DMA_TO_DEVICE);
	KUNIT_ASSERT_EQ(test, dma_mapping_error(dev, at), 0);
	coco_device_reads(test, at, seen, PAGE_SIZE);
	dma_unmap_single(dev, at, PAGE_SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_TRUE(test, in_pool(at, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, coco_private_pages(at, PAGE_SIZE), 0u);
	COCO_EXPECT_FILLED(test, seen, 0, PAGE_SIZE, 1);
}

static void coherent_memory_comes_from_the_pool(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	u8 *seen = coco_buffer(test, PAGE_SIZE);
	dma_addr_t at;
	void *cpu;

	cpu = dma_alloc_coherent(dev, PAGE_SIZE, &at, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	coco_fill(cpu, PAGE_SIZE, 2);
	coco_device_reads(test, at, seen, PAGE_SIZE);
	dma_free_coherent(dev, PAGE_SIZE, cpu, at);
	KUNIT_EXPECT_TRUE(test, in_pool(at, PAGE_SIZE));
	COCO_EXPECT_FILLED(test, seen, 0, PAGE_SIZE, 2);
}

/* While a slot is in use: the next free one starts in the middle of a page */
static void expect_aligned(struct kunit *test, size_t size)
{
	struct device *dev = coco_dma_dev(test);
	void *buf = coco_buffer(test, COCO_SLOT), *cpu;
	dma_addr_t odd, at = 0;

	odd = dma_map_single(dev, buf, COCO_SLOT, DMA_TO_DEVICE);
	KUNIT_ASSERT_EQ(test, dma_mapping_error(dev, odd), 0);
	cpu = dma_alloc_coherent(dev, size, &at, GFP_KERNEL);
	if (cpu)
		dma_free_coherent(dev, size, cpu, at);
	dma_unmap_single(dev, odd, COCO_SLOT, DMA_TO_DEVICE);
	KUNIT_EXPECT_NOT_NULL(test, cpu);
	KUNIT_EXPECT_EQ_MSG(test, at & (size - 1), (dma_addr_t)0, "%zu bytes", size);
}

static void coherent_memory_starts_a_page(struct kunit *test)
{
	expect_aligned(test, PAGE_SIZE);
}

/* Documentation/core-api/dma-api.rst: to the order of pages that has room for it */
static void coherent_memory_is_aligned_to_its_size(struct kunit *test)
{
	size_t size;

	for (size = 2 * PAGE_SIZE; size <= 32 * PAGE_SIZE; size *= 2)
		expect_aligned(test, size);
}

#define MANY	64

/* A mapping of a slot, a page for the CPU and the device, and so on */
struct taken {
	dma_addr_t slot[MANY], at[MANY];
	void *cpu[MANY];
};

/* Seeds of their fillings */
static u32 of_slot(unsigned int i)
{
	return 2 * i + 1;
}

static u32 of_page(unsigned int i)
{
	return 2 * i + 2;
}

/* How many were refused */
static unsigned int take_all(struct device *dev, struct taken *all, u8 *buf)
{
	unsigned int i, refused = 0;

	for (i = 0; i < MANY; i++) {
		coco_fill(buf, COCO_SLOT, of_slot(i));
		all->slot[i] = dma_map_single(dev, buf, COCO_SLOT, DMA_TO_DEVICE);
		refused += !!dma_mapping_error(dev, all->slot[i]);
		all->cpu[i] = dma_alloc_coherent(dev, PAGE_SIZE, &all->at[i], GFP_KERNEL);
		refused += !all->cpu[i];
		if (all->cpu[i])
			coco_fill(all->cpu[i], PAGE_SIZE, of_page(i));
	}
	return refused;
}

static void give_back(struct device *dev, struct taken *all)
{
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		if (all->cpu[i])
			dma_free_coherent(dev, PAGE_SIZE, all->cpu[i], all->at[i]);
		if (!dma_mapping_error(dev, all->slot[i]))
			dma_unmap_single(dev, all->slot[i], COCO_SLOT, DMA_TO_DEVICE);
	}
}

static void coherent_memory_and_mappings_are_disjoint(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	u8 *buf = coco_buffer(test, COCO_SLOT), *seen = coco_buffer(test, COCO_SLOT);
	struct taken *all = kunit_kzalloc(test, sizeof(*all), GFP_KERNEL);
	unsigned int i, refused, slots = 0, pages = 0;

	KUNIT_ASSERT_NOT_NULL(test, all);
	refused = take_all(dev, all, buf);
	for (i = 0; i < MANY && !refused; i++) {
		slots += !coco_device_finds(dev, all->slot[i], seen, COCO_SLOT, of_slot(i));
		pages += coco_first_wrong(all->cpu[i], 0, PAGE_SIZE, of_page(i)) != PAGE_SIZE;
	}
	give_back(dev, all);
	KUNIT_EXPECT_EQ(test, refused, 0u);
	KUNIT_EXPECT_EQ_MSG(test, slots, 0u, "mappings that coherent memory overwrote");
	KUNIT_EXPECT_EQ_MSG(test, pages, 0u, "pages of coherent memory that a mapping overwrote");
}

static int begin(struct kunit *test)
{
	return coco_dma_case_begin(test) ?: attach(test);
}

static struct kunit_suite swiotlb_restricted_suite = {
	.name = "swiotlb_restricted",
	.init = begin,
	.exit = coco_dma_end,
	.test_cases = swiotlb_restricted_cases,
};
kunit_test_suite(swiotlb_restricted_suite);

MODULE_DESCRIPTION("A device with a shared pool of its own");
MODULE_LICENSE("GPL");
