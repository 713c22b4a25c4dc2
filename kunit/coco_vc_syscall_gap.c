// SPDX-License-Identifier: GPL-2.0
/*
 * #VC and NMI where the kernel runs on the stack pointer of a program.
 *
 * Path:        SYSCALL -> entry_SYSCALL_64, before it loads a stack pointer of its own -> NMI ->
 *              sev_es_ist_enter() -> #VC inside the NMI; or #VC -> vc_switch_off_ist()
 * Upstream:    545ac14c16b5 ("x86/sev-es: Check regs->sp is trusted before adjusting #VC IST
 *              stack"),
 *              78a81d88f60b ("x86/sev-es: Introduce ip_within_syscall_gap() helper")
 * Without it:  a program names the memory that the kernel takes for the stack of #VC, and the
 *              next exception frames go there.
 *
 * SYSCALL loads no stack pointer (APM vol. 3, SYSCALL): until the kernel has done so, RSP is
 * what the program left there.  A case jumps to the first instruction of such a gap, with RSP as
 * a program might have it.  The host's event hits there, so that no instruction of the gap ever
 * runs, and the handler of the event leads away from it: what a debugger's handler may do.
 */
#include <linux/kdebug.h>
#include <linux/nmi.h>
#ifdef CC_HAVE_OBJTOOL_H
#include <linux/objtool.h>
#else
#include <linux/frame.h>
#endif
#include <linux/vmalloc.h>
#include <asm/nmi.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include "lib/symbol.h"
#include "lib/vc.h"

static void nmi_in_the_syscall_gap_leaves_the_vc_stack_alone(struct kunit *test);
static void nmi_in_the_sysret_gap_leaves_the_vc_stack_alone(struct kunit *test);
static void nmi_in_the_compat_syscall_gap_leaves_the_vc_stack_alone(struct kunit *test);
static void nmi_in_the_compat_sysret_gap_leaves_the_vc_stack_alone(struct kunit *test);
static void vc_in_the_syscall_gap_goes_to_the_tasks_stack(struct kunit *test);
static void vc_in_the_sysret_gap_goes_to_the_tasks_stack(struct kunit *test);
static void vc_in_the_compat_syscall_gap_goes_to_the_tasks_stack(struct kunit *test);
static void vc_in_the_compat_sysret_gap_goes_to_the_tasks_stack(struct kunit *test);
/* The other way round: the stack pointer is the kernel's own, and to be believed */
static void vc_elsewhere_stays_on_its_stack(struct kunit *test);

/* Symbols of the kernel's: the first is an instruction of the gap, the second is not any more */
struct gap {
	const char *begin, *end;
};

static const struct gap syscall_gap = { "entry_SYSCALL_64", "entry_SYSCALL_64_safe_stack" };
static const struct gap sysret_gap = { "entry_SYSRETQ_unsafe_stack", "entry_SYSRETQ_end" };
static const struct gap compat_syscall_gap = {
	"entry_SYSCALL_compat", "entry_SYSCALL_compat_safe_stack",
};
static const struct gap compat_sysret_gap = {
	"entry_SYSRETL_compat_unsafe_stack", "entry_SYSRETL_compat_end",
};

/* No gap, and never run, just hit */
COCO_INSN_UP(do_nothing, "nop")

static struct kunit_case vc_syscall_gap_cases[] = {
	KUNIT_CASE(nmi_in_the_syscall_gap_leaves_the_vc_stack_alone),
	KUNIT_CASE(nmi_in_the_sysret_gap_leaves_the_vc_stack_alone),
	KUNIT_CASE(nmi_in_the_compat_syscall_gap_leaves_the_vc_stack_alone),
	KUNIT_CASE(nmi_in_the_compat_sysret_gap_leaves_the_vc_stack_alone),
	KUNIT_CASE(vc_in_the_syscall_gap_goes_to_the_tasks_stack),
	KUNIT_CASE(vc_in_the_sysret_gap_goes_to_the_tasks_stack),
	KUNIT_CASE(vc_in_the_compat_syscall_gap_goes_to_the_tasks_stack),
	KUNIT_CASE(vc_in_the_compat_sysret_gap_goes_to_the_tasks_stack),
	KUNIT_CASE(vc_elsewhere_stays_on_its_stack),
	{}
};

