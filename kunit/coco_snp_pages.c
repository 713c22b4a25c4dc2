// SPDX-License-Identifier: GPL-2.0
/*
 * SEV-SNP's page state changes: how many pages, and what is done to each.
 *
 * Path:        set_memory_encrypted(), snp_set_memory_shared(), snp_accept_memory() ->
 *              set_pages_state() -> GHCB, page state change, PVALIDATE
 *              early_snp_set_memory_private() -> early_set_pages_state() -> GHCB MSR
 * Upstream:    7b306dfa326f ("x86/sev: Evict cache lines during SNP memory validation")
 *              CVE-2025-38560,
 *              5dee19b6b2b1 ("x86/sev: Fix calculation of end address based on number of pages"),
 *              62d5e970d022 ("x86/sev: Change npages to unsigned long in snp_accept_memory()")
 * Without it:  the host keeps stale lines of a page in its caches and writes them back over
 *              what the guest wrote; or of a range of 4 GiB or more pages at its end keep the
 *              state that they had.
 *
 * No memory is as large as the numbers below: the host, or the processor, refuses the second
 * page, which ends a guest that comes to it.
 */
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/set_memory.h>
#include "lib/coco_kunit.h"
#include "lib/pages.h"
#include "lib/symbol.h"

static void each_page_is_read_behind_its_validation(struct kunit *test);
static void page_is_read_behind_its_early_validation(struct kunit *test);
/* The second page of so many */
static void number_of_pages_beyond_4g_counts(struct kunit *test);
static void number_of_pages_to_share_beyond_4g_counts(struct kunit *test);
static void early_number_of_pages_beyond_4g_counts(struct kunit *test);
static void number_of_pages_beyond_16t_counts(struct kunit *test);

static struct kunit_case snp_pages_cases[] = {
	KUNIT_CASE(each_page_is_read_behind_its_validation),
	KUNIT_CASE(page_is_read_behind_its_early_validation),
	KUNIT_CASE(number_of_pages_beyond_4g_counts),
	KUNIT_CASE(number_of_pages_to_share_beyond_4g_counts),
	KUNIT_CASE(early_number_of_pages_beyond_4g_counts),
	KUNIT_CASE(number_of_pages_beyond_16t_counts),
	{}
};

/* Behind the first page of a block: nothing there is a large page to a request */
#define ORDER		4
#define PAGES		8
#define PAGES_4G	0x100000ul		/* 32 bits of bytes */
#define BYTES_16T	0x100000000000ull	/* 32 bits of pages */

/* GHCB specification 56421, table 3: SNP page state change request */
#define MSR_PSC		0x14

static unsigned long block, pages;

static int snp_pages_begin(struct kunit *test)
{
	int error = coco_case_begin(test);

	block = error ? 0 : __get_free_pages(GFP_KERNEL, ORDER);
	pages = block + PAGE_SIZE;
	return error ? error : block ? 0 : -ENOMEM;
}

/* A case that comes to its end has put them back */
static void snp_pages_end(struct kunit *test)
{
	free_pages(block, ORDER);
	block = 0;
	coco_case_end(test);
}

static u64 gpa_of(unsigned int page)
{
	return __pa(pages) + page * PAGE_SIZE;
}

static void need_snp(struct kunit *test)
{
	COCO_NEEDS(test, COCO_ONLY(COCO_SEV_SNP));
	COCO_NEEDS_MACHINE(test);
}

/* So many, from the first one on */
typedef void change_fn(unsigned long address, unsigned long count);

static void __nocfi share_first_page(struct kunit *test)
{
	change_fn *share = coco_need_symbol(test, "snp_set_memory_shared");

	share(pages, 1);
}

typedef void early_fn(unsigned long address, unsigned long gpa, unsigned long count);

/* Newer kernels made the early functions __init: there is nothing to call any more */
static early_fn *find_early(struct kunit *test)
{
#ifndef CC_HAVE_SNP_EARLY_CODE
	kunit_skip(test, "this kernel frees its early code when it has booted");
#endif
	return coco_need_symbol(test, "early_snp_set_memory_private");
}

/* It asks by the GHCB's MSR, as when no interrupt comes: a #VC in between would write it, too */
static void __nocfi validate_early(early_fn *validate, unsigned long count)
{
	unsigned long flags;

	local_irq_save(flags);
	validate(pages, gpa_of(0), count);
	local_irq_restore(flags);
}

/*
 * A read of the first and of the last line of a page, with the guest's key, has the
 * processor drop what it keeps of it under the host's.
 */
