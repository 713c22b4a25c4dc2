// SPDX-License-Identifier: GPL-2.0
/*
 * The pool of shared memory for drivers that cannot wait: it has the size that the
 * command line asks for, refuses when it is empty, and grows.
 *
 * Path:        dma_alloc_coherent(GFP_ATOMIC) -> dma_alloc_from_pool(); early_coherent_pool(),
 *              atomic_pool_work_fn() -> atomic_pool_resize() -> atomic_pool_expand()
 * Upstream:    82fef0ad811f ("x86/mm: unencrypted non-blocking DMA allocations use coherent
 *              pools"), 54adadf9b085 ("dma-pool: dynamically expanding atomic pools")
 * Without it:  a driver that allocates in an interrupt fails once the pool is empty, and for
 *              good, whatever the administrator set it to.
 */
#include <linux/delay.h>
#include <linux/preempt.h>
#include "lib/dma_suite.h"
#include "lib/pages.h"

static void pool_has_the_size_that_was_asked_for(struct kunit *test);
static void empty_pool_refuses_and_grows(struct kunit *test);

static struct kunit_case dma_pool_cases[] = {
	KUNIT_CASE(pool_has_the_size_that_was_asked_for),
	KUNIT_CASE(empty_pool_refuses_and_grows),
	{}
};

#define ASKED	SZ_1M		/* coherent_pool= of backports/expect/suites */
#define MOST	4096u		/* more pages than it ever grows to here */
#define ATOMIC	(GFP_ATOMIC | __GFP_NOWARN)

struct taken {
	struct device *dev;
	unsigned int n;
	void *cpu[MOST];
	dma_addr_t at[MOST];
};

static bool take(struct taken *all)
{
	all->cpu[all->n] = dma_alloc_coherent(all->dev, PAGE_SIZE, &all->at[all->n], ATOMIC);
	return all->cpu[all->n] && ++all->n;
}

/* Whatever there is at once; what the pool grows by comes from a work on this CPU */
static struct taken *take_all(struct kunit *test)
{
	struct taken *all = kunit_kzalloc(test, sizeof(*all), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, all);
	all->dev = coco_dma_dev(test);
	preempt_disable();
	while (all->n < MOST && take(all))
		;
	preempt_enable();
	return all;
}

static void give_back(struct taken *all)
{
	while (all->n--)
		dma_free_coherent(all->dev, PAGE_SIZE, all->cpu[all->n], all->at[all->n]);
}

/* Kernels before 5.17 warn of a pool that is empty: both cases tolerate that */
static void pool_has_the_size_that_was_asked_for(struct kunit *test)
{
	struct taken *all;
	unsigned int n;

	COCO_NEEDS(test, COCO_CONFIDENTIAL);
	all = take_all(test);
	n = all->n;
	give_back(all);
	/* One in each zone; without being asked it is of 128 KiB */
	KUNIT_EXPECT_GE(test, n, (unsigned int)(ASKED / PAGE_SIZE));
}

static void empty_pool_refuses_and_grows(struct kunit *test)
{
	unsigned int had, i, private = 0, waits = 0;
	struct taken *all;
	bool more;

	COCO_NEEDS(test, COCO_CONFIDENTIAL);
	all = take_all(test);
	had = all->n;
	for (more = false; !more && had < MOST && waits < 100; waits++) {
		msleep(20);
		more = take(all);
	}
	for (i = 0; i < all->n; i++)
		private += coco_private_pages(all->at[i], PAGE_SIZE);
	give_back(all);
	KUNIT_EXPECT_LT_MSG(test, had, MOST, "an empty pool refuses");
	KUNIT_EXPECT_TRUE(test, more);
	KUNIT_EXPECT_EQ(test, private, 0u);
}

static struct kunit_suite dma_pool_suite = {
	.name = "dma_pool",
	.init = coco_dma_case_begin,
	.exit = coco_dma_end,
	.test_cases = dma_pool_cases,
};
kunit_test_suite(dma_pool_suite);

MODULE_DESCRIPTION("The pool of shared memory for drivers that cannot wait");
MODULE_LICENSE("GPL");
