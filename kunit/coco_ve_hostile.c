// SPDX-License-Identifier: GPL-2.0
/*
 * #VE with a host that does not answer as it should.
 *
 * Path:        #VE, exit reasons 10, 12, 30, 31, 32, 48 -> TDG.VP.VMCALL that fails,
 *              gives more bits than asked for, or leaves anything in the other registers
 * Upstream:    9a22bf6debbf ("x86/traps: Add #VE support for TDX guest"),
 *              0f63e656b1c6 ("x86/tdx: Fix off-by-one in port I/O handling") CVE-2026-89751
 * Without it:  the TD computes with what the host slipped in, or the host reads
 *              registers that were none of its business.
 *
 * TDX module ABI 348551, TDG.VP.VMCALL: registers that RCX exposes are the
 * host's to read and to change.  The machine's host leaves a value of its own in
 * each that is no output of the leaf, and every value shown to it that the leaf
 * does not take is a breach (GHCI 344426, section 3).
 */
#include <linux/io.h>
#include "lib/insn_all.h"
#include "lib/ve.h"

/* One row an instruction, with something in every register */
static void registers_that_are_no_output_stay(struct kunit *test);
static void host_sees_no_register_but_the_inputs(struct kunit *test);
static void failed_call_faults_and_changes_nothing(struct kunit *test);
/* One row a value of R10 */
static void any_status_but_zero_is_a_failure(struct kunit *test);
/* Bits beyond the size */
static void in_takes_just_its_bits(struct kunit *test);
static void out_shows_just_its_bits(struct kunit *test);
static void cpuid_takes_just_32_bits(struct kunit *test);
static void rdmsr_takes_the_answer_in_halves(struct kunit *test);

COCO_INSN_UP(do_cpuid, "cpuid")
COCO_INSN_UP(do_rdmsr, "rdmsr")
COCO_INSN_UP(do_wrmsr, "wrmsr")
COCO_INSN_UP(do_in8, "inb %%dx, %%al")
COCO_INSN_UP(do_in16, "inw %%dx, %%ax")
COCO_INSN_UP(do_in32, "inl %%dx, %%eax")
COCO_INSN_UP(do_out8, "outb %%al, %%dx")
COCO_INSN_UP(do_out16, "outw %%ax, %%dx")
COCO_INSN_UP(do_out32, "outl %%eax, %%dx")
COCO_INSN_UP(do_hlt, "hlt")
COCO_INSN_UP(do_mmio_read, "movl (%%rbx), %%eax")
COCO_INSN_UP(do_mmio_write, "movl %%eax, (%%rbx)")

#define AX	BIT(0)
#define BX	BIT(1)
#define CX	BIT(2)
#define DX	BIT(3)

struct call_case {
	const char *name;
	void (*insn)(struct coco_regs *r);
	u64 reason;
	unsigned int inputs, outputs;	/* registers of the instruction */
	unsigned long in[4];		/* AX, BX, CX, DX where they are inputs */
	bool device;			/* BX is the hole's address */
};

static const struct call_case call_cases[] = {
	{ "cpuid", do_cpuid, REASON_CPUID, AX | CX, AX | BX | CX | DX, { 0x40000042, 0, 7 } },
	{ "rdmsr", do_rdmsr, REASON_RDMSR, CX, AX | DX, { 0, 0, SOME_MSR } },
	{ "wrmsr", do_wrmsr, REASON_WRMSR, AX | CX | DX, 0, { 1, 0, SOME_MSR, 2 } },
	{ "in", do_in32, REASON_IO, DX, AX, { 0, 0, 0, SOME_PORT } },
	{ "out", do_out32, REASON_IO, AX | DX, 0, { 0x12345678, 0, 0, SOME_PORT } },
	{ "hlt", do_hlt, REASON_HLT, 0, 0 },
	{ "mmio_read", do_mmio_read, REASON_EPT, 0, AX, .device = true },
	{ "mmio_write", do_mmio_write, REASON_EPT, AX, 0, { 0x12345678 }, .device = true },
};
KUNIT_ARRAY_PARAM_DESC(call, call_cases, name);

struct status_case {
	const char *name;
	u64 status;
};

static const struct status_case status_cases[] = {
	{ "lowest_bit", STATUS_RETRY },
	{ "upper_half_only", BIT_ULL(32) },
	{ "highest_bit", STATUS_INVALID_OPERAND },
	{ "all_bits", ~0ull },
};
KUNIT_ARRAY_PARAM_DESC(status, status_cases, name);

