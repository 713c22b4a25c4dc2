// SPDX-License-Identifier: GPL-2.0
/*
 * #VC from user space: what the instruction gives, and what it costs.
 *
 * Path:        user instruction -> #VC -> asm_exc_vmm_communication -> GHCB, or the SNP
 *              CPUID table -> back to the next instruction, or a signal
 * Upstream:    25189d08e516 ("x86/sev-es: Add support for handling IOIO exceptions")
 *              ee0bfa08a345 ("x86/compressed/64: Add support for SEV-SNP CPUID table in #VC handlers")
 *              6bc6f7d9d7ac ("x86/sev: Use the GHCB protocol when available for SNP CPUID requests")
 *              b9cb9c45583b ("x86/sev: Check IOBM for IOIO exceptions from user-space") CVE-2023-46813
 *              bffe30dd9f1f ("x86/sev-es: Use __copy_from_user_inatomic()")
 * Without it:  user space sees values that no processor and no host gave, reaches ports
 *              it was not given, an SNP guest believes what the host says of its CPU, or the
 *              handler waits for a page where it must not.
 *
 * Each exit is counted: exactly so many #VC with CPL 3 at our instruction, and
 * exactly so many VMGEXITs for them.
 */
#include "kselftest_harness.h"
#include "../lib/need.h"
#include "../lib/window.h"
#include "cmos.h"
#include "ioio.h"

/* SVM exit codes, the same in #VC and GHCB (APM vol. 2, appendix C) */
#define EXIT_RDTSC	0x6e
#define EXIT_CPUID	0x72
#define EXIT_RDTSCP	0x87

/* SW_EXITINFO1 in the reply: raise the exception in SW_EXITINFO2 (GHCB specification, 4.1) */
#define RESULT_EXCEPTION	1
#define EVENT_EXCEPTION(vector)	(1ull << 31 | 3ull << 8 | (vector))
#define EVENT_ERROR_CODE	(1ull << 11)

#define NEED_ES()	NEED_TECHNOLOGY(1u << COCO_SEV_ES)
#define NEED_SNP()	NEED_TECHNOLOGY(1u << COCO_SEV_SNP)

#define NEED_SUITE()	NEED_VC()
#include "../lib/privileged.h"

FIXTURE(vc) {
	struct window w;
};

FIXTURE_SETUP(vc)
{
	ASSERT_EQ(0, pin_to_cpu0());
}

FIXTURE_TEARDOWN(vc)
{
	machine_rule_del(0);
}

/* The next call with this code is answered so: words in the order of coco_abi.h */
static int64_t answer(uint64_t code, uint32_t words, const uint64_t reply[6])
{
	struct coco_rule rule = {
		.kind = COCO_EV_GHCB, .action = COCO_REPLY, .count = 1, .code = code, .reply_mask = words,
	};

	memcpy(rule.reply, reply, sizeof(rule.reply));
	return machine_rule_add(&rule);
}

/* ---- CPUID ---- */

/* Leaves 1, 0xb and 0x8000001e have the vCPU's number, which only the host knows (GHCB 4.1.1; SNP ABI, CPUID) */
static const struct cpuid_case {
	uint32_t leaf;
	bool snp_asks;
} cpuid_cases[] = {
	{ 0x00000000, false },
	{ 0x00000001, true },
	{ 0x00000005, false },
	{ 0x00000006, false },
	{ 0x00000007, false },
	{ 0x0000000b, true },
	{ 0x40000000, false },
	{ 0x40000001, false },
	{ COCO_CPUID_INFO, false },
	{ 0x80000000, false },
	{ 0x80000001, false },
	{ 0x80000002, false },
	{ 0x80000008, false },
	{ 0x8000001e, true },
	{ 0x8000001f, false },
};

TEST_F(vc, cpuid_leaf_costs_one_exit_or_a_table_look_up)
{
	const struct coco_event *vc, *ghcb;
	bool in_es = technology_active() == COCO_SEV_ES;
	size_t i;

	NEED_VC();
	NEED_MACHINE();
	for (i = 0; i < ARRAY_SIZE(cpuid_cases); i++) {
		const struct cpuid_case *c = &cpuid_cases[i];
		int calls = in_es || c->snp_asks;

		window_open(&self->w);
		cpuid(c->leaf, 0);
		window_close(&self->w);
		if (window_exceptions(&self->w) != 1 || window_calls(&self->w) != calls)
			TH_LOG("leaf 0x%x:", c->leaf);
		EXPECT_EXITS(&self->w, 1, calls);
		vc = window_exception(&self->w, 0);
		ASSERT_NE(NULL, vc);
		EXPECT_EQ(EXIT_CPUID, vc->code);
		ghcb = window_call(&self->w, 0);
		if (!ghcb)
			continue;
		EXPECT_EQ(COCO_GHCB_RAX | COCO_GHCB_RCX, ghcb->mask & (COCO_GHCB_RAX | COCO_GHCB_RCX));
		EXPECT_EQ(0, ghcb->info1);
		EXPECT_EQ(0, ghcb->info2);
	}
}

TEST_F(vc, cpuid_gives_the_machines_signature)
{
	struct cpuid c;

	NEED_VC();
	NEED_MACHINE();
	c = cpuid(COCO_CPUID_BASE, 0);
	EXPECT_EQ(COCO_CPUID_INFO, c.eax);
	EXPECT_EQ(COCO_SIGNATURE_EBX, c.ebx);
	EXPECT_EQ(COCO_SIGNATURE_ECX, c.ecx);
	EXPECT_EQ(COCO_SIGNATURE_EDX, c.edx);
}

