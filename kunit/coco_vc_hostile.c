// SPDX-License-Identifier: GPL-2.0
/*
 * #VC whose exit code does not belong to the instruction: the guest must end.
 *
 * Path:        #VC with an exit code of the host's choice -> vc_check_opcode_bytes()
 * Upstream:    e3ef461af35a ("x86/sev: Harden #VC instruction emulation somewhat")
 *              CVE-2024-25742, CVE-2024-25743
 * Without it:  a host picks the handler, and with it the registers of the guest that it
 *              reads and writes: "RDTSC" at any instruction gives it RAX and RDX.
 *
 * The hypervisor may inject vector 29 with any error code (APM vol. 2, 15.20).  The
 * instruction here is one that needs no host at all, and reads and writes no
 * register; only IOIO and NPF look at the instruction by themselves, in every
 * kernel.
 */
#include "lib/vc.h"

/* The code is one that Linux knows: one case each */
static void cpuid_code_elsewhere_ends_the_guest(struct kunit *test);
static void msr_code_elsewhere_ends_the_guest(struct kunit *test);
static void rdtsc_code_elsewhere_ends_the_guest(struct kunit *test);
static void rdtscp_code_elsewhere_ends_the_guest(struct kunit *test);
static void rdpmc_code_elsewhere_ends_the_guest(struct kunit *test);
static void vmmcall_code_elsewhere_ends_the_guest(struct kunit *test);
static void wbinvd_code_elsewhere_ends_the_guest(struct kunit *test);
static void monitor_code_elsewhere_ends_the_guest(struct kunit *test);
static void mwait_code_elsewhere_ends_the_guest(struct kunit *test);
static void dr7_read_code_elsewhere_ends_the_guest(struct kunit *test);
static void dr7_write_code_elsewhere_ends_the_guest(struct kunit *test);
static void ioio_code_elsewhere_ends_the_guest(struct kunit *test);
static void npf_code_elsewhere_ends_the_guest(struct kunit *test);
/* Of two instructions with one opcode, the other one */
static void rdtscp_code_at_vmmcall_ends_the_guest(struct kunit *test);
static void dr7_read_code_at_dr6_ends_the_guest(struct kunit *test);
/* A code that Linux has no handler for */
static void unknown_code_ends_the_guest(struct kunit *test);

/* Memory that is neither port nor MMIO; RAX as address is harmless: it is not written to */
COCO_INSN_UP(do_nothing, "nopl (%%rax)")
COCO_INSN_UP(do_vmmcall, "vmmcall")
COCO_INSN_UP(do_dr6_read, "mov %%dr6, %%r10")

static struct kunit_case vc_hostile_cases[] = {
	KUNIT_CASE(cpuid_code_elsewhere_ends_the_guest),
	KUNIT_CASE(msr_code_elsewhere_ends_the_guest),
	KUNIT_CASE(rdtsc_code_elsewhere_ends_the_guest),
	KUNIT_CASE(rdtscp_code_elsewhere_ends_the_guest),
	KUNIT_CASE(rdpmc_code_elsewhere_ends_the_guest),
	KUNIT_CASE(vmmcall_code_elsewhere_ends_the_guest),
	KUNIT_CASE(wbinvd_code_elsewhere_ends_the_guest),
	KUNIT_CASE(monitor_code_elsewhere_ends_the_guest),
	KUNIT_CASE(mwait_code_elsewhere_ends_the_guest),
	KUNIT_CASE(dr7_read_code_elsewhere_ends_the_guest),
	KUNIT_CASE(dr7_write_code_elsewhere_ends_the_guest),
	KUNIT_CASE(ioio_code_elsewhere_ends_the_guest),
	KUNIT_CASE(npf_code_elsewhere_ends_the_guest),
	KUNIT_CASE(rdtscp_code_at_vmmcall_ends_the_guest),
	KUNIT_CASE(dr7_read_code_at_dr6_ends_the_guest),
	KUNIT_CASE(unknown_code_ends_the_guest),
	{}
};

static void expect_end(struct kunit *test, coco_insn_fn insn, u64 code)
{
	/* An answer to what a handler of that code asks.  Of IOIO the console needs true ones. */
	const struct coco_rule rule = {
		.kind = COCO_EV_GHCB, .action = COCO_REPLY, .code = code,
		.reply_mask = REPLY_INFO | REPLY_RAX | REPLY_RBX | REPLY_RCX | REPLY_RDX,
	};
	struct coco_regs r = { .ax = JUNK };
	struct coco_window *w;

	need_es_and_machine(test);
	vc_expect_termination(test);
	w = vc_run_intercepted(test, insn, &r, code, code == EXIT_IOIO ? NULL : &rule);
	coco_expect(0, 0, 0);
	KUNIT_FAIL(test, "the guest goes on: RAX is 0x%lx, and it asked the host %llu times", r.ax,
		   w->applied);
}

static void cpuid_code_elsewhere_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_nothing, EXIT_CPUID);
}

static void msr_code_elsewhere_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_nothing, EXIT_MSR);
}

static void rdtsc_code_elsewhere_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_nothing, EXIT_RDTSC);
}

static void rdtscp_code_elsewhere_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_nothing, EXIT_RDTSCP);
}

static void rdpmc_code_elsewhere_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_nothing, EXIT_RDPMC);
}

static void vmmcall_code_elsewhere_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_nothing, EXIT_VMMCALL);
}

static void wbinvd_code_elsewhere_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_nothing, EXIT_WBINVD);
}

static void monitor_code_elsewhere_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_nothing, EXIT_MONITOR);
}

static void mwait_code_elsewhere_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_nothing, EXIT_MWAIT);
}

static void dr7_read_code_elsewhere_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_nothing, EXIT_DR7_READ);
}

/* RAX is junk with an upper half: a kernel without the check raises #GP for it */
static void dr7_write_code_elsewhere_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_nothing, EXIT_DR7_WRITE);
}

static void ioio_code_elsewhere_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_nothing, EXIT_IOIO);
}

static void npf_code_elsewhere_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_nothing, EXIT_NPF);
}

/* 0f 01 /f9 and 0f 01 /d9 */
static void rdtscp_code_at_vmmcall_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_vmmcall, EXIT_RDTSCP);
}

static void dr7_read_code_at_dr6_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_dr6_read, EXIT_DR7_READ);
}

/* VMRUN's, which CPUID denies to guests */
static void unknown_code_ends_the_guest(struct kunit *test)
{
	expect_end(test, do_nothing, 0x80);
}

static struct kunit_suite vc_hostile_suite = {
	.name = "vc_hostile",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = vc_hostile_cases,
};
kunit_test_suite(vc_hostile_suite);

MODULE_DESCRIPTION("#VC whose exit code does not belong to the instruction");
MODULE_LICENSE("GPL");
COCO_INJECTS_FAULTS;
