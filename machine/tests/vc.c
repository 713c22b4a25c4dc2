// SPDX-License-Identifier: GPL-2.0
/*
 * #VC: which instructions raise it, with which exit code, at which RIP.
 * APM vol. 2 (24593): 15.35.4 (#VC, error code = exit code), 15.35.5 (which
 * events are non-automatic exits), 15.10.2 (EXITINFO1 and 2 of port I/O),
 * 15.11 (of MSRs), 15.25.6 (of nested page faults), appendix C (exit codes).
 */
#include "lib/payload.h"

#define APIC		0xfee00000ull
#define APIC_ID		(APIC + 0x20)
#define APIC_TPR	(APIC + 0x80)
#define MSR_APIC_BASE	0x1b
#define MSR_XSS		0xda0
#define XSS_CET		(BIT(11) | BIT(12))
#define PORT		0x80

/* EXITINFO1 of IOIO, but for address size and segment: QEMU does not tell, no guest sees */
#define IOIO_KNOWN	0xffff007dull
#define IOIO_IN		BIT(0)
#define IOIO_STRING	BIT(2)
#define IOIO_REP	BIT(3)
#define IOIO_SIZE(n)	((n) << 4)

static u64 since;

static void begin(void)
{
	since = event_next();
}

/* A #VC with this code, at this RIP, and nothing else */
static void expect_vc(const char *claim, u64 code)
{
	struct coco_event e;

	last_event(since, &e);
	if (!trap.hit || trap.vector != VC || trap.error != code || e.kind != COCO_EV_VC ||
	    e.code != code || e.rip != trap.rip || event_next() != since + 1) {
		note("vector", trap.hit ? trap.vector : ~0ull);
		note("error code", trap.error);
		note("event's code", e.code);
	}
	check(claim,
	      trap.hit && trap.vector == VC && trap.error == code && e.kind == COCO_EV_VC &&
	      e.code == code && e.rip == trap.rip && event_next() == since + 1);
}

static void expect_info(const char *claim, u64 info1, u64 mask, u64 info2)
{
	struct coco_event e;

	last_event(since, &e);
	if ((e.info1 & mask) != info1 || e.info2 != info2) {
		note("EXITINFO1", e.info1);
		note("EXITINFO2", e.info2);
	}
	check(claim, (e.info1 & mask) == info1 && e.info2 == info2);
}

static void instructions(void)
{
	u64 value = 0;

	begin();
	TRY("cpuid", : : "a"(0), "c"(0) : "rbx", "rdx", "memory");
	expect_vc("cpuid_raises_vc", 0x72);
	begin();
	TRY("wbinvd", : : : "memory");
	expect_vc("wbinvd_raises_vc", 0x89);
	begin();
	TRY("invd", : : : "memory");
	expect_vc("invd_raises_vc", 0x76);
	begin();
	TRY("rdpmc", : : "c"(0) : "rax", "rdx", "memory");
	expect_vc("rdpmc_raises_vc", 0x6f);
	begin();
	TRY("vmmcall", : : "a"(0) : "memory");
	expect_vc("vmmcall_raises_vc", 0x81);
	begin();
	TRY("monitor", : : "a"(&value), "c"(0), "d"(0) : "memory");
	expect_vc("monitor_raises_vc", 0x8a);
	begin();
	TRY("mwait", : : "a"(0), "c"(0) : "memory");
	expect_vc("mwait_raises_vc", 0x8b);
	begin();
	TRY("mov %%dr7, %%rax", : : : "rax", "memory");
	expect_vc("dr7_read_raises_vc", 0x27);
	begin();
	TRY("mov %%rax, %%dr7", : : "a"(0x400) : "memory");
	expect_vc("dr7_write_raises_vc", 0x37);
	begin();
	TRY("rdtsc", : : : "rax", "rdx", "memory");
	check("rdtsc_raises_no_vc", !trap.hit && event_next() == since);
	begin();
	TRY("mov %%dr6, %%rax", : : : "rax", "memory");
	check("dr6_read_raises_no_vc", !trap.hit && event_next() == since);
}

