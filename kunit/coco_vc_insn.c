// SPDX-License-Identifier: GPL-2.0
/*
 * #VC in kernel mode: the instructions that no data path needs, and what a host
 * may answer beside a result.
 *
 * Path:        #VC, exit codes 27h, 37h (DR7), 6fh (RDPMC), 76h (INVD), 81h (VMMCALL), 89h
 *              (WBINVD), 8ah, 8bh (MONITOR, MWAIT) -> GHCB -> verify_exception_info()
 * Upstream:    cb1ad3ecea95 ("x86/sev-es: Handle DR7 read/write events") and the series around it
 * Without it:  perf, KVM's hypercalls and idle loops end an SEV-ES guest, or a host raises
 *              exceptions in it that hardware never would.
 *
 * The host may ask for #GP or #UD in the place of a result, and for no other
 * exception (GHCB specification 56421, section 4.1).  Where the answer is none of
 * these the guest has to end, which is what the last cases wait for.
 */
#include "lib/vc.h"

#ifdef CC_HAVE_SVSM
#include <asm/sev.h>
#define has_svsm()	(snp_vmpl != 0)
#else
#define has_svsm()	false
#endif

static void rdpmc_returns_what_the_host_says(struct kunit *test);
static void wbinvd_costs_one_call(struct kunit *test);
static void vmmcall_hands_over_kvms_registers(struct kunit *test);
/* MONITOR would tell the host an address: neither it nor MWAIT asks the host */
static void monitor_and_mwait_are_silent(struct kunit *test);
static void monitorx_and_mwaitx_are_silent(struct kunit *test);
/* DR7: the guest remembers what it wrote */
static void dr7_write_tells_the_host(struct kunit *test);
static void dr7_read_asks_nobody(struct kunit *test);
static void dr7_write_clears_reserved_bits(struct kunit *test);
static void dr7_write_of_upper_half_raises_gp(struct kunit *test);
/* MSR that a supervisor at a lower VMPL would answer: none of the host's business */
static void msr_of_the_svsm_asks_nobody(struct kunit *test);
/* One row an instruction */
static void gp_of_the_host_is_raised(struct kunit *test);
static void ud_of_the_host_is_raised(struct kunit *test);
/* These end the guest */
static void invd_ends_the_guest(struct kunit *test);
static void page_fault_of_the_host_ends_the_guest(struct kunit *test);
static void interrupt_of_the_host_ends_the_guest(struct kunit *test);
static void invalid_event_of_the_host_ends_the_guest(struct kunit *test);
static void unknown_error_of_the_host_ends_the_guest(struct kunit *test);
static void rdpmc_without_answer_ends_the_guest(struct kunit *test);
static void vmmcall_without_answer_ends_the_guest(struct kunit *test);
static void in_without_answer_ends_the_guest(struct kunit *test);
static void rdtsc_without_answer_ends_the_guest(struct kunit *test);
static void rdtscp_without_answer_ends_the_guest(struct kunit *test);

COCO_INSN_UP(do_rdpmc, "rdpmc")
COCO_INSN_UP(do_wbinvd, "wbinvd")
COCO_INSN_UP(do_invd, "invd")
COCO_INSN_UP(do_vmmcall, "vmmcall")
COCO_INSN_UP(do_rdtsc, "rdtsc")
COCO_INSN_UP(do_rdtscp, "rdtscp")
COCO_INSN_UP(do_in, "inb %%dx, %%al")
COCO_INSN_UP(do_rdmsr, "rdmsr")
COCO_INSN_UP(do_wrmsr, "wrmsr")
COCO_INSN_UP(do_monitor, ".byte 0x0f, 0x01, 0xc8")
COCO_INSN_UP(do_mwait, ".byte 0x0f, 0x01, 0xc9")
COCO_INSN_UP(do_monitorx, ".byte 0x0f, 0x01, 0xfa")
COCO_INSN_UP(do_mwaitx, ".byte 0x0f, 0x01, 0xfb")
COCO_INSN_UP(do_dr7_write, "mov %%r9, %%dr7")
COCO_INSN_UP(do_dr7_read, "mov %%dr7, %%r10")

