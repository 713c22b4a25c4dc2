// SPDX-License-Identifier: GPL-2.0
/*
 * #VE from user space: CPUID is answered, everything else is refused.
 *
 * Path:        user instruction -> #VE -> TDG.VP.VEINFO.GET -> virt_exception_user() ->
 *              TDVMCALL, or a signal
 * Upstream:    9a22bf6debbf ("x86/traps: Add #VE support for TDX guest")
 *              c141fa2c2bba ("x86/tdx: Handle CPUID via #VE")
 * Without it:  user space reaches the host behind the kernel's back, or takes the
 *              host's word for what the TDX module vouches for.
 *
 * Each exit is counted: exactly so many #VE with CPL 3 at our instruction, and
 * exactly so many TDVMCALLs for them.
 */

#include "kselftest_harness.h"
#include "../lib/need.h"
#include "../lib/window.h"

/* VMX exit reasons, which are the TDVMCALL leaves too (GHCI 344426, 3) */
#define EXIT_CPUID	10
#define EXIT_IO		30

/* Exit qualification of I/O instructions (SDM vol. 3, table 28-5) */
#define IO_SIZE(n)	((uint64_t)(n) - 1)
#define IO_IN		8ull
#define IO_PORT(port)	((uint64_t)(port) << 16)

/* TDVMCALL's RCX: the registers that the host sees; CPUID has R10 to R15 (GHCI, TDG.VP.VMCALL<Instruction.CPUID>) */
#define MASK_R10_TO_R15	0xfc00ull

#define FREE_PORT	0xe0

#define NEED_SUITE()	NEED_VE()
#include "../lib/privileged.h"

#define TRAP_VE		20

FIXTURE(ve) {
	struct window w;
};

FIXTURE_SETUP(ve)
{
	ASSERT_EQ(0, pin_to_cpu0());
}

FIXTURE_TEARDOWN(ve)
{
	machine_rule_del(0);
}

/* The next CPUID call is answered so: R10 (status), R11, R12 to R15 */
static int64_t answer_cpuid(const uint64_t reply[6])
{
	struct coco_rule rule = {
		.kind = COCO_EV_TDVMCALL, .action = COCO_REPLY, .count = 1, .code = EXIT_CPUID,
		.reply_mask = 0x3d,
	};

	memcpy(rule.reply, reply, sizeof(rule.reply));
	return machine_rule_add(&rule);
}

/* ---- CPUID ---- */

TEST_F(ve, cpuid_of_the_hypervisor_range_costs_one_call)
{
	static const uint32_t leaves[][2] = {
		{ 0x40000000, 0 }, { 0x40000001, 0 }, { COCO_CPUID_INFO, 0 }, { 0x40000042, 7 }, { 0x4fffffff, 1 },
	};
	const struct coco_event *ve, *call;
	size_t i;

	NEED_VE();
	NEED_MACHINE();
	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		window_open(&self->w);
		cpuid(leaves[i][0], leaves[i][1]);
		window_close(&self->w);
		if (window_exceptions(&self->w) != 1 || window_calls(&self->w) != 1)
			TH_LOG("leaf 0x%x:", leaves[i][0]);
		EXPECT_EXITS(&self->w, 1, 1);
		ve = window_exception(&self->w, 0);
		call = window_call(&self->w, 0);
		ASSERT_NE(NULL, ve);
		ASSERT_NE(NULL, call);
		EXPECT_EQ(EXIT_CPUID, ve->code);
		EXPECT_EQ(EXIT_CPUID, call->code);
		EXPECT_EQ(leaves[i][0], call->info1);
		EXPECT_EQ(leaves[i][1], call->info2);
		EXPECT_EQ(MASK_R10_TO_R15, call->mask & MASK_R10_TO_R15);
	}
}

