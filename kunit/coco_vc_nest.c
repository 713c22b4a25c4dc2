// SPDX-License-Identifier: GPL-2.0
/*
 * A third user of the GHCB, when both pages are in use: the guest ends, and says why.
 *
 * Path:        #VC -> GHCB -> #VC -> backup GHCB -> NMI -> __sev_es_nmi_complete() ->
 *              __sev_get_ghcb()
 * Upstream:    b250f2f7792d ("x86/sev-es: Don't return NULL from sev_es_get_ghcb()")
 * Without it:  NMI Complete is written through a null pointer.
 *
 *	IN -> #VC: GHCB		the kernel is about to ask for the byte
 *	  #VC: backup GHCB	the host injects it in between (APM vol. 2, 15.20)
 *	    NMI			and this one, when the handler looks at the instruction
 */
#include <linux/kernel.h>
#include "lib/panic.h"
#include "lib/symbol.h"
#include "lib/vc.h"

static void third_call_at_a_time_ends_the_guest_with_a_message(struct kunit *test);

static struct kunit_case vc_nest_cases[] = {
	KUNIT_CASE(third_call_at_a_time_ends_the_guest_with_a_message),
	{}
};

/* Nothing answers there */
#define PORT		0xe0

/*
 * Returns to the guest from the first injection's call on: that one's, the second's, #VC of
 * the IN, and the write of the GHCB's MSR.
 */
#define TO_MSR_OF_IN	3
#define TO_MSR_OF_IN_2	2	/* the same, from the second injection's call on */

COCO_INSN_UP(do_in, "inb %%dx, %%al")

/* Of the kernel's own will, and not of an oops */
static bool passes(const char *message)
{
	return strstr(message, "GHCB") && oops_in_progress == 1;
}

static void third_call_at_a_time_ends_the_guest_with_a_message(struct kunit *test)
{
	struct coco_inject vc = {
		.type = COCO_INJECT_VC, .error_code = EXIT_CPUID, .delay = TO_MSR_OF_IN,
	};
	struct coco_inject nmi = { .type = COCO_INJECT_NMI, .delay = TO_MSR_OF_IN_2 };
	struct coco_regs r = { .dx = PORT };
	struct coco_window *w = coco_window(test);
	s64 error;

	need_es_and_machine(test);
	/* Whatever decodes instructions in this kernel comes by here, and is in another file */
	nmi.rip = (unsigned long)coco_need_symbol(test, "inat_get_opcode_attribute");
	coco_panic_begin(passes);
	coco_window_begin(w);
	vc.cpu = nmi.cpu = w->cpu;
	error = coco_inject(&vc) | coco_inject(&nmi);
	do_in(&r);
	coco_window_end(w);
	coco_panic_end();
	KUNIT_EXPECT_EQ(test, error, (s64)0);
	KUNIT_FAIL(test, "the guest goes on");
}

static struct kunit_suite vc_nest_suite = {
	.name = "vc_nest",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = vc_nest_cases,
};
kunit_test_suite(vc_nest_suite);

MODULE_DESCRIPTION("a third user of the GHCB, when both pages are in use");
MODULE_LICENSE("GPL");
COCO_INJECTS_FAULTS;
