// SPDX-License-Identifier: GPL-2.0
/*
 * NMIs in a guest whose host holds them until it says NMI Complete, and #VC inside them.
 *
 * Path:        NMI -> sev_es_ist_enter() -> handlers -> #VC -> backup GHCB -> sev_es_ist_exit()
 *              -> sev_es_nmi_complete()
 * Upstream:    315562c9af3d ("x86/sev-es: Adjust #VC IST Stack on entering NMI handler"),
 *              4ca68e023b11 ("x86/sev-es: Handle NMI State"),
 *              0786138c78e7 ("x86/sev-es: Add a Runtime #VC Exception Handler")
 * Without it:  the first NMI is the last one, or one that comes while the kernel talks to its
 *              host writes over what it was about to say, and the stack it was about to use.
 *
 * The host sends an NMI so many exits after it was asked to: between #VC, the GHCB's MSR and
 * VMGEXIT of an IN, one after the other.  The handler does an IN of its own.
 */
#include <linux/nmi.h>
#include <asm/nmi.h>
#include "lib/vc.h"

static void nmi_is_completed_and_the_next_one_comes(struct kunit *test);
static void nmi_during_a_call_spoils_neither_answer(struct kunit *test);
static void nmi_is_held_until_complete(struct kunit *test);

static struct kunit_case vc_nmi_cases[] = {
	KUNIT_CASE(nmi_is_completed_and_the_next_one_comes),
	KUNIT_CASE(nmi_during_a_call_spoils_neither_answer),
	KUNIT_CASE(nmi_is_held_until_complete),
	{}
};

#define EXIT_NMI_COMPLETE	0x80000003	/* GHCB specification 56421, table 6 */
#define MOST_DELAY		16		/* exits; an IN takes far fewer */

/* Nothing answers at either port */
#define OUTER_PORT		0xe0
#define INNER_PORT		0xe4
#define OUTER_BYTE		0x3cul
#define INNER_BYTE		0x5au
#define PORT_MASK		(0xffffull << 16)

COCO_INSN_UP(do_in, "inb %%dx, %%al")

static unsigned int nmis;
static u8 inner;
static bool again;			/* the handler has the host send another one */

static s64 send_nmi(u32 cpu, u64 delay)
{
	const struct coco_inject inject = { .type = COCO_INJECT_NMI, .cpu = cpu, .delay = delay };

	return coco_inject(&inject);
}

static int on_nmi(unsigned int cmd, struct pt_regs *regs)
{
	nmis++;
	if (again) {
		again = false;
		send_nmi(raw_smp_processor_id(), 0);
	}
	inner = inb(INNER_PORT);
	return NMI_HANDLED;
}

static int vc_nmi_begin(struct kunit *test)
{
	int error = coco_case_begin(test);

	nmis = 0;
	inner = 0;
	again = false;
	return error ? error : register_nmi_handler(NMI_LOCAL, on_nmi, 0, "coco");
}

static void vc_nmi_end(struct kunit *test)
{
	unregister_nmi_handler(NMI_LOCAL, "coco");
	coco_case_end(test);
}

static struct coco_rule answer(u16 port, u8 byte)
{
	return (struct coco_rule) {
		.kind = COCO_EV_GHCB, .action = COCO_REPLY, .code = EXIT_IOIO,
		.info1 = (u64)port << 16, .info1_mask = PORT_MASK,
		.reply_mask = REPLY_INFO | REPLY_RAX, .reply = { 0, 0, byte },
	};
}

/* IN of the outer port, with an NMI so many exits from now: perhaps behind it */
static struct coco_window *in_with_nmi(struct kunit *test, u64 delay, struct coco_regs *r)
{
	const struct coco_rule outer_rule = answer(OUTER_PORT, OUTER_BYTE);
	const struct coco_rule inner_rule = answer(INNER_PORT, INNER_BYTE);
	struct coco_window *w = coco_window(test);
	s64 rule, error;

	*r = (struct coco_regs){ .ax = 0, .dx = OUTER_PORT };
	rule = coco_rule_add(&inner_rule);
	KUNIT_ASSERT_GT(test, rule, (s64)0);
	coco_window_begin_scripted(w, &outer_rule);
	error = send_nmi(w->cpu, delay);
	do_in(r);
	coco_window_end(w);
	coco_rule_del(rule);
	KUNIT_ASSERT_EQ(test, error, (s64)0);
	/* One that is due behind the window comes now */
	for (; delay && !READ_ONCE(nmis); delay--)
		outb(0, POST_PORT);
	return w;
}

static const struct coco_event *call_of(const struct coco_window *w, u16 port)
{
	const struct coco_event *e;
	unsigned int n;

	for (n = 0; (e = coco_window_find(w, COCO_EV_GHCB, EXIT_IOIO, n)); n++)
		if ((e->info1 & PORT_MASK) == (u64)port << 16)
			return e;
	return NULL;
}

