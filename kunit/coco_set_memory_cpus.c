// SPDX-License-Identifier: GPL-2.0
/*
 * set_memory_decrypted() and set_memory_encrypted() on two CPUs.
 *
 * Path:        __set_memory_enc_pgtable() -> cpa_flush(): TLBs of all CPUs
 * Upstream:    dc3f3d2474b8 ("x86/mm: Validate memory when changing the C-bit"),
 *              7dbde7631629 ("x86/mm/cpa: Add support for TDX shared memory")
 * Without it:  another CPU goes on with the old entry, or two that split one large page
 *              undo what the other one did.
 *
 * QEMU forgets a CPU's translations at each exit.  So a flush that is missing shows in the
 * machine where the other CPU writes on and on and nothing makes it exit: in sev and sev-es,
 * whose host is not told of the change.
 */
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/workqueue.h>
#include <asm/set_memory.h>
#include "lib/block.h"
#include "lib/coco_kunit.h"
#include "lib/pages.h"

static void other_cpu_sees_the_change(struct kunit *test);
static void other_cpu_that_never_exits_sees_it(struct kunit *test);
static void neighbours_may_change_at_once(struct kunit *test);

static struct kunit_case set_memory_cpus_cases[] = {
	KUNIT_CASE(other_cpu_sees_the_change),
	KUNIT_CASE(other_cpu_that_never_exits_sees_it),
	KUNIT_CASE(neighbours_may_change_at_once),
	{}
};

#define DATA		0xda7aull

/* With preemption off, so that it stays another one: put_cpu() */
static unsigned int other_cpu(struct kunit *test)
{
	COCO_NEEDS_TWO_CPUS(test);
	return cpumask_any_but(cpu_online_mask, get_cpu());
}

static void fill_page(void *p)
{
	coco_fill_page(p, DATA);
}

static void other_cpu_sees_the_change(struct kunit *test)
{
	unsigned int cpu;

	COCO_NEEDS_MACHINE(test);
	coco_block_get(test, COCO_CONFIDENTIAL);
	cpu = other_cpu(test);
	put_cpu();
	/* It has the old entry in its TLB, on hardware; in the machine each call is an exit */
	smp_call_function_single(cpu, fill_page, coco_page(5), 1);
	coco_decrypt(test, 5, 1);
	smp_call_function_single(cpu, fill_page, coco_page(5), 1);
	KUNIT_EXPECT_EQ(test, coco_host_filled(coco_gpa(coco_page(5)), DATA), (int)COCO_WORDS);
	coco_encrypt(test, 5, 1);
	smp_call_function_single(cpu, fill_page, coco_page(5), 1);
	KUNIT_EXPECT_EQ(test, coco_page_filled(coco_page(5), DATA), (unsigned int)COCO_WORDS);
	KUNIT_EXPECT_EQ(test, coco_host_filled(coco_gpa(coco_page(5)), DATA), 0);
}

/* ---- steps that two CPUs take together ---- */

static bool reached(const unsigned int *step, unsigned int n)
{
	return smp_load_acquire(step) == n;	/* pairs with reach() */
}

/* PAUSE is no exit, and gives the turn away in the machine */
static void wait_until(const unsigned int *step, unsigned int n)
{
	while (!reached(step, n))
		cpu_relax();
}

static void reach(unsigned int *step, unsigned int n)
{
	smp_store_release(step, n);		/* pairs with reached() */
}

/* ---- a CPU that writes all the time ---- */

/* A timer interrupt is an exit, too: some changes may go by unseen, but not all of them */
#define CHANGES	64

struct changes {
	struct work_struct write, change;
	u64 *word;
	unsigned int begin, ready, go, done;	/* the number of the change */
	unsigned int errors, stale;
};

static void write_after_each(struct work_struct *work)
{
	struct changes *c = container_of(work, struct changes, write);
	unsigned int i;

	preempt_disable();
	for (i = 1; i <= CHANGES; i++) {
		wait_until(&c->begin, i);
		WRITE_ONCE(*c->word, 0);	/* by an entry that is in the TLB from now on */
		reach(&c->ready, i);
		while (!reached(&c->go, i)) {
			WRITE_ONCE(*c->word, 0);	/* ... and again behind each flush */
			cpu_relax();
		}
		WRITE_ONCE(*c->word, DATA + i);
		reach(&c->done, i);
	}
	preempt_enable();
}

