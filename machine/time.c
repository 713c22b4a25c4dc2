// SPDX-License-Identifier: GPL-2.0
/*
 * The time-stamp counter: how fast it runs, and making guest time jump.
 *
 * The rate is measured against the ACPI power management timer (ACPI 6.5,
 * section 4.8.3.3: 3.579545 MHz, 24 bits), which QEMU's PIIX4 has at 0x608 and
 * which reading does not disturb.
 */
#include "control.h"

#define PM_TIMER_PORT	0x608
#define PM_TIMER_HZ	3579545ull
#define PM_TIMER_MASK	0xffffffu
#define PM_TIMER_WINDOW	(PM_TIMER_HZ / 50)

struct sample {
	u64 tsc;
	u32 timer;
};

/* The tightest of a few readings: this CPU's thread may lose its processor in between */
static struct sample sample(void)
{
	struct sample best = { 0 };
	u64 width = ~0ull;
	u32 i;

	for (i = 0; i < 16; i++) {
		u64 before = rdtsc();
		u32 timer = inl(PM_TIMER_PORT) & PM_TIMER_MASK;
		u64 after = rdtsc();

		if (after - before >= width)
			continue;
		width = after - before;
		best.tsc = before + width / 2;
		best.timer = timer;
	}
	return best;
}

u64 tsc_hz(void)
{
	static u64 hz;
	struct sample start, end;
	u32 ticks;

	if (hz)
		return hz;
	start = sample();
	while (((inl(PM_TIMER_PORT) - start.timer) & PM_TIMER_MASK) < PM_TIMER_WINDOW)
		cpu_relax();
	end = sample();
	ticks = (end.timer - start.timer) & PM_TIMER_MASK;
	hz = (end.tsc - start.tsc) * PM_TIMER_HZ / ticks;
	return hz;
}

u64 guest_tsc(struct vcpu *v)
{
	return rdtsc() + v->vmcb.tsc_offset;
}

static u64 warped;		/* ticks in all */

u64 tsc_warped(void)
{
	return warped;
}

/* Takes effect at each vCPU's next entry: the caller has them leave the guest */
void time_warp(u64 ns)
{
	u64 hz = tsc_hz();
	u64 ticks = ns / 1000000000 * hz + ns % 1000000000 * hz / 1000000000;
	u32 i;

	for (i = 0; i < MAX_VCPUS; i++) {
		vcpus[i].vmcb.tsc_offset += ticks;
		vcpus[i].moved_ns += ns;
	}
	warped += ticks;
	kvm_pv_time_warped(ns);
}