TEST_F(vc, cpuid_gives_the_words_of_the_hosts_answer)
{
	static const uint64_t reply[6] = { 0, 0, 0x11223344, 0x55667788, 0x99aabbcc, 0xddeeff01 };
	struct cpuid c;

	NEED_ES();
	NEED_MACHINE();
	ASSERT_LT(0, answer(EXIT_CPUID, 0x3f, reply));
	c = cpuid(0x80000005, 0);
	EXPECT_EQ(reply[2], c.eax);
	EXPECT_EQ(reply[3], c.ebx);
	EXPECT_EQ(reply[4], c.ecx);
	EXPECT_EQ(reply[5], c.edx);
}

/*
 * CPUID clears the upper halves of its four registers (APM vol. 3); the GHCB's are
 * 64 bits wide.  Leaf 1 is one that SEV-SNP asks for too.
 */
TEST_F(vc, cpuid_clears_the_upper_halves)
{
	static const uint64_t reply[6] = { 0, 0, ~0ull, ~0ull, ~0ull, ~0ull };
	uint64_t r[4];
	size_t i;

	NEED_VC();
	NEED_MACHINE();
	ASSERT_LT(0, answer(EXIT_CPUID, 0x3f, reply));
	cpuid_registers(1, 0, r);
	for (i = 0; i < ARRAY_SIZE(r); i++)
		EXPECT_EQ(0, r[i] >> 32);
}

TEST_F(vc, snp_cpuid_table_is_not_overruled_by_the_host)
{
	static const uint64_t reply[6] = { 0, 0, 0x11223344, 0x55667788, 0x99aabbcc, 0xddeeff01 };
	struct cpuid before, after;
	int64_t rule;

	NEED_SNP();
	NEED_MACHINE();
	before = cpuid(0x80000002, 0);
	rule = answer(EXIT_CPUID, 0x3f, reply);
	ASSERT_LT(0, rule);
	after = cpuid(0x80000002, 0);
	EXPECT_EQ(0, machine_rule_hits(rule));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
}

/* SNP ABI, CPUID reporting: of leaf 1 only the APIC ID may be the host's word */
TEST_F(vc, snp_cpuid_leaf_1_takes_the_apic_id_alone_from_the_host)
{
	static const uint64_t reply[6] = { 0, 0, 0x11223344, 0x5a667788, 0x99aabbcc, 0xddeeff01 };
	struct cpuid before, after;

	NEED_SNP();
	NEED_MACHINE();
	before = cpuid(1, 0);
	ASSERT_LT(0, answer(EXIT_CPUID, 0x3f, reply));
	after = cpuid(1, 0);
	EXPECT_EQ(before.eax, after.eax);
	EXPECT_EQ((before.ebx & 0x00ffffff) | 0x5a000000, after.ebx);
	EXPECT_EQ(before.ecx, after.ecx);
	EXPECT_EQ(before.edx, after.edx);
}

TEST_F(vc, snp_cpuid_leaf_outside_the_table_is_zero)
{
	static const uint32_t leaves[] = { 0x400000f0, 0x5fffffff, 0x8fffffff, 0xc0000000 };
	size_t i;

	NEED_SNP();
	NEED_MACHINE();
	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		struct cpuid c;

		window_open(&self->w);
		c = cpuid(leaves[i], 0);
		window_close(&self->w);
		EXPECT_EQ(0, c.eax | c.ebx | c.ecx | c.edx);
		EXPECT_EXITS(&self->w, 1, 0);
	}
}

/* ---- RDTSC, RDTSCP: an exit each where the host intercepts them, which is not KVM ---- */

TEST_F(vc, time_stamp_counts_up_at_no_cost_or_one_exit)
{
	const struct coco_event *vc;
	uint64_t first, second;
	uint32_t aux = ~0u;
	int cost;

	NEED_VC();
	window_open(&self->w);
	first = rdtsc();
	second = rdtscp(&aux);
	window_close(&self->w);
	EXPECT_LT(first, second);
	EXPECT_EQ(0, aux & 0xfff);		/* Linux: node << 12 | CPU */
	cost = window_exceptions(&self->w);
	EXPECT_EXITS(&self->w, cost ? 2 : 0, cost ? 2 : 0);
	vc = window_exception(&self->w, 0);
	if (vc)
		EXPECT_EQ(EXIT_RDTSC, vc->code);
	vc = window_exception(&self->w, 1);
	if (vc)
		EXPECT_EQ(EXIT_RDTSCP, vc->code);
}

#include "port_io.h"

/* ---- the handler itself ---- */

/* A kernel with DEBUG_ATOMIC_SLEEP says so of who may sleep where nobody must, once a second at most */
#define MAY_SLEEP	"sleeping function called from invalid context"

TEST_F(vc, instruction_is_fetched_without_sleeping)
{
	struct cpuid c;
	int log;

	NEED_VC();
	if (!kernel_has("__might_sleep", NULL))
		SKIP(return, "this kernel does not say who may sleep (DEBUG_ATOMIC_SLEEP)");
	usleep(1100000);
	log = log_end();
	ASSERT_LE(0, log);
	c = cpuid(0x80000000, 0);
	EXPECT_LE(0x80000000, c.eax);
	EXPECT_FALSE(log_says(log, MAY_SLEEP));
	close(log);
}

/* ---- PVALIDATE (APM vol. 3): #GP at any CPL but 0 ---- */

TEST_F(vc, pvalidate_is_refused)
{
	struct fault fault;

	NEED_SNP();
	fault = fault_of(insn_pvalidate);
	EXPECT_EQ(SIGSEGV, fault.signal);
	EXPECT_EQ(TRAP_GP, fault.trapno);
}

TEST_HARNESS_MAIN
