// SPDX-License-Identifier: GPL-2.0
/*
 * How a run can end (include/coco_abi.h): each case of the run file ends in one way.
 * GHCB specification (56421): 2.3.1, termination request (reason code set, reason)
 * GHCI (344426): TDG.VP.VMCALL<ReportFatalError>
 * TDX module base specification (348549): EPT violations on private pages
 * ACPI 6.5: 4.8.3.2 (sleep); PC: keyboard controller and port 0xcf9 (reset)
 */
#include "lib/payload.h"

#define PM1A_CONTROL	0x604
#define SLEEP_ENABLE	0x2000
#define FATAL_ERROR	0x10003
#define GET_QUOTE	0x10002
#define HLT		12
#define MR_RTMR_EXTEND	2
#define MR_REPORT	4
#define TERMINATION_REQUEST 0x8000fffe
#define UNSUPPORTED_EVENT 0x8000ffff
#define IO_APIC		0xfec00000ull
#define PAGE		8
#define DATA		9
#define TERMINATE	0x100
#define TERMINATE_SET	1ull
#define TERMINATE_REASON 4ull
#define TERMINATE_VALUE	(TERMINATE_REASON | TERMINATE_SET << 8)

static void expect_end(enum coco_end why, u64 value, u64 mask)
{
	machine_call(COCO_CALL_EXPECT, why, value, mask);
}

static void terminate(void)
{
	ghcb_msr(TERMINATE | TERMINATE_SET << 12 | TERMINATE_REASON << 16);
}

static void triple_fault(void)
{
	struct {
		u16 limit;
		u64 base;
	} __packed none = { 0 };

	asm volatile("lidt %0\n\tud2" : : "m"(none));
}

static void one_breach(void)
{
	/* Reserved bits of SEV information; a reserved input of GetTdVmCallInfo */
	if (is_es())
		ghcb_msr(0x002 | 1ull << 40);
	else
		tdvmcall(0x10000, 7, 0, 0, 0, NULL);
	check_eq("unexpected_breach_is_counted", machine_call(COCO_CALL_BREACHES, 0, 0, 0), 1);
	finish();
}

/* A private page that nobody accepted, or that the host took away: no guest could handle it */
static void touch_in_state(u64 flags)
{
	machine_call(COCO_CALL_PAGE_SET, ARENA + PAGE * PAGE_SIZE, flags, 0);
	*(volatile u8 *)arena(PAGE);
}

/* With interrupts off */
static void halt(void)
{
	if (is_tdx())
		tdvmcall(HLT, 1, 0, 0, 0, NULL);
	else
		asm volatile("cli\n\thlt");
}

/* TDG.MR leaves walk to their operands as the TD's own accesses do */
static void report_in_state(u64 flags)
{
	struct tdregs r = { .rax = MR_REPORT, .rcx = (u64)arena(PAGE), .rdx = (u64)arena(DATA) };

	machine_call(COCO_CALL_PAGE_SET, r.rcx, flags, 0);
	tdcall(&r);
}

static void extend_from_shared(void)
{
	struct tdregs r = { .rax = MR_RTMR_EXTEND, .rcx = (u64)arena(PAGE), .rdx = 2 };

	map_gpa(r.rcx | cmask, PAGE_SIZE);
	tdcall(&r);
}

static void private_ghcb(void)
{
	ghcb = arena(PAGE);
	ghcb_gpa = (u64)ghcb;
	expect_breach(COCO_BREACH_GHCB_PRIVATE, 1);
	ghcb_clear();
	ghcb_put(F_RAX, 0);
	ghcb_put(F_RCX, 0);
	ghcb_exit(0x72, 0, 0);
	check("private_ghcb_is_a_breach", breached(COCO_BREACH_GHCB_PRIVATE));
	check("private_ghcb_gets_no_answer", ghcb_valid(F_EXITCODE) && !ghcb_valid(F_RBX));
	finish();
}

void payload(void)
{
	if (is_es() && !case_is("terminate"))
		ghcb_init();
	if (case_is("private_ghcb"))
		private_ghcb();
	if (case_is("unaccepted_page"))
		touch_in_state(COCO_PAGE_PRIVATE);
	if (case_is("page_taken_away"))
		touch_in_state(COCO_PAGE_BLOCKED);
	while (case_is("halt"))
		halt();
	if (case_is("report_into_an_unaccepted_page"))
		report_in_state(COCO_PAGE_PRIVATE);
	if (case_is("report_into_a_page_taken_away"))
		report_in_state(COCO_PAGE_BLOCKED);
	if (case_is("extend_from_a_shared_page"))
		extend_from_shared();
	if (case_is("terminate_by_ghcb")) {
		ghcb_clear();
		ghcb_exit(TERMINATION_REQUEST, TERMINATE_SET | TERMINATE_REASON << 4, 0);
	}
	if (case_is("unmodelled_call")) {
		if (is_tdx())
			tdvmcall(GET_QUOTE + 0x100, 0, 0, 0, 0, NULL);
		else
			ghcb_exit(UNSUPPORTED_EVENT, 0, 0);
	}
	if (case_is("pvalidate_of_no_ram"))
		pvalidate(IO_APIC, false, true, NULL);
	if (case_is("rmpadjust_of_no_ram"))
		rmpadjust(IO_APIC, false, 1);
	if (case_is("tables_in_no_ram"))
		write_cr3(IO_APIC | private_bit());
	if (case_is("exit"))
		machine_call(COCO_CALL_EXIT, 7, 0, 0);
	if (case_is("exit_expected")) {
		expect_end(COCO_END_EXIT, 0x70, 0xf0);
		machine_call(COCO_CALL_EXIT, 0x73, 0, 0);
	}
	if (case_is("poweroff"))
		port_out(PM1A_CONTROL, 2, SLEEP_ENABLE);
	if (case_is("reset_keyboard"))
		port_out(0x64, 1, 0xfe);
	if (case_is("reset_cf9"))
		port_out(0xcf9, 1, 6);
	if (case_is("triple_fault"))
		triple_fault();
	if (case_is("terminate"))
		terminate();
	if (case_is("terminate_expected")) {
		expect_end(COCO_END_RESET, 0, 0);
		expect_end(COCO_END_TERMINATE, TERMINATE_VALUE, ~0ull);
		terminate();
	}
	if (case_is("terminate_of_another_reason")) {
		expect_end(COCO_END_TERMINATE, TERMINATE_VALUE + 1, ~0ull);
		terminate();
	}
	if (case_is("fatal"))
		tdvmcall(FATAL_ERROR, 0x55, 0, 0, 0, NULL);
	if (case_is("fatal_expected")) {
		expect_end(COCO_END_FATAL, 0x55, ~0ull);
		tdvmcall(FATAL_ERROR, 0x55, 0, 0, 0, NULL);
	}
	if (case_is("unmodelled"))
		asm volatile("outsw"
			     : /* no outputs */
			     : "d"(PM1A_CONTROL), "S"(ARENA) : "memory");
	if (case_is("breach"))
		one_breach();
	if (case_is("hang"))
		for (;;)
			;
}
