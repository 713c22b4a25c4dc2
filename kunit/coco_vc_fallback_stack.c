// SPDX-License-Identifier: GPL-2.0
/*
 * #VC where RSP is on no stack that the kernel knows: the guest ends, and gets so far.
 *
 * Path:        #VC -> vc_switch_off_ist() -> the fallback stack of #VC (VC2) -> panic() -> #VC
 * Upstream:    ce47d0c00ff5 ("x86/sev: Allow #VC exceptions on the VC2 stack")
 * Without it:  what panic() does - it prints, stops others, restarts - raises #VC of its own on
 *              that stack, each of which is taken for another one from nowhere, and panics.
 *
 * No instruction pushes anything there: #VC has a stack of its own in the IST.
 */
#include <linux/io.h>
#include <linux/kernel.h>
#ifdef CC_HAVE_OBJTOOL_H
#include <linux/objtool.h>
#else
#include <linux/frame.h>
#endif
#include "lib/panic.h"
#include "lib/vc.h"

static void vc_from_nowhere_ends_the_guest_with_a_message(struct kunit *test);

static struct kunit_case vc_fallback_stack_cases[] = {
	KUNIT_CASE(vc_from_nowhere_ends_the_guest_with_a_message),
	{}
};

/* Nothing answers there */
#define PORT		0xe0
#define BYTE		0x5a

static u64 nowhere[8];

/* The first, and inside of it the host is asked as anywhere else */
static bool passes(const char *message)
{
	return strstr(message, "#VC") && oops_in_progress == 1 && inb(PORT) == BYTE;
}

static noinline void in_with_rsp(void *sp)
{
	asm volatile("mov %%rsp, %%r12\n\t"
		     "mov %[sp], %%rsp\n\t"
		     "inb %%dx, %%al\n\t"
		     "mov %%r12, %%rsp\n\t"
		     : : [sp] "S"(sp), "d"(PORT) : "rax", "r12", "memory");
}
STACK_FRAME_NON_STANDARD(in_with_rsp);

static void vc_from_nowhere_ends_the_guest_with_a_message(struct kunit *test)
{
	const struct coco_rule rule = {
		.kind = COCO_EV_GHCB, .action = COCO_REPLY, .code = EXIT_IOIO,
		.info1 = PORT << 16, .info1_mask = 0xffffull << 16,
		.reply_mask = REPLY_INFO | REPLY_RAX, .reply = { 0, 0, BYTE },
	};
	struct coco_window *w = coco_window(test);

	need_es_and_machine(test);
	coco_panic_begin(passes);
	coco_window_begin_scripted(w, &rule);
	in_with_rsp(nowhere + ARRAY_SIZE(nowhere) / 2);
	coco_window_end(w);
	coco_panic_end();
	KUNIT_FAIL(test, "the guest goes on");
}

static struct kunit_suite vc_fallback_stack_suite = {
	.name = "vc_fallback_stack",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = vc_fallback_stack_cases,
};
kunit_test_suite(vc_fallback_stack_suite);

MODULE_DESCRIPTION("#VC where RSP is on no stack that the kernel knows");
MODULE_LICENSE("GPL");
COCO_INJECTS_FAULTS;
