// SPDX-License-Identifier: GPL-2.0
/*
 * #VE in kernel mode: CPUID, MSRs, port I/O and HLT.
 *
 * Path:        #VE, exit reasons 10, 12, 30, 31, 32 -> TDG.VP.VEINFO.GET ->
 *              TDG.VP.VMCALL and back
 * Upstream:    9a22bf6debbf ("x86/traps: Add #VE support for TDX guest"),
 *              bfe6ed0c6727 ("x86/tdx: Add HLT support for TDX guests"),
 *              ae87f609cd52 ("x86/tdx: Add MSR support for TDX guests"),
 *              c141fa2c2bba ("x86/tdx: Handle CPUID via #VE"),
 *              03149948832a ("x86/tdx: Port I/O: Add runtime hypercalls"),
 *              0f63e656b1c6 ("x86/tdx: Fix off-by-one in port I/O handling") CVE-2026-89751
 * Without it:  a TD computes with registers that the host did not send, or shows
 *              the host registers that it was not asked for.
 *
 * Each case runs one instruction, in a window, and looks at both ends: the
 * registers that the instruction leaves, and the TDVMCALLs that the machine saw,
 * their inputs, and the registers that RCX exposed (GHCI 344426, section 3).
 */
#include <asm/kvm_para.h>
#include <asm/msr.h>
#include "lib/ve.h"

/* CPUID: only the hypervisor's range is the host's to answer */
static void cpuid_of_the_hypervisor_range_asks_the_host(struct kunit *test);
static void cpuid_of_other_ranges_is_zero_unasked(struct kunit *test);
/* MSRs */
static void rdmsr_returns_what_the_host_says(struct kunit *test);
static void rdmsr_refused_by_the_host_faults(struct kunit *test);
static void rdmsr_safe_gives_eio_when_the_host_refuses(struct kunit *test);
static void wrmsr_tells_the_host_both_halves(struct kunit *test);
static void wrmsr_refused_by_the_host_faults(struct kunit *test);
/* Port I/O, one row a size */
static void in_returns_what_the_host_says(struct kunit *test);
static void in_changes_only_its_part_of_rax(struct kunit *test);
static void in_refused_by_the_host_faults(struct kunit *test);
static void out_tells_the_host_port_and_size(struct kunit *test);
static void out_refused_by_the_host_faults(struct kunit *test);
static void out_and_in_reach_the_same_device(struct kunit *test);
/* HLT with interrupts off says so to the host, which may wake the TD for one that waits */
static void hlt_tells_the_host_that_interrupts_are_off(struct kunit *test);
/* No #VE: KVM's own interface, by the same call */
static void kvms_hypercall_hands_over_number_and_arguments(struct kunit *test);

COCO_INSN(do_cpuid, "cpuid")
COCO_INSN(do_rdmsr, "rdmsr")
COCO_INSN(do_wrmsr, "wrmsr")
COCO_INSN(do_in8, "inb %%dx, %%al")
COCO_INSN(do_in16, "inw %%dx, %%ax")
COCO_INSN(do_in32, "inl %%dx, %%eax")
COCO_INSN(do_out8, "outb %%al, %%dx")
COCO_INSN(do_out16, "outw %%ax, %%dx")
COCO_INSN(do_out32, "outl %%eax, %%dx")
COCO_INSN(do_hlt, "hlt")

struct port_case {
	const char *name;
	void (*in)(struct coco_insn *i);
	void (*out)(struct coco_insn *i);
	u64 size;
	u64 written;			/* bits of RAX that IN writes, zero extension included */
	u64 data;			/* bits of RAX that are data */
};

static const struct port_case port_cases[] = {
	{ "byte", do_in8, do_out8, 1, 0xff, 0xff },
	{ "word", do_in16, do_out16, 2, 0xffff, 0xffff },
	{ "dword", do_in32, do_out32, 4, ~0ull, 0xffffffff },
};
KUNIT_ARRAY_PARAM_DESC(port, port_cases, name);

