// SPDX-License-Identifier: GPL-2.0
/*
 * #VC in a program, with an exit code that its instruction cannot have: SIGBUS.
 *
 * Path:        #VC with an exit code of the host's choice -> user_exc_vmm_communication() ->
 *              vc_check_opcode_bytes() -> SIGBUS
 * Upstream:    e3ef461af35a ("x86/sev: Harden #VC instruction emulation somewhat")
 *              CVE-2024-25742, CVE-2024-25743
 * Without it:  a host reads and writes registers of a program at any instruction, and has the
 *              kernel do for it what only the kernel may.
 *
 * The hypervisor may inject vector 29 with any error code (APM vol. 2, 15.20).  The
 * instruction is one that needs no host and reads and writes no register.
 */
#include "kselftest_harness.h"
#include "../lib/need.h"
#include "../lib/window.h"

/* APM vol. 2, appendix C */
#define EXIT_EXCEPTION	0x40
#define VECTOR_DB	1
#define VECTOR_AC	17
#define VECTOR_VC	29

#define GARBAGE		0xa5c3b9d7e1f20486ull

static struct {
	uint64_t rax, rbx, rcx, rdx;
} regs;

extern const char vc_injected_nop[];

/* One copy only: of its address.  RAX as address is harmless: it is not written to */
static __insn void do_nothing(void)
{
	asm volatile(".globl vc_injected_nop\nvc_injected_nop:\n\tnopl (%%rax)"
		     : "+a"(regs.rax), "+b"(regs.rbx), "+c"(regs.rcx), "+d"(regs.rdx) : : "memory");
}

FIXTURE(code) {
	struct window w;
};

FIXTURE_VARIANT(code) {
	uint64_t code;
};

FIXTURE_VARIANT_ADD(code, dr7_read) { 0x27 };
FIXTURE_VARIANT_ADD(code, dr7_write) { 0x37 };
FIXTURE_VARIANT_ADD(code, alignment_check) { EXIT_EXCEPTION + VECTOR_AC };
FIXTURE_VARIANT_ADD(code, rdtsc) { 0x6e };
FIXTURE_VARIANT_ADD(code, rdpmc) { 0x6f };
FIXTURE_VARIANT_ADD(code, cpuid) { 0x72 };
FIXTURE_VARIANT_ADD(code, invd) { 0x76 };
FIXTURE_VARIANT_ADD(code, ioio) { 0x7b };
FIXTURE_VARIANT_ADD(code, msr) { 0x7c };
FIXTURE_VARIANT_ADD(code, vmrun) { 0x80 };
FIXTURE_VARIANT_ADD(code, vmmcall) { 0x81 };
FIXTURE_VARIANT_ADD(code, rdtscp) { 0x87 };
FIXTURE_VARIANT_ADD(code, wbinvd) { 0x89 };
FIXTURE_VARIANT_ADD(code, monitor) { 0x8a };
FIXTURE_VARIANT_ADD(code, mwait) { 0x8b };
FIXTURE_VARIANT_ADD(code, npf) { 0x400 };
FIXTURE_VARIANT_ADD(code, none_there_is) { 0xfff };

FIXTURE_SETUP(code)
{
	ASSERT_EQ(0, pin_to_cpu0());
}

FIXTURE_TEARDOWN(code)
{
	machine_rule_del(0);
}

/* The instruction, with #VC of this code at it */
static struct fault run_with(struct __test_metadata *_metadata, struct window *w, uint64_t code)
{
	const struct coco_inject inject = {
		.type = COCO_INJECT_VC, .error_code = code, .rip = (uintptr_t)vc_injected_nop,
	};
	int64_t injected = machine_count(COCO_EV_INJECT, VECTOR_VC);
	struct fault fault;

	regs.rax = regs.rbx = regs.rcx = regs.rdx = GARBAGE;
	EXPECT_EQ(0, machine_inject(&inject));
	window_open(w);
	fault = fault_of(do_nothing);
	window_close(w);
	EXPECT_EQ(injected + 1, machine_count(COCO_EV_INJECT, VECTOR_VC));
	EXPECT_EQ(GARBAGE, regs.rax);
	EXPECT_EQ(GARBAGE, regs.rbx);
	EXPECT_EQ(GARBAGE, regs.rcx);
	EXPECT_EQ(GARBAGE, regs.rdx);
	return fault;
}

TEST_F(code, code_of_another_instruction_is_sigbus_without_call)
{
	int64_t calls, exits;
	struct fault fault;

	NEED_VC();
	NEED_MACHINE();
	calls = machine_count(COCO_EV_GHCB, variant->code);
	exits = machine_count(COCO_EV_VC, variant->code);
	fault = run_with(_metadata, &self->w, variant->code);
	EXPECT_EQ(SIGBUS, fault.signal);
	/* What the handler sends: that of an alignment check is SIGBUS, too */
	EXPECT_EQ(BUS_OBJERR, fault.si_code);
	EXPECT_EQ((uintptr_t)vc_injected_nop, fault.rip);
	/* Others may have asked the host, a console for one: after a #VC of their own each time */
	calls = machine_count(COCO_EV_GHCB, variant->code) - calls;
	exits = machine_count(COCO_EV_VC, variant->code) - exits;
	EXPECT_GE(exits, calls);
}

/* A debug exception is the guest's own, whoever intercepts it; with DR6 empty it is that of INT1 */
TEST(debug_code_is_sigtrap_without_call)
{
	int64_t calls = machine_count(COCO_EV_GHCB, EXIT_EXCEPTION + VECTOR_DB);
	struct window w;
	struct fault fault;

	NEED_VC();
	NEED_MACHINE();
	ASSERT_EQ(0, pin_to_cpu0());
	fault = run_with(_metadata, &w, EXIT_EXCEPTION + VECTOR_DB);
	EXPECT_EQ(SIGTRAP, fault.signal);
	EXPECT_EQ((uintptr_t)vc_injected_nop, fault.rip);
	EXPECT_EQ(calls, machine_count(COCO_EV_GHCB, EXIT_EXCEPTION + VECTOR_DB));
}

TEST_HARNESS_MAIN
