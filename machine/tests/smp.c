// SPDX-License-Identifier: GPL-2.0
/*
 * Two vCPUs: the second one's start, and what the first one's calls mean to it.
 * APM vol. 2 (24593): 15.34.5 (paging off: everything is private), 15.36.6
 * GHCB specification (56421): 4.3 (AP jump table), 4.1.9 (AP creation), 4.1.6
 * ACPI 6.5: 5.2.12.19 (multiprocessor wakeup mailbox, as TDX firmware has it)
 */
#include "lib/ap.h"
#include "lib/payload.h"

#define VECTOR		0x50
#define NESTING		0x61		/* interrupts of a lower priority, */
#define NESTED		0xf1		/* a higher one, */
#define HELD_BACK	0x62		/* and one that waits for the first's end */
#define CALL_HLT	12
#define CALL_WRMSR	32
#define X2APIC		0x800		/* MSR of a register: 0x800 + offset / 16 */
#define APIC		0xfee00000ull
#define APIC_EOI	0x0b0
#define APIC_SPIV	0x0f0
#define APIC_ENABLED	0x1ff
#define APIC_ICR	0x300
#define ICR_SELF	0x40000
#define APIC_LVT_TIMER	0x320
#define APIC_TIMER_INIT	0x380
#define APIC_TIMER_DIV	0x3e0
#define BY_128		0xa
#define SECOND		1000000000ull
#define PATIENCE	1000000000u	/* spins */
#define MOMENT		100000u
#define TURNS		50
#define COUNTER		8		/* arena pages */
#define RESCINDED	9
#define CODE		10
#define PATCHES		2000000u

enum task { IDLE, HALT, TIMER, LAST, COUNT, TOUCH, CALL, DONE };

static volatile enum task task;
static volatile u32 ap_runs, ap_nmis, ap_interrupts, ap_faults, ap_halted;
static volatile u64 ap_counted;
static volatile u64 ap_resume;

static bool on_nmi(struct frame *frame)
{
	(void)frame;
	ap_nmis++;
	return true;
}

/* Not in SEV-ES and SEV-SNP, where a second GHCB would be needed */
static void apic_write(u32 offset, u32 value)
{
	if (is_tdx() && offset == APIC_EOI)
		wrmsr(X2APIC + offset / 16, value);
	else if (is_tdx())
		tdvmcall(CALL_WRMSR, X2APIC + offset / 16, value, 0, 0, NULL);
	else if (!is_es())
		*(volatile u32 *)(APIC + offset) = value;
}

static bool on_interrupt(struct frame *frame)
{
	(void)frame;
	ap_interrupts++;
	apic_write(APIC_EOI, 0);
	return true;
}

static bool on_vc(struct frame *frame)
{
	if (frame->error != 0x404 || !ap_resume)
		return false;
	ap_faults++;
	frame->rip = ap_resume;
	return true;
}

static void halt(void)
{
	ap_halted = 1;
	if (is_tdx())
		asm volatile("sti");
	if (is_tdx())
		tdvmcall(CALL_HLT, 0, 0, 0, 0, NULL);
	else
		asm volatile("sti\n\thlt\n\tcli");
	asm volatile("cli");
	ap_halted = 2;
}

/* Nine minutes, if nobody moves time on */
static void halt_for_long(void)
{
	apic_write(APIC_LVT_TIMER, VECTOR);
	apic_write(APIC_TIMER_DIV, BY_128);
	apic_write(APIC_TIMER_INIT, ~0u);
	halt();
}

/* The only one that something wakes: the run goes on with it, and ends there */
static void halt_for_a_moment(void)
{
	apic_write(APIC_LVT_TIMER, VECTOR);
	apic_write(APIC_TIMER_DIV, BY_128);
	apic_write(APIC_TIMER_INIT, SECOND / 128);
	halt();
	check_eq("timer_ends_the_halt_of_a_vcpu_with_interrupts_on", ap_interrupts, 1);
	finish();
}

