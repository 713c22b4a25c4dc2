// SPDX-License-Identifier: GPL-2.0
/*
 * set_memory_decrypted() and set_memory_encrypted(): private pages become shared
 * with the host, and private again; just these, each once, and in order.
 *
 * Path:        set_memory_decrypted(), set_memory_encrypted() -> __set_memory_enc_pgtable()
 *              -> page tables; SEV-SNP: PVALIDATE and page state change; TDX: MapGPA and
 *              TDG.MEM.PAGE.ACCEPT
 * Upstream:    dc3f3d2474b8 ("x86/mm: Validate memory when changing the C-bit"),
 *              7dbde7631629 ("x86/mm/cpa: Add support for TDX shared memory"),
 *              195edce08b63 ("x86/tdx: Fix race between set_memory_encrypted() and
 *              load_unaligned_zeropad()")
 * Without it:  a neighbour of the range is shared with the host, or the page tables
 *              say what the processor does not: the next access ends the guest.
 *
 *			page tables	state			contents afterwards
 *	SEV, SEV-ES	C-bit		none			the same bytes under the other key
 *	SEV-SNP		C-bit		RMP, validated by guest	not those of before
 *	TDX		shared bit	SEPT, accepted by guest	zeros once accepted
 *
 * (APM vol. 2, 15.34, 15.36; TDX module base specification, secure EPT.)
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/set_memory.h>
#include "lib/block.h"
#include "lib/coco_kunit.h"
#include "lib/pages.h"

/* One row a range in 4M; the first and the third start from two pages of 2M */
static void decrypting_shares_just_the_range(struct kunit *test);
static void encrypting_makes_all_private_again(struct kunit *test);
static void neighbours_keep_their_contents(struct kunit *test);
static void each_page_changes_state_once(struct kunit *test);
static void tables_say_shared_while_tdx_changes_state(struct kunit *test);
static void tables_say_private_while_snp_changes_state(struct kunit *test);
/* Page tables */
static void other_large_page_is_not_split(struct kunit *test);
static void vmalloc_range_changes_in_the_direct_map_too(struct kunit *test);
static void range_changes_again_and_again(struct kunit *test);
static void unaligned_address_means_its_page(struct kunit *test);

struct range_case {
	const char *name;
	unsigned int first, npages;
};

static const struct range_case range_cases[] = {
	{ "one_page", 100, 1 },
	{ "first_page", 0, 1 },
	{ "last_page_of_2m", 511, 1 },
	{ "seven_pages", 33, 7 },
	{ "across_2m", 509, 5 },
	{ "one_2m", 512, 512 },
	{ "one_2m_and_a_page", 0, 513 },
	{ "all_but_the_edges", 1, 1022 },
};
KUNIT_ARRAY_PARAM_DESC(range, range_cases, name);

static struct kunit_case set_memory_cases[] = {
	KUNIT_CASE_PARAM(decrypting_shares_just_the_range, range_gen_params),
	KUNIT_CASE_PARAM(encrypting_makes_all_private_again, range_gen_params),
	KUNIT_CASE_PARAM(neighbours_keep_their_contents, range_gen_params),
	KUNIT_CASE_PARAM(each_page_changes_state_once, range_gen_params),
	KUNIT_CASE_PARAM(tables_say_shared_while_tdx_changes_state, range_gen_params),
	KUNIT_CASE_PARAM(tables_say_private_while_snp_changes_state, range_gen_params),
	KUNIT_CASE(other_large_page_is_not_split),
	KUNIT_CASE(vmalloc_range_changes_in_the_direct_map_too),
	KUNIT_CASE(range_changes_again_and_again),
	KUNIT_CASE(unaligned_address_means_its_page),
	{}
};

#define SECRET		0x5ec2e7ull

/* ---- arrange ---- */

static const struct range_case *prepare_range(struct kunit *test, unsigned long technologies)
{
	coco_block_get(test, technologies);
	return test->param_value;
}

static const struct range_case *prepare_large(struct kunit *test, unsigned long technologies)
{
	coco_block_get_large(test, technologies);
	return test->param_value;
}

/* The machine's own walk, from the CR3 that is loaded */
static bool machine_agrees(const void *p, bool private)
{
	s64 found = coco_translate(p);

	return found == (s64)(coco_gpa(p) | (private ? COCO_GPA_PRIVATE : 0));
}

/* ---- assert ---- */

/* Worth a machine call: beside either end of the range, or one of a few all over the block */
static bool is_sample(unsigned int i, unsigned int first, unsigned int n)
{
	return i - (first - 2) < 4 || i - (first + n - 2) < 4 || i % 61 == 0;
}

