// SPDX-License-Identifier: GPL-2.0
/*
 * set_memory_decrypted() and set_memory_encrypted() with a host that refuses, or
 * a processor that does.
 *
 * Path:        TDX: MapGPA, TDG.MEM.PAGE.ACCEPT -> tdx_enc_status_changed() ->
 *              __set_memory_enc_pgtable() -> -errno
 *              SEV-SNP: page state change, PVALIDATE -> sev_es_terminate()
 * Upstream:    3f6819dd192e ("x86/mm: Allow guest.enc_status_change_prepare() to fail"),
 *              82ace185017f ("x86/mm/cpa: Warn for set_memory_XXcrypted() VMM fails"),
 *              019b383d1132 ("x86/tdx: Retry partially-completed page conversion hypercalls")
 * Without it:  the kernel takes a page for private that is shared, or for shared
 *              that is private, and hands it to the next who asks for memory.
 *
 * A TD is told by an error and goes on; the page is then in a state that nobody
 * knows, and no case here gives one back to the allocator.  An SNP guest ends:
 * Linux's own reason set 1 (GHCB specification 56421, termination request), reason
 * 1 for a page state change, 2 for PVALIDATE.  SEV and SEV-ES guests ask nobody.
 */
#include <linux/console.h>
#include <linux/mm.h>
#include <asm/set_memory.h>
#include "lib/coco_kunit.h"
#include "lib/pages.h"
#include "lib/symbol.h"

/* TDX: one row an answer to MapGPA */
static void decrypting_fails_if_the_host_refuses(struct kunit *test);
static void encrypting_fails_and_leaves_the_page_shared(struct kunit *test);
static void refusal_is_warned_of(struct kunit *test);
/* TDX: MapGPA of eight pages */
static void refusal_halfway_fails(struct kunit *test);
static void retry_goes_on_where_the_host_stopped(struct kunit *test);
static void host_that_always_says_retry_is_given_up(struct kunit *test);
/* TDX: the module refuses */
static void page_that_is_not_accepted_stays_shared(struct kunit *test);
/* SEV-SNP: these end the guest */
static void refused_change_to_shared_ends_the_guest(struct kunit *test);
static void refused_change_to_private_ends_the_guest(struct kunit *test);
static void refused_validation_ends_the_guest(struct kunit *test);
static void page_that_was_validated_before_ends_the_guest(struct kunit *test);

struct answer_case {
	const char *name;
	u64 status, pages;		/* R10; R11 is so many pages from the range's start */
};

static const struct answer_case answer_cases[] = {
	{ "invalid_operand", STATUS_INVALID_OPERAND, 0 },
	{ "unknown_status", 0x8000000000000123ull, 0 },
	{ "retry_before_the_range", STATUS_RETRY, -1 },
	{ "retry_behind_the_range", STATUS_RETRY, 1 },
};
KUNIT_ARRAY_PARAM_DESC(answer, answer_cases, name);

static struct kunit_case set_memory_fail_cases[] = {
	KUNIT_CASE_PARAM(decrypting_fails_if_the_host_refuses, answer_gen_params),
	KUNIT_CASE_PARAM(encrypting_fails_and_leaves_the_page_shared, answer_gen_params),
	KUNIT_CASE(refusal_is_warned_of),
	KUNIT_CASE(refusal_halfway_fails),
	KUNIT_CASE(retry_goes_on_where_the_host_stopped),
	KUNIT_CASE(host_that_always_says_retry_is_given_up),
	KUNIT_CASE(page_that_is_not_accepted_stays_shared),
	KUNIT_CASE(refused_change_to_shared_ends_the_guest),
	KUNIT_CASE(refused_change_to_private_ends_the_guest),
	KUNIT_CASE(refused_validation_ends_the_guest),
	KUNIT_CASE(page_that_was_validated_before_ends_the_guest),
	{}
};

#define ORDER		3
#define PAGES		8u
#define DATA		0xda7aull
#define STOPS_AT	3u
/* More than this is no way to find out that a host does not want to */
#define MANY_CALLS	64
/* TDX module ABI 348551: TDX_OPERAND_BUSY, SEPT */
#define ACCEPT_REFUSED	0x8000020000000092ull
/* PVALIDATE's answer, EAX | CF << 32: the page was in this state before */
#define CARRY		BIT_ULL(32)

static u8 *pages;

static void prepare(struct kunit *test, enum coco_personality technology)
{
	COCO_NEEDS(test, COCO_ONLY(technology));
	COCO_NEEDS_MACHINE(test);
	pages = (u8 *)__get_free_pages(GFP_KERNEL, ORDER);
	KUNIT_ASSERT_NOT_NULL(test, pages);
}

static void prepare_shared(struct kunit *test, enum coco_personality technology)
{
	prepare(test, technology);
	KUNIT_ASSERT_EQ(test, set_memory_decrypted((unsigned long)pages, PAGES), 0);
	coco_fill_page(pages, DATA);
}

static int decrypt(unsigned int n)
{
	return set_memory_decrypted((unsigned long)pages, n);
}

static int encrypt(unsigned int n)
{
	return set_memory_encrypted((unsigned long)pages, n);
}