static void change_and_read(struct work_struct *work)
{
	struct changes *c = container_of(work, struct changes, change);
	unsigned long address = (unsigned long)c->word;
	unsigned int i;

	for (i = 1; i <= CHANGES; i++) {
		reach(&c->begin, i);
		wait_until(&c->ready, i);
		c->errors += !!(i & 1 ? set_memory_decrypted(address, 1) :
					set_memory_encrypted(address, 1));
		reach(&c->go, i);
		wait_until(&c->done, i);
		coco_event_next();		/* an exit, so that this CPU has no old entry */
		c->stale += READ_ONCE(*c->word) != DATA + i;
	}
}

static void other_cpu_that_never_exits_sees_it(struct kunit *test)
{
	struct changes c = { 0 };
	unsigned int cpu;

	COCO_NEEDS_MACHINE(test);
	coco_block_get(test, COCO_ONLY(COCO_SEV) | COCO_ONLY(COCO_SEV_ES));
	cpu = other_cpu(test);
	c.word = (u64 *)coco_page(5);
	INIT_WORK_ONSTACK(&c.write, write_after_each);
	INIT_WORK_ONSTACK(&c.change, change_and_read);
	schedule_work_on(cpu, &c.write);
	schedule_work_on(smp_processor_id(), &c.change);
	put_cpu();
	flush_work(&c.change);
	flush_work(&c.write);
	destroy_work_on_stack(&c.change);
	destroy_work_on_stack(&c.write);
	KUNIT_EXPECT_EQ(test, c.errors, 0u);
	KUNIT_EXPECT_EQ_MSG(test, c.stale, 0u, "of %u changes: written by an old entry", CHANGES);
}

/* ---- two that convert ---- */

struct converter {
	struct work_struct work;
	struct converter *other;
	unsigned int first, there;
	int errors;
};

#define ROUNDS	24

/* Every second page */
static void convert_every_second(struct work_struct *work)
{
	struct converter *c = container_of(work, struct converter, work);
	unsigned int i;

	reach(&c->there, 1);
	wait_until(&c->other->there, 1);
	for (i = 0; i < ROUNDS; i++) {
		c->errors += !!set_memory_decrypted(coco_address(c->first + 2 * i), 1);
		if (i & 1)
			c->errors += !!set_memory_encrypted(coco_address(c->first + 2 * i), 1);
	}
}

/*
 * A CPU that waits gives its turn away in the machine: here while split_large_page(), for memory,
 * is without the lock, so that the other one comes to split the same page.
 */
static int give_way(struct kprobe *probe, struct pt_regs *regs)
{
	cpu_relax();
	return 0;
}

static void run_both(struct converter *here, struct converter *there, unsigned int cpu)
{
	struct kprobe allocate = { .symbol_name = "get_page_from_freelist", .pre_handler = give_way };
	bool probed = !register_kprobe(&allocate);	/* without it there are fewer meetings */

	INIT_WORK_ONSTACK(&here->work, convert_every_second);
	INIT_WORK_ONSTACK(&there->work, convert_every_second);
	schedule_work_on(cpu, &there->work);
	schedule_work_on(cpumask_any_but(cpu_online_mask, cpu), &here->work);
	flush_work(&here->work);
	flush_work(&there->work);
	destroy_work_on_stack(&here->work);
	destroy_work_on_stack(&there->work);
	if (probed)
		unregister_kprobe(&allocate);
}

static void convert_at_once(struct kunit *test, unsigned int first, unsigned int cpu)
{
	struct converter even = { .first = first }, odd = { .first = first + 1, .other = &even };
	unsigned int i, wrong = 0;

	even.other = &odd;
	KUNIT_ASSERT_TRUE(test, coco_maps_large(coco_page(first)));
	run_both(&odd, &even, cpu);
	KUNIT_EXPECT_EQ(test, even.errors + odd.errors, 0);
	for (i = 0; i < 2 * ROUNDS; i++) {
		bool private = i / 2 & 1;
		const u8 *p = coco_page(first + i);

		wrong += private ? !coco_maps_private(p) : !coco_maps_shared(p);
		wrong += coco_has_states() && !coco_state_is(p, private);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0u);
}

static void neighbours_may_change_at_once(struct kunit *test)
{
	unsigned int cpu;

	coco_block_get_large(test, COCO_CONFIDENTIAL);
	cpu = other_cpu(test);
	put_cpu();
	convert_at_once(test, 0, cpu);
	convert_at_once(test, COCO_PAGES_IN_2M, cpu);
}

static struct kunit_suite set_memory_cpus_suite = {
	.name = "set_memory_cpus",
	.init = coco_case_begin,
	.exit = coco_block_end,
	.test_cases = set_memory_cpus_cases,
};
kunit_test_suite(set_memory_cpus_suite);

MODULE_DESCRIPTION("set_memory_decrypted(), set_memory_encrypted(): two CPUs");
MODULE_LICENSE("GPL");
