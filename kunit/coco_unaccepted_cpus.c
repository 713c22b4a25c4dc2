// SPDX-License-Identifier: GPL-2.0
/*
 * Several CPUs accept memory at a time.
 *
 * Path:        accept_memory() on two CPUs -> list of ranges being accepted
 * Upstream:    50e782a86c98 ("efi/unaccepted: Fix soft lockups caused by parallel memory
 *              acceptance"),
 *              01b1e3ca0e5c ("efi/unaccepted: Fix off-by-one when checking for overlapping
 *              ranges")
 * Without it:  a CPU that accepts a large range keeps all others waiting for a lock with
 *              interrupts off, or those that want what is next to it; and a unit that two
 *              accept ends a TD.
 *
 * The first CPU is held where it calls the technology's part of accept_memory(), by a
 * probe there, until the second one has done what it can.
 */
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/workqueue.h>
#include "lib/unaccepted.h"

static void unit_is_accepted_beside_another(struct kunit *test);
static void unit_behind_another_is_not_waited_with(struct kunit *test);
static void unit_before_another_is_not_waited_with(struct kunit *test);
static void range_is_waited_for_while_another_accepts_part_of_it(struct kunit *test);
static void guard_that_two_ranges_share_is_accepted_once(struct kunit *test);

static struct kunit_case unaccepted_cpus_cases[] = {
	KUNIT_CASE(unit_is_accepted_beside_another),
	KUNIT_CASE(unit_behind_another_is_not_waited_with),
	KUNIT_CASE(unit_before_another_is_not_waited_with),
	KUNIT_CASE(range_is_waited_for_while_another_accepts_part_of_it),
	KUNIT_CASE(guard_that_two_ranges_share_is_accepted_once),
	{}
};

#define HELD_MS		1000		/* at most, twice; under the watchdog's 20 s */

static struct {
	u64 start, size;		/* what the second CPU accepts */
	bool held;			/* the first is in the probe */
	bool begun, done;		/* the second is about to accept; has returned */
	bool begun_while_held, done_while_held;
	unsigned int calls;		/* of the technology's part */
} race;

static unsigned int first_cpu;

static bool wait_for(const bool *event)
{
	ktime_t end = ktime_add_ms(ktime_get(), HELD_MS);

	while (!READ_ONCE(*event) && ktime_before(ktime_get(), end))
		cpu_relax();
	return READ_ONCE(*event);
}

static int hold(struct kprobe *probe, struct pt_regs *regs)
{
	race.calls++;
	if (raw_smp_processor_id() != first_cpu || race.held)
		return 0;
	WRITE_ONCE(race.held, true);
	race.begun_while_held = wait_for(&race.begun);
	race.done_while_held = wait_for(&race.done);
	return 0;
}

static void second(struct work_struct *work)
{
	while (!READ_ONCE(race.held))
		cpu_relax();
	WRITE_ONCE(race.begun, true);
	kernel_accept(race.start, race.size);
	WRITE_ONCE(race.done, true);
}

/* The first CPU accepts one range, and the second another while the first is at it */
static void accept_two(struct kunit *test, u64 start, u64 size, u64 second_start, u64 second_size)
{
	struct kprobe probe = {
		.symbol_name = coco_technology() == COCO_TDX ? "tdx_accept_memory" : "snp_accept_memory",
		.pre_handler = hold,
	};
	struct work_struct work;
	unsigned int other;

	KUNIT_ASSERT_EQ(test, register_kprobe(&probe), 0);
	memset(&race, 0, sizeof(race));
	race.start = second_start;
	race.size = second_size;
	first_cpu = get_cpu();
	other = cpumask_any_but(cpu_online_mask, first_cpu);
	INIT_WORK_ONSTACK(&work, second);
	schedule_work_on(other, &work);
	kernel_accept(start, size);
	put_cpu();
	if (!race.held)			/* so that the second goes on, too */
		WRITE_ONCE(race.held, true);
	flush_work(&work);
	destroy_work_on_stack(&work);
	unregister_kprobe(&probe);
	KUNIT_EXPECT_TRUE_MSG(test, race.begun_while_held, "the second CPU came too late");
}