#define INNER_PORT	0xe4		/* nothing answers there */
#define INNER_BYTE	0x5au
/* Below RSP: more than the frames of an exception inside an NMI take */
#define PROGRAM_STACK	1024
#define TASK_STACK	(4 * PAGE_SIZE)

/* Where the kernel looks up the stack of the task that runs, and what it is to find there */
static unsigned long *task_top, other_top;

/* Where the event hits, and where its handler leads to: the code behind the jump, on our stack */
static unsigned long gap, back_ip, back_sp;
static unsigned int events;
static unsigned long seen_ist;		/* of #VC, as the handler finds it */
static unsigned long seen_regs;		/* where the handler's registers are, on some stack */
static u8 inner;
static u8 *stack;

static unsigned long ist_of_vc(void)
{
#ifdef IST_INDEX_VC
	return this_cpu_read(cpu_tss_rw.x86_tss.ist[IST_INDEX_VC]);
#else
	return 0;			/* a kernel without #VC, where no case comes so far */
#endif
}

static void take_down(struct pt_regs *regs)
{
	events++;
	seen_ist = ist_of_vc();
	seen_regs = (unsigned long)regs;
}

/*
 * An NMI's registers are no way to change where it returns to: behind them lies the frame that
 * IRET takes (arch/x86/entry/entry_64.S, "iret" frame), with RIP first and RSP fourth.
 */
static void lead_nmi_away(struct pt_regs *regs)
{
	unsigned long *iret = (unsigned long *)(regs + 1);

	if (iret[0] != gap)
		panic("no frame for IRET behind an NMI's registers: this kernel has it elsewhere");
	iret[0] = back_ip;
	iret[3] = back_sp;
}

static int on_nmi(unsigned int cmd, struct pt_regs *regs)
{
	if (!gap || regs->ip != gap)
		return NMI_DONE;
	take_down(regs);
	lead_nmi_away(regs);
	inner = inb(INNER_PORT);
	return NMI_HANDLED;
}

static int on_die(struct notifier_block *self, unsigned long what, void *data)
{
	struct die_args *args = data;

	if (what != DIE_DEBUG || !gap || args->regs->ip != gap)
		return NOTIFY_DONE;
	take_down(args->regs);
	args->regs->ip = back_ip;
	args->regs->sp = back_sp;
	return NOTIFY_STOP;
}

static struct notifier_block die_block = { .notifier_call = on_die };

static int vc_syscall_gap_begin(struct kunit *test)
{
	int error = coco_case_begin(test);

	gap = 0;
	events = 0;
	inner = 0;
	error = error ?: register_die_notifier(&die_block);
	return error ?: register_nmi_handler(NMI_LOCAL, on_nmi, 0, "coco");
}

static void vc_syscall_gap_end(struct kunit *test)
{
	unregister_nmi_handler(NMI_LOCAL, "coco");
	unregister_die_notifier(&die_block);
	vfree(stack);
	stack = NULL;
	task_top = NULL;
	coco_case_end(test);
}

/* There, with this stack pointer, until a handler leads back; RBP and the flags survive */
static noinline void go_to_gap(unsigned long sp)
{
	unsigned long to = gap;

	asm volatile("push %%rbp\n\t"
		     "lea 1f(%%rip), %%rax\n\t"
		     "mov %%rax, %[back_ip]\n\t"
		     "mov %%rsp, %[back_sp]\n\t"
		     "mov %[sp], %%rsp\n\t"
		     ANNOTATE_RETPOLINE_SAFE "\n\t"
		     "jmp *%[to]\n\t"
		     "1: pop %%rbp\n\t"
		     : [back_ip] "=m"(back_ip), [back_sp] "=m"(back_sp)
		     : [sp] "D"(sp), [to] "S"(to)
		     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
		       "r15", "memory", "cc");
}
STACK_FRAME_NON_STANDARD(go_to_gap);