/* A counter in private memory, while the boot CPU looks at the page through its other view */
static void count_up(void)
{
	volatile u64 *counter = (volatile u64 *)arena(COUNTER);

	ap_counted = 0;
	while (task == COUNT) {
		++*counter;
		ap_counted++;
	}
}

static void touch(void)
{
	asm volatile("lea 1f(%%rip), %%rax\n\t"
		     "mov %%rax, %0\n"
		     "2:\tmovb (%1), %%al\n\t"
		     "cmpl %3, %2\n\t"
		     "je 2b\n"
		     "1:\tmovq $0, %0"
		     : "+m"(ap_resume)
		     : "r"(arena(RESCINDED)), "m"(task), "i"(TOUCH)
		     : "rax", "memory", "cc");
}

/* The other CPU writes the constant that a function returns, and says so after that */
static volatile u32 patched, stale, called;

static void call_patched(void)
{
	u32 told, value;

	called = 1;
	while (task == CALL) {
		told = patched;
		asm volatile("call *%1" : "=a"(value) : "r"(arena(CODE)) : "memory", "cc");
		if (value < told)
			stale++;
	}
}

static void ap(void)
{
	apic_write(APIC_SPIV, APIC_ENABLED);
	ap_runs = 1;
	for (;;) {
		switch (task) {
		case HALT:
			halt();
			task = DONE;
			break;
		case TIMER:
			halt_for_long();
			task = DONE;
			break;
		case LAST:
			halt_for_a_moment();
			break;
		case COUNT:
			count_up();
			task = DONE;
			break;
		case TOUCH:
			touch();
			task = DONE;
			break;
		case CALL:
			call_patched();
			task = DONE;
			break;
		default:
			cpu_relax();
		}
	}
}

static bool wait_until(volatile u32 *what, u32 value)
{
	u32 i;

	for (i = 0; i < PATIENCE && *what != value; i++)
		;
	return *what == value;
}

static bool done(void)
{
	return wait_until((volatile u32 *)&task, DONE);
}

static s64 inject(u32 type, u32 vector)
{
	struct coco_inject i = { .type = type, .vector = vector, .cpu = 1 };

	return machine_call(COCO_CALL_INJECT, (u64)&i, 0, 0);
}

static void start(void)
{
	check_eq("injection_into_a_cpu_that_is_off_gives_einval", inject(COCO_INJECT_NMI, 0),
		 -EINVAL);
	*(volatile u32 *)AP_MARK_AT = 0;
	ap_start(ap);
	check("second_vcpu_starts", wait_until(&ap_runs, 1));
	/* Its way is through real mode, but where the host cannot write its registers */
	if (!is_snp() && !is_tdx())
		check_eq("memory_is_private_with_paging_off", *(volatile u32 *)AP_MARK_AT, AP_MARK);
}

static void injections(void)
{
	struct coco_event e;
	u64 since = event_next();

	check_eq("nmi_for_the_other_is_taken", inject(COCO_INJECT_NMI, 0), 0);
	check("nmi_reaches_the_other", wait_until(&ap_nmis, 1));
	last_event(since, &e);
	check("event_names_the_other", e.kind == COCO_EV_INJECT && e.cpu == 1);
	task = HALT;
	check("other_halts", wait_until(&ap_halted, 1));
	machine_call(COCO_CALL_VERSION, 0, 0, 0);
	check_eq("interrupt_for_the_other_is_taken", inject(COCO_INJECT_INTR, VECTOR), 0);
	check("interrupt_wakes_the_other", done());
	check_eq("interrupt_comes_once", ap_interrupts, 1);
}

static void time_moves(void)
{
	u32 i;

	ap_halted = ap_interrupts = 0;
	task = TIMER;
	check("other_halts_for_long", wait_until(&ap_halted, 1));
	machine_call(COCO_CALL_WARP, SECOND, 0, 0);
	machine_call(COCO_CALL_WARP, SECOND, 0, 0);
	for (i = 0; i < MOMENT; i++)
		cpu_relax();
	check_eq("timer_has_yet_to_come", ap_interrupts, 0);
	machine_call(COCO_CALL_WARP, 600 * SECOND, 0, 0);
	check("timer_comes_when_time_was_moved_on", done());
	check_eq("timer_comes_once", ap_interrupts, 1);
}