/* Of all pages of the block just these are shared, by tables and by state */
static void expect_shared(struct kunit *test, unsigned int first, unsigned int n)
{
	unsigned int i, tables = 0, walks = 0, states = 0;

	for (i = 0; i < COCO_BLOCK_PAGES; i++) {
		bool private = i < first || i >= first + n;
		const u8 *p = coco_page(i);

		tables += private ? !coco_maps_private(p) : !coco_maps_shared(p);
		if (!coco_machine() || !is_sample(i, first, n))
			continue;
		walks += !machine_agrees(p, private);
		states += coco_has_states() && !coco_state_is(p, private);
	}
	KUNIT_EXPECT_EQ_MSG(test, tables, 0u, "pages with a wrong entry in the page tables");
	KUNIT_EXPECT_EQ_MSG(test, walks, 0u, "pages that the machine finds otherwise");
	KUNIT_EXPECT_EQ_MSG(test, states, 0u, "pages in a wrong state");
}

static void decrypting_shares_just_the_range(struct kunit *test)
{
	const struct range_case *c = prepare_large(test, COCO_CONFIDENTIAL);

	expect_shared(test, 0, 0);
	coco_decrypt(test, c->first, c->npages);
	expect_shared(test, c->first, c->npages);
}

static void encrypting_makes_all_private_again(struct kunit *test)
{
	const struct range_case *c = prepare_range(test, COCO_CONFIDENTIAL);
	unsigned int half = c->npages / 2;

	coco_decrypt(test, c->first, c->npages);
	coco_encrypt(test, c->first, half ? half : 1);
	if (half)
		expect_shared(test, c->first + half, c->npages - half);
	if (half)
		coco_encrypt(test, c->first + half, c->npages - half);
	expect_shared(test, 0, 0);
}

static unsigned int damaged(unsigned int from, unsigned int to)
{
	unsigned int i, n = 0;

	for (i = from; i < to; i++)
		n += coco_page_filled(coco_page(i), SECRET + i) != COCO_WORDS;
	return n;
}

static void neighbours_keep_their_contents(struct kunit *test)
{
	const struct range_case *c = prepare_large(test, COCO_CONFIDENTIAL);
	unsigned int i;

	for (i = 0; i < COCO_BLOCK_PAGES; i++)
		coco_fill_page(coco_page(i), SECRET + i);
	coco_decrypt(test, c->first, c->npages);
	KUNIT_EXPECT_EQ(test, damaged(0, c->first), 0u);
	KUNIT_EXPECT_EQ(test, damaged(c->first + c->npages, COCO_BLOCK_PAGES), 0u);
	memset(coco_page(c->first), 0, c->npages * PAGE_SIZE);
	coco_encrypt(test, c->first, c->npages);
	KUNIT_EXPECT_EQ(test, damaged(0, c->first), 0u);
	KUNIT_EXPECT_EQ(test, damaged(c->first + c->npages, COCO_BLOCK_PAGES), 0u);
}

/* ---- the machine's log ---- */

static struct coco_log *logged(struct kunit *test, u64 since)
{
	struct coco_log *log = coco_log(test, since, coco_gpa(coco_page(0)), COCO_BLOCK_PAGES);

	KUNIT_ASSERT_FALSE_MSG(test, log->lost, "events were lost");
	KUNIT_EXPECT_EQ_MSG(test, log->elsewhere, 0u, "changes of pages outside the 4M");
	return log;
}

/* SEV-SNP: validation is rescinded first, then the page is given to the host (56421, 4.1.6) */
static bool became_shared(const struct coco_page_log *p)
{
	bool snp = coco_technology() == COCO_SEV_SNP;

	return p->to_shared == 1 && !p->to_private && !p->validated && !p->refused &&
	       p->rescinded == snp && (!snp || p->validation < p->change);
}

/* Assigned by the host first, then validated or accepted */
static bool became_private(const struct coco_page_log *p)
{
	return p->to_private == 1 && !p->to_shared && !p->rescinded && !p->refused &&
	       p->validated == 1 && p->change < p->validation;
}

static bool was_left_alone(const struct coco_page_log *p)
{
	return !p->to_shared && !p->to_private && !p->rescinded && !p->validated && !p->refused;
}

static void expect_changes(struct kunit *test, const struct range_case *c,
			   const struct coco_log *log, bool (*changed)(const struct coco_page_log *))
{
	unsigned int i, wrong = 0, touched = 0;

	for (i = 0; i < COCO_BLOCK_PAGES; i++)
		if (i >= c->first && i < c->first + c->npages)
			wrong += !changed(&log->page[i]);
		else
			touched += !was_left_alone(&log->page[i]);
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0u,
			    "pages of the range: not once, in the wrong order, or refused");
	KUNIT_EXPECT_EQ_MSG(test, touched, 0u, "pages outside the range");
}

static void each_page_changes_state_once(struct kunit *test)
{
	const struct range_case *c;
	u64 since;

	COCO_NEEDS_MACHINE(test);
	c = prepare_range(test, COCO_PAGE_STATES);
	since = coco_event_next();
	coco_decrypt(test, c->first, c->npages);
	expect_changes(test, c, logged(test, since), became_shared);
	since = coco_event_next();
	coco_encrypt(test, c->first, c->npages);
	expect_changes(test, c, logged(test, since), became_private);
}