struct port_case {
	const char *name;
	void (*in)(struct coco_regs *r);
	void (*out)(struct coco_regs *r);
	u64 written;			/* bits of RAX that IN writes, zero extension included */
	u64 data;			/* bits of RAX that are data */
};

static const struct port_case port_cases[] = {
	{ "byte", do_in8, do_out8, 0xff, 0xff },
	{ "word", do_in16, do_out16, 0xffff, 0xffff },
	{ "dword", do_in32, do_out32, ~0ull, 0xffffffff },
};
KUNIT_ARRAY_PARAM_DESC(port, port_cases, name);

static struct kunit_case ve_hostile_cases[] = {
	KUNIT_CASE_PARAM(registers_that_are_no_output_stay, call_gen_params),
	KUNIT_CASE_PARAM(host_sees_no_register_but_the_inputs, call_gen_params),
	KUNIT_CASE_PARAM(failed_call_faults_and_changes_nothing, call_gen_params),
	KUNIT_CASE_PARAM(any_status_but_zero_is_a_failure, status_gen_params),
	KUNIT_CASE_PARAM(in_takes_just_its_bits, port_gen_params),
	KUNIT_CASE_PARAM(out_shows_just_its_bits, port_gen_params),
	KUNIT_CASE(cpuid_takes_just_32_bits),
	KUNIT_CASE(rdmsr_takes_the_answer_in_halves),
	{}
};

/* No memory, no device */
#define HOLE		0x1000000000ull
/* What the general registers are in struct coco_regs, from AX on */
#define REGISTERS	14
#define SECRET(n)	(0x5ec2e75ec2e75e00ull | (n))
/* RAX, RCX, RSP are reserved; RBP is no leaf's; XMM neither */
#define NEVER_SHOWN	(NEVER_EXPOSED | R(5) | 0xffff0000ull)

static void __iomem *hole;

static struct coco_regs registers_of(const struct call_case *c)
{
	struct coco_regs r = { 0 };
	unsigned long *file = &r.ax;
	int n;

	for (n = 0; n < REGISTERS; n++)
		file[n] = n < 4 && c->inputs & BIT(n) ? c->in[n] : SECRET(n);
	if (c->device)
		r.bx = (unsigned long)hole;
	return r;
}

static struct coco_window *run(struct kunit *test, void (*insn)(struct coco_regs *r),
			       struct coco_regs *r, const struct coco_rule *rule)
{
	struct coco_window *w = coco_window(test);

	coco_window_begin_scripted(w, rule);
	insn(r);
	coco_window_end(w);
	COCO_EXPECT_APPLIED(test, w, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_VE, COCO_ANY, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_TDVMCALL, COCO_ANY, 1);
	return w;
}

static void expect_unchanged(struct kunit *test, const struct coco_regs *before,
			     const struct coco_regs *after, unsigned int but)
{
	const unsigned long *old = &before->ax, *new = &after->ax;
	int n;

	for (n = 0; n < REGISTERS; n++)
		if (!(but & BIT(n)))
			KUNIT_EXPECT_EQ_MSG(test, new[n], old[n], "register %d", n);
}

static void registers_that_are_no_output_stay(struct kunit *test)
{
	const struct call_case *c = test->param_value;
	struct coco_regs before, r;

	need_tdx_and_machine(test);
	before = registers_of(c);
	r = before;
	run(test, c->insn, &r, HOST_REPLIES(c->reason, BIT(0), STATUS_SUCCESS));
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	expect_unchanged(test, &before, &r, c->outputs);
}

static void host_sees_no_register_but_the_inputs(struct kunit *test)
{
	const struct call_case *c = test->param_value;
	const struct coco_event *call;
	struct coco_window *w;
	struct coco_regs r;

	need_tdx_and_machine(test);
	r = registers_of(c);
	w = run(test, c->insn, &r, HOST_REPLIES(c->reason, BIT(0), STATUS_SUCCESS));
	COCO_EXPECT_EXITS(test, w, COCO_EV_BREACH, COCO_ANY, 0);
	call = coco_window_find(w, COCO_EV_TDVMCALL, c->reason, 0);
	KUNIT_ASSERT_NOT_NULL(test, call);
	KUNIT_EXPECT_EQ(test, call->mask & NEVER_SHOWN, 0ull);
}

