// SPDX-License-Identifier: GPL-2.0
/*
 * Scripted injections (include/coco_abi.h), and what holds them back.
 * APM vol. 2 (24593): 15.20 (event injection), 15.21.4 (virtual interrupts), 8.1.3 (NMI masking)
 * GHCB specification (56421): NMI complete
 * TDX module base specification (348549): interrupt handling, NMI and #VE
 */
#include "lib/payload.h"

#define VECTOR		0x50
#define LOWEST_VECTOR	31		/* that a host may inject into a TD */
#define NMI_COMPLETE	0x80000003
#define REASON_CPUID	10
#define CALL_HLT	12
#define CALL_WRMSR	32
#define X2APIC_SPIV	0x80f
#define X2APIC_EOI	0x80b
#define X2APIC_ISR	0x810
#define APIC_SPIV	0xfee000f0ull
#define APIC_ISR	0xfee00100ull
#define APIC_ENABLED	0x1ff
#define PIC_MASTER	0x21
#define PIC_SLAVE	0xa1

static volatile u32 nmis, nmi_depth, nmi_deepest, interrupts;
static volatile u64 nmi_rip, interrupt_rip;
static volatile bool isr_was_set;
static bool nmi_again;

static s64 inject(u32 type, u32 vector, u64 error, void *rip, u64 delay)
{
	struct coco_inject i = {
		.type = type, .vector = vector, .error_code = error, .rip = (u64)rip, .delay = delay
	};

	return machine_call(COCO_CALL_INJECT, (u64)&i, 0, 0);
}

static void nmi_complete(void)
{
	ghcb_clear();
	ghcb_exit(NMI_COMPLETE, 0, 0);
}

static bool on_nmi(struct frame *frame)
{
	nmis++;
	nmi_rip = frame->rip;
	if (++nmi_depth > nmi_deepest)
		nmi_deepest = nmi_depth;
	if (nmi_again) {
		nmi_again = false;
		inject(COCO_INJECT_NMI, 0, 0, NULL, 0);
		machine_call(COCO_CALL_VERSION, 0, 0, 0);
	}
	nmi_depth--;
	return true;
}

static bool isr_bit(u32 vector)
{
	if (is_tdx())
		return rdmsr(X2APIC_ISR + vector / 32) >> vector % 32 & 1;
	if (is_es())
		return false;
	return *(volatile u32 *)(APIC_ISR + vector / 32 * 16) >> vector % 32 & 1;
}

static bool on_interrupt(struct frame *frame)
{
	interrupts++;
	interrupt_rip = frame->rip;
	isr_was_set = isr_bit(frame->vector);
	if (is_tdx())
		wrmsr(X2APIC_EOI, 0);
	return true;
}

static void nmis_arrive(void)
{
	trap_hook[NMI] = on_nmi;
	check_eq("nmi_is_taken", inject(COCO_INJECT_NMI, 0, 0, NULL, 0), 0);
	check_eq("nmi_arrives_at_once", nmis, 1);
	if (is_es()) {
		/* The hypervisor sees no IRET: the guest says when it is done */
		inject(COCO_INJECT_NMI, 0, 0, NULL, 0);
		machine_call(COCO_CALL_VERSION, 0, 0, 0);
		check_eq("nmi_waits_for_nmi_complete", nmis, 1);
		nmi_complete();
		check_eq("nmi_comes_after_nmi_complete", nmis, 2);
		nmi_complete();
		check_eq("nmis_are_events", count(COCO_EV_INJECT, NMI), 2);
		return;
	}
	nmi_again = true;
	inject(COCO_INJECT_NMI, 0, 0, NULL, 0);
	machine_call(COCO_CALL_VERSION, 0, 0, 0);
	machine_call(COCO_CALL_VERSION, 0, 0, 0);
	check_eq("nmi_in_the_handler_arrives_too", nmis, 3);
	check_eq("nmi_in_the_handler_waits_for_iret", nmi_deepest, 1);
	check_eq("nmis_are_events", count(COCO_EV_INJECT, NMI), 3);
}

/* Done with the last one, where that has to be said */
static void nmi_done(void)
{
	if (is_es())
		nmi_complete();
}

