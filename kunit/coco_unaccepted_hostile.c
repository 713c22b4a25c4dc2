// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that the host does not give as it should, or gave before, ends the guest.
 *
 * Path:        accept_memory() -> snp_accept_memory() -> page state change, PVALIDATE;
 *              tdx_accept_memory() -> TDG.MEM.PAGE.ACCEPT
 * Upstream:    6c3211796326 ("x86/sev: Add SNP-specific unaccepted memory support"),
 *              75d090fd167a ("x86/tdx: Add unaccepted memory support")
 * Without it:  the guest goes on with a page that it does not have, or that the host
 *              has put under two addresses.
 *
 * APM vol. 2, 15.36.6: a guest that validates a page twice cannot tell which of two
 * pages it has.  TDX module ABI 348551, TDG.MEM.PAGE.ACCEPT, TDX_PAGE_ALREADY_ACCEPTED:
 * likewise.  GHCB specification 56421, section 2.3.1: termination request.
 */
#include "lib/pages.h"
#include "lib/panic.h"
#include "lib/unaccepted.h"

/* sev-snp */
static void refused_page_state_change_ends_the_guest(struct kunit *test);
static void refused_validation_ends_the_guest(struct kunit *test);
static void memory_validated_before_ends_the_guest(struct kunit *test);
/* tdx */
static void refused_acceptance_ends_the_guest(struct kunit *test);
static void memory_accepted_before_ends_the_guest(struct kunit *test);
/* both: what accept_memory() is there to prevent */
static void touch_before_acceptance_ends_the_guest(struct kunit *test);

static struct kunit_case unaccepted_hostile_cases[] = {
	KUNIT_CASE(refused_page_state_change_ends_the_guest),
	KUNIT_CASE(refused_validation_ends_the_guest),
	KUNIT_CASE(memory_validated_before_ends_the_guest),
	KUNIT_CASE(refused_acceptance_ends_the_guest),
	KUNIT_CASE(memory_accepted_before_ends_the_guest),
	KUNIT_CASE(touch_before_acceptance_ends_the_guest),
	{}
};

/* TDX module ABI 348551, completion status codes */
#define TDX_OPERAND_BUSY	0x8000020000000000ull

static bool passes(const char *message)
{
	return strstr(message, "accept memory");
}

/* Accept a unit's first page; the guest must not come back */
static void accept_and_fail(struct kunit *test, u32 unit)
{
	coco_panic_begin(passes);
	kernel_accept(unit_gpa(unit), PAGE_SIZE);
	coco_panic_end();
	coco_expect(0, 0, 0);
	KUNIT_FAIL(test, "the guest goes on with %llu pages of the unit accepted",
		   pages_accepted(unit));
}

static void expect_termination(struct kunit *test, u64 value)
{
	KUNIT_ASSERT_EQ(test, coco_expect(COCO_END_TERMINATE, value, ~0ull), (s64)0);
}

/* By 1: an error of the state change, and PVALIDATE's FAIL_INPUT, which no smaller page helps */
static void expect_end_by_refusal(struct kunit *test, enum coco_event_kind kind, u64 end)
{
	struct coco_rule refuse = {
		.kind = kind, .action = COCO_REPLY, .reply_mask = BIT(0), .reply = { 1 },
	};
	u32 unit;

	COCO_NEEDS(test, COCO_ONLY(COCO_SEV_SNP));
	need_unaccepted(test);
	unit = take_units(test, 2);
	refuse.code = unit_gpa(unit);
	expect_termination(test, end);
	KUNIT_ASSERT_GT(test, coco_rule_add(&refuse), (s64)0);
	accept_and_fail(test, unit);
}

static void refused_page_state_change_ends_the_guest(struct kunit *test)
{
	expect_end_by_refusal(test, COCO_EV_PSC, TERMINATE_PSC);
}

static void refused_validation_ends_the_guest(struct kunit *test)
{
	expect_end_by_refusal(test, COCO_EV_PVALIDATE, TERMINATE_PVALIDATE);
}

static void memory_validated_before_ends_the_guest(struct kunit *test)
{
	u64 gpa;
	u32 unit;

	COCO_NEEDS(test, COCO_ONLY(COCO_SEV_SNP));
	need_unaccepted(test);
	unit = take_units(test, 2);
	for (gpa = unit_gpa(unit); gpa < unit_gpa(unit) + UNIT_SIZE; gpa += PAGE_SIZE)
		coco_page_set(gpa, ACCEPTED | COCO_PAGE_2M);
	expect_termination(test, TERMINATE_PVALIDATE);
	accept_and_fail(test, unit);
}

static void refused_acceptance_ends_the_guest(struct kunit *test)
{
	const struct coco_rule refuse = {
		.kind = COCO_EV_TDCALL, .action = COCO_REPLY, .code = TDCALL_PAGE_ACCEPT,
		.reply_mask = BIT(0), .reply = { TDX_OPERAND_BUSY },
	};
	u32 unit;

	COCO_NEEDS(test, COCO_ONLY(COCO_TDX));
	need_unaccepted(test);
	unit = take_units(test, 2);
	KUNIT_ASSERT_GT(test, coco_rule_add(&refuse), (s64)0);
	accept_and_fail(test, unit);
}

static void memory_accepted_before_ends_the_guest(struct kunit *test)
{
	u32 unit;

	COCO_NEEDS(test, COCO_ONLY(COCO_TDX));
	need_unaccepted(test);
	unit = take_units(test, 2);
	KUNIT_ASSERT_EQ(test, coco_page_set(unit_gpa(unit), ACCEPTED), (s64)0);
	accept_and_fail(test, unit);
}

/*
 * A page that the host assigned: SNP's processor raises #VC with code 0x404, which
 * Linux has no handler for.  A TD whose SEPT_VE_DISABLE is set, as Linux demands, exits
 * to the host, which can but end it.
 */
static void touch_before_acceptance_ends_the_guest(struct kunit *test)
{
	u32 unit;

	need_unaccepted(test);
	unit = take_units(test, 2);
	coco_page_set(unit_gpa(unit), COCO_PAGE_PRIVATE);
	if (coco_technology() == COCO_SEV_SNP)
		expect_termination(test, 0);
	else
		KUNIT_ASSERT_EQ(test, coco_expect(COCO_END_SHUTDOWN, unit_gpa(unit), PAGE_MASK),
				(s64)0);
	READ_ONCE(*(u8 *)__va(unit_gpa(unit)));
	coco_expect(0, 0, 0);
	KUNIT_FAIL(test, "the guest reads memory that it never accepted");
}

static struct kunit_suite unaccepted_hostile_suite = {
	.name = "unaccepted_hostile",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = unaccepted_hostile_cases,
};
kunit_test_suite(unaccepted_hostile_suite);

MODULE_DESCRIPTION("memory that the host does not give as it should ends the guest");
MODULE_LICENSE("GPL");
COCO_INJECTS_FAULTS;