static void each_page_is_read_behind_its_validation(struct kunit *test)
{
	unsigned int i, used = 0;

	need_snp(test);
	KUNIT_ASSERT_EQ(test, set_memory_decrypted(pages, PAGES), 0);
	KUNIT_ASSERT_EQ(test, set_memory_encrypted(pages, PAGES), 0);
	for (i = 0; i < PAGES; i++)
		used += coco_page_used(gpa_of(i)) == 1;
	KUNIT_EXPECT_EQ(test, used, (unsigned int)PAGES);
}

static void page_is_read_behind_its_early_validation(struct kunit *test)
{
	early_fn *validate;

	need_snp(test);
	validate = find_early(test);
	share_first_page(test);
	validate_early(validate, 1);
	KUNIT_EXPECT_EQ(test, coco_page_used(gpa_of(0)), (s64)1);
}

/* The second page is refused, once the guest comes to it */
static void expect_end_at_second_page(struct kunit *test, const struct coco_rule *rule, u64 end)
{
	KUNIT_ASSERT_EQ(test, coco_expect(COCO_END_TERMINATE, end, ~0ull), (s64)0);
	KUNIT_ASSERT_GT(test, coco_rule_add(rule), (s64)0);
}

static void fail_as_it_goes_on(struct kunit *test)
{
	coco_expect(0, 0, 0);
	coco_rule_del(0);
	KUNIT_FAIL(test, "the guest goes on behind the first page");
}

static struct coco_rule refusal(enum coco_event_kind kind, u64 answer)
{
	return (struct coco_rule) {
		.kind = kind, .action = COCO_REPLY, .code = gpa_of(1),
		.reply_mask = BIT(0), .reply = { answer },
	};
}

static void __nocfi number_of_pages_beyond_4g_counts(struct kunit *test)
{
	const struct coco_rule refuse = refusal(COCO_EV_PSC, 1);
	change_fn *unshare;

	need_snp(test);
	unshare = coco_need_symbol(test, "snp_set_memory_private");
	share_first_page(test);
	expect_end_at_second_page(test, &refuse, TERMINATE_PSC);
	unshare(pages, PAGES_4G + 1);
	fail_as_it_goes_on(test);
}

/*
 * Their validation is rescinded before the host is asked: of all of them up to 6.1, of those
 * of a request later.  No page but the first one may come to that: the others are in use.
 */
static void __nocfi number_of_pages_to_share_beyond_4g_counts(struct kunit *test)
{
	const struct coco_rule refuse = refusal(COCO_EV_PVALIDATE, FAIL_INPUT);
	change_fn *share, *unshare;

	need_snp(test);
	share = coco_need_symbol(test, "snp_set_memory_shared");
	unshare = coco_need_symbol(test, "snp_set_memory_private");
	expect_end_at_second_page(test, &refuse, TERMINATE_PVALIDATE);
	share(pages, PAGES_4G + 1);
	fail_as_it_goes_on(test);
	unshare(pages, 1);
}

static void early_number_of_pages_beyond_4g_counts(struct kunit *test)
{
	/* Bits 63:32 of the answer are the error; the first page passes */
	const struct coco_rule refuse = {
		.kind = COCO_EV_MSRPROTO, .action = COCO_REPLY, .code = MSR_PSC, .skip = 1,
		.reply_mask = BIT(0), .reply = { 0x100000015ull },
	};
	early_fn *validate;

	need_snp(test);
	validate = find_early(test);
	share_first_page(test);
	expect_end_at_second_page(test, &refuse, TERMINATE_PSC);
	validate_early(validate, PAGES_4G + 1);
	fail_as_it_goes_on(test);
}

static void __nocfi number_of_pages_beyond_16t_counts(struct kunit *test)
{
	void (*accept)(phys_addr_t start, phys_addr_t end);
	const struct coco_rule refuse = refusal(COCO_EV_PSC, 1);

	need_snp(test);
	accept = coco_need_symbol(test, "snp_accept_memory");
	share_first_page(test);
	expect_end_at_second_page(test, &refuse, TERMINATE_PSC);
	accept(gpa_of(0), gpa_of(1) + BYTES_16T);
	fail_as_it_goes_on(test);
}

static struct kunit_suite snp_pages_suite = {
	.name = "snp_pages",
	.init = snp_pages_begin,
	.exit = snp_pages_end,
	.test_cases = snp_pages_cases,
};
kunit_test_suite(snp_pages_suite);

MODULE_DESCRIPTION("SEV-SNP's page state changes: how many pages, and what is done to each");
MODULE_LICENSE("GPL");
COCO_INJECTS_FAULTS;