static void interrupts_arrive(void)
{
	u64 flags;

	trap_hook[VECTOR] = on_interrupt;
	/* No interrupt but ours: the PC's timer has one at vector 8 */
	port_out(PIC_MASTER, 1, 0xff);
	port_out(PIC_SLAVE, 1, 0xff);
	if (is_tdx())
		tdvmcall(CALL_WRMSR, X2APIC_SPIV, APIC_ENABLED, 0, 0, NULL);
	else if (!is_es())
		*(volatile u32 *)APIC_SPIV = APIC_ENABLED;
	check_eq("interrupt_is_taken", inject(COCO_INJECT_INTR, VECTOR, 0, NULL, 0), 0);
	machine_call(COCO_CALL_VERSION, 0, 0, 0);
	check_eq("interrupt_waits_for_if", interrupts, 0);
	asm volatile("sti\n\tnop\n\tnop\n\tcli");
	check_eq("interrupt_arrives_with_if", interrupts, 1);
	flags = read_flags();
	asm volatile("sti");
	inject(COCO_INJECT_INTR, VECTOR, 0, NULL, 0);
	asm volatile("nop\n\tcli");
	check_eq("interrupt_arrives_at_once_with_if", interrupts, 2);
	check_eq("flags_are_restored", read_flags() & ~0xd5ull, flags & ~0xd5ull);
	if (is_tdx())
		check("posted_interrupt_sets_its_isr_bit", isr_was_set);
	else if (!is_es())
		check("injected_interrupt_sets_no_isr_bit", !isr_was_set);
}

/* The machine call, and behind it an instruction that does not come to run */
static void inject_here(u32 type, u32 vector, u64 error)
{
	struct coco_inject i = { .type = type, .vector = vector, .error_code = error };

	TRY("vmmcall\n\tnop", : : "a"(COCO_CALL(COCO_CALL_INJECT)), "D"(&i) : "memory");
}

static void exceptions_arrive(void)
{
	inject_here(COCO_INJECT_EXCEPTION, GP, 0x1230);
	check("exception_arrives_with_its_error_code",
	      trap.hit && trap.vector == GP && trap.error == 0x1230);
	inject_here(COCO_INJECT_EXCEPTION, UD, 0);
	check("exception_without_error_code_has_none",
	      trap.hit && trap.vector == UD && trap.error == 0);
}

/* Five instructions; the exception is to come before the fourth */
static __attribute__((noinline)) u64 counted(u64 *at)
{
	u64 n, rip;

	TRY("xor %%ebx, %%ebx\n\tinc %%rbx\n\tinc %%rbx\n\t"
	    "lea (%%rip), %%rax\n\tinc %%rbx\n\tinc %%rbx",
	    : "=b"(n), "=a"(rip) : : "memory");
	*at = rip;
	return n;
}

static void at_an_address(void)
{
	u64 rip, n, again, dr6, dr7;

	n = counted(&rip);
	check("code_runs_through_without_injection", n == 4 && !trap.hit);
	asm volatile("mov %%dr6, %0" : "=r"(dr6));
	check_eq("address_is_taken", inject(COCO_INJECT_EXCEPTION, UD, 0, (void *)rip, 0), 0);
	n = counted(&again);
	check("exception_comes_at_the_address", trap.hit && trap.vector == UD && trap.rip == rip);
	check_eq("instruction_at_the_address_has_not_run", n, 2);
	n = counted(&again);
	check("exception_comes_once", n == 4 && !trap.hit);
	asm volatile("mov %%dr6, %0" : "=r"(again));
	check_eq("breakpoint_leaves_dr6_alone", again, dr6);
	inject(COCO_INJECT_NMI, 0, 0, (void *)rip, 0);
	n = nmis;
	counted(&again);
	check("nmi_comes_at_the_address", nmis == n + 1 && nmi_rip == rip);
	nmi_done();
	if (!is_es()) {
		asm volatile("mov %%dr7, %0" : "=r"(dr7));
		check_eq("breakpoint_leaves_dr7_alone", dr7, 0x400);
		inject(COCO_INJECT_EXCEPTION, UD, 0, (void *)rip, 0);
		/* The guest's own single step, while the machine waits for its address */
		TRY("pushfq\n\torl $0x100, (%%rsp)\n\tpopfq\n\tnop\n\tnop", : : : "cc", "memory");
		check("guest_s_own_debug_exception_is_its_own", trap.hit && trap.vector == DB);
		counted(&again);
		check("exception_still_comes_at_the_address",
		      trap.hit && trap.vector == UD && trap.rip == rip);
	}
}

