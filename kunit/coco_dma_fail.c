// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for a device that cannot be converted never goes back to the allocator:
 * nobody knows whether its pages are private or shared, so they are left to rot.
 *
 * Path:        dma_alloc_coherent(), dma_alloc_pages() -> dma_set_decrypted();
 *              dma_free_*() -> dma_set_encrypted(); atomic_pool_expand()
 * Upstream:    b9fa16949d18 ("dma-direct: Leak pages on dma_set_decrypted() failure")
 *              CVE-2024-35939, 56fccf21d196 ("dma-direct: check return value when encrypting or
 *              decrypting memory"), 96a539fa3bb7 ("dma-direct: re-encrypt memory if
 *              dma_direct_alloc_pages() fails"), "dma-direct: leak memory that can't be
 *              re-encrypted" (5.17)
 * Without it:  the next user of such a page writes its secrets where the host reads them, or
 *              is stopped by an access that the page's state does not allow.
 *
 * Most cases fail set_memory_*() itself, by a kprobe on it (lib/override.h), and so
 * show what callers do on every technology, also where no host can cause it.  A TDX
 * host can: it refuses MapGPA (GHCI 344426, TDG.VP.VMCALL<MapGPA>).
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <asm/set_memory.h>
#include "lib/dma_suite.h"
#include "lib/override.h"
#include "lib/pages.h"

static void memory_that_is_not_decrypted_is_not_handed_out(struct kunit *test);
static void pages_that_are_not_decrypted_are_not_handed_out(struct kunit *test);
static void memory_that_is_not_decrypted_is_kept(struct kunit *test);
static void memory_that_is_not_encrypted_again_is_kept(struct kunit *test);
static void pages_that_are_not_decrypted_are_kept(struct kunit *test);
static void pages_that_are_not_encrypted_again_are_kept(struct kunit *test);
static void pool_that_is_not_decrypted_is_kept(struct kunit *test);
/* The same by a host that refuses */
static void memory_that_the_host_does_not_share_is_kept(struct kunit *test);
static void memory_that_the_host_does_not_make_private_is_kept(struct kunit *test);

static struct kunit_case dma_fail_cases[] = {
	KUNIT_CASE(memory_that_is_not_decrypted_is_not_handed_out),
	KUNIT_CASE(pages_that_are_not_decrypted_are_not_handed_out),
	KUNIT_CASE(memory_that_is_not_decrypted_is_kept),
	KUNIT_CASE(memory_that_is_not_encrypted_again_is_kept),
	KUNIT_CASE(pages_that_are_not_decrypted_are_kept),
	KUNIT_CASE(pages_that_are_not_encrypted_again_are_kept),
	KUNIT_CASE(pool_that_is_not_decrypted_is_kept),
	KUNIT_CASE(memory_that_the_host_does_not_share_is_kept),
	KUNIT_CASE(memory_that_the_host_does_not_make_private_is_kept),
	{}
};

#define SIZE	(2 * PAGE_SIZE)

/* From this address on, as many pages as the second argument says */
static struct coco_override decrypt = { .function = "set_memory_decrypted" };
static struct coco_override encrypt = { .function = "set_memory_encrypted" };

static bool converted(const struct coco_override *o, void *address)
{
	unsigned int i;

	for (i = 0; i < min_t(unsigned int, o->ncalls, COCO_OVERRIDE_CALLS); i++)
		if (o->calls[i].arg[0] == (unsigned long)address)
			return true;
	return false;
}

/*
 * How many have the pages that were the first to be converted.  As always here, asked before the
 * probe is taken out: that sleeps, and what went back to the allocator may be another's then.
 */
static int users_of_first(const struct coco_override *o)
{
	return o->ncalls ? coco_page_users(o->calls[0].arg[0]) : 0;
}

/* Whoever kept it, it is private as ever if nothing was really done to it */
static void give_back(unsigned long address, unsigned int order, int users)
{
	if (users == 1)
		free_pages(address, order);
}

static void begin_failing(struct kunit *test, struct coco_override *o)
{
	KUNIT_ASSERT_EQ(test, coco_override_begin(o), 0);
}

/* Kernels that do not keep them have freed them; what is handed out is the test's to free */
static void memory_that_is_not_decrypted_is_not_handed_out(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	dma_addr_t at;
	void *cpu;
	int users;

	begin_failing(test, &decrypt);
	cpu = dma_alloc_coherent(dev, SIZE, &at, GFP_KERNEL);
	users = cpu ? coco_page_users((unsigned long)cpu) : 0;
	coco_override_end(&decrypt);
	KUNIT_EXPECT_GT(test, decrypt.ncalls, 0u);
	KUNIT_EXPECT_NULL(test, cpu);
	if (cpu)
		give_back((unsigned long)cpu, get_order(SIZE), users);
}

static void memory_that_is_not_decrypted_is_kept(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	unsigned long address;
	dma_addr_t at;
	void *cpu;
	int users;

	begin_failing(test, &decrypt);
	cpu = dma_alloc_coherent(dev, SIZE, &at, GFP_KERNEL);
	users = users_of_first(&decrypt);
	coco_override_end(&decrypt);
	KUNIT_EXPECT_PTR_EQ(test, cpu, NULL);
	KUNIT_ASSERT_EQ(test, decrypt.ncalls, 1u);
	address = decrypt.calls[0].arg[0];
	KUNIT_EXPECT_EQ(test, decrypt.calls[0].arg[1], SIZE / PAGE_SIZE);
	KUNIT_EXPECT_EQ_MSG(test, users, 1, "pages went back to the allocator");
	give_back(address, get_order(SIZE), users);
}

static void memory_that_is_not_encrypted_again_is_kept(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	dma_addr_t at;
	void *cpu;
	int users;

	cpu = dma_alloc_coherent(dev, SIZE, &at, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	begin_failing(test, &encrypt);
	dma_free_coherent(dev, SIZE, cpu, at);
	users = coco_page_users((unsigned long)cpu);
	coco_override_end(&encrypt);
	KUNIT_ASSERT_TRUE(test, converted(&encrypt, cpu));
	KUNIT_EXPECT_EQ_MSG(test, users, 1, "pages went back to the allocator");
	KUNIT_ASSERT_EQ(test, set_memory_encrypted((unsigned long)cpu, SIZE / PAGE_SIZE), 0);
	give_back((unsigned long)cpu, get_order(SIZE), users);
}

#ifdef CC_HAVE_DMA_ALLOC_PAGES
static void pages_that_are_not_decrypted_are_not_handed_out(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	struct page *page;
	dma_addr_t at;
	int users;

	begin_failing(test, &decrypt);
	page = dma_alloc_pages(dev, SIZE, &at, DMA_BIDIRECTIONAL, GFP_KERNEL);
	users = page ? page_count(page) : 0;
	coco_override_end(&decrypt);
	KUNIT_EXPECT_GT(test, decrypt.ncalls, 0u);
	KUNIT_EXPECT_NULL(test, page);
	if (page)
		give_back((unsigned long)page_address(page), get_order(SIZE), users);
}

static void pages_that_are_not_decrypted_are_kept(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	unsigned long address;
	struct page *page;
	dma_addr_t at;
	int users;

	begin_failing(test, &decrypt);
	page = dma_alloc_pages(dev, SIZE, &at, DMA_BIDIRECTIONAL, GFP_KERNEL);
	users = users_of_first(&decrypt);
	coco_override_end(&decrypt);
	KUNIT_EXPECT_PTR_EQ(test, page, NULL);
	KUNIT_ASSERT_EQ(test, decrypt.ncalls, 1u);
	address = decrypt.calls[0].arg[0];
	KUNIT_EXPECT_EQ_MSG(test, users, 1, "pages went back to the allocator");
	give_back(address, get_order(SIZE), users);
}

static void pages_that_are_not_encrypted_again_are_kept(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	struct page *page;
	dma_addr_t at;
	void *cpu;
	int users;

	page = dma_alloc_pages(dev, SIZE, &at, DMA_BIDIRECTIONAL, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	cpu = page_address(page);
	begin_failing(test, &encrypt);
	dma_free_pages(dev, SIZE, page, at, DMA_BIDIRECTIONAL);
	users = coco_page_users((unsigned long)cpu);
	coco_override_end(&encrypt);
	KUNIT_ASSERT_TRUE(test, converted(&encrypt, cpu));
	KUNIT_EXPECT_EQ_MSG(test, users, 1, "pages went back to the allocator");
	KUNIT_ASSERT_EQ(test, set_memory_encrypted((unsigned long)cpu, SIZE / PAGE_SIZE), 0);
	give_back((unsigned long)cpu, get_order(SIZE), users);
}
#else
static void pages_that_are_not_decrypted_are_not_handed_out(struct kunit *test)
{
	kunit_skip(test, "this kernel has no dma_alloc_pages()");
}

static void pages_that_are_not_decrypted_are_kept(struct kunit *test)
{
	kunit_skip(test, "this kernel has no dma_alloc_pages()");
}

static void pages_that_are_not_encrypted_again_are_kept(struct kunit *test)
{
	kunit_skip(test, "this kernel has no dma_alloc_pages()");
}
#endif

/*
 * The pool of memory for atomic allocations gets more in the background, once
 * half of it is gone.  The page that could not be decrypted is the pool's
 * larger one of many, so free the whole of it.
 */
#define POOL_PIECES	4096
#define PATIENCE_MS	2000

static void pool_that_is_not_decrypted_is_kept(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	dma_addr_t *at = kunit_kcalloc(test, POOL_PIECES, sizeof(*at), GFP_KERNEL);
	void **cpu = kunit_kcalloc(test, POOL_PIECES, sizeof(*cpu), GFP_KERNEL);
	int users[COCO_OVERRIDE_CALLS];
	unsigned int i, n, waited, failed;

	KUNIT_ASSERT_NOT_NULL(test, at);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	begin_failing(test, &decrypt);
	for (n = 0; n < POOL_PIECES && !READ_ONCE(decrypt.ncalls); n++) {
		cpu[n] = dma_alloc_coherent(dev, PAGE_SIZE, &at[n], GFP_ATOMIC | __GFP_NOWARN);
		if (!cpu[n])
			break;
	}
	for (waited = 0; waited < PATIENCE_MS && !READ_ONCE(decrypt.ncalls); waited += 20)
		msleep(20);
	msleep(50);		/* for it to be done with what it could not decrypt */
	for (i = 0; i < n; i++)
		dma_free_coherent(dev, PAGE_SIZE, cpu[i], at[i]);
	failed = min_t(unsigned int, READ_ONCE(decrypt.ncalls), COCO_OVERRIDE_CALLS);
	for (i = 0; i < failed; i++)
		users[i] = coco_page_users(decrypt.calls[i].arg[0]);
	coco_override_end(&decrypt);
	KUNIT_ASSERT_GT_MSG(test, failed, 0u, "the pool did not ask for more after %u pages", n);
	for (i = 0; i < failed; i++) {
		KUNIT_EXPECT_EQ_MSG(test, users[i], 1, "%lu pages went back to the allocator",
				    decrypt.calls[i].arg[1]);
		give_back(decrypt.calls[i].arg[0],
			  get_order(decrypt.calls[i].arg[1] << PAGE_SHIFT), users[i]);
	}
}

/* ---- a host that refuses ---- */

static const struct coco_rule refuse = {
	.kind = COCO_EV_TDVMCALL,
	.action = COCO_REPLY,
	.code = COCO_TDVMCALL_MAPGPA,
	.reply_mask = BIT(0),
	.reply = { STATUS_INVALID_OPERAND },
};

/* The kernel warns of the host, once a boot: both cases tolerate that */
static void memory_that_the_host_does_not_share_is_kept(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	dma_addr_t at;
	void *cpu;
	int users;
	s64 rule;

	COCO_NEEDS(test, COCO_ONLY(COCO_TDX));
	COCO_NEEDS_MACHINE(test);
	decrypt.watch = true;
	begin_failing(test, &decrypt);
	rule = coco_rule_add(&refuse);
	cpu = dma_alloc_coherent(dev, SIZE, &at, GFP_KERNEL);
	users = users_of_first(&decrypt);
	KUNIT_EXPECT_GT(test, coco_rule_del(rule), 0ull);
	coco_override_end(&decrypt);
	decrypt.watch = false;
	KUNIT_EXPECT_PTR_EQ(test, cpu, NULL);
	KUNIT_ASSERT_GE(test, decrypt.ncalls, 1u);
	KUNIT_EXPECT_EQ_MSG(test, users, 1, "pages went back to the allocator");
}

static void memory_that_the_host_does_not_make_private_is_kept(struct kunit *test)
{
	struct device *dev = coco_dma_dev(test);
	dma_addr_t at;
	void *cpu;
	int users;
	s64 rule;

	COCO_NEEDS(test, COCO_ONLY(COCO_TDX));
	COCO_NEEDS_MACHINE(test);
	cpu = dma_alloc_coherent(dev, SIZE, &at, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cpu);
	rule = coco_rule_add(&refuse);
	dma_free_coherent(dev, SIZE, cpu, at);
	users = coco_page_users((unsigned long)cpu);
	KUNIT_EXPECT_GT(test, coco_rule_del(rule), 0ull);
	KUNIT_EXPECT_EQ(test, coco_private_pages(at, SIZE), 0u);
	KUNIT_EXPECT_EQ_MSG(test, users, 1, "pages went back to the allocator");
	/* Shared ones in there would be the end of whoever gets them next */
	KUNIT_ASSERT_EQ(test, set_memory_encrypted((unsigned long)cpu, SIZE / PAGE_SIZE), 0);
	give_back((unsigned long)cpu, get_order(SIZE), users);
}

static struct kunit_suite dma_fail_suite = {
	.name = "dma_fail",
	.init = coco_dma_case_begin,
	.exit = coco_dma_end,
	.test_cases = dma_fail_cases,
};
kunit_test_suite(dma_fail_suite);

MODULE_DESCRIPTION("Memory for a device that cannot be converted stays out of the allocator");
MODULE_LICENSE("GPL");
COCO_INJECTS_FAULTS;
