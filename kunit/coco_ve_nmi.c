// SPDX-License-Identifier: GPL-2.0
/*
 * NMIs while a #VE is being handled, and #VE inside them.
 *
 * Path:        #VE -> TDG.VP.VEINFO.GET -> TDG.VP.VMCALL; NMI -> handler -> #VE
 * Upstream:    9a22bf6debbf ("x86/traps: Add #VE support for TDX guest")
 * Without it:  a #VE inside the NMI finds the information of the first one still unread:
 *              the module then raises #DF (TDX module base specification, #VE injection).
 *
 * The module holds NMIs from #VE to TDG.VP.VEINFO.GET.  So nothing of the entry code may
 * raise a #VE of its own, and the information has to be read before anything else may.
 * The host sends the NMI so many exits after it was asked to; the handler does an IN of
 * another size, so that the information on one cannot be taken for that on the other.
 */
#include <linux/nmi.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <asm/io.h>
#include <asm/nmi.h>
#include "lib/insn_all.h"
#include "lib/ve.h"

static void nmi_during_a_ve_spoils_neither_answer(struct kunit *test);

static struct kunit_case ve_nmi_cases[] = {
	KUNIT_CASE(nmi_during_a_ve_spoils_neither_answer),
	{}
};

#define MOST_DELAY	12			/* exits; an IN takes fewer */

/* Nothing answers at either port; R14 of the TDVMCALL is the port (GHCI, Instruction.IO) */
#define OUTER_PORT	0xe0
#define INNER_PORT	0xe4
#define ANSWER		0x77u

COCO_INSN_UP(do_in, "inb %%dx, %%al")

static unsigned int nmis;
static u16 inner;

/* Each IN is answered so */
static const struct coco_rule answer = {
	.kind = COCO_EV_TDVMCALL, .action = COCO_REPLY, .code = REASON_IO,
	.reply_mask = BIT(0) | BIT(1), .reply = { STATUS_SUCCESS, ANSWER },
};

static int on_nmi(unsigned int cmd, struct pt_regs *regs)
{
	nmis++;
	inner = inw(INNER_PORT);
	return NMI_HANDLED;
}

static int ve_nmi_begin(struct kunit *test)
{
	int error = coco_case_begin(test);

	return error ? error : register_nmi_handler(NMI_LOCAL, on_nmi, 0, "coco");
}

static void ve_nmi_end(struct kunit *test)
{
	unregister_nmi_handler(NMI_LOCAL, "coco");
	coco_case_end(test);
}

static void in_with_nmi(struct kunit *test, struct coco_window *w, u64 delay, struct coco_regs *r)
{
	struct coco_inject inject = { .type = COCO_INJECT_NMI, .delay = delay };
	s64 error;

	*r = (struct coco_regs){ .ax = 0xa5a5a500ul, .dx = OUTER_PORT };
	nmis = 0;
	inner = 0;
	coco_window_begin_scripted(w, &answer);
	inject.cpu = w->cpu;
	error = coco_inject(&inject);
	do_in(r);
	coco_window_end(w);
	KUNIT_ASSERT_EQ(test, error, (s64)0);
	/* One that is due behind the window comes now */
	for (; delay && !READ_ONCE(nmis); delay--)
		outb(0, OUTER_PORT);
}

/* Does this #VE come between the other one and the reading of its information? */
static bool too_early(const struct coco_window *w, const struct coco_event *first,
		      const struct coco_event *second)
{
	const struct coco_event *get = coco_window_find(w, COCO_EV_TDCALL, TDCALL_VEINFO_GET, 0);

	return !get || second->seq < get->seq || get->seq < first->seq;
}

static void nmi_during_a_ve_spoils_neither_answer(struct kunit *test)
{
	unsigned int nested = 0;
	u64 delay;

	need_tdx_and_machine(test);
	/* One that comes behind its window is waited for on the CPU that it was sent to */
	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id())), 0);
	for (delay = 0; delay <= MOST_DELAY; delay++) {
		struct coco_window *w = coco_window(test);
		const struct coco_event *first, *second;
		struct coco_regs r;

		in_with_nmi(test, w, delay, &r);
		first = coco_window_find(w, COCO_EV_VE, REASON_IO, 0);
		second = coco_window_find(w, COCO_EV_VE, REASON_IO, 1);
		KUNIT_ASSERT_NOT_NULL(test, first);
		KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
		KUNIT_EXPECT_EQ(test, r.ax, 0xa5a5a500ul + ANSWER);
		KUNIT_EXPECT_EQ(test, nmis, 1u);
		COCO_EXPECT_EXITS(test, w, COCO_EV_BREACH, COCO_ANY, 0);
		if (!second)
			continue;	/* it came behind the window */
		KUNIT_EXPECT_EQ(test, inner, (u16)ANSWER);
		KUNIT_EXPECT_FALSE(test, too_early(w, first, second));
		COCO_EXPECT_EXITS(test, w, COCO_EV_TDCALL, TDCALL_VEINFO_GET, 2);
		COCO_EXPECT_EXITS(test, w, COCO_EV_TDVMCALL, REASON_IO, 2);
		nested += first->rip == r.address;
	}
	KUNIT_EXPECT_GE_MSG(test, nested, 1u, "no NMI came between #VE and its end");
}

static struct kunit_suite ve_nmi_suite = {
	.name = "ve_nmi",
	.init = ve_nmi_begin,
	.exit = ve_nmi_end,
	.test_cases = ve_nmi_cases,
};
kunit_test_suite(ve_nmi_suite);

MODULE_DESCRIPTION("NMIs during #VE, and #VE inside them");
MODULE_LICENSE("GPL");
