// SPDX-License-Identifier: GPL-2.0
/*
 * The buffer for quotes, when the host refuses to share it or to take it back: its pages never
 * go back to the allocator, for nobody knows whether they are private or shared.
 *
 * Path:        tdx_guest_init() -> alloc_quote_buf() -> set_memory_decrypted() -> MapGPA
 *              tdx_guest_exit() -> free_quote_buf() -> set_memory_encrypted() -> MapGPA
 * Upstream:    27834971f616 ("virt: tdx-guest: Just leak decrypted memory on unrecoverable
 *              errors")  CVE-2024-57793
 * Without it:  the next user of such a page writes its secrets where the host reads them, or
 *              is stopped by a page that the TD has to accept first.
 *
 * The host may refuse any MapGPA (GHCI 344426, TDG.VP.VMCALL<MapGPA>).  The driver goes and comes
 * by a program of the selftests, and what that program says of it is no matter here.
 */
#include <linux/mm.h>
#include <asm/set_memory.h>
#include "lib/coco_kunit.h"
#include "lib/override.h"
#include "lib/pages.h"
#include "lib/program.h"

static void buffer_that_the_host_does_not_give_back_is_kept(struct kunit *test);
/* Alone in its guest: it leaves no driver */
static void buffer_that_the_host_does_not_share_is_kept(struct kunit *test);

static struct kunit_case tdx_guest_fail_cases[] = {
	KUNIT_CASE(buffer_that_the_host_does_not_give_back_is_kept),
	KUNIT_CASE(buffer_that_the_host_does_not_share_is_kept),
	{}
};

#define PROGRAM		"/coco/selftests/tsm_report_user"
#define CASE		"open_report_outlives_its_provider"

#define KEPT		2	/* by whoever allocated it, and by struct coco_override */

static struct coco_override decrypt = {
	.function = "set_memory_decrypted", .watch = true, .hold = true
};
static struct coco_override encrypt = {
	.function = "set_memory_encrypted", .watch = true, .hold = true
};

/* The driver goes and comes; where its buffer was, or was to be.  times 0: refused each time */
static unsigned long reload_refused(struct kunit *test, struct coco_override *o,
				    enum coco_action action, u32 times)
{
	struct coco_rule rule = {
		.kind = COCO_EV_TDVMCALL, .action = action, .code = COCO_TDVMCALL_MAPGPA,
		.count = times, .reply_mask = BIT(0), .reply = { STATUS_INVALID_OPERAND },
	};
	u64 refused;
	int status;
	s64 id;

	COCO_NEEDS(test, COCO_ONLY(COCO_TDX));
	COCO_NEEDS_MACHINE(test);
	KUNIT_ASSERT_EQ(test, coco_override_begin(o), 0);
	id = coco_rule_add(&rule);
	status = coco_run_program(PROGRAM, CASE);
	coco_override_end(o);
	refused = coco_rule_del(id);
	KUNIT_ASSERT_GT(test, id, (s64)0);
	KUNIT_ASSERT_GE(test, status, 0);
	if (!o->ncalls)
		kunit_skip(test, "the driver is not there, or built in");
	KUNIT_EXPECT_GT(test, refused, 0ull);
	KUNIT_EXPECT_EQ(test, o->ncalls, 1u);
	return o->calls[0].arg[0];
}

static void buffer_that_the_host_does_not_give_back_is_kept(struct kunit *test)
{
	unsigned long address = reload_refused(test, &encrypt, COCO_REPLY, 1);

	KUNIT_EXPECT_EQ_MSG(test, coco_page_users(address), KEPT, "pages went back to the allocator");
}

/* The host shares the pages and says that it does not: it reads whatever their next user writes */
static void buffer_that_the_host_does_not_share_is_kept(struct kunit *test)
{
	unsigned long address = reload_refused(test, &decrypt, COCO_PATCH, 0);

	KUNIT_EXPECT_EQ_MSG(test, coco_page_users(address), KEPT, "pages went back to the allocator");
}

static struct kunit_suite tdx_guest_fail_suite = {
	.name = "tdx_guest_fail",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = tdx_guest_fail_cases,
};
kunit_test_suite(tdx_guest_fail_suite);

MODULE_DESCRIPTION("The buffer for quotes stays out of the allocator where the host refuses");
MODULE_LICENSE("GPL");
COCO_INJECTS_FAULTS;