static void need_two_cpus(struct kunit *test)
{
	need_unaccepted(test);
	COCO_NEEDS_TWO_CPUS(test);
}

static void unit_is_accepted_beside_another(struct kunit *test)
{
	u32 unit;

	need_two_cpus(test);
	unit = take_units(test, 4);
	accept_two(test, unit_gpa(unit), PAGE_SIZE, unit_gpa(unit + 2), PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, race.done_while_held);
	KUNIT_EXPECT_EQ(test, pages_accepted(unit), (u64)UNIT_PAGES);
	KUNIT_EXPECT_EQ(test, pages_accepted(unit + 1), 0ull);
	KUNIT_EXPECT_EQ(test, pages_accepted(unit + 2), (u64)UNIT_PAGES);
	KUNIT_EXPECT_EQ(test, race.calls, 2u);
}

/* Two units next to each other, without a guard */
static void accept_neighbours(struct kunit *test, unsigned int first, unsigned int second)
{
	u32 unit;

	need_two_cpus(test);
	unit = take_units(test, 4);
	accept_two(test, unit_gpa(unit + first), PAGE_SIZE, unit_gpa(unit + second), PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, race.done_while_held);
	KUNIT_EXPECT_EQ(test, pages_accepted(unit + first), (u64)UNIT_PAGES);
	KUNIT_EXPECT_EQ(test, pages_accepted(unit + second), (u64)UNIT_PAGES);
	KUNIT_EXPECT_EQ(test, race.calls, 2u);
}

static void unit_behind_another_is_not_waited_with(struct kunit *test)
{
	accept_neighbours(test, 0, 1);
}

static void unit_before_another_is_not_waited_with(struct kunit *test)
{
	accept_neighbours(test, 1, 0);
}

static void range_is_waited_for_while_another_accepts_part_of_it(struct kunit *test)
{
	u32 unit;

	need_two_cpus(test);
	unit = take_units(test, 4);
	accept_two(test, unit_gpa(unit), PAGE_SIZE, unit_gpa(unit) + UNIT_SIZE / 2, UNIT_SIZE);
	KUNIT_EXPECT_FALSE(test, race.done_while_held);
	KUNIT_EXPECT_TRUE(test, race.done);
	KUNIT_EXPECT_EQ(test, pages_accepted(unit), (u64)UNIT_PAGES);
	KUNIT_EXPECT_EQ(test, pages_accepted(unit + 1), (u64)UNIT_PAGES);
	KUNIT_EXPECT_EQ(test, pages_accepted(unit + 2), 0ull);
	KUNIT_EXPECT_EQ(test, race.calls, 2u);
}

/* Two ranges that do not touch, but for the guard of the first */
static void guard_that_two_ranges_share_is_accepted_once(struct kunit *test)
{
	u32 unit;

	need_two_cpus(test);
	unit = take_units(test, 4);
	accept_two(test, unit_gpa(unit), UNIT_SIZE, unit_gpa(unit + 1), PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, race.done_while_held);
	KUNIT_EXPECT_EQ(test, pages_accepted(unit), (u64)UNIT_PAGES);
	KUNIT_EXPECT_EQ(test, pages_accepted(unit + 1), (u64)UNIT_PAGES);
	KUNIT_EXPECT_EQ(test, pages_accepted(unit + 2), 0ull);
	KUNIT_EXPECT_EQ(test, race.calls, 1u);
}

static struct kunit_suite unaccepted_cpus_suite = {
	.name = "unaccepted_cpus",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = unaccepted_cpus_cases,
};
kunit_test_suite(unaccepted_cpus_suite);

MODULE_DESCRIPTION("several CPUs accept memory at a time");
MODULE_LICENSE("GPL");