TEST_F(ve, cpuid_gives_the_machines_signature)
{
	struct cpuid c;

	NEED_VE();
	NEED_MACHINE();
	c = cpuid(COCO_CPUID_BASE, 0);
	EXPECT_EQ(COCO_CPUID_INFO, c.eax);
	EXPECT_EQ(COCO_SIGNATURE_EBX, c.ebx);
	EXPECT_EQ(COCO_SIGNATURE_ECX, c.ecx);
	EXPECT_EQ(COCO_SIGNATURE_EDX, c.edx);
}

TEST_F(ve, cpuid_gives_the_words_of_the_hosts_answer)
{
	static const uint64_t reply[6] = { 0, 0, 0x11223344, 0x55667788, 0x99aabbcc, 0xddeeff01 };
	struct cpuid c;

	NEED_VE();
	NEED_MACHINE();
	ASSERT_LT(0, answer_cpuid(reply));
	c = cpuid(0x40000000, 0);
	EXPECT_EQ(reply[2], c.eax);
	EXPECT_EQ(reply[3], c.ebx);
	EXPECT_EQ(reply[4], c.ecx);
	EXPECT_EQ(reply[5], c.edx);
}

/* CPUID clears the upper halves of its four registers (SDM vol. 2); the host's R12 to R15 are 64 bits wide */
TEST_F(ve, cpuid_clears_the_upper_halves)
{
	static const uint64_t reply[6] = { 0, 0, ~0ull, ~0ull, ~0ull, ~0ull };
	uint64_t r[4];
	size_t i;

	NEED_VE();
	NEED_MACHINE();
	ASSERT_LT(0, answer_cpuid(reply));
	cpuid_registers(0x40000000, 0, r);
	for (i = 0; i < ARRAY_SIZE(r); i++)
		EXPECT_EQ(0, r[i] >> 32);
}

/* What the TDX module does not answer outside the range must not be taken from the host: zero */
static const struct cpuid_case {
	uint32_t leaf;
	int zero;			/* in a TD without reduced #VE the module leaves these to the guest */
} cpuid_cases[] = {
	{ 0x00000000, 0 },
	{ 0x00000001, 0 },
	{ 0x00000002, 1 },
	{ 0x00000007, 0 },
	{ 0x0000000b, 1 },
	{ 0x00000021, 0 },
	{ 0x80000000, 0 },
	{ 0x80000001, 0 },
	{ 0x80000002, 1 },
	{ 0x80000006, 1 },
	{ 0x80000008, 0 },
};

TEST_F(ve, cpuid_outside_the_hypervisor_range_never_asks_the_host)
{
	static const uint64_t reply[6] = { 0, 0, 0x11223344, 0x55667788, 0x99aabbcc, 0xddeeff01 };
	int64_t rule;
	size_t i;

	NEED_VE();
	NEED_MACHINE();
	rule = answer_cpuid(reply);
	ASSERT_LT(0, rule);
	for (i = 0; i < ARRAY_SIZE(cpuid_cases); i++) {
		const struct cpuid_case *c = &cpuid_cases[i];
		struct cpuid got;
		int cost;

		window_open(&self->w);
		got = cpuid(c->leaf, 0);
		window_close(&self->w);
		cost = window_exceptions(&self->w);
		if (cost > c->zero || window_calls(&self->w))
			TH_LOG("leaf 0x%x:", c->leaf);
		EXPECT_LE(cost, c->zero);
		EXPECT_EXITS(&self->w, cost, 0);
		EXPECT_EQ(!cost, !!(got.eax | got.ebx | got.ecx | got.edx));
	}
	EXPECT_EQ(0, machine_rule_hits(rule));
}

/* ---- RDTSC, RDTSCP: the TDX module never intercepts them ---- */

TEST_F(ve, time_stamp_counts_up_at_no_cost)
{
	uint64_t first, second;
	uint32_t aux = ~0u;

	NEED_VE();
	window_open(&self->w);
	first = rdtsc();
	second = rdtscp(&aux);
	window_close(&self->w);
	EXPECT_LT(first, second);
	EXPECT_EQ(0, aux & 0xfff);		/* Linux: node << 12 | CPU */
	EXPECT_EXITS(&self->w, 0, 0);
}

