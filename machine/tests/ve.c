// SPDX-License-Identifier: GPL-2.0
/*
 * #VE: which instructions raise it, and what TDG.VP.VEINFO.GET says of them.
 * TDX module ABI (348551): TDG.VP.VEINFO.GET
 * TDX module base specification (348549): virtualization exception, CPUID and
 * MSR virtualization, nested #VE
 * SDM vol. 3 (325384): 28.2.1 and table 28-5 (exit qualification of I/O),
 * 28-7 (of EPT violations), appendix C (exit reasons)
 */
#include "lib/payload.h"

#define NO_VE_INFO	0xc000070400000000ull
#define REASON_CPUID	10
#define REASON_HLT	12
#define REASON_IO	30
#define REASON_RDMSR	31
#define REASON_WRMSR	32
#define REASON_EPT	48
#define REASON_WBINVD	54
#define IO_IN		BIT(3)
#define IO_STRING	BIT(4)
#define IO_REP		BIT(5)
#define IO_IMMEDIATE	BIT(6)
#define QUAL_READ	BIT(0)
#define QUAL_WRITE	BIT(1)
#define MSR_PLATFORM_INFO 0xce		/* virtualized by the host, not by the module */
#define IOAPIC		0xfec00000ull

static struct tdregs info;
static u64 status;

/* The last TRY raised #VE: fetch its information */
static void expect_ve(const char *claim, u32 reason, u64 qualification, u32 length)
{
	bool raised = trap.hit && trap.vector == VE;

	status = raised ? veinfo_get(&info) : ~0ull;
	if (status || info.rcx != reason || info.rdx != qualification || (u32)info.r10 != length) {
		note("VEINFO.GET", status);
		note("exit reason", info.rcx);
		note("qualification", info.rdx);
		note("length", (u32)info.r10);
	}
	check(claim,
	      !status && info.rcx == reason && info.rdx == qualification &&
	      (u32)info.r10 == length);
}

static void cpuid_leaves(void)
{
	u64 since;
	struct coco_event e;

	check_eq("veinfo_get_without_ve_has_none", veinfo_get(&info), NO_VE_INFO);
	since = event_next();
	TRY("cpuid", : : "a"(0x40000000), "c"(0) : "rbx", "rdx", "memory");
	last_event(since, &e);
	check("ve_is_an_event",
	      e.kind == COCO_EV_VE && e.code == REASON_CPUID && e.rip == trap.rip);
	expect_ve("hypervisor_cpuid_raises_ve", REASON_CPUID, 0, 2);
	check_eq("second_veinfo_get_has_none", veinfo_get(&info), NO_VE_INFO);
	TRY("cpuid", : : "a"(0), "c"(0) : "rbx", "rdx", "memory");
	check("cpuid_0_raises_no_ve", !trap.hit);
	TRY("cpuid", : : "a"(0x21), "c"(0) : "rbx", "rdx", "memory");
	check("cpuid_21_raises_no_ve", !trap.hit);
}

static void instructions(void)
{
	TRY("hlt", : : : "memory");
	expect_ve("hlt_raises_ve", REASON_HLT, 0, 1);
	TRY("wbinvd", : : : "memory");
	expect_ve("wbinvd_raises_ve", REASON_WBINVD, 0, 2);
	TRY("rdmsr", : : "c"(MSR_PLATFORM_INFO) : "rax", "rdx", "memory");
	expect_ve("rdmsr_raises_ve", REASON_RDMSR, 0, 2);
	TRY("wrmsr", : : "c"(MSR_PLATFORM_INFO), "a"(0), "d"(0) : "memory");
	expect_ve("wrmsr_raises_ve", REASON_WRMSR, 0, 2);
	TRY("rdtsc", : : : "rax", "rdx", "memory");
	check("rdtsc_raises_no_ve", !trap.hit);
	TRY("rdmsr", : : "c"(0xc0000080) : "rax", "rdx", "memory");
	check("efer_read_raises_no_ve", !trap.hit);
}

