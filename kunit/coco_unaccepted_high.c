// SPDX-License-Identifier: GPL-2.0
/*
 * Memory above 4 GiB that is to be accepted, all of it, as firmware leaves it that
 * needs none there itself (OVMF): the zone begins with no page that it could hand out.
 *
 * Path:        alloc_pages() -> cond_accept_memory() -> try_to_accept_memory();
 *              dma_direct_alloc() -> dma_set_decrypted()
 * Upstream:    dcdfdd40fa82 ("mm: Add support for unaccepted memory"),
 *              800f1059c99e ("mm/page_alloc: fix memory accept before watermarks gets
 *              initialized")
 * Without it:  a guest uses the memory below 4 GiB, and nothing of what it paid for; early
 *              allocations fail where there is none.
 */
#include <linux/vmalloc.h>
#include "lib/dma_suite.h"
#include "lib/unaccepted.h"

static void some_of_it_is_left_after_the_start(struct kunit *test);
static void early_table_lies_there_too(struct kunit *test);
static void page_comes_from_there_accepted(struct kunit *test);
static void acceptance_stays_within_what_is_needed(struct kunit *test);
static void coherent_memory_from_there_is_shared(struct kunit *test);

static struct kunit_case unaccepted_high_cases[] = {
	KUNIT_CASE(some_of_it_is_left_after_the_start),
	KUNIT_CASE(early_table_lies_there_too),
	KUNIT_CASE(page_comes_from_there_accepted),
	KUNIT_CASE(acceptance_stays_within_what_is_needed),
	KUNIT_CASE(coherent_memory_from_there_is_shared),
	{}
};

static unsigned int accepted_units(void)
{
	return units() - bitmap_weight(unaccepted_table()->bitmap, units());
}

/* From 800f1059c99e on each allocation accepts 4M until there are watermarks: half a GiB */
static void some_of_it_is_left_after_the_start(struct kunit *test)
{
	need_unaccepted(test);
	KUNIT_ASSERT_GT(test, upper_32_bits(unaccepted_table()->phys_base), 0u);
	KUNIT_EXPECT_LT(test, accepted_units(), units() / 4 * 3);
}

/* mhash_entries= and nohugevmalloc of backports/expect/suites: 64M, allocated page by page */
#define TABLE_SIZE	SZ_64M

static void early_table_lies_there_too(struct kunit *test)
{
	struct hlist_head **mounts;
	unsigned long offset;
	unsigned int below = 0;

	need_unaccepted(test);
	mounts = coco_need_symbol(test, "mount_hashtable");
	KUNIT_ASSERT_TRUE(test, is_vmalloc_addr(*mounts));
	for (offset = 0; offset < TABLE_SIZE; offset += PAGE_SIZE)
		below += PFN_PHYS(vmalloc_to_pfn((void *)*mounts + offset)) < unaccepted_table()->phys_base;
	KUNIT_EXPECT_EQ(test, below, 0u);
}

/* ---- what the allocator accepts once it has watermarks ---- */

/* Pages, until there are so many or the allocator has accepted more than it had; how many */
static unsigned int take(struct list_head *taken, unsigned int most, bool until_accepted)
{
	unsigned int n, before = accepted_units();

	for (n = 0; n < most && !(until_accepted && accepted_units() != before); n++) {
		struct page *page = alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);

		if (!page)
			break;
		list_add(&page->lru, taken);
	}
	return n;
}

static void give_back(struct list_head *taken)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, taken, lru)
		__free_page(page);
}

static unsigned int pages_in_all(void)
{
	return units() * UNIT_PAGES;
}

static void page_comes_from_there_accepted(struct kunit *test)
{
	LIST_HEAD(taken);
	unsigned int n;
	u64 gpa = 0, state = 0;

	need_unaccepted(test);
	n = take(&taken, pages_in_all(), true);
	if (n) {
		gpa = page_to_phys(list_first_entry(&taken, struct page, lru));
		state = coco_page_state(gpa) & ACCEPTED;
	}
	give_back(&taken);
	KUNIT_EXPECT_GE_MSG(test, gpa, (u64)unaccepted_table()->phys_base, "after %u pages", n);
	KUNIT_EXPECT_EQ(test, state, (u64)ACCEPTED);
}

/* 16M by pages; the allocator accepts for them by blocks of 4M (MAX_ORDER) */
#define TAKEN		4096u
#define BLOCK_UNITS	2u

static void acceptance_stays_within_what_is_needed(struct kunit *test)
{
	unsigned int before, after, n;
	LIST_HEAD(taken);

	need_unaccepted(test);
	take(&taken, pages_in_all(), true);
	before = accepted_units();
	n = take(&taken, TAKEN, false);
	after = accepted_units();
	give_back(&taken);
	KUNIT_EXPECT_EQ(test, n, TAKEN);
	KUNIT_EXPECT_GT(test, after, before);
	KUNIT_EXPECT_LE(test, after - before, TAKEN / (unsigned int)UNIT_PAGES + BLOCK_UNITS);
}

static void coherent_memory_from_there_is_shared(struct kunit *test)
{
	unsigned int private;
	dma_addr_t at;
	void *cpu;

	need_unaccepted(test);
	cpu = dma_alloc_coherent(coco_dma_dev(test), PAGE_SIZE, &at, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	private = coco_private_pages(at, PAGE_SIZE);
	dma_free_coherent(coco_dma_dev(test), PAGE_SIZE, cpu, at);
	KUNIT_EXPECT_GE(test, (u64)at, (u64)unaccepted_table()->phys_base);
	KUNIT_EXPECT_EQ(test, private, 0u);
	KUNIT_EXPECT_EQ(test, (u64)coco_page_state(at) & ACCEPTED, (u64)ACCEPTED);
}

static struct kunit_suite unaccepted_high_suite = {
	.name = "unaccepted_high",
	.init = coco_dma_case_begin,
	.exit = coco_dma_end,
	.test_cases = unaccepted_high_cases,
};
kunit_test_suite(unaccepted_high_suite);

MODULE_DESCRIPTION("Unaccepted memory above 4 GiB");
MODULE_LICENSE("GPL");