struct refused_case {
	const char *name;
	coco_insn_fn insn;
	u64 code;
	bool injected;			/* the processor itself raises no #VC for it here */
};

static const struct refused_case refused_cases[] = {
	{ "rdpmc", do_rdpmc, EXIT_RDPMC, false },
	{ "rdtsc", do_rdtsc, EXIT_RDTSC, true },
	{ "wbinvd", do_wbinvd, EXIT_WBINVD, false },
	{ "vmmcall", do_vmmcall, EXIT_VMMCALL, false },
	{ "dr7_write", do_dr7_write, EXIT_DR7_WRITE, false },
};
KUNIT_ARRAY_PARAM_DESC(refused, refused_cases, name);

static struct kunit_case vc_insn_cases[] = {
	KUNIT_CASE(rdpmc_returns_what_the_host_says),
	KUNIT_CASE(wbinvd_costs_one_call),
	KUNIT_CASE(vmmcall_hands_over_kvms_registers),
	KUNIT_CASE(monitor_and_mwait_are_silent),
	KUNIT_CASE(monitorx_and_mwaitx_are_silent),
	KUNIT_CASE(dr7_write_tells_the_host),
	KUNIT_CASE(dr7_read_asks_nobody),
	KUNIT_CASE(dr7_write_clears_reserved_bits),
	KUNIT_CASE(dr7_write_of_upper_half_raises_gp),
	KUNIT_CASE(msr_of_the_svsm_asks_nobody),
	KUNIT_CASE_PARAM(gp_of_the_host_is_raised, refused_gen_params),
	KUNIT_CASE_PARAM(ud_of_the_host_is_raised, refused_gen_params),
	KUNIT_CASE(invd_ends_the_guest),
	KUNIT_CASE(page_fault_of_the_host_ends_the_guest),
	KUNIT_CASE(interrupt_of_the_host_ends_the_guest),
	KUNIT_CASE(invalid_event_of_the_host_ends_the_guest),
	KUNIT_CASE(unknown_error_of_the_host_ends_the_guest),
	KUNIT_CASE(rdpmc_without_answer_ends_the_guest),
	KUNIT_CASE(vmmcall_without_answer_ends_the_guest),
	KUNIT_CASE(in_without_answer_ends_the_guest),
	KUNIT_CASE(rdtsc_without_answer_ends_the_guest),
	KUNIT_CASE(rdtscp_without_answer_ends_the_guest),
	{}
};

/* APM vol. 2, 13.1.1.4: bit 10 is one, 11, 12, 14 and 15 are zero */
#define DR7_ONE		BIT(10)
#define DR7_RESERVED	(BIT(11) | BIT(12) | BIT(14) | BIT(15))
#define DR7_EXACT	(BIT(8) | BIT(9))	/* LE and GE: without effect on these processors */

/* A hypercall number that KVM does not have */
#define SOME_HYPERCALL	0x7fff

static struct coco_regs junk(void)
{
	return (struct coco_regs) {
		.ax = JUNK, .bx = JUNK, .cx = 0, .dx = JUNK, .si = JUNK, .di = JUNK,
		.r8 = JUNK, .r9 = DR7_ONE, .r10 = JUNK,
	};
}

static void expect_done(struct kunit *test, const struct coco_regs *r)
{
	KUNIT_EXPECT_EQ(test, r->trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, (u64)r->di, JUNK);
	KUNIT_EXPECT_EQ(test, (u64)r->r8, JUNK);
}

static void rdpmc_returns_what_the_host_says(struct kunit *test)
{
	struct ghcb_registers told = {};
	struct coco_regs r = junk();
	struct coco_window *w;

	need_es_and_machine(test);
	r.cx = 3;
	w = vc_run_told(test, do_rdpmc, &r,
			HOST_REPLIES(EXIT_RDPMC, REPLY_RAX | REPLY_RDX, 0x89abcdef, 0, 0, 0x1234),
			&told);
	KUNIT_EXPECT_EQ(test, told.rcx, 3ull);
	expect_done(test, &r);
	KUNIT_EXPECT_EQ(test, r.ax, 0x89abcdeful);
	KUNIT_EXPECT_EQ(test, r.dx, 0x1234ul);
	KUNIT_EXPECT_EQ(test, r.cx, 3ul);
	expect_calls(test, w, EXIT_RDPMC, 1, EXIT_RDPMC, 1);
	expect_call(test, w, EXIT_RDPMC, 0, 0, 0, COCO_GHCB_RCX);
}