/* At each event of each page of the range the tables said "shared", or "private" */
static void expect_tables(struct kunit *test, const struct range_case *c,
			  const struct coco_log *log, bool private)
{
	unsigned int i, unwatched = 0, wrong = 0;

	for (i = c->first; i < c->first + c->npages; i++) {
		const struct coco_page_log *p = &log->page[i];

		unwatched += !p->watched;
		wrong += p->watched != (private ? p->maps_private : p->maps_shared);
	}
	KUNIT_EXPECT_EQ_MSG(test, unwatched, 0u, "pages without any event");
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0u, "pages that the tables mapped otherwise");
}

static void expect_tables_meanwhile(struct kunit *test, const struct range_case *c, bool private)
{
	u64 since;

	KUNIT_ASSERT_EQ(test, coco_watch(coco_page(0), COCO_BLOCK_PAGES * PAGE_SIZE), (s64)0);
	since = coco_event_next();
	coco_decrypt(test, c->first, c->npages);
	expect_tables(test, c, logged(test, since), private);
	since = coco_event_next();
	coco_encrypt(test, c->first, c->npages);
	expect_tables(test, c, logged(test, since), private);
}

/*
 * A shared mapping of a private page gives a #VE that load_unaligned_zeropad()
 * can have handled; a private mapping of a shared page ends the TD.
 */
static void tables_say_shared_while_tdx_changes_state(struct kunit *test)
{
	COCO_NEEDS_MACHINE(test);
	expect_tables_meanwhile(test, prepare_range(test, COCO_ONLY(COCO_TDX)), false);
}

/* PVALIDATE goes through the private mapping; a private page must not be read as shared */
static void tables_say_private_while_snp_changes_state(struct kunit *test)
{
	COCO_NEEDS_MACHINE(test);
	expect_tables_meanwhile(test, prepare_range(test, COCO_ONLY(COCO_SEV_SNP)), true);
}

/* ---- page tables ---- */

static void other_large_page_is_not_split(struct kunit *test)
{
	prepare_large(test, COCO_CONFIDENTIAL);
	coco_decrypt(test, COCO_PAGES_IN_2M + 7, 3);
	KUNIT_EXPECT_FALSE(test, coco_maps_large(coco_page(COCO_PAGES_IN_2M + 7)));
	KUNIT_EXPECT_TRUE(test, coco_maps_large(coco_page(0)));
	KUNIT_EXPECT_TRUE(test, coco_maps_large(coco_page(COCO_PAGES_IN_2M - 1)));
}

static bool vmalloc_is(const u8 *area, unsigned int n, bool private)
{
	unsigned int i, wrong = 0;

	for (i = 0; i < n; i++) {
		const u8 *p = area + i * PAGE_SIZE, *alias = __va(coco_gpa(p));

		wrong += private ? !coco_maps_private(p) : !coco_maps_shared(p);
		wrong += private ? !coco_maps_private(alias) : !coco_maps_shared(alias);
		wrong += coco_has_states() && !coco_state_is(p, private);
	}
	return !wrong;
}

/* TDX: the kernel refuses or does not support it, see tdx_enc_status_changed() */
static void vmalloc_range_changes_in_the_direct_map_too(struct kunit *test)
{
	const unsigned int n = 5;
	u8 *area;

	COCO_NEEDS(test, COCO_ANY_SEV);
	area = vmalloc(n * PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, area);
	KUNIT_ASSERT_EQ(test, set_memory_decrypted((unsigned long)area, n), 0);
	KUNIT_EXPECT_TRUE(test, vmalloc_is(area, n, false));
	KUNIT_ASSERT_EQ(test, set_memory_encrypted((unsigned long)area, n), 0);
	KUNIT_EXPECT_TRUE(test, vmalloc_is(area, n, true));
	if (vmalloc_is(area, n, true))
		vfree(area);
}

static void range_changes_again_and_again(struct kunit *test)
{
	unsigned int i;

	coco_block_get(test, COCO_CONFIDENTIAL);
	for (i = 0; i < 16; i++) {
		coco_decrypt(test, 3 + i, 4);
		memset(coco_page(3 + i), i, 4 * PAGE_SIZE);
		coco_encrypt(test, 3 + i, 4);
	}
	expect_shared(test, 0, 0);
}

/* And the kernel warns about it, once */
static void unaligned_address_means_its_page(struct kunit *test)
{
	coco_block_get(test, COCO_CONFIDENTIAL);
	KUNIT_EXPECT_EQ(test, set_memory_decrypted(coco_address(9) + 0x123, 1), 0);
	expect_shared(test, 9, 1);
	KUNIT_EXPECT_EQ(test, set_memory_encrypted(coco_address(9) + 0xff8, 1), 0);
	expect_shared(test, 0, 0);
}

static struct kunit_suite set_memory_suite = {
	.name = "set_memory",
	.init = coco_case_begin,
	.exit = coco_block_end,
	.test_cases = set_memory_cases,
};
kunit_test_suite(set_memory_suite);

MODULE_DESCRIPTION("set_memory_decrypted(), set_memory_encrypted(): the range, and its order");
MODULE_LICENSE("GPL");