static void nmi_is_completed_and_the_next_one_comes(struct kunit *test)
{
	unsigned int round;

	need_es_and_machine(test);
	for (round = 1; round <= 3; round++) {
		struct coco_regs r;
		struct coco_window *w = in_with_nmi(test, 0, &r);

		KUNIT_EXPECT_EQ(test, nmis, round);
		KUNIT_EXPECT_EQ(test, r.ax, OUTER_BYTE);
		COCO_EXPECT_EXITS(test, w, COCO_EV_INJECT, COCO_VECTOR_NMI, 1);
		COCO_EXPECT_EXITS(test, w, COCO_EV_GHCB, EXIT_NMI_COMPLETE, 1);
		COCO_EXPECT_EXITS(test, w, COCO_EV_BREACH, COCO_ANY, 0);
	}
}

/*
 * The call of the IN is whole, though another one came in between: that one of the
 * handler comes first then, and what the IN had prepared is there afterwards.
 */
static void nmi_during_a_call_spoils_neither_answer(struct kunit *test)
{
	unsigned int between = 0;
	u64 delay;

	need_es_and_machine(test);
	for (delay = 0; delay <= MOST_DELAY; delay++) {
		const struct coco_event *nmi, *vc, *theirs, *ours;
		struct coco_window *w;
		struct coco_regs r;

		nmis = 0;
		inner = 0;
		w = in_with_nmi(test, delay, &r);
		nmi = coco_window_find(w, COCO_EV_INJECT, COCO_VECTOR_NMI, 0);
		vc = coco_window_find(w, COCO_EV_VC, EXIT_IOIO, 0);
		theirs = call_of(w, INNER_PORT);
		ours = call_of(w, OUTER_PORT);
		KUNIT_EXPECT_EQ(test, r.ax, OUTER_BYTE);
		KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
		COCO_EXPECT_APPLIED(test, w, 1);
		COCO_EXPECT_EXITS(test, w, COCO_EV_BREACH, COCO_ANY, 0);
		KUNIT_ASSERT_NOT_NULL(test, vc);
		KUNIT_ASSERT_NOT_NULL(test, ours);
		KUNIT_EXPECT_EQ(test, ours->info1 & 0x7f, 0x11ull);	/* IN, byte */
		KUNIT_EXPECT_EQ(test, nmis, 1u);
		if (!nmi)
			continue;	/* it came behind the window */
		KUNIT_EXPECT_EQ(test, inner, (u8)INNER_BYTE);
		KUNIT_ASSERT_NOT_NULL(test, theirs);
		COCO_EXPECT_EXITS(test, w, COCO_EV_VC, EXIT_IOIO, 2);
		COCO_EXPECT_EXITS(test, w, COCO_EV_GHCB, EXIT_NMI_COMPLETE, 1);
		if (vc->rip == r.address && vc->seq < nmi->seq && theirs->seq < ours->seq)
			between++;
	}
	/* Two at least: before and after the GHCB's MSR was written */
	KUNIT_EXPECT_GE(test, between, 2u);
}

/* One that is sent while another is under way is there once that one is done, and no sooner */
static void nmi_is_held_until_complete(struct kunit *test)
{
	const struct coco_event *complete, *second;
	struct coco_window *w;
	struct coco_regs r;

	need_es_and_machine(test);
	again = true;
	w = in_with_nmi(test, 0, &r);
	KUNIT_EXPECT_EQ(test, nmis, 2u);
	KUNIT_EXPECT_EQ(test, r.ax, OUTER_BYTE);
	COCO_EXPECT_EXITS(test, w, COCO_EV_INJECT, COCO_VECTOR_NMI, 2);
	COCO_EXPECT_EXITS(test, w, COCO_EV_GHCB, EXIT_NMI_COMPLETE, 2);
	complete = coco_window_find(w, COCO_EV_GHCB, EXIT_NMI_COMPLETE, 0);
	second = coco_window_find(w, COCO_EV_VC, EXIT_IOIO, 1);
	KUNIT_ASSERT_NOT_NULL(test, complete);
	KUNIT_ASSERT_NOT_NULL(test, second);
	KUNIT_EXPECT_GT(test, second->seq, complete->seq);
}

static struct kunit_suite vc_nmi_suite = {
	.name = "vc_nmi",
	.init = vc_nmi_begin,
	.exit = vc_nmi_end,
	.test_cases = vc_nmi_cases,
};
kunit_test_suite(vc_nmi_suite);

MODULE_DESCRIPTION("NMIs, and #VC inside them");
MODULE_LICENSE("GPL");