static void find_gap(struct kunit *test, const struct gap *g)
{
	need_es_and_machine(test);
	if (!coco_symbol(g->begin) || !coco_symbol(g->end))
		kunit_skip(test, "this kernel has no %s", g->begin);
	gap = (unsigned long)coco_symbol(g->begin);
	/* Or else nothing stops what is not to run */
	KUNIT_ASSERT_LT(test, gap, (unsigned long)coco_symbol(g->end));
}

/* The window in which the event hits at the gap's first instruction */
static struct coco_window *go_and_be_hit(struct kunit *test, const struct coco_inject *what,
					 unsigned long sp, const struct coco_rule *rule)
{
	struct coco_window *w = coco_window(test);
	struct coco_inject inject = *what;
	s64 error;

	inject.rip = gap;
	coco_window_begin_scripted(w, rule);
	inject.cpu = w->cpu;
	asm volatile("mov %0, %%dr6" : : "r"(DR6_NOTHING | DR6_BS));
	error = coco_inject(&inject);
	if (task_top)
		swap(*task_top, other_top);
	if (!error)
		go_to_gap(sp);
	if (task_top)
		swap(*task_top, other_top);
	coco_window_end(w);
	KUNIT_ASSERT_EQ(test, error, (s64)0);
	KUNIT_EXPECT_EQ(test, events, 1u);
	return w;
}

/* The worst that RSP can be: an address of that very stack, where it would pass for nesting */
static void expect_vc_stack_left_alone(struct kunit *test, const struct gap *g)
{
	const struct coco_inject nmi = { .type = COCO_INJECT_NMI };
	const struct coco_rule rule = {
		.kind = COCO_EV_GHCB, .action = COCO_REPLY, .code = EXIT_IOIO,
		.info1 = INNER_PORT << 16, .info1_mask = 0xffffull << 16,
		.reply_mask = REPLY_INFO | REPLY_RAX, .reply = { 0, 0, INNER_BYTE },
	};
	unsigned long ist, sp;
	struct coco_window *w;

	find_gap(test, g);
	ist = ist_of_vc();
	sp = ist - PROGRAM_STACK;
	w = go_and_be_hit(test, &nmi, sp, &rule);
	KUNIT_EXPECT_GT(test, seen_ist, sp);
	KUNIT_EXPECT_LE(test, seen_ist, ist);
	KUNIT_EXPECT_EQ(test, ist_of_vc(), ist);
	/* #VC inside the NMI */
	KUNIT_EXPECT_EQ(test, inner, (u8)INNER_BYTE);
	COCO_EXPECT_APPLIED(test, w, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_INJECT, COCO_VECTOR_NMI, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_VC, EXIT_IOIO, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_BREACH, COCO_ANY, 0);
}

static void nmi_in_the_syscall_gap_leaves_the_vc_stack_alone(struct kunit *test)
{
	expect_vc_stack_left_alone(test, &syscall_gap);
}

static void nmi_in_the_sysret_gap_leaves_the_vc_stack_alone(struct kunit *test)
{
	expect_vc_stack_left_alone(test, &sysret_gap);
}

static void nmi_in_the_compat_syscall_gap_leaves_the_vc_stack_alone(struct kunit *test)
{
	expect_vc_stack_left_alone(test, &compat_syscall_gap);
}

static void nmi_in_the_compat_sysret_gap_leaves_the_vc_stack_alone(struct kunit *test)
{
	expect_vc_stack_left_alone(test, &compat_sysret_gap);
}