static void wbinvd_costs_one_call(struct kunit *test)
{
	struct coco_regs r = junk();
	struct coco_window *w;

	need_es_and_machine(test);
	w = vc_run(test, do_wbinvd, &r, NULL);
	expect_done(test, &r);
	KUNIT_EXPECT_EQ(test, (u64)r.ax, JUNK);
	expect_calls(test, w, EXIT_WBINVD, 1, EXIT_WBINVD, 1);
	expect_call(test, w, EXIT_WBINVD, 0, 0, 0, 0);
}

/* KVM takes RBX, RCX, RDX and RSI (Linux, Documentation/virt/kvm/x86/hypercalls.rst) */
static void vmmcall_hands_over_kvms_registers(struct kunit *test)
{
	struct ghcb_registers told = {};
	struct coco_regs r = junk();
	struct coco_window *w;

	need_es_and_machine(test);
	r.ax = SOME_HYPERCALL;
	r.bx = 0x11;
	r.cx = 0x22;
	r.dx = 0x33;
	r.si = 0x44;
	w = vc_run_told(test, do_vmmcall, &r,
			HOST_REPLIES(EXIT_VMMCALL, REPLY_RAX, 0x1122334455667788), &told);
	KUNIT_EXPECT_EQ(test, told.rbx, 0x11ull);
	KUNIT_EXPECT_EQ(test, told.rcx, 0x22ull);
	KUNIT_EXPECT_EQ(test, told.rdx, 0x33ull);
	KUNIT_EXPECT_EQ(test, told.rsi, 0x44ull);
	expect_done(test, &r);
	KUNIT_EXPECT_EQ(test, r.ax, 0x1122334455667788ul);
	KUNIT_EXPECT_EQ(test, r.bx, 0x11ul);
	KUNIT_EXPECT_EQ(test, r.dx, 0x33ul);
	KUNIT_EXPECT_EQ(test, r.si, 0x44ul);
	expect_calls(test, w, EXIT_VMMCALL, 1, EXIT_VMMCALL, 1);
	expect_call(test, w, EXIT_VMMCALL, 0, 0, 0,
		    COCO_GHCB_RAX | COCO_GHCB_CPL | COCO_GHCB_RBX | COCO_GHCB_RCX | COCO_GHCB_RDX |
		    COCO_GHCB_RSI);
}

static void expect_silent(struct kunit *test, const struct coco_window *w, u64 code,
			  unsigned int vcs, const struct coco_regs *r)
{
	expect_done(test, r);
	KUNIT_EXPECT_EQ(test, (u64)r->ax, JUNK);
	expect_calls(test, w, code, vcs, COCO_ANY, 0);
}

static void monitor_and_mwait_are_silent(struct kunit *test)
{
	struct coco_regs r = junk();
	unsigned long line;

	need_es_and_machine(test);
	r.ax = (unsigned long)&line;
	r.dx = 0;
	expect_calls(test, vc_run(test, do_monitor, &r, NULL), EXIT_MONITOR, 1, COCO_ANY, 0);
	KUNIT_EXPECT_EQ(test, r.ax, (unsigned long)&line);
	expect_done(test, &r);
	r = junk();
	expect_silent(test, vc_run(test, do_mwait, &r, NULL), EXIT_MWAIT, 1, &r);
}

/* The exit codes are those of MONITOR and MWAIT (APM vol. 2, appendix C); QEMU lacks both */
static void monitorx_and_mwaitx_are_silent(struct kunit *test)
{
	struct coco_regs r = junk();

	need_es_and_machine(test);
	expect_silent(test, vc_run_intercepted(test, do_monitorx, &r, EXIT_MONITOR, NULL),
		      EXIT_MONITOR, 0, &r);
	r = junk();
	expect_silent(test, vc_run_intercepted(test, do_mwaitx, &r, EXIT_MWAIT, NULL),
		      EXIT_MWAIT, 0, &r);
}