static unsigned int mapped_shared(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < PAGES; i++)
		n += coco_maps_shared(pages + i * PAGE_SIZE);
	return n;
}

static unsigned int in_state(s64 state)
{
	unsigned int i, n = 0;

	for (i = 0; i < PAGES; i++)
		n += coco_page_state(coco_gpa(pages + i * PAGE_SIZE)) == state;
	return n;
}

/* At the page of the range where it stops; times 0: always */
static void answer_there(struct kunit *test, enum coco_event_kind kind, u64 answer, u32 times)
{
	struct coco_rule rule = {
		.kind = kind, .action = COCO_REPLY, .code = coco_gpa(pages + STOPS_AT * PAGE_SIZE),
		.reply_mask = BIT(0), .reply = { answer }, .count = times,
	};

	KUNIT_ASSERT_GT(test, coco_rule_add(&rule), (s64)0);
}

/* ---- TDX ---- */

static s64 host_answers(struct kunit *test, const struct answer_case *c, u64 shared)
{
	struct coco_rule rule = {
		.kind = COCO_EV_TDVMCALL, .action = COCO_REPLY, .code = COCO_TDVMCALL_MAPGPA,
		.reply_mask = BIT(0) | BIT(1),
		.reply = { c->status, (coco_gpa(pages) | shared) + c->pages * PAGE_SIZE },
	};
	s64 id = coco_rule_add(&rule);

	KUNIT_ASSERT_GT(test, id, (s64)0);
	return id;
}

static void decrypting_fails_if_the_host_refuses(struct kunit *test)
{
	const struct answer_case *c = test->param_value;
	s64 rule;

	prepare(test, COCO_TDX);
	rule = host_answers(test, c, BIT_ULL(coco_machine_cbit()));
	KUNIT_EXPECT_LT(test, decrypt(1), 0);
	KUNIT_EXPECT_EQ(test, coco_rule_del(rule), 1ull);
	KUNIT_EXPECT_EQ(test, in_state(0), 0u);
}

/* Shared in the tables and shared in fact: nobody takes it for private */
static void encrypting_fails_and_leaves_the_page_shared(struct kunit *test)
{
	const struct answer_case *c = test->param_value;
	struct coco_log *log;
	u64 since;
	s64 rule;

	prepare_shared(test, COCO_TDX);
	rule = host_answers(test, c, 0);
	since = coco_event_next();
	KUNIT_EXPECT_LT(test, encrypt(1), 0);
	KUNIT_EXPECT_EQ(test, coco_rule_del(rule), 1ull);
	log = coco_log(test, since, coco_gpa(pages), PAGES);
	KUNIT_EXPECT_EQ_MSG(test, log->page[0].validated + log->page[0].refused, 0,
			    "the page was accepted, or tried to");
	KUNIT_EXPECT_EQ(test, mapped_shared(), PAGES);
	KUNIT_EXPECT_EQ(test, in_state(0), PAGES);
	if (coco_maps_shared(pages))
		KUNIT_EXPECT_EQ(test, coco_page_filled(pages, DATA), (unsigned int)COCO_WORDS);
}

/* ---- TDX: what the log says ---- */

static unsigned int warnings;

static void listen(struct console *console, const char *text, unsigned int len)
{
	warnings += !!strnstr(text, "CPA VMM failure", len);
}

static struct console listener = {
	.name = "cocolisten",
	.flags = CON_ENABLED | CON_ANYTIME,
	.index = -1,
	.write = listen,
};

typedef void (*clear_fn)(void);

/* WARN_ONCE() anew, as by debugfs' clear_warn_once; no interface for modules */
static void __nocfi clear_warn_once(struct kunit *test)
{
	clear_fn clear_once = coco_symbol("generic_bug_clear_once");
	char *start = coco_symbol("__start_once"), *end = coco_symbol("__end_once");

	if (!clear_once || !start || !end)
		kunit_skip(test, "no way to warn anew (needs KPROBES and KALLSYMS_ALL)");
	clear_once();
	memset(start, 0, end - start);
}

static void refusal_is_warned_of(struct kunit *test)
{
	int level = console_loglevel;

	prepare(test, COCO_TDX);
	clear_warn_once(test);
	host_answers(test, &answer_cases[0], 0);
	warnings = 0;
	register_console(&listener);
	console_loglevel = CONSOLE_LOGLEVEL_MOTORMOUTH;
	KUNIT_EXPECT_LT(test, decrypt(1), 0);
	console_loglevel = level;
	unregister_console(&listener);
	KUNIT_EXPECT_GT(test, warnings, 0u);
}

/* ---- TDX: eight pages; MapGPA comes to the page state change of one after the other ---- */

static void refusal_halfway_fails(struct kunit *test)
{
	prepare_shared(test, COCO_TDX);
	answer_there(test, COCO_EV_PSC, STATUS_INVALID_OPERAND, 0);
	KUNIT_EXPECT_LT(test, encrypt(PAGES), 0);
	/* Those before it are pending now; none may be in the tables as private */
	KUNIT_EXPECT_EQ(test, in_state(COCO_PAGE_PRIVATE), STOPS_AT);
	KUNIT_EXPECT_EQ(test, mapped_shared(), PAGES);
}

