// SPDX-License-Identifier: GPL-2.0
/*
 * The idle loop's HLT: one call to the host, which hears that interrupts may wake the TD.
 *
 * Path:        raw_safe_halt() -> tdx_safe_halt() -> TDG.VP.VMCALL<Instruction.HLT>
 *              HLT -> #VE -> handle_halt()
 * Upstream:    bfe6ed0c6727 ("x86/tdx: Add HLT support for TDX guests"),
 *              9f98a4f4e721 ("x86/tdx: Fix arch_safe_halt() execution for TDX VMs"),
 *              e8f45927ee5d ("x86/tdx: Emit warning if IRQs are enabled during HLT #VE handling")
 * Without it:  STI; HLT raises #VE outside STI's shadow: an interrupt is served in between, and
 *              the TD then sleeps though it was woken.
 *
 * R12 of the call is 1 if interrupts are blocked: the host may then leave the vCPU asleep
 * with one pending (GHCI 344426, TDG.VP.VMCALL<Instruction.HLT>).
 */
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include "lib/insn_all.h"
#include "lib/ve.h"

static void safe_halt_asks_the_host_without_ve(struct kunit *test);
static void safe_halt_does_not_sleep_over_a_waiting_interrupt(struct kunit *test);
static void hlt_with_interrupts_on_is_refused_without_call(struct kunit *test);

static struct kunit_case ve_halt_cases[] = {
	KUNIT_CASE(safe_halt_asks_the_host_without_ve),
	KUNIT_CASE(safe_halt_does_not_sleep_over_a_waiting_interrupt),
	KUNIT_CASE(hlt_with_interrupts_on_is_refused_without_call),
	{}
};

static bool woken;
static u64 woken_at;		/* number of the next event then */

static void wake(struct irq_work *work)
{
	woken_at = coco_event_next();
	woken = true;
}

/* Returns whether interrupts were on when it was over */
static bool halt_once(struct coco_window *w, struct irq_work *work)
{
	bool on;

	preempt_disable();
	local_irq_disable();
	coco_window_begin_here(w);
	if (work)
		irq_work_queue(work);
	raw_safe_halt();
	on = !irqs_disabled();
	local_irq_enable();
	coco_window_end(w);
	preempt_enable();
	return on;
}

static const struct coco_event *expect_one_halt(struct kunit *test, const struct coco_window *w)
{
	const struct coco_event *call = coco_window_find(w, COCO_EV_TDVMCALL, REASON_HLT, 0);

	COCO_EXPECT_EXITS(test, w, COCO_EV_VE, REASON_HLT, 0);
	COCO_EXPECT_EXITS(test, w, COCO_EV_TDVMCALL, REASON_HLT, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_BREACH, COCO_ANY, 0);
	KUNIT_ASSERT_NOT_NULL(test, call);
	KUNIT_EXPECT_EQ_MSG(test, call->info1, 0ull, "R12: the host hears that interrupts are blocked");
	return call;
}

static void safe_halt_asks_the_host_without_ve(struct kunit *test)
{
	struct coco_window *w = coco_window(test);
	bool on;

	need_tdx_and_machine(test);
	on = halt_once(w, NULL);
	KUNIT_EXPECT_TRUE(test, on);
	expect_one_halt(test, w);
}

/* The self-IPI waits before the halt, and is what ends it */
static void safe_halt_does_not_sleep_over_a_waiting_interrupt(struct kunit *test)
{
	static struct irq_work work;
	struct coco_window *w = coco_window(test);
	const struct coco_event *call;
	bool on;

	need_tdx_and_machine(test);
	woken = false;
	init_irq_work(&work, wake);
	on = halt_once(w, &work);
	irq_work_sync(&work);
	KUNIT_EXPECT_TRUE(test, woken);
	KUNIT_EXPECT_TRUE(test, on);
	call = expect_one_halt(test, w);
	KUNIT_EXPECT_LT_MSG(test, call->seq, woken_at, "the interrupt was served before the call");
}

COCO_INSN_UP(do_hlt, "hlt")

/* What would wake it may have been served by the time that the host is asked */
static void hlt_with_interrupts_on_is_refused_without_call(struct kunit *test)
{
	struct coco_window *w = coco_window(test);
	struct coco_regs r = { 0 };

	need_tdx_and_machine(test);
	preempt_disable();
	coco_window_begin_here(w);
	do_hlt(&r);
	coco_window_end(w);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_VECTOR_VE);
	COCO_EXPECT_EXITS(test, w, COCO_EV_VE, REASON_HLT, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_TDVMCALL, REASON_HLT, 0);
}

static struct kunit_suite ve_halt_suite = {
	.name = "ve_halt",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = ve_halt_cases,
};
kunit_test_suite(ve_halt_suite);

MODULE_DESCRIPTION("the idle loop's HLT in a TD");
MODULE_LICENSE("GPL");
