// SPDX-License-Identifier: GPL-2.0
/*
 * A quote whose length the host changes while the driver copies it: the length that was checked
 * and copied is the one that user space is told.
 *
 * Path:        read of configfs-tsm outblob -> tdx_report_new() -> TDG.VP.VMCALL<GetQuote>, the
 *              length in the buffer's header -> kvmemdup() -> length of the outblob
 * Upstream:    c3fd16c3b98e ("virt: tdx-guest: Fix handling of host controlled 'quote' buffer
 *              length")  CVE-2026-31470
 * Without it:  user space reads kernel memory behind a quote for which the host said one length
 *              when it was copied, and another one right after.
 *
 * The buffer is shared, and the host may write there at any time (GHCI 344426,
 * TDG.VP.VMCALL<GetQuote>).  A kprobe gives it the worst moment: the copy is being made.  The reads
 * are user space's: a program of the selftests has the host say three lengths, and looks at
 * how much it gets each time.
 */
#include <linux/io.h>
#include <linux/kprobes.h>
#include "lib/coco_kunit.h"
#include "lib/program.h"
#include "lib/tdx.h"

static void length_that_changes_once_it_was_copied_is_not_looked_at(struct kunit *test);

static struct kunit_case tdx_guest_race_cases[] = {
	KUNIT_CASE(length_that_changes_once_it_was_copied_is_not_looked_at),
	{}
};

#define PROGRAM		"/coco/selftests/tdx_quote"
#define CASE		"length_within_the_buffer_is_the_quotes"
#define LENGTHS		3		/* that it tries */
/* GHCI 344426, TDG.VP.VMCALL<GetQuote>: the header of the buffer */
#define LENGTH_AT	20
#define HEADER_SIZE	24
#define OTHER_LENGTH	8192		/* within the buffer, and more than the program's */

static u64 buffer;
static unsigned int hits;
static s64 error;

static int host_writes(struct kprobe *probe, struct pt_regs *regs)
{
	const u32 length = OTHER_LENGTH;

	if (virt_to_phys((void *)regs->di) != buffer + HEADER_SIZE)
		return 0;
	hits++;
	error = error ?: coco_host_write(buffer + LENGTH_AT, &length, sizeof(length));
	return 0;
}

static struct kprobe probe;

/* Where the driver has its buffer: the operand of the last call; 0: there was none since */
static u64 buffer_of_last_quote(u64 since)
{
	u64 seq = coco_event_next();
	struct coco_event event;

	while (seq-- > since)
		if (!coco_event(seq, &event) && event.kind == COCO_EV_TDVMCALL &&
		    event.code == COCO_TDVMCALL_GETQUOTE)
			return event.info1 & ~BIT_ULL(coco_machine_cbit());
	return 0;
}

static void length_that_changes_once_it_was_copied_is_not_looked_at(struct kunit *test)
{
	u64 since = coco_event_next();
	int status;

	COCO_NEEDS(test, COCO_ONLY(COCO_TDX));
	COCO_NEEDS_MACHINE(test);
	status = coco_run_program(PROGRAM, CASE);
	if (status == COCO_PROGRAM_SKIPS)
		kunit_skip(test, "there are no quotes");
	KUNIT_ASSERT_EQ(test, status, 0);
	buffer = buffer_of_last_quote(since);
	KUNIT_ASSERT_NE(test, buffer, 0ull);
	probe = (struct kprobe){ .symbol_name = "kvmemdup", .pre_handler = host_writes };
	if (register_kprobe(&probe))
		kunit_skip(test, "no kprobe on kvmemdup()");
	hits = 0;
	error = 0;
	status = coco_run_program(PROGRAM, CASE);
	unregister_kprobe(&probe);
	KUNIT_EXPECT_EQ(test, hits, (unsigned int)LENGTHS);
	KUNIT_EXPECT_EQ(test, error, (s64)0);
	KUNIT_EXPECT_EQ(test, status, 0);
}

static struct kunit_suite tdx_guest_race_suite = {
	.name = "tdx_guest_race",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = tdx_guest_race_cases,
};
kunit_test_suite(tdx_guest_race_suite);

MODULE_DESCRIPTION("The length of a quote, changed by the host while the quote is copied");
MODULE_LICENSE("GPL");
COCO_INJECTS_FAULTS;
