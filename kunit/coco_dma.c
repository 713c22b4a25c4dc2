// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that a driver allocates for its device: shared while it is in use,
 * empty at the start, and private again afterwards, page for page.
 *
 * Path:        dma_alloc_coherent() -> dma_direct_alloc(), dma_alloc_from_pool();
 *              dma_alloc_pages() -> dma_direct_alloc_pages(); dma_free_*() ->
 *              dma_direct_free(), dma_set_encrypted(); dma_map_resource() ->
 *              dma_direct_map_resource()
 * Upstream:    3be4562584bb ("dma-direct: use the correct size for dma_set_encrypted()"),
 *              4a37f3dd9a83 ("dma-direct: don't over-decrypt memory"),
 *              4268ac6ae587 ("dma-direct: don't check swiotlb=force in
 *              dma_direct_map_resource"),
 *              94a04ad732c9 ("dma-direct: return struct page from
 *              dma_direct_alloc_from_pool()") CVE-2026-89995
 * Without it:  a device cannot reach its rings, pages go back to the allocator shared, pages
 *              of others change their state, or what a driver gets for pages are none.
 */
#include <linux/io.h>
#include "lib/dma_suite.h"
#include "lib/pages.h"

static void coherent_memory_is_shared_and_empty(struct kunit *test);
static void coherent_memory_is_one_for_cpu_and_device(struct kunit *test);
static void freed_coherent_memory_is_private_again(struct kunit *test);
static void as_many_pages_are_converted_back_as_there_are(struct kunit *test);
static void pages_behind_coherent_memory_stay_private(struct kunit *test);
static void coherent_memory_is_within_the_reach_of_the_device(struct kunit *test);
static void atomic_memory_is_shared_and_empty_each_time(struct kunit *test);
static void allocated_pages_are_shared_and_private_again(struct kunit *test);
static void pages_without_waiting_are_shared_pages(struct kunit *test);
static void memory_without_a_kernel_mapping_is_shared_too(struct kunit *test);
static void mmio_of_another_device_is_mapped_as_it_is(struct kunit *test);
static void mmio_out_of_reach_is_refused(struct kunit *test);

#define CPU	1
#define DEVICE	2

struct size_case {
	const char *name;
	size_t size;
};

static const struct size_case sizes[] = {
	{ "bytes", 100 },
	{ "page", PAGE_SIZE },
	{ "three_pages", 3 * PAGE_SIZE },
	{ "64k_and_one", SZ_64K + 1 },
	{ "mib", SZ_1M },
};
KUNIT_ARRAY_PARAM_DESC(size, sizes, name);

/* As many pages as a window has room for */
static const struct size_case small_sizes[] = {
	{ "bytes", 100 },
	{ "three_pages", 3 * PAGE_SIZE },
	{ "64k_and_one", SZ_64K + 1 },
};
KUNIT_ARRAY_PARAM_DESC(small, small_sizes, name);

/* No power of two of pages: there is something behind them in the block that has them */
static const struct size_case odd_sizes[] = {
	{ "three_pages", 3 * PAGE_SIZE },
	{ "64k_and_one", SZ_64K + 1 },
};
KUNIT_ARRAY_PARAM_DESC(odd, odd_sizes, name);

static struct kunit_case dma_cases[] = {
	KUNIT_CASE_PARAM(coherent_memory_is_shared_and_empty, size_gen_params),
	KUNIT_CASE_PARAM(coherent_memory_is_one_for_cpu_and_device, size_gen_params),
	KUNIT_CASE_PARAM(freed_coherent_memory_is_private_again, size_gen_params),
	KUNIT_CASE_PARAM(as_many_pages_are_converted_back_as_there_are, small_gen_params),
	KUNIT_CASE_PARAM(pages_behind_coherent_memory_stay_private, odd_gen_params),
	KUNIT_CASE(coherent_memory_is_within_the_reach_of_the_device),
	KUNIT_CASE(atomic_memory_is_shared_and_empty_each_time),
	KUNIT_CASE(allocated_pages_are_shared_and_private_again),
	KUNIT_CASE(pages_without_waiting_are_shared_pages),
	KUNIT_CASE(memory_without_a_kernel_mapping_is_shared_too),
	KUNIT_CASE(mmio_of_another_device_is_mapped_as_it_is),
	KUNIT_CASE(mmio_out_of_reach_is_refused),
	{}
};

static unsigned int pages(size_t size)
{
	return PAGE_ALIGN(size) >> PAGE_SHIFT;
}

/*
 * Pages of the kernel's own mapping that are shared, or are so for the host.  SEV
 * and SEV-ES keep no state: there it is the mapping alone (APM vol. 2, 15.34.5).
 */
static unsigned int still_shared(void *cpu, dma_addr_t at, size_t size)
{
	const bool state = COCO_PAGE_STATES & BIT(coco_technology());
	unsigned int i, n = 0;

	if (coco_technology() == COCO_NONE)
		return 0;
	for (i = 0; i < pages(size); i++, at += PAGE_SIZE)
		n += !(coco_translate(cpu + i * PAGE_SIZE) & COCO_GPA_PRIVATE) ||
		     (state && !coco_private_pages(at, PAGE_SIZE));
	return n;
}

static void coherent_memory_is_shared_and_empty(struct kunit *test)
{
	const struct size_case *row = test->param_value;
	struct device *dev = coco_dma_dev(test);
	unsigned int private;
	size_t used;
	dma_addr_t at;
	void *cpu;

	cpu = dma_alloc_coherent(dev, row->size, &at, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	private = coco_private_pages(at, row->size);
	used = row->size - coco_longest_run(cpu, row->size, 0);
	dma_free_coherent(dev, row->size, cpu, at);
	KUNIT_EXPECT_EQ(test, private, 0u);
	KUNIT_EXPECT_EQ(test, used, (size_t)0);
	KUNIT_EXPECT_EQ_MSG(test, at & ((PAGE_SIZE << get_order(row->size)) - 1), (dma_addr_t)0,
			    "aligned to its size (core-api/dma-api.rst)");
}

static void coherent_memory_is_one_for_cpu_and_device(struct kunit *test)
{
	const struct size_case *row = test->param_value;
	struct device *dev = coco_dma_dev(test);
	void *other = coco_buffer(test, row->size);
	size_t seen, written;
	dma_addr_t at;
	void *cpu;

	cpu = dma_alloc_coherent(dev, row->size, &at, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	coco_fill(cpu, row->size, CPU);
	coco_device_reads(test, at, other, row->size);
	seen = coco_first_wrong(other, 0, row->size, CPU);
	coco_fill(other, row->size, DEVICE);
	coco_device_writes(test, at, other, row->size);
	written = coco_first_wrong(cpu, 0, row->size, DEVICE);
	dma_free_coherent(dev, row->size, cpu, at);
	KUNIT_EXPECT_EQ(test, seen, row->size);
	KUNIT_EXPECT_EQ(test, written, row->size);
}

static void freed_coherent_memory_is_private_again(struct kunit *test)
{
	const struct size_case *row = test->param_value;
	struct device *dev = coco_dma_dev(test);
	dma_addr_t at;
	void *cpu;

	COCO_NEEDS(test, COCO_CONFIDENTIAL);
	COCO_NEEDS_MACHINE(test);
	cpu = dma_alloc_coherent(dev, row->size, &at, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	dma_free_coherent(dev, row->size, cpu, at);
	KUNIT_EXPECT_EQ(test, still_shared(cpu, at, row->size), 0u);
}

/* Of the block that the allocator gave; others' where it gives no more than was asked for */
static void pages_behind_coherent_memory_stay_private(struct kunit *test)
{
	const struct size_case *row = test->param_value;
	const size_t used = PAGE_ALIGN(row->size), block = PAGE_SIZE << get_order(row->size);
	struct device *dev = coco_dma_dev(test);
	unsigned int shared;
	dma_addr_t at;
	void *cpu;

	COCO_NEEDS(test, COCO_CONFIDENTIAL);
	COCO_NEEDS_MACHINE(test);
	cpu = dma_alloc_coherent(dev, row->size, &at, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	shared = still_shared(cpu + used, at + used, block - used);
	dma_free_coherent(dev, row->size, cpu, at);
	KUNIT_EXPECT_EQ(test, shared, 0u);
}

/* ---- how many pages are converted ---- */

/* Behind the operation, see pages.h */
#define PSC_2M		BIT(8)

/* What the guest asked to have private, in pages */
static unsigned int asked_private(const struct coco_window *w)
{
	unsigned int i, n = 0;

	for (i = 0; i < w->nevents; i++) {
		const struct coco_event *e = &w->events[i];

		if (e->kind == COCO_EV_PSC && (e->info1 & 0xff) == COCO_PSC_PRIVATE)
			n += e->info1 & PSC_2M ? 512 : 1;
	}
	return n;
}

static void as_many_pages_are_converted_back_as_there_are(struct kunit *test)
{
	const struct size_case *row = test->param_value;
	struct device *dev = coco_dma_dev(test);
	struct coco_window *w;
	dma_addr_t at;
	void *cpu;

	COCO_NEEDS(test, COCO_PAGE_STATES);
	COCO_NEEDS_MACHINE(test);
	w = coco_window(test);
	cpu = dma_alloc_coherent(dev, row->size, &at, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	coco_window_begin_open(w);
	dma_free_coherent(dev, row->size, cpu, at);
	coco_window_end(w);
	KUNIT_EXPECT_EQ(test, w->lost, 0u);
	KUNIT_EXPECT_EQ(test, asked_private(w), pages(row->size));
}

/* ---- from where ---- */

static void coherent_memory_is_within_the_reach_of_the_device(struct kunit *test)
{
	static const unsigned int bits[] = { 24, 28, 32 };
	struct device *dev = coco_dma_dev(test);
	unsigned int granted = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		dma_addr_t at;
		void *cpu;

		if (dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(bits[i])))
			continue;	/* the kernel says that it cannot */
		cpu = dma_alloc_coherent(dev, PAGE_SIZE, &at, GFP_KERNEL | __GFP_NOWARN);
		if (!cpu)
			continue;	/* and it has no such memory left */
		granted++;
		dma_free_coherent(dev, PAGE_SIZE, cpu, at);
		KUNIT_EXPECT_LE_MSG(test, at + PAGE_SIZE - 1, (dma_addr_t)DMA_BIT_MASK(bits[i]),
				    "%u bits", bits[i]);
	}
	KUNIT_EXPECT_GT_MSG(test, granted, 0u, "not even below 4 GiB");
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)), 0);
}

static void atomic_memory_is_shared_and_empty_each_time(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	unsigned int round, private = 0, dirty = 0;

	for (round = 0; round < 32; round++) {
		dma_addr_t at;
		void *cpu = dma_alloc_coherent(dev, PAGE_SIZE, &at, GFP_ATOMIC);

		KUNIT_ASSERT_NOT_NULL(test, cpu);
		private += coco_private_pages(at, PAGE_SIZE);
		dirty += coco_longest_run(cpu, PAGE_SIZE, 0) != PAGE_SIZE;
		memset(cpu, 0x5a, PAGE_SIZE);
		dma_free_coherent(dev, PAGE_SIZE, cpu, at);
	}
	KUNIT_EXPECT_EQ(test, private, 0u);
	KUNIT_EXPECT_EQ(test, dirty, 0u);
}

#ifdef CC_HAVE_DMA_ALLOC_PAGES
static void allocated_pages_are_shared_and_private_again(struct kunit *test)
{
	const size_t size = 4 * PAGE_SIZE;
	struct device *dev = coco_dma_dev(test);
	void *seen = coco_buffer(test, size);
	unsigned int private;
	struct page *page;
	dma_addr_t at;

	page = dma_alloc_pages(dev, size, &at, DMA_BIDIRECTIONAL, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	private = coco_private_pages(at, size);
	coco_fill(page_address(page), size, CPU);
	coco_device_reads(test, at, seen, size);
	dma_free_pages(dev, size, page, at, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, private, 0u);
	COCO_EXPECT_FILLED(test, seen, 0, size, CPU);
	if (coco_machine())
		KUNIT_EXPECT_EQ(test, still_shared(page_address(page), at, size), 0u);
}

/* They are of a pool that is shared already; a pointer that is no page's is not looked into */
static void pages_without_waiting_are_shared_pages(struct kunit *test)
{
	const size_t size = 4 * PAGE_SIZE;
	struct device *dev = coco_dma_dev(test);
	struct page *page, *first;
	unsigned int private;
	dma_addr_t at;

	page = dma_alloc_pages(dev, size, &at, DMA_BIDIRECTIONAL, GFP_ATOMIC);
	KUNIT_ASSERT_NOT_NULL(test, page);
	first = pfn_to_page(PHYS_PFN(at));
	private = coco_private_pages(at, size);
	dma_free_pages(dev, size, first, at, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_PTR_EQ(test, page, first);
	KUNIT_EXPECT_EQ(test, private, 0u);
}
#else
static void allocated_pages_are_shared_and_private_again(struct kunit *test)
{
	kunit_skip(test, "this kernel has no dma_alloc_pages()");
}

static void pages_without_waiting_are_shared_pages(struct kunit *test)
{
	kunit_skip(test, "this kernel has no dma_alloc_pages()");
}
#endif

/* What the driver gets is no address then, but it is what the driver has to give back */
static void memory_without_a_kernel_mapping_is_shared_too(struct kunit *test)
{
	const size_t size = 4 * PAGE_SIZE;
	struct device *dev = coco_dma_dev(test);
	u8 *made = coco_buffer(test, size), *seen = coco_buffer(test, size);
	unsigned int private;
	dma_addr_t at;
	void *cookie;

	cookie = dma_alloc_attrs(dev, size, &at, GFP_KERNEL, DMA_ATTR_NO_KERNEL_MAPPING);
	KUNIT_ASSERT_NOT_NULL(test, cookie);
	private = coco_private_pages(at, size);
	if (!private) {
		coco_fill(made, size, DEVICE);
		coco_device_writes(test, at, made, size);
		coco_device_reads(test, at, seen, size);
	}
	dma_free_attrs(dev, size, cookie, at, DMA_ATTR_NO_KERNEL_MAPPING);
	KUNIT_EXPECT_EQ(test, private, 0u);
	COCO_EXPECT_FILLED(test, seen, 0, size, DEVICE);
	if (coco_machine())
		KUNIT_EXPECT_EQ(test, still_shared(phys_to_virt(at), at, size), 0u);
}

/* The local APIC's page: never RAM, so nothing could be bounced */
static void mmio_of_another_device_is_mapped_as_it_is(struct kunit *test)
{
	const phys_addr_t mmio = 0xfee00000;
	struct device *dev = coco_dma_dev(test);
	dma_addr_t at = dma_map_resource(dev, mmio, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);

	KUNIT_ASSERT_EQ(test, dma_mapping_error(dev, at), 0);
	dma_unmap_resource(dev, at, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
	KUNIT_EXPECT_EQ(test, at, (dma_addr_t)mmio);
}

/* The kernel warns, once a boot: the case tolerates that */
static void mmio_out_of_reach_is_refused(struct kunit *test)
{
	const phys_addr_t mmio = BIT_ULL(40);
	struct device *dev = coco_dma_dev(test);
	dma_addr_t at;

	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(32)), 0);
	at = dma_map_resource(dev, mmio, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
	KUNIT_EXPECT_EQ(test, dma_mapping_error(dev, at), -ENOMEM);
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)), 0);
}

static struct kunit_suite dma_suite = {
	.name = "dma",
	.init = coco_dma_case_begin,
	.exit = coco_dma_end,
	.test_cases = dma_cases,
};
kunit_test_suite(dma_suite);

MODULE_DESCRIPTION("Memory that a driver allocates for its device");
MODULE_LICENSE("GPL");