/* ---- port I/O: user space gets none, with or without permission ---- */

FIXTURE(ve_io) {
	struct window w;
};

FIXTURE_VARIANT(ve_io) {
	void (*access)(void);
	uint64_t qualification;
};

static void in_byte(void)
{
	io_in(FREE_PORT, 1, 0);
}

static void in_word(void)
{
	io_in(FREE_PORT, 2, 0);
}

static void in_dword(void)
{
	io_in(FREE_PORT, 4, 0);
}

static void out_byte(void)
{
	io_out(FREE_PORT, 1, 0);
}

static void out_word(void)
{
	io_out(FREE_PORT, 2, 0);
}

static void out_dword(void)
{
	io_out(FREE_PORT, 4, 0);
}

FIXTURE_VARIANT_ADD(ve_io, in_byte) { in_byte, IO_PORT(FREE_PORT) | IO_SIZE(1) | IO_IN };
FIXTURE_VARIANT_ADD(ve_io, in_word) { in_word, IO_PORT(FREE_PORT) | IO_SIZE(2) | IO_IN };
FIXTURE_VARIANT_ADD(ve_io, in_dword) { in_dword, IO_PORT(FREE_PORT) | IO_SIZE(4) | IO_IN };
FIXTURE_VARIANT_ADD(ve_io, out_byte) { out_byte, IO_PORT(FREE_PORT) | IO_SIZE(1) };
FIXTURE_VARIANT_ADD(ve_io, out_word) { out_word, IO_PORT(FREE_PORT) | IO_SIZE(2) };
FIXTURE_VARIANT_ADD(ve_io, out_dword) { out_dword, IO_PORT(FREE_PORT) | IO_SIZE(4) };

FIXTURE_SETUP(ve_io)
{
	ASSERT_EQ(0, pin_to_cpu0());
}

FIXTURE_TEARDOWN(ve_io)
{
}

/* The I/O permission bitmap is the processor's: #GP comes before #VE */
TEST_F(ve_io, port_not_permitted_is_refused_without_exit)
{
	struct fault fault;

	NEED_VE();
	window_open(&self->w);
	fault = fault_of(variant->access);
	window_close(&self->w);
	EXPECT_EQ(SIGSEGV, fault.signal);
	EXPECT_EQ(TRAP_GP, fault.trapno);
	EXPECT_EXITS(&self->w, 0, 0);
}

/* Linux handles no #VE of user space but CPUID's */
TEST_F(ve_io, permitted_port_is_refused_without_asking_the_host)
{
	const struct coco_event *ve;
	struct fault fault;

	NEED_VE();
	NEED_PORTS(FREE_PORT, 4);
	window_open(&self->w);
	fault = fault_of(variant->access);
	window_close(&self->w);
	EXPECT_EQ(SIGSEGV, fault.signal);
	EXPECT_EQ(TRAP_VE, fault.trapno);
	EXPECT_EXITS(&self->w, 1, 0);
	ve = window_exception(&self->w, 0);
	if (!ve)
		return;
	EXPECT_EQ(EXIT_IO, ve->code);
	EXPECT_EQ(variant->qualification, ve->info1);
}

/* ---- TDCALL: #GP at any CPL but 0 (TDX module base specification, TDCALL) ---- */

TEST_F(ve, tdcall_is_refused_without_exit)
{
	struct fault fault;
	int i, calls = 0;

	NEED_VE();
	window_open(&self->w);
	fault = fault_of(insn_tdcall);
	window_close(&self->w);
	EXPECT_EQ(SIGSEGV, fault.signal);
	EXPECT_EQ(TRAP_GP, fault.trapno);
	EXPECT_EXITS(&self->w, 0, 0);
	for (i = 0; i < self->w.n; i++)
		calls += self->w.events[i].cpl == 3;
	EXPECT_EQ(0, calls);
}

TEST_HARNESS_MAIN
