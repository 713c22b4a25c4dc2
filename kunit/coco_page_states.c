// SPDX-License-Identifier: GPL-2.0
/*
 * All memory at once: whatever is shared is mapped so and has an owner; whatever is free is
 * private.
 *
 * Path:        everybody who shares memory at boot: .bss..decrypted and what of it is freed
 *              (mem_encrypt_free_decrypted_mem()), per-CPU pages for the host, GHCBs, swiotlb,
 *              pools for atomic allocations; and dma_free_coherent()
 * Upstream:    b3f0907c71e0 ("x86/mm: Add .bss..decrypted section to hold shared variables")
 * Without it:  the next owner of a page writes its secrets where the host reads them, or is
 *              stopped by the state that the page is in.
 *
 * Free is what the page allocator has in its lists of blocks.  The image of the kernel has a
 * mapping of its own beside that of all memory, which is the one that counts there.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include "lib/coco_kunit.h"
#include "lib/dma.h"
#include "lib/pages.h"
#include "lib/symbol.h"

static void no_free_page_is_mapped_shared(struct kunit *test);
static void no_free_page_is_shared(struct kunit *test);
static void page_that_is_mapped_shared_is_shared(struct kunit *test);
static void page_that_is_shared_is_mapped_shared(struct kunit *test);

static struct kunit_case page_states_cases[] = {
	KUNIT_CASE(no_free_page_is_mapped_shared),
	KUNIT_CASE(no_free_page_is_shared),
	KUNIT_CASE(page_that_is_mapped_shared_is_shared),
	KUNIT_CASE(page_that_is_shared_is_mapped_shared),
	{}
};

/* Larger than what is kept aside for its CPU when it is freed */
#define FREED		SZ_256K
#define ORDERS		11

static void *image, *image_end;
static unsigned long *last_pfn;

struct tally {
	u64 pages, wrong, first_wrong;
};

static void count(struct tally *t, u64 gpa, bool wrong)
{
	t->pages++;
	if (wrong && !t->wrong++)
		t->first_wrong = gpa;
}

#define EXPECT_NONE_WRONG(test, t) \
	do { \
		KUNIT_EXPECT_GT((test), (t)->pages, 0ull); \
		KUNIT_EXPECT_EQ_MSG((test), (t)->wrong, 0ull, "of %llu pages; the first at 0x%llx", \
				    (t)->pages, (t)->first_wrong); \
	} while (0)

static bool is_free(u64 gpa)
{
	unsigned long pfn = PHYS_PFN(gpa);
	unsigned int order;

	for (order = 0; order < ORDERS; order++) {
		struct page *head = pfn_to_page(pfn & ~((1ul << order) - 1));

		if (PageBuddy(head) && page_private(head) >= order)
			return true;
	}
	return false;
}

/* Something that was shared and is free; others may have taken some of it by then */
static void share_and_free(struct kunit *test)
{
	dma_addr_t at;
	void *cpu = dma_alloc_coherent(coco_dma_dev(test), FREED, &at, GFP_KERNEL);
	unsigned int page, free = 0;

	KUNIT_ASSERT_NOT_NULL(test, cpu);
	dma_free_coherent(coco_dma_dev(test), FREED, cpu, at);
	for (page = 0; page < FREED / PAGE_SIZE; page++)
		free += is_free(coco_gpa(cpu) + page * PAGE_SIZE);
	KUNIT_ASSERT_GT(test, free, 0u);
}

/* How the kernel reaches this page.  What is freed of its image may have no mapping there */
static void *mapping(u64 gpa)
{
	void *p = image + (gpa - __pa(image));

	if (p >= image && p < image_end && (coco_maps_shared(p) || coco_maps_private(p)))
		return p;
	return __va(gpa);
}

static bool is_ram(u64 gpa)
{
	return pfn_valid(PHYS_PFN(gpa)) && page_is_ram(PHYS_PFN(gpa));
}

/* Calls back with each page of RAM that is mapped shared */
static void each_mapped_shared(struct tally *t, bool (*wrong)(u64 gpa))
{
	u64 gpa, end = PFN_PHYS(*last_pfn);
	void *p;

	for (gpa = 0; gpa < end; gpa += PAGE_SIZE) {
		p = mapping(gpa);
		if (coco_maps_large(p) && coco_maps_private(p) && p == __va(gpa)) {
			gpa |= PMD_SIZE - PAGE_SIZE;	/* none in all of it */
			continue;
		}
		if (is_ram(gpa) && coco_maps_shared(p))
			count(t, gpa, wrong(gpa));
		cond_resched();
	}
}

/* ... or that the host can reach */
static void each_shared(struct tally *t, bool (*wrong)(u64 gpa))
{
	s64 gpa;

	for (gpa = coco_page_find(0, COCO_PAGE_PRIVATE, 0); gpa >= 0;
	     gpa = coco_page_find(gpa + PAGE_SIZE, COCO_PAGE_PRIVATE, 0)) {
		if (is_ram(gpa))
			count(t, gpa, wrong(gpa));
		cond_resched();
	}
}

static bool is_private(u64 gpa)
{
	return coco_page_state(gpa) & COCO_PAGE_PRIVATE;
}

static bool is_mapped_private(u64 gpa)
{
	return !coco_maps_shared(mapping(gpa));
}

static void no_free_page_is_mapped_shared(struct kunit *test)
{
	struct tally t = { 0 };

	COCO_NEEDS(test, COCO_CONFIDENTIAL);
	share_and_free(test);
	each_mapped_shared(&t, is_free);
	EXPECT_NONE_WRONG(test, &t);
}

static void no_free_page_is_shared(struct kunit *test)
{
	struct tally t = { 0 };

	COCO_NEEDS(test, COCO_PAGE_STATES);
	COCO_NEEDS_MACHINE(test);
	share_and_free(test);
	each_shared(&t, is_free);
	EXPECT_NONE_WRONG(test, &t);
}

static void page_that_is_mapped_shared_is_shared(struct kunit *test)
{
	struct tally t = { 0 };

	COCO_NEEDS(test, COCO_PAGE_STATES);
	COCO_NEEDS_MACHINE(test);
	share_and_free(test);
	each_mapped_shared(&t, is_private);
	EXPECT_NONE_WRONG(test, &t);
}

static void page_that_is_shared_is_mapped_shared(struct kunit *test)
{
	struct tally t = { 0 };

	COCO_NEEDS(test, COCO_PAGE_STATES);
	COCO_NEEDS_MACHINE(test);
	share_and_free(test);
	each_shared(&t, is_mapped_private);
	EXPECT_NONE_WRONG(test, &t);
}

static int begin(struct kunit *test)
{
	int error = coco_case_begin(test);

	image = coco_symbol("_text");
	image_end = coco_symbol("_end");
	last_pfn = coco_symbol("max_pfn");
	if (!error && (!image || !image_end || !last_pfn))
		error = -ENOENT;
	return error ?: coco_dma_begin(test);
}

static struct kunit_suite page_states_suite = {
	.name = "page_states",
	.init = begin,
	.exit = coco_dma_end,
	.test_cases = page_states_cases,
};
kunit_test_suite(page_states_suite);

MODULE_DESCRIPTION("All memory at once: what is shared has an owner, and what is free is private");
MODULE_LICENSE("GPL");