static void retry_goes_on_where_the_host_stopped(struct kunit *test)
{
	u64 calls, since;
	struct coco_log *log;
	unsigned int i;

	prepare(test, COCO_TDX);
	answer_there(test, COCO_EV_PSC, STATUS_RETRY, 1);
	calls = coco_count(COCO_EV_TDVMCALL, COCO_TDVMCALL_MAPGPA);
	since = coco_event_next();
	KUNIT_EXPECT_EQ(test, decrypt(PAGES), 0);
	KUNIT_EXPECT_EQ(test, coco_count(COCO_EV_TDVMCALL, COCO_TDVMCALL_MAPGPA) - calls, 2ull);
	KUNIT_EXPECT_EQ(test, in_state(0), PAGES);
	KUNIT_EXPECT_EQ(test, mapped_shared(), PAGES);
	log = coco_log(test, since, coco_gpa(pages), PAGES);
	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ_MSG(test, log->page[i].to_shared, 1, "page %u", i);
}

static void host_that_always_says_retry_is_given_up(struct kunit *test)
{
	u64 calls;

	prepare(test, COCO_TDX);
	answer_there(test, COCO_EV_PSC, STATUS_RETRY, 0);
	calls = coco_count(COCO_EV_TDVMCALL, COCO_TDVMCALL_MAPGPA);
	KUNIT_EXPECT_LT(test, decrypt(PAGES), 0);
	calls = coco_count(COCO_EV_TDVMCALL, COCO_TDVMCALL_MAPGPA) - calls;
	KUNIT_EXPECT_GT(test, calls, 1ull);
	KUNIT_EXPECT_LT(test, calls, (u64)MANY_CALLS);
}

static void page_that_is_not_accepted_stays_shared(struct kunit *test)
{
	struct coco_rule rule = {
		.kind = COCO_EV_TDCALL, .action = COCO_REPLY, .code = TDCALL_PAGE_ACCEPT,
		.reply_mask = BIT(0), .reply = { ACCEPT_REFUSED },
	};
	s64 id;

	prepare_shared(test, COCO_TDX);
	id = coco_rule_add(&rule);
	KUNIT_ASSERT_GT(test, id, (s64)0);
	KUNIT_EXPECT_LT(test, encrypt(1), 0);
	KUNIT_EXPECT_GT(test, coco_rule_del(id), 0ull);
	KUNIT_EXPECT_TRUE(test, coco_maps_shared(pages));
	KUNIT_EXPECT_EQ(test, coco_page_state(coco_gpa(pages)), (s64)COCO_PAGE_PRIVATE);
}

/* ---- SEV-SNP ---- */

/* From here on just this end of the guest passes the case */
static void expect_end(struct kunit *test, enum coco_event_kind kind, u64 answer, u64 end)
{
	answer_there(test, kind, answer, 0);
	KUNIT_ASSERT_EQ(test, coco_expect(COCO_END_TERMINATE, end, 0xffff), (s64)0);
}

static void refused_change_to_shared_ends_the_guest(struct kunit *test)
{
	prepare(test, COCO_SEV_SNP);
	expect_end(test, COCO_EV_PSC, 1, TERMINATE_PSC);
	decrypt(PAGES);
	COCO_FAIL_AS_IT_GOES_ON(test);
}

static void expect_encrypting_to_end(struct kunit *test, enum coco_event_kind kind, u64 answer,
				     u64 end)
{
	prepare_shared(test, COCO_SEV_SNP);
	expect_end(test, kind, answer, end);
	encrypt(PAGES);
	COCO_FAIL_AS_IT_GOES_ON(test);
}

static void refused_change_to_private_ends_the_guest(struct kunit *test)
{
	expect_encrypting_to_end(test, COCO_EV_PSC, 1, TERMINATE_PSC);
}

static void refused_validation_ends_the_guest(struct kunit *test)
{
	expect_encrypting_to_end(test, COCO_EV_PVALIDATE, FAIL_INPUT, TERMINATE_PVALIDATE);
}

/*
 * The host did not assign the page anew: it may have another one, validated
 * long ago, to be put in its place (APM vol. 2, 15.36.6).
 */
static void page_that_was_validated_before_ends_the_guest(struct kunit *test)
{
	expect_encrypting_to_end(test, COCO_EV_PVALIDATE, CARRY, TERMINATE_PVALIDATE);
}

/* No page of these cases is what the allocator takes it for: leaked on purpose */
static void set_memory_fail_end(struct kunit *test)
{
	coco_case_end(test);
	pages = NULL;
}

static struct kunit_suite set_memory_fail_suite = {
	.name = "set_memory_fail",
	.init = coco_case_begin,
	.exit = set_memory_fail_end,
	.test_cases = set_memory_fail_cases,
};
kunit_test_suite(set_memory_fail_suite);

MODULE_DESCRIPTION("set_memory_decrypted(), set_memory_encrypted(): each step may be refused");
MODULE_LICENSE("GPL");
