// SPDX-License-Identifier: GPL-2.0
/*
 * An interrupt at vector 0x80 is no system call.
 *
 * Path:        external interrupt 0x80 in user mode -> int80_emulation() -> the local APIC's ISR
 * Upstream:    55617fb991df ("x86/entry: Do not allow external 0x80 interrupts") CVE-2024-25744
 * Without it:  a host has a program make a system call of whatever its registers hold.
 *
 * Vectors from 31 on are a TD's host's to post (TDX module base specification, interrupt
 * handling), and the virtual APIC then has the ISR bit set: the kernel can tell, and panics.
 * A host of SEV-ES can do without the ISR, which is why the emulation is off there.
 * Here it is on: ia32_emulation=on.
 */
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../lib/need.h"

#define VECTOR		0x80
#define GETPID_32	20			/* arch/x86: the 32-bit table */

/* RAX is what a system call would be chosen by; the interrupt comes at the NOP */
static __insn long wait_with_rax(long rax)
{
	asm volatile(".globl int80_here\nint80_here: nop" : "+a"(rax)
		     : : "r8", "r9", "r10", "r11", "memory");
	return rax;
}

extern const char int80_here[];

/* The coarse clock moves with the tick */
static bool same_tick(const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec == since->tv_sec && now.tv_nsec == since->tv_nsec;
}

/* A tick that waits goes first, as its vector is higher, and the next one hits its handler */
static void wait_for_a_tick(void)
{
	struct timespec since;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &since);
	while (same_tick(&since))
		;
}

TEST(interrupt_runs_no_system_call)
{
	const struct coco_inject inject = {
		.type = COCO_INJECT_INTR, .vector = VECTOR, .rip = (uintptr_t)int80_here,
	};

	NEED_TECHNOLOGY(1u << COCO_TDX);
	NEED_MACHINE();
	ASSERT_EQ(0, pin_to_cpu0());
	ASSERT_EQ(0, machine_expect(COCO_END_RESET, 0, 0));
	wait_for_a_tick();
	ASSERT_EQ(0, machine_inject(&inject));
	EXPECT_EQ(GETPID_32, wait_with_rax(GETPID_32));
	machine_expect(0, 0, 0);
	TH_LOG("the guest goes on");
	EXPECT_EQ(0, 1);
}

TEST_HARNESS_MAIN
