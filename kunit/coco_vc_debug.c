// SPDX-License-Identifier: GPL-2.0
/*
 * #VC in the place of #DB or #AC: a host that intercepts exceptions.
 *
 * Path:        #VC, exit code 41h (#DB) -> kernel_exc_vmm_communication() -> exc_debug(), before
 *              anything of the #VC handler runs; 51h (#AC) -> vc_handle_trap_ac() ->
 *              vc_forward_exception() -> exc_alignment_check()
 * Upstream:    a13644f3a53d ("x86/entry/64: Add entry code for #VC handler")
 * Without it:  a host that watches #DB ends its guests, or a debugger in the guest has the host
 *              asked for what is the guest's own.
 *
 * The guest's DR6 is its own (APM vol. 2, table B-4): the exit tells that there was a #DB, DR6
 * tells why.  A die notifier is what debuggers in the kernel hear of it by.
 */
#include <linux/kdebug.h>
#include "lib/vc.h"

static void debug_exit_without_a_cause_is_nothing(struct kunit *test);
static void debug_exit_of_a_single_step_reaches_the_debugger(struct kunit *test);
static void alignment_exit_is_the_guests_own_or_its_end(struct kunit *test);

static struct kunit_case vc_debug_cases[] = {
	KUNIT_CASE(debug_exit_without_a_cause_is_nothing),
	KUNIT_CASE(debug_exit_of_a_single_step_reaches_the_debugger),
	KUNIT_CASE(alignment_exit_is_the_guests_own_or_its_end),
	{}
};

#define VECTOR_AC	17
#define EXIT_AC		(EXIT_EXCEPTION + VECTOR_AC)

/* Reads and writes no memory and no register: whatever happens to it is the exception's work */
COCO_INSN_UP(do_nothing, "nopl (%%rax)")

static unsigned long watched;		/* the address that is waited for */
static unsigned int heard;

static int on_die(struct notifier_block *self, unsigned long what, void *data)
{
	struct die_args *args = data;

	if ((what != DIE_DEBUG && (what != DIE_TRAP || args->trapnr != VECTOR_AC)) ||
	    !watched || args->regs->ip != watched)
		return NOTIFY_DONE;
	heard++;
	return NOTIFY_STOP;
}

static struct notifier_block die_block = { .notifier_call = on_die };

static int vc_debug_begin(struct kunit *test)
{
	int error = coco_case_begin(test);

	heard = 0;
	watched = 0;
	return error ?: register_die_notifier(&die_block);
}

static void vc_debug_end(struct kunit *test)
{
	unregister_die_notifier(&die_block);
	coco_case_end(test);
}

/* The exit at the instruction, with this in DR6; how often a debugger heard of it */
static unsigned int exception_exit(struct kunit *test, u64 code, unsigned long dr6)
{
	struct coco_regs r = { .ax = JUNK, .bx = JUNK, .only_address = true };
	struct coco_window *w;

	need_es_and_machine(test);
	do_nothing(&r);
	watched = r.address;
	r.only_address = false;
	asm volatile("mov %0, %%dr6" : : "r"(DR6_NOTHING | dr6));
	w = vc_run_intercepted(test, do_nothing, &r, code, NULL);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, (u64)r.ax, JUNK);
	KUNIT_EXPECT_EQ(test, (u64)r.bx, JUNK);
	COCO_EXPECT_EXITS(test, w, COCO_EV_GHCB, COCO_ANY, 0);
	COCO_EXPECT_EXITS(test, w, COCO_EV_MSRPROTO, COCO_ANY, 0);
	return heard;
}

static void debug_exit_without_a_cause_is_nothing(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, exception_exit(test, EXIT_DB, 0), 0u);
}

static void debug_exit_of_a_single_step_reaches_the_debugger(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, exception_exit(test, EXIT_DB, DR6_BS), 1u);
}

/*
 * In the kernel there is none: SMAP has AC for itself.  Kernels up to e3ef461af35a ("x86/sev: Harden
 * #VC instruction emulation somewhat") take the host's word, and would die if no debugger stopped
 * it; later ones end the guest.
 */
static void alignment_exit_is_the_guests_own_or_its_end(struct kunit *test)
{
	need_es_and_machine(test);
	vc_expect_termination(test);
	KUNIT_EXPECT_EQ(test, exception_exit(test, EXIT_AC, 0), 1u);
	coco_expect(0, 0, 0);
}

static struct kunit_suite vc_debug_suite = {
	.name = "vc_debug",
	.init = vc_debug_begin,
	.exit = vc_debug_end,
	.test_cases = vc_debug_cases,
};
kunit_test_suite(vc_debug_suite);

MODULE_DESCRIPTION("#VC in the place of #DB or #AC");
MODULE_LICENSE("GPL");
COCO_INJECTS_FAULTS;