/* RAX is the exception table's then */
static void failed_call_faults_and_changes_nothing(struct kunit *test)
{
	const struct call_case *c = test->param_value;
	struct coco_regs before, r;

	need_tdx_and_machine(test);
	before = registers_of(c);
	r = before;
	run(test, c->insn, &r,
	    HOST_REPLIES(c->reason, 0x3f, STATUS_INVALID_OPERAND, JUNK, JUNK, JUNK, JUNK, JUNK));
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_VECTOR_VE);
	expect_unchanged(test, &before, &r, AX);
}

static void any_status_but_zero_is_a_failure(struct kunit *test)
{
	const struct status_case *c = test->param_value;
	struct coco_regs r = { .cx = SOME_MSR };

	need_tdx_and_machine(test);
	run(test, do_rdmsr, &r, HOST_REPLIES(REASON_RDMSR, BIT(0), c->status));
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_VECTOR_VE);
}

/* SDM vol. 1, 3.4.1.1: 8- and 16-bit results leave the rest, 32-bit ones clear it */
static void in_takes_just_its_bits(struct kunit *test)
{
	const struct port_case *c = test->param_value;
	struct coco_regs r = { .ax = JUNK, .dx = SOME_PORT };

	need_tdx_and_machine(test);
	run(test, c->in, &r, HOST_REPLIES(REASON_IO, BIT(0) | BIT(1), STATUS_SUCCESS, ~0ull));
	KUNIT_EXPECT_EQ(test, (u64)r.ax, (JUNK & ~c->written) | c->data);
}

/* What there is beyond is a breach */
static void out_shows_just_its_bits(struct kunit *test)
{
	const struct port_case *c = test->param_value;
	struct coco_regs r = { .ax = ~0ul, .dx = SOME_PORT };
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = run(test, c->out, &r, HOST_REPLIES(REASON_IO, BIT(0), STATUS_SUCCESS));
	COCO_EXPECT_EXITS(test, w, COCO_EV_BREACH, COCO_ANY, 0);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
}

/* SDM vol. 2, CPUID: in 64-bit mode the upper halves are cleared */
static void cpuid_takes_just_32_bits(struct kunit *test)
{
	struct coco_regs r = { .ax = 0x40000042 };

	need_tdx_and_machine(test);
	run(test, do_cpuid, &r,
	    HOST_REPLIES(REASON_CPUID, 0x3d, STATUS_SUCCESS, 0, ~0ull, ~0ull, ~0ull, ~0ull));
	KUNIT_EXPECT_EQ(test, r.ax, 0xfffffffful);
	KUNIT_EXPECT_EQ(test, r.bx, 0xfffffffful);
	KUNIT_EXPECT_EQ(test, r.cx, 0xfffffffful);
	KUNIT_EXPECT_EQ(test, r.dx, 0xfffffffful);
}

static void rdmsr_takes_the_answer_in_halves(struct kunit *test)
{
	struct coco_regs r = { .ax = JUNK, .cx = SOME_MSR, .dx = JUNK };

	need_tdx_and_machine(test);
	run(test, do_rdmsr, &r,
	    HOST_REPLIES(REASON_RDMSR, BIT(0) | BIT(1), STATUS_SUCCESS, ~0ull));
	KUNIT_EXPECT_EQ(test, r.ax, 0xfffffffful);
	KUNIT_EXPECT_EQ(test, r.dx, 0xfffffffful);
}

static int hostile_begin(struct kunit *test)
{
	int error = coco_case_begin(test);

	if (error || coco_technology() != COCO_TDX || !coco_machine())
		return error;
	hole = ioremap(HOLE, PAGE_SIZE);
	return hole ? 0 : -ENOMEM;
}

static void hostile_end(struct kunit *test)
{
	if (hole)
		iounmap(hole);
	hole = NULL;
	coco_case_end(test);
}

static struct kunit_suite ve_hostile_suite = {
	.name = "ve_hostile",
	.init = hostile_begin,
	.exit = hostile_end,
	.test_cases = ve_hostile_cases,
};
kunit_test_suite(ve_hostile_suite);

MODULE_DESCRIPTION("#VE with a host that does not answer as it should");
MODULE_LICENSE("GPL");
COCO_INJECTS_FAULTS;