static void ports(void)
{
	u8 bytes[4] = { 0 };

	TRY("out %%al, %%dx", : : "a"(0), "d"(0x80) : "memory");
	expect_ve("out_byte_raises_ve", REASON_IO, 0x80 << 16 | 0, 1);
	TRY("in %%dx, %%eax", : : "d"(0xcfc) : "rax", "memory");
	expect_ve("in_dword_raises_ve", REASON_IO, 0xcfcull << 16 | 3 | IO_IN, 1);
	TRY("in $0x81, %%ax", : : : "rax", "memory");
	expect_ve("in_immediate_raises_ve", REASON_IO, 0x81 << 16 | 1 | IO_IN | IO_IMMEDIATE, 3);
	TRY("outsb", : : "d"(0x80), "S"(bytes) : "memory");
	expect_ve("outs_raises_ve", REASON_IO, 0x80 << 16 | 0 | IO_STRING, 1);
	TRY("rep insw", : : "d"(0x80), "D"(bytes), "c"(2ull) : "memory");
	expect_ve("rep_ins_raises_ve", REASON_IO, 0x80 << 16 | 1 | IO_STRING | IO_REP | IO_IN, 3);
}

static void devices(void)
{
	TRY("mov (%0), %%eax", : : "r"(IOAPIC) : "rax", "memory");
	check("mmio_read_raises_ve", trap.hit && trap.vector == VE && !veinfo_get(&info));
	check_eq("mmio_read_is_an_ept_violation", info.rcx, REASON_EPT);
	check_eq("mmio_read_is_qualified_a_read", info.rdx & 7, QUAL_READ);
	check_eq("mmio_read_has_the_linear_address", info.r8, IOAPIC);
	check_eq("mmio_read_has_the_gpa", info.r9 & ~cmask, IOAPIC);
	TRY("mov %%eax, (%0)", : : "r"(IOAPIC), "a"(0) : "memory");
	check("mmio_write_raises_ve", trap.hit && trap.vector == VE && !veinfo_get(&info));
	check_eq("mmio_write_is_qualified_a_write", info.rdx & 7, QUAL_WRITE);
}

static void user_hlt_free_cpuid(void)
{
	TRY("cpuid", : : "a"(0x40000000), "c"(0) : "rbx", "rdx", "memory");
}

static void user_tdcall(void)
{
	TRY(TDCALL, : : "a"(1), "c"(0) : "memory");
}

static void user_mode(void)
{
	run_user(user_hlt_free_cpuid);
	expect_ve("user_cpuid_raises_ve", REASON_CPUID, 0, 2);
	run_user(user_tdcall);
	check("user_tdcall_raises_gp", trap.hit && trap.vector == GP && trap.error == 0);
}

/* Information not fetched: the next #VE is a #DF instead */
static void nested(void)
{
	TRY("cpuid", : : "a"(0x40000000), "c"(0) : "rbx", "rdx", "memory");
	check("first_ve_is_a_ve", trap.hit && trap.vector == VE);
	TRY("hlt", : : : "memory");
	check("ve_before_veinfo_get_is_a_double_fault",
	      trap.hit && trap.vector == DF && trap.error == 0);
	check_eq("double_fault_keeps_the_information", veinfo_get(&info), 0);
	check_eq("double_fault_keeps_the_first_information", info.rcx, REASON_CPUID);
}

static void rules(void)
{
	struct coco_rule rule = { .kind = COCO_EV_VE,
				  .action = COCO_CODE,
				  .code = REASON_CPUID,
				  .count = 1,
				  .reply_mask = 1,
				  .reply = { REASON_HLT } };

	machine_call(COCO_CALL_RULE_ADD, (u64)&rule, 0, 0);
	TRY("cpuid", : : "a"(0x40000000), "c"(0) : "rbx", "rdx", "memory");
	veinfo_get(&info);
	check_eq("rule_changes_a_ve_s_reason", info.rcx, REASON_HLT);
}

void payload(void)
{
	cpuid_leaves();
	instructions();
	ports();
	devices();
	user_mode();
	nested();
	rules();
	check_eq("nothing_here_is_a_breach", machine_call(COCO_CALL_BREACHES, 0, 0, 0), 0);
}