/* Of this CPU, which the task does not leave */
static unsigned long *top_of_stack(void)
{
#if defined(CC_HAVE_PCPU_HOT)
	return raw_cpu_ptr(&pcpu_hot.top_of_stack);
#elif defined(CC_HAVE_TOP_OF_STACK_IN_TSS)
	return (unsigned long *)raw_cpu_ptr(&cpu_tss_rw.x86_tss.sp1);
#else
	unsigned long __percpu *top;

	top = (unsigned long __percpu *)coco_symbol("cpu_current_top_of_stack");
	return top ? raw_cpu_ptr(top) : NULL;
#endif
}

/*
 * #VC of the exit code "#DB", which a host's EVENTINJ of vector 29 may have (APM vol. 2, 15.20):
 * the kernel takes it for a #DB, and asks its debuggers for what DR6 says.  In a real gap the
 * task's stack is empty, here it is not: another one takes its place for that time.
 */
static void expect_tasks_stack(struct kunit *test, const struct gap *g)
{
	const struct coco_inject vc = { .type = COCO_INJECT_VC, .error_code = EXIT_DB };
	struct coco_window *w;
	unsigned int i;
	u8 *program;

	find_gap(test, g);
	stack = vzalloc(2 * TASK_STACK);
	KUNIT_ASSERT_NOT_NULL(test, stack);
	task_top = top_of_stack();
	KUNIT_ASSERT_NOT_NULL(test, task_top);
	other_top = (unsigned long)stack + TASK_STACK;
	program = stack + TASK_STACK;
	w = go_and_be_hit(test, &vc, (unsigned long)program + TASK_STACK, NULL);
	KUNIT_EXPECT_GE(test, seen_regs, (unsigned long)stack);
	KUNIT_EXPECT_LT(test, seen_regs, (unsigned long)program);
	for (i = 0; i < TASK_STACK && !program[i]; i++)
		;
	KUNIT_EXPECT_EQ_MSG(test, i, (unsigned int)TASK_STACK, "written to where RSP points");
	COCO_EXPECT_EXITS(test, w, COCO_EV_INJECT, COCO_VECTOR_VC, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_GHCB, COCO_ANY, 0);
}

static void vc_in_the_syscall_gap_goes_to_the_tasks_stack(struct kunit *test)
{
	expect_tasks_stack(test, &syscall_gap);
}

static void vc_in_the_sysret_gap_goes_to_the_tasks_stack(struct kunit *test)
{
	expect_tasks_stack(test, &sysret_gap);
}

static void vc_in_the_compat_syscall_gap_goes_to_the_tasks_stack(struct kunit *test)
{
	expect_tasks_stack(test, &compat_syscall_gap);
}

static void vc_in_the_compat_sysret_gap_goes_to_the_tasks_stack(struct kunit *test)
{
	expect_tasks_stack(test, &compat_sysret_gap);
}

static void vc_elsewhere_stays_on_its_stack(struct kunit *test)
{
	const struct coco_inject vc = { .type = COCO_INJECT_VC, .error_code = EXIT_DB };
	unsigned long sp = (unsigned long)&vc - PROGRAM_STACK;
	struct coco_regs probe = { .only_address = true };
	struct coco_window *w;

	need_es_and_machine(test);
	do_nothing(&probe);
	gap = probe.address;
	w = go_and_be_hit(test, &vc, sp, NULL);
	KUNIT_EXPECT_LT(test, seen_regs, sp);
	KUNIT_EXPECT_GT(test, seen_regs, sp - PROGRAM_STACK);
	COCO_EXPECT_EXITS(test, w, COCO_EV_GHCB, COCO_ANY, 0);
}

static struct kunit_suite vc_syscall_gap_suite = {
	.name = "vc_syscall_gap",
	.init = vc_syscall_gap_begin,
	.exit = vc_syscall_gap_end,
	.test_cases = vc_syscall_gap_cases,
};
kunit_test_suite(vc_syscall_gap_suite);

MODULE_DESCRIPTION("#VC and NMI where RSP is that of a program");
MODULE_LICENSE("GPL");
COCO_INJECTS_FAULTS;