/* Not the end, with option halt_ends either: the other one only sleeps */
static void halt_for_good(void)
{
	u32 i;

	task = LAST;
	check("other_halts_for_a_moment", wait_until(&ap_halted, 1));
	for (i = 0; i < MOMENT; i++)
		cpu_relax();
	for (;;)
		asm volatile("cli\n\thlt");
}

static volatile u32 reached;

static bool on_nesting(struct frame *frame)
{
	(void)frame;
	asm volatile("sti");
	apic_write(APIC_ICR, ICR_SELF | NESTED);
	for (;;)
		cpu_relax();
}

static bool on_nested(struct frame *frame)
{
	(void)frame;
	reached = NESTED;
	for (;;)
		cpu_relax();
}

static bool on_held_back(struct frame *frame)
{
	(void)frame;
	reached = HELD_BACK;
	return true;
}

static void ap_interrupts_itself(u32 vector)
{
	apic_write(APIC_SPIV, APIC_ENABLED);
	asm volatile("sti");
	apic_write(APIC_ICR, ICR_SELF | vector);
	for (;;)
		cpu_relax();
}

static void ap_nests(void)
{
	ap_interrupts_itself(NESTING);
}

static void ap_begins_anew(void)
{
	ap_interrupts_itself(HELD_BACK);
}

static void init_amid_interrupts(void)
{
	trap_hook[NESTING] = on_nesting;
	trap_hook[NESTED] = on_nested;
	trap_hook[HELD_BACK] = on_held_back;
	ap_start(ap_nests);
	check("interrupts_nest", wait_until(&reached, NESTED));
	ap_start(ap_begins_anew);
	check("init_ends_every_interrupt_in_service", wait_until(&reached, HELD_BACK));
}

static void views_in_turn(void)
{
	volatile u64 *shared =
		(volatile u64 *)map_window(0, ARENA + COUNTER * PAGE_SIZE, SHARED_PAGE);
	u64 seen = 0, before;
	u32 i, spins;

	*(volatile u64 *)arena(COUNTER) = 0;
	task = COUNT;
	for (i = 0; i < TURNS; i++) {
		seen |= *shared;
		before = ap_counted;
		for (spins = 0; spins < PATIENCE && ap_counted == before; spins++)
			;
	}
	task = IDLE;
	check("other_lets_go", done());
	check_eq("private_counter_survives_the_other_view", *(volatile u64 *)arena(COUNTER),
		 ap_counted);
	check("counter_was_counted_and_seen", ap_counted >= TURNS && seen);
}

static void patch(void)
{
	volatile u32 *value = (volatile u32 *)(arena(CODE) + 1);
	u32 i;

	memcpy(arena(CODE), "\xb8\0\0\0\0\xc3", 6);	/* mov $0, %eax; ret */
	task = CALL;
	check("other_calls_code", wait_until(&called, 1));
	for (i = 1; i < PATCHES; i++) {
		*value = i;
		patched = i;
	}
	task = IDLE;
	check("other_lets_go_of_code", done());
	check_eq("other_runs_what_was_written", stale, 0);
}

static void rescind(void)
{
	task = TOUCH;
	while (!ap_resume)
		;
	pvalidate(ARENA + RESCINDED * PAGE_SIZE, false, false, NULL);
	check("rescinding_reaches_the_other", done());
	check_eq("other_gets_vc_404", ap_faults, 1);
}

void payload(void)
{
	trap_hook[NMI] = on_nmi;
	trap_hook[VECTOR] = on_interrupt;
	trap_hook[VC] = on_vc;
	if (is_es())
		ghcb_init();
	if (case_is("init")) {
		init_amid_interrupts();
		return;
	}
	start();
	if (case_is("halt"))
		halt_for_good();
	injections();
	if (!is_es())
		time_moves();
	patch();
	if (personality == COCO_SEV || personality == COCO_SEV_ES)
		views_in_turn();
	if (is_snp())
		rescind();
}
