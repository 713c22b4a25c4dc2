// SPDX-License-Identifier: GPL-2.0
/*
 * The page allocator accepts what it hands out, as long as there is something to accept.
 *
 * Path:        alloc_pages() -> cond_accept_memory() -> accept_memory();
 *              __zone_watermark_ok() -> __zone_watermark_unusable_free()
 * Upstream:    dcdfdd40fa82 ("mm: Add support for unaccepted memory"),
 *              807174a93d24 ("mm: fix endless reclaim on machines with unaccepted memory")
 * Without it:  allocations fail, or reclaim for ever, with most of the memory unused.
 *
 * The cases use up all that is unaccepted, so the suite has a guest of its own.
 */
#include <linux/io.h>
#include <linux/list.h>
#include "lib/unaccepted.h"

static void counter_fits_the_table(struct kunit *test);
static void unaccepted_memory_is_no_reason_to_reclaim(struct kunit *test);
static void allocation_accepts_all_memory_before_it_fails(struct kunit *test);

static struct kunit_case unaccepted_zone_cases[] = {
	KUNIT_CASE(counter_fits_the_table),
	KUNIT_CASE(unaccepted_memory_is_no_reason_to_reclaim),
	KUNIT_CASE(allocation_accepts_all_memory_before_it_fails),
	{}
};

/* What the allocator counts is among what the table has; a test may have accepted more */
static void counter_fits_the_table(struct kunit *test)
{
	u64 pages, unaccepted;

	need_unaccepted(test);
	pages = global_zone_page_state(NR_UNACCEPTED);
	unaccepted = bitmap_weight(unaccepted_table()->bitmap, units()) * UNIT_PAGES;
	KUNIT_EXPECT_GT(test, pages, 0ull);
	KUNIT_EXPECT_GE(test, pages, unaccepted);
	KUNIT_EXPECT_LE(test, pages, (u64)units() * UNIT_PAGES);
	KUNIT_EXPECT_LE_MSG(test, pages, (u64)global_zone_page_state(NR_FREE_PAGES),
			    "unaccepted memory is free memory");
}

/* What kswapd asks of a zone: a mark that it is above thanks to unaccepted memory only */
static void __nocfi unaccepted_memory_is_no_reason_to_reclaim(struct kunit *test)
{
	typeof(zone_watermark_ok) *watermark_ok;
	unsigned int i, zones = 0;

	need_unaccepted(test);
	watermark_ok = coco_need_symbol(test, "zone_watermark_ok");
	for (i = 0; i < MAX_NR_ZONES; i++) {
		struct zone *zone = &NODE_DATA(first_online_node)->node_zones[i];
		unsigned long unaccepted = zone_page_state(zone, NR_UNACCEPTED);
		unsigned long free = zone_page_state(zone, NR_FREE_PAGES);

		if (!unaccepted)
			continue;
		zones++;
		KUNIT_EXPECT_TRUE_MSG(test, watermark_ok(zone, 0, free - unaccepted / 2, i, 0),
				      "zone %s: %lu pages free, %lu of them unaccepted", zone->name,
				      free, unaccepted);
	}
	KUNIT_EXPECT_GT_MSG(test, zones, 0u, "nothing was left to accept");
}

#define BLOCK_ORDER	9

static void allocation_accepts_all_memory_before_it_fails(struct kunit *test)
{
	u64 unaccepted = 0, blocks = 0, before;
	struct page *page, *next;
	LIST_HEAD(taken);

	need_unaccepted(test);
	before = global_zone_page_state(NR_UNACCEPTED);
	KUNIT_ASSERT_GT_MSG(test, before, 0ull, "nothing was left to accept");
	for (;;) {
		page = alloc_pages(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, BLOCK_ORDER);
		if (!page)
			break;
		unaccepted += (coco_page_state(page_to_phys(page)) & ACCEPTED) != ACCEPTED;
		list_add(&page->lru, &taken);
		blocks++;
	}
	KUNIT_EXPECT_EQ(test, (u64)global_zone_page_state(NR_UNACCEPTED), 0ull);
	KUNIT_EXPECT_EQ(test, bitmap_weight(unaccepted_table()->bitmap, units()), 0);
	KUNIT_EXPECT_EQ_MSG(test, unaccepted, 0ull, "of %llu blocks", blocks);
	KUNIT_EXPECT_GE(test, blocks << BLOCK_ORDER, before);
	list_for_each_entry_safe(page, next, &taken, lru)
		__free_pages(page, BLOCK_ORDER);
}

static struct kunit_suite unaccepted_zone_suite = {
	.name = "unaccepted_zone",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = unaccepted_zone_cases,
};
kunit_test_suite(unaccepted_zone_suite);

MODULE_DESCRIPTION("the page allocator accepts what it hands out");
MODULE_LICENSE("GPL");