/* As it was at boot, and as the kernel believes it to be: no breakpoint is in use */
static void dr7_reset(struct kunit *test)
{
	struct coco_regs r = { .r9 = DR7_ONE };

	vc_run(test, do_dr7_write, &r, NULL);
}

static void dr7_write_tells_the_host(struct kunit *test)
{
	struct ghcb_registers told = {};
	struct coco_regs r = junk();
	struct coco_window *w;

	need_es_and_machine(test);
	r.r9 = DR7_ONE | DR7_EXACT;
	w = vc_run_told(test, do_dr7_write, &r, NULL, &told);
	dr7_reset(test);
	KUNIT_EXPECT_EQ(test, told.rax, (u64)(DR7_ONE | DR7_EXACT));
	expect_done(test, &r);
	KUNIT_EXPECT_EQ(test, (u64)r.ax, JUNK);
	expect_calls(test, w, EXIT_DR7_WRITE, 1, EXIT_DR7_WRITE, 1);
	expect_call(test, w, EXIT_DR7_WRITE, 0, 0, 0, COCO_GHCB_RAX);
}

static unsigned long dr7_after_write(struct kunit *test, unsigned long value)
{
	struct coco_regs write = junk(), read = junk();
	struct coco_window *w;

	write.r9 = value;
	vc_run(test, do_dr7_write, &write, NULL);
	w = vc_run(test, do_dr7_read, &read, NULL);
	dr7_reset(test);
	expect_done(test, &read);
	expect_calls(test, w, EXIT_DR7_READ, 1, COCO_ANY, 0);
	return read.r10;
}

static void dr7_read_asks_nobody(struct kunit *test)
{
	need_es_and_machine(test);
	KUNIT_EXPECT_EQ(test, dr7_after_write(test, DR7_ONE | DR7_EXACT), DR7_ONE | DR7_EXACT);
	KUNIT_EXPECT_EQ(test, dr7_after_write(test, DR7_ONE), DR7_ONE);
}

static void dr7_write_clears_reserved_bits(struct kunit *test)
{
	need_es_and_machine(test);
	KUNIT_EXPECT_EQ(test, dr7_after_write(test, DR7_RESERVED | DR7_EXACT), DR7_ONE | DR7_EXACT);
}

static void dr7_write_of_upper_half_raises_gp(struct kunit *test)
{
	struct coco_regs r = junk();
	struct coco_window *w;

	need_es_and_machine(test);
	r.r9 = BIT_ULL(32) | DR7_ONE;
	w = vc_run(test, do_dr7_write, &r, NULL);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_VECTOR_GP);
	COCO_EXPECT_EXITS(test, w, COCO_EV_GHCB, COCO_ANY, 0);
}

/* SVSM specification 58019, the MSR that tells the calling area; 0 without an SVSM (coco_svsm.c) */
#define MSR_SVSM_CAA	0xc001f000

static void msr_of_the_svsm_asks_nobody(struct kunit *test)
{
	struct coco_regs read = junk(), write = junk(), again = junk();

	need_es_and_machine(test);
#ifndef CC_HAVE_SVSM
	kunit_skip(test, "this kernel knows no SVSM");
#endif
	read.cx = write.cx = again.cx = MSR_SVSM_CAA;
	expect_calls(test, vc_run(test, do_rdmsr, &read, NULL), EXIT_MSR, 1, COCO_ANY, 0);
	KUNIT_EXPECT_EQ(test, read.trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, (read.ax | read.dx) != 0, has_svsm());
	expect_calls(test, vc_run(test, do_wrmsr, &write, NULL), EXIT_MSR, 1, COCO_ANY, 0);
	KUNIT_EXPECT_EQ(test, write.trap, (long)COCO_NO_TRAP);
	vc_run(test, do_rdmsr, &again, NULL);
	KUNIT_EXPECT_EQ(test, again.ax, read.ax);
	KUNIT_EXPECT_EQ(test, again.dx, read.dx);
}

