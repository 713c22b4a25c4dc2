// SPDX-License-Identifier: GPL-2.0
/*
 * kexec to a place in memory that nobody has accepted yet: whoever loads it chooses the
 * place, which is none that the page allocator gave.
 *
 * Path:        kexec_load() -> sanity_check_segment_list(); reboot(KEXEC) -> relocate_kernel(),
 *              which copies the segments to their places
 * Upstream:    caeb8ba598f0 ("kexec_core: accept unaccepted kexec segments' destination
 *              addresses")
 * Without it:  the copy touches memory that is not there yet, which ends the guest.
 */
#include "kselftest_harness.h"
#include "../lib/need.h"
#include "audit.h"

#define UNIT		(2 * MIB)
/* Where the suite's guest has unaccepted memory (backports/expect/suites) */
#define RANGE_START	(128 * MIB)
#define RANGE_END	(960 * MIB)

#define ACCEPTED	(COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED)

static const char *second_main(void)
{
	return "another kernel, which nobody loaded";
}

static bool unit_is(uint64_t gpa, int64_t state)
{
	uint64_t page;

	for (page = gpa; page < gpa + UNIT; page += getpagesize())
		if ((machine_page_state(page) & ACCEPTED) != state)
			return false;
	return true;
}

/* As the firmware left it; in SNP shared memory looks alike */
static bool untouched(uint64_t unit)
{
	return unit_is(unit, machine_personality() == COCO_TDX ? COCO_PAGE_PRIVATE : 0);
}

/*
 * In the middle of the longest range of such units: the kernel begins with the lowest, and has
 * its pool of shared memory at the end.  Of some length, so that what it takes meanwhile does
 * not reach the middle.  0: none
 */
static uint64_t unaccepted_unit(void)
{
	uint64_t gpa, start = RANGE_START, best = 0, longest = 0;

	for (gpa = RANGE_START; gpa <= RANGE_END; gpa += UNIT) {
		if (gpa < RANGE_END && untouched(gpa))
			continue;
		if (gpa - start > longest) {
			longest = gpa - start;
			best = (start + longest / 2) & ~(UNIT - 1);
		}
		start = gpa + UNIT;
	}
	return longest > 32 * MIB ? best : 0;
}

/* In the middle of it, the auditor, which will look at all of it */
static void load_there(struct __test_metadata *_metadata, uint64_t unit)
{
	struct range ranges[] = { { unit, unit + UNIT }, { 0 } };

	ASSERT_NE(0, unit);
	ASSERT_EQ(0, load_auditor(unit + UNIT / 2, ranges, 1));
}

TEST(place_is_accepted_when_it_is_loaded)
{
	int64_t breaches;
	uint64_t unit;

	NEED_MACHINE();
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP | 1u << COCO_TDX);
	breaches = machine_breaches();
	unit = unaccepted_unit();
	load_there(_metadata, unit);
	EXPECT_TRUE(unit_is(unit, ACCEPTED));
	EXPECT_TRUE(untouched(unit - UNIT));
	EXPECT_EQ(0, syscall(SYS_kexec_load, 0ul, 0ul, NULL, KEXEC_ARCH_DEFAULT));
	EXPECT_EQ(breaches, machine_breaches());
}

static void start_there(struct __test_metadata *_metadata)
{
	load_there(_metadata, unaccepted_unit());
	EXPECT_EQ(0, second_start(0));		/* which does not come back */
}

TEST(snp_guest_starts_what_is_there)
{
	NEED_MACHINE();
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP);
	start_there(_metadata);
}

TEST(td_starts_what_is_there)
{
	NEED_MACHINE();
	NEED_TECHNOLOGY(1u << COCO_TDX);
	start_there(_metadata);
}

TEST_HARNESS_MAIN
