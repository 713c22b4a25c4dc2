// SPDX-License-Identifier: GPL-2.0
/*
 * What the rest of the kernel knows of a #VC in kernel mode: that it may have hit anywhere.
 *
 * Path:        #VC -> kernel_exc_vmm_communication() -> irqentry_nmi_enter() -> handlers
 * Upstream:    62441a1fb532 ("x86/sev-es: Correctly track IRQ states in runtime #VC handler")
 * Without it:  lockdep, RCU and whoever asks in_nmi() take the handler for the code that it
 *              interrupted, with that one's interrupts and locks.
 *
 * No interface tells: a probe on the decoder of instructions, which the handler calls by one of
 * two names, looks at the count of NMI-like contexts (include/linux/preempt.h): one more than
 * where the same is called from here.  The probe's own trap may be one of them.
 *
 * Interrupts wait until it is over, also where the handler turns the #VC into another exception.
 */
#include <linux/irq_work.h>
#include <linux/kprobes.h>
#include <linux/preempt.h>
#include <asm/insn.h>
#include "lib/symbol.h"
#include "lib/vc.h"

static void handler_counts_as_nmi(struct kunit *test);
static void interrupt_waits_for_the_end_of_an_exception_from_vc(struct kunit *test);

static struct kunit_case vc_context_cases[] = {
	KUNIT_CASE(handler_counts_as_nmi),
	KUNIT_CASE(interrupt_waits_for_the_end_of_an_exception_from_vc),
	{}
};

COCO_INSN_UP(do_rdmsr, "rdmsr")

static struct task_struct *watched;
static unsigned int hits, least;

/* NMI-like contexts around the caller */
static unsigned int nmi_depth(void)
{
	return (preempt_count() & NMI_MASK) / NMI_OFFSET;
}

static int on_decode(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned int depth = nmi_depth();

	if (READ_ONCE(watched) != current)
		return 0;
	least = hits ? min(least, depth) : depth;
	hits++;
	return 0;
}

/* With one of these a probe stays a trap, and does not become a jump */
static void behind_it(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

/* What the handler does, but outside of it; one of the two ways may not be there */
static void __nocfi decode_here(void)
{
	typeof(insn_init) *init = coco_symbol("insn_init");
	typeof(insn_get_length) *length = coco_symbol("insn_get_length");
	static const u8 nops[16] = { [0 ... 15] = 0x90 };
	struct insn insn;
#ifdef CC_HAVE_INSN_DECODE
	typeof(insn_decode) *decode = coco_symbol("insn_decode");

	if (decode)
		decode(&insn, nops, sizeof(nops), INSN_MODE_64);
#endif
	if (init && length) {
		init(&insn, nops, sizeof(nops), 1);
		length(&insn);
	}
}

/* The least depth that the probes see in there */
static unsigned int depth_of_rdmsr(struct coco_window *w, struct coco_regs *r)
{
	hits = 0;
	coco_window_begin_scripted(w, HOST_REPLIES(EXIT_MSR, REPLY_RAX | REPLY_RDX, 1, 0, 0, 0));
	WRITE_ONCE(watched, current);
	do_rdmsr(r);
	WRITE_ONCE(watched, NULL);
	coco_window_end(w);
	return least;
}

static unsigned int depth_outside(void)
{
	hits = 0;
	WRITE_ONCE(watched, current);
	decode_here();
	WRITE_ONCE(watched, NULL);
	return least;
}

static void handler_counts_as_nmi(struct kunit *test)
{
	struct kprobe decode = {
		.symbol_name = "insn_decode",
		.pre_handler = on_decode, .post_handler = behind_it,
	};
	struct kprobe length = {
		.symbol_name = "insn_get_length",
		.pre_handler = on_decode, .post_handler = behind_it,
	};
	struct coco_regs r = { .cx = SOME_MSR };
	struct coco_window *w = coco_window(test);
	unsigned int outside, inside;
	bool there;

	need_es_and_machine(test);
	KUNIT_ASSERT_EQ(test, register_kprobe(&length), 0);
	/* Not in every kernel */
	there = !register_kprobe(&decode);
	outside = depth_outside();
	KUNIT_EXPECT_GE(test, hits, 1u);
	inside = depth_of_rdmsr(w, &r);
	KUNIT_EXPECT_GE(test, hits, 1u);
	unregister_kprobe(&length);
	if (there)
		unregister_kprobe(&decode);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	COCO_EXPECT_EXITS(test, w, COCO_EV_VC, EXIT_MSR, 1);
	KUNIT_EXPECT_EQ(test, inside, outside + 1);
}

/* STI lets interrupts in behind the next instruction: there is none before its #VC */
COCO_INSN_DIRECTION(do_rdmsr_open, "rdmsr", "sti\n\t", "cli\n\t")

static bool interrupted;
static unsigned int depth_of_interrupt;

static void on_interrupt(struct irq_work *work)
{
	interrupted = true;
	depth_of_interrupt = nmi_depth();
}

static void interrupt_waits_for_the_end_of_an_exception_from_vc(struct kunit *test)
{
	struct coco_rule refuses = *HOST_REFUSES(EXIT_MSR);
	static struct irq_work work;
	struct coco_regs r = { .cx = SOME_MSR };
	struct coco_window *w = coco_window(test);
	s64 rule;

	need_es_and_machine(test);
	refuses.count = 1;	/* the interrupt's own calls are the model's */
	interrupted = false;
	init_irq_work(&work, on_interrupt);
	preempt_disable();
	local_irq_disable();
	irq_work_queue(&work);
	coco_window_begin_here(w);
	rule = coco_rule_add(&refuses);
	do_rdmsr_open(&r);
	coco_rule_del(rule);
	coco_window_end(w);
	local_irq_enable();
	preempt_enable();
	irq_work_sync(&work);
	KUNIT_ASSERT_GT(test, rule, (s64)0);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_VECTOR_GP);
	KUNIT_EXPECT_TRUE(test, interrupted);
	KUNIT_EXPECT_EQ(test, depth_of_interrupt, 0u);
}

static struct kunit_suite vc_context_suite = {
	.name = "vc_context",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = vc_context_cases,
};
kunit_test_suite(vc_context_suite);

MODULE_DESCRIPTION("#VC in kernel mode is NMI-like context");
MODULE_LICENSE("GPL");