static u64 behind_nmi;

static bool arm_in_nmi(struct frame *frame)
{
	(void)frame;
	inject(COCO_INJECT_EXCEPTION, UD, 0, (void *)behind_nmi, 0);
	return true;
}

/* Until an NMI's IRET the machine steps over it, by #DB as well: neither may spoil the other */
static void at_an_address_behind_an_nmi(void)
{
	u64 again;

	counted(&behind_nmi);
	trap_hook[NMI] = arm_in_nmi;
	inject(COCO_INJECT_NMI, 0, 0, NULL, 0);
	trap_hook[NMI] = on_nmi;
	nmi_done();
	counted(&again);
	check("exception_comes_at_the_address_set_in_an_nmi",
	      trap.hit && trap.vector == UD && trap.rip == behind_nmi);
}

static u64 user_rip;

static void user_code(void)
{
	TRY("lea (%%rip), %0\n\tnop\n\tnop", : "=r"(user_rip) : : "memory");
}

static void in_user_mode(void)
{
	run_user(user_code);
	inject(COCO_INJECT_EXCEPTION, UD, 0, (void *)user_rip, 0);
	run_user(user_code);
	check("exception_comes_in_user_mode",
	      trap.hit && trap.vector == UD && trap.rip == user_rip);
}

static void after_some_exits(void)
{
	u32 before = nmis;

	inject(COCO_INJECT_NMI, 0, 0, NULL, 3);
	machine_call(COCO_CALL_VERSION, 0, 0, 0);
	machine_call(COCO_CALL_VERSION, 0, 0, 0);
	check_eq("delayed_injection_waits", nmis, before);
	machine_call(COCO_CALL_VERSION, 0, 0, 0);
	machine_call(COCO_CALL_VERSION, 0, 0, 0);
	check_eq("delayed_injection_comes", nmis, before + 1);
	nmi_done();
}

static void technology_s_exception(void)
{
	struct tdregs info;

	if (is_es()) {
		inject_here(COCO_INJECT_VC, 0, 0x72);
		check("vc_arrives_with_its_exit_code",
		      trap.hit && trap.vector == VC && trap.error == 0x72);
	} else if (is_tdx()) {
		inject_here(COCO_INJECT_VE, 0, REASON_CPUID);
		check("synthetic_ve_arrives", trap.hit && trap.vector == VE);
		check_eq("synthetic_ve_has_information", veinfo_get(&info), 0);
		check_eq("synthetic_ve_has_its_reason", info.rcx, REASON_CPUID);
	}
}

static void nmi_waits_for_veinfo(void)
{
	struct tdregs info;
	u32 before;

	TRY("cpuid", : : "a"(0x40000000), "c"(0) : "rbx", "rdx", "memory");
	before = nmis;
	inject(COCO_INJECT_NMI, 0, 0, NULL, 0);
	machine_call(COCO_CALL_VERSION, 0, 0, 0);
	check_eq("nmi_waits_while_ve_information_is_valid", nmis, before);
	veinfo_get(&info);
	check_eq("nmi_comes_after_veinfo_get", nmis, before + 1);
}

/* Posted while interrupts are off, and taken by the host's APIC while the guest sleeps */
static void lowest_vector_ends_a_halt(void)
{
	u32 before = interrupts;

	trap_hook[LOWEST_VECTOR] = on_interrupt;
	asm volatile("cli");
	inject(COCO_INJECT_INTR, LOWEST_VECTOR, 0, NULL, 0);
	tdvmcall(CALL_HLT, 0, 0, 0, 0, NULL);
	asm volatile("sti\n\tnop\n\tnop\n\tcli");
	check_eq("lowest_vector_ends_a_halt", interrupts, before + 1);
}

void payload(void)
{
	if (is_es())
		ghcb_init();
	nmis_arrive();
	interrupts_arrive();
	exceptions_arrive();
	at_an_address();
	at_an_address_behind_an_nmi();
	in_user_mode();
	after_some_exits();
	technology_s_exception();
	if (is_tdx()) {
		nmi_waits_for_veinfo();
		lowest_vector_ends_a_halt();
	}
}