static void expect_exception(struct kunit *test, u64 event, long vector)
{
	const struct refused_case *c = test->param_value;
	const struct coco_rule *rule = HOST_ANSWERS_INFO(c->code, HOST_EXCEPTION, event);
	struct coco_regs r = junk();
	struct coco_window *w;

	need_es_and_machine(test);
	w = c->injected ? vc_run_intercepted(test, c->insn, &r, c->code, rule) :
			  vc_run(test, c->insn, &r, rule);
	KUNIT_EXPECT_EQ(test, r.trap, vector);
	COCO_EXPECT_APPLIED(test, w, 1);
	expect_calls(test, w, c->code, !c->injected, c->code, 1);
}

static void gp_of_the_host_is_raised(struct kunit *test)
{
	expect_exception(test, EVENT_GP, COCO_VECTOR_GP);
}

static void ud_of_the_host_is_raised(struct kunit *test)
{
	expect_exception(test, EVENT_UD, COCO_VECTOR_UD);
}

static void expect_end(struct kunit *test, coco_insn_fn insn, const struct coco_rule *rule)
{
	struct coco_regs r = junk();

	need_es_and_machine(test);
	vc_expect_termination(test);
	vc_run(test, insn, &r, rule);
	COCO_FAIL_AS_IT_GOES_ON(test);
}

/* It would lose what caches hold of the guest's memory: Linux has no use for it */
static void invd_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_invd, NULL);
}

/* In EVENTINJ's form: VALID, type exception */
static void page_fault_of_the_host_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_rdpmc, HOST_ANSWERS_INFO(EXIT_RDPMC, HOST_EXCEPTION,
						     BIT_ULL(31) | 3 << 8 | COCO_VECTOR_PF));
}

/* The vector is #GP's, the type is that of an external interrupt */
static void interrupt_of_the_host_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_rdpmc, HOST_ANSWERS_INFO(EXIT_RDPMC, HOST_EXCEPTION,
						     BIT_ULL(31) | COCO_VECTOR_GP));
}

static void invalid_event_of_the_host_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_rdpmc, HOST_ANSWERS_INFO(EXIT_RDPMC, HOST_EXCEPTION,
						     3 << 8 | COCO_VECTOR_GP));
}

/*
 * 2 is "malformed", as a host of version 2 says; the guest can only have been wrong.  WBINVD has no
 * result whose absence would end the guest.
 */
static void unknown_error_of_the_host_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_wbinvd, HOST_ANSWERS_INFO(EXIT_WBINVD, 2, 0));
}

/* No error, but no valid result either: what the registers hold is not the host's word */
static void rdpmc_without_answer_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_rdpmc, HOST_REPLIES(EXIT_RDPMC, REPLY_RAX, 1));
}

static void vmmcall_without_answer_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_vmmcall, HOST_REPLIES(EXIT_VMMCALL, 0));
}

static void in_without_answer_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_in, HOST_REPLIES(EXIT_IOIO, 0));
}

/* The processor raises no #VC for these here */
static void expect_end_intercepted(struct kunit *test, coco_insn_fn insn, u64 code,
				   const struct coco_rule *rule)
{
	struct coco_regs r = junk();

	need_es_and_machine(test);
	vc_expect_termination(test);
	vc_run_intercepted(test, insn, &r, code, rule);
	COCO_FAIL_AS_IT_GOES_ON(test);
}

static void rdtsc_without_answer_ends_the_guest(struct kunit *test)
{
	expect_end_intercepted(test, do_rdtsc, EXIT_RDTSC,
			       HOST_REPLIES(EXIT_RDTSC, REPLY_RAX, 1));
}

/* TSC_AUX is what is missing */
static void rdtscp_without_answer_ends_the_guest(struct kunit *test)
{
	expect_end_intercepted(test, do_rdtscp, EXIT_RDTSCP,
			       HOST_REPLIES(EXIT_RDTSCP, REPLY_RAX | REPLY_RDX, 1, 0, 0, 1));
}

static struct kunit_suite vc_insn_suite = {
	.name = "vc_insn",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = vc_insn_cases,
};
kunit_test_suite(vc_insn_suite);

MODULE_DESCRIPTION("#VC in kernel mode: rare instructions, and errors that the host answers");
MODULE_LICENSE("GPL");