static struct kunit_case ve_cases[] = {
	KUNIT_CASE(cpuid_of_the_hypervisor_range_asks_the_host),
	KUNIT_CASE(cpuid_of_other_ranges_is_zero_unasked),
	KUNIT_CASE(rdmsr_returns_what_the_host_says),
	KUNIT_CASE(rdmsr_refused_by_the_host_faults),
	KUNIT_CASE(rdmsr_safe_gives_eio_when_the_host_refuses),
	KUNIT_CASE(wrmsr_tells_the_host_both_halves),
	KUNIT_CASE(wrmsr_refused_by_the_host_faults),
	KUNIT_CASE_PARAM(in_returns_what_the_host_says, port_gen_params),
	KUNIT_CASE_PARAM(in_changes_only_its_part_of_rax, port_gen_params),
	KUNIT_CASE_PARAM(in_refused_by_the_host_faults, port_gen_params),
	KUNIT_CASE_PARAM(out_tells_the_host_port_and_size, port_gen_params),
	KUNIT_CASE_PARAM(out_refused_by_the_host_faults, port_gen_params),
	KUNIT_CASE(out_and_in_reach_the_same_device),
	KUNIT_CASE(hlt_tells_the_host_that_interrupts_are_off),
	KUNIT_CASE(kvms_hypercall_hands_over_number_and_arguments),
	{}
};

#define PORT_READ	0
#define PORT_WRITE	1

#define HOST_REFUSES(code_)	HOST_REPLIES(code_, BIT(0), STATUS_INVALID_OPERAND)

/* An answer that is written down is asked for */
static struct coco_window *run(struct kunit *test, void (*insn)(struct coco_insn *),
			       struct coco_insn *i, const struct coco_rule *rule)
{
	struct coco_window *w = ve_run(test, insn, i, rule);

	if (rule)
		COCO_EXPECT_APPLIED(test, w, 1);
	return w;
}

static void cpuid_of_the_hypervisor_range_asks_the_host(struct kunit *test)
{
	struct coco_insn i = { .ax = 0x40000042, .bx = JUNK, .cx = 7, .dx = JUNK };
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = run(test, do_cpuid, &i,
		HOST_REPLIES(REASON_CPUID, 0x3d, 0, 0,
			     0x11111111, 0x22222222, 0x33333333, 0x44444444));

	expect_next_instruction(test, &i);
	KUNIT_EXPECT_EQ(test, i.ax, 0x11111111ul);
	KUNIT_EXPECT_EQ(test, i.bx, 0x22222222ul);
	KUNIT_EXPECT_EQ(test, i.cx, 0x33333333ul);
	KUNIT_EXPECT_EQ(test, i.dx, 0x44444444ul);
	expect_one_call(test, w, &i, REASON_CPUID, 0x40000042, 7,
			R(10) | R(11) | R(12) | R(13) | R(14) | R(15));
}

/* TDX module ABI 348551, CPUID virtualization: leaf 2 stays with #VE, #VE reduction or not */
static void cpuid_of_other_ranges_is_zero_unasked(struct kunit *test)
{
	struct coco_insn i = { .ax = 2, .bx = JUNK, .cx = 0, .dx = JUNK };
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = run(test, do_cpuid, &i, NULL);

	expect_next_instruction(test, &i);
	KUNIT_EXPECT_EQ(test, i.ax, 0ul);
	KUNIT_EXPECT_EQ(test, i.bx, 0ul);
	KUNIT_EXPECT_EQ(test, i.cx, 0ul);
	KUNIT_EXPECT_EQ(test, i.dx, 0ul);
	expect_one_ve(test, w, &i, REASON_CPUID, 0);
}

static void rdmsr_returns_what_the_host_says(struct kunit *test)
{
	struct coco_insn i = { .ax = JUNK, .bx = JUNK, .cx = SOME_MSR, .dx = JUNK };
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = run(test, do_rdmsr, &i,
		HOST_REPLIES(REASON_RDMSR, BIT(0) | BIT(1), 0, 0x0123456789abcdefull));

	expect_next_instruction(test, &i);
	KUNIT_EXPECT_EQ(test, i.ax, 0x89abcdeful);
	KUNIT_EXPECT_EQ(test, i.dx, 0x01234567ul);
	KUNIT_EXPECT_EQ(test, i.cx, (unsigned long)SOME_MSR);
	KUNIT_EXPECT_EQ(test, (u64)i.bx, JUNK);
	expect_one_call(test, w, &i, REASON_RDMSR, SOME_MSR, 0, R(10) | R(11) | R(12));
}