static void msrs(void)
{
	begin();
	TRY("rdmsr", : : "c"(MSR_APIC_BASE) : "rax", "rdx", "memory");
	expect_vc("rdmsr_raises_vc", 0x7c);
	expect_info("rdmsr_has_info_0", 0, ~0ull, 0);
	begin();
	TRY("wrmsr", : : "c"(MSR_APIC_BASE), "a"(0), "d"(0) : "memory");
	expect_vc("wrmsr_raises_vc", 0x7c);
	expect_info("wrmsr_has_info_1", 1, ~0ull, 0);
	begin();
	check_eq("sev_status_is_read_directly", rdmsr(MSR_SEV_STATUS), is_snp() ? 7 : 3);
	check_eq("sev_status_raises_no_vc", event_next(), since);
	TRY("wrmsr", : : "c"(MSR_SEV_STATUS), "a"(0), "d"(0) : "memory");
	check("sev_status_write_raises_gp", trap.hit && trap.vector == GP && trap.error == 0);
	begin();
	rdmsr(GHCB_MSR);
	check_eq("ghcb_msr_raises_no_vc", event_next(), since);
}

/* APM vol. 2, table B-4: XSS is of the guest's own state */
static void xss(void)
{
	begin();
	check_eq("xss_starts_as_zero", rdmsr(MSR_XSS), 0);
	wrmsr(MSR_XSS, XSS_CET);
	check_eq("xss_keeps_what_it_has_been_given", rdmsr(MSR_XSS), XSS_CET);
	TRY("wrmsr", : : "c"(MSR_XSS), "a"(1), "d"(0) : "memory");
	check("unknown_bit_of_xss_raises_gp", trap.hit && trap.vector == GP && trap.error == 0);
	check_eq("xss_of_a_refused_write_stays", rdmsr(MSR_XSS), XSS_CET);
	wrmsr(MSR_XSS, 0);
	check_eq("xss_raises_no_vc", event_next(), since);
}

static void ports(void)
{
	u8 bytes[4] = { 0 };
	u64 next;

	begin();
	TRY("out %%al, %%dx", : : "a"(0), "d"(PORT) : "memory");
	expect_vc("out_raises_vc", 0x7b);
	expect_info("out_byte_has_its_info", PORT << 16 | IOIO_SIZE(1), IOIO_KNOWN, trap.rip + 1);
	begin();
	TRY("in %%dx, %%eax", : : "d"(PORT) : "rax", "memory");
	expect_info("in_dword_has_its_info", PORT << 16 | IOIO_SIZE(4) | IOIO_IN, IOIO_KNOWN,
		    trap.rip + 1);
	begin();
	TRY("in $0x81, %%ax", : : : "rax", "memory");
	expect_info("in_immediate_has_its_info", 0x81 << 16 | IOIO_SIZE(2) | IOIO_IN, IOIO_KNOWN,
		    trap.rip + 3);
	begin();
	TRY("outsw", : : "d"(PORT), "S"(bytes) : "memory");
	expect_info("outs_has_its_info", PORT << 16 | IOIO_SIZE(2) | IOIO_STRING, IOIO_KNOWN,
		    trap.rip + 2);
	begin();
	TRY("rep insb", : : "d"(PORT), "D"(bytes), "c"(4ull) : "memory");
	next = trap.rip + 2;
	expect_info("rep_ins_has_its_info",
		    PORT << 16 | IOIO_SIZE(1) | IOIO_STRING | IOIO_REP | IOIO_IN, IOIO_KNOWN, next);
}

static void devices(void)
{
	struct coco_event e;

	begin();
	TRY("mov (%0), %%eax", : : "r"(APIC_ID) : "rax", "memory");
	expect_vc("mmio_read_raises_vc", 0x400);
	last_event(since, &e);
	check_eq("mmio_read_has_the_gpa", e.info2, APIC_ID);
	check_eq("mmio_read_is_no_write", e.info1 & 2, 0);
	begin();
	TRY("mov %%eax, (%0)", : : "r"(APIC_TPR), "a"(0) : "memory");
	expect_vc("mmio_write_raises_vc", 0x400);
	last_event(since, &e);
	check_eq("mmio_write_has_the_gpa", e.info2, APIC_TPR);
	check_eq("mmio_write_is_a_write", e.info1 & 2, 2);
}

static void user_cpuid(void)
{
	TRY("cpuid", : : "a"(0), "c"(0) : "rbx", "rdx", "memory");
}

static void user_mode(void)
{
	struct coco_event e;

	begin();
	run_user(user_cpuid);
	expect_vc("user_cpuid_raises_vc", 0x72);
	last_event(since, &e);
	check_eq("user_vc_has_cpl_3", e.cpl, 3);
	check("kernel_goes_on_after_user_mode", count(COCO_EV_VC, 0x72) == 2);
}

void payload(void)
{
	instructions();
	msrs();
	if (is_snp())
		xss();
	ports();
	devices();
	user_mode();
}