static void rdmsr_refused_by_the_host_faults(struct kunit *test)
{
	struct coco_insn i = { .cx = SOME_MSR };
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = run(test, do_rdmsr, &i, HOST_REFUSES(REASON_RDMSR));

	expect_fault(test, &i);
	expect_one_call(test, w, &i, REASON_RDMSR, SOME_MSR, 0, R(10) | R(11) | R(12));
}

static void rdmsr_safe_gives_eio_when_the_host_refuses(struct kunit *test)
{
	struct coco_window *w;
	u32 low, high;
	int error;

	need_tdx_and_machine(test);
	w = coco_window(test);
	coco_window_begin_scripted(w, HOST_REFUSES(REASON_RDMSR));
	error = rdmsr_safe(SOME_MSR, &low, &high);
	coco_window_end(w);
	KUNIT_EXPECT_EQ(test, error, -EIO);
	COCO_EXPECT_APPLIED(test, w, 1);
}

static void wrmsr_tells_the_host_both_halves(struct kunit *test)
{
	struct coco_insn i = { .ax = 0x89abcdef, .bx = JUNK, .cx = SOME_MSR, .dx = 0x01234567 };
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = run(test, do_wrmsr, &i, HOST_REPLIES(REASON_WRMSR, BIT(0), 0));

	expect_next_instruction(test, &i);
	KUNIT_EXPECT_EQ(test, i.ax, 0x89abcdeful);
	KUNIT_EXPECT_EQ(test, i.cx, (unsigned long)SOME_MSR);
	KUNIT_EXPECT_EQ(test, i.dx, 0x01234567ul);
	expect_one_call(test, w, &i, REASON_WRMSR, SOME_MSR, 0x0123456789abcdefull,
			R(10) | R(11) | R(12) | R(13));
}

static void wrmsr_refused_by_the_host_faults(struct kunit *test)
{
	struct coco_insn i = { .ax = 1, .cx = SOME_MSR };
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = run(test, do_wrmsr, &i, HOST_REFUSES(REASON_WRMSR));

	expect_fault(test, &i);
	expect_one_call(test, w, &i, REASON_WRMSR, SOME_MSR, 1, R(10) | R(11) | R(12) | R(13));
}

/* The host may put anything into R11 beyond the size asked for */
static void in_returns_what_the_host_says(struct kunit *test)
{
	const struct port_case *c = test->param_value;
	struct coco_insn i = { .bx = JUNK, .dx = SOME_PORT };
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = run(test, c->in, &i, HOST_REPLIES(REASON_IO, BIT(0) | BIT(1), 0, 0x89abcdef));

	expect_next_instruction(test, &i);
	KUNIT_EXPECT_EQ(test, i.ax & c->data, 0x89abcdef & c->data);
	KUNIT_EXPECT_EQ(test, i.dx, (unsigned long)SOME_PORT);
	KUNIT_EXPECT_EQ(test, (u64)i.bx, JUNK);
	expect_one_call(test, w, &i, REASON_IO, c->size, PORT_READ,
			R(10) | R(11) | R(12) | R(13) | R(14));
}

/* SDM vol. 1, 3.4.1.1: 8- and 16-bit results leave the rest, 32-bit ones clear it */
static void in_changes_only_its_part_of_rax(struct kunit *test)
{
	const struct port_case *c = test->param_value;
	struct coco_insn i = { .ax = JUNK, .dx = SOME_PORT };

	need_tdx_and_machine(test);
	/* Each bit of the answer differs from the one that is there */
	run(test, c->in, &i, HOST_REPLIES(REASON_IO, BIT(0) | BIT(1), 0, ~JUNK));
	KUNIT_EXPECT_EQ(test, (u64)i.ax, (JUNK & ~c->written) | (~JUNK & c->data));
}

static void in_refused_by_the_host_faults(struct kunit *test)
{
	const struct port_case *c = test->param_value;
	struct coco_insn i = { .dx = SOME_PORT };

	need_tdx_and_machine(test);
	run(test, c->in, &i, HOST_REFUSES(REASON_IO));
	expect_fault(test, &i);
}

static void out_tells_the_host_port_and_size(struct kunit *test)
{
	const struct port_case *c = test->param_value;
	/* The bit behind a byte, a word, a dword is one */
	struct coco_insn i = { .ax = ~JUNK, .bx = JUNK, .dx = SOME_PORT };
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = run(test, c->out, &i, HOST_REPLIES(REASON_IO, BIT(0), 0));

	expect_next_instruction(test, &i);
	KUNIT_EXPECT_EQ(test, (u64)i.ax, ~JUNK);
	KUNIT_EXPECT_EQ(test, i.dx, (unsigned long)SOME_PORT);
	expect_one_call(test, w, &i, REASON_IO, c->size, PORT_WRITE,
			R(10) | R(11) | R(12) | R(13) | R(14) | R(15));
}

static void out_refused_by_the_host_faults(struct kunit *test)
{
	const struct port_case *c = test->param_value;
	struct coco_insn i = { .dx = SOME_PORT };

	need_tdx_and_machine(test);
	run(test, c->out, &i, HOST_REFUSES(REASON_IO));
	expect_fault(test, &i);
}

/* No script here: PCI's address register keeps what is written to it, as a whole */
static void out_and_in_reach_the_same_device(struct kunit *test)
{
	const unsigned long port = 0xcf8, address = 0x80000000;
	struct coco_insn saved = { .dx = port }, in = { .dx = port };
	struct coco_insn out = { .ax = address, .dx = port };
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = coco_window(test);
	/* Between these the kernel must not use the register itself */
	coco_window_begin(w);
	do_in32(&saved);
	do_out32(&out);
	do_in32(&in);
	saved.dx = port;
	do_out32(&saved);
	coco_window_end(w);
	KUNIT_EXPECT_EQ(test, in.ax, address);
}

static void hlt_tells_the_host_that_interrupts_are_off(struct kunit *test)
{
	struct coco_insn i = { .ax = JUNK, .bx = JUNK, .cx = JUNK, .dx = JUNK };
	struct coco_window *w;

	need_tdx_and_machine(test);
	/* The reply is the wake-up */
	w = run(test, do_hlt, &i, HOST_REPLIES(REASON_HLT, BIT(0), 0));

	expect_next_instruction(test, &i);
	KUNIT_EXPECT_EQ(test, (u64)i.ax, JUNK);
	KUNIT_EXPECT_EQ(test, (u64)i.bx, JUNK);
	expect_one_call(test, w, &i, REASON_HLT, 1, 0, R(10) | R(11) | R(12));
}

/* GHCI 344426, TDG.VP.VMCALL: an R10 that is not 0 is the host's own interface */
#define SOME_HYPERCALL	0x7fffu
#define VENDOR_CALL	(BIT_ULL(63) | SOME_HYPERCALL)

static void kvms_hypercall_hands_over_number_and_arguments(struct kunit *test)
{
	struct coco_window *w = coco_window(test);
	const struct coco_event *call;
	long ret = 0;

	need_tdx_and_machine(test);
	coco_window_begin_scripted(w, HOST_REPLIES(VENDOR_CALL, BIT(0), 0x123456789abcull));
#if IS_ENABLED(CONFIG_KVM_GUEST) && IS_ENABLED(CONFIG_INTEL_TDX_GUEST)
	ret = kvm_hypercall4(SOME_HYPERCALL, 0x11, 0x22, 0x33, 0x44);
#endif
	coco_window_end(w);
	KUNIT_EXPECT_EQ(test, ret, 0x123456789abcl);
	COCO_EXPECT_APPLIED(test, w, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_VE, COCO_ANY, 0);
	COCO_EXPECT_EXITS(test, w, COCO_EV_TDVMCALL, COCO_ANY, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_BREACH, COCO_ANY, 0);
	call = coco_window_find(w, COCO_EV_TDVMCALL, VENDOR_CALL, 0);
	KUNIT_ASSERT_NOT_NULL(test, call);
	/* R11 has the first argument, R12 and R13 are the next two */
	KUNIT_EXPECT_EQ(test, call->info1, 0x22ull);
	KUNIT_EXPECT_EQ(test, call->info2, 0x33ull);
	KUNIT_EXPECT_EQ(test, call->mask & NEVER_EXPOSED, 0ull);
}

static struct kunit_suite ve_suite = {
	.name = "ve",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = ve_cases,
};
kunit_test_suite(ve_suite);

MODULE_DESCRIPTION("#VE in kernel mode: CPUID, MSR, port I/O, HLT");
MODULE_LICENSE("GPL");
