// SPDX-License-Identifier: GPL-2.0
/*
 * INT 0x80 is off where a host may raise that vector, too, and on where the kernel can tell.
 *
 * Path:        user INT 0x80 -> gate of the IDT -> #GP
 *              TDX: user INT 0x80 -> int80_emulation() -> system call
 * Upstream:    b82a8dbd3d2f ("x86/coco: Disable 32-bit emulation by default on TDX and SEV")
 *              CVE-2024-25744,
 *              f4116bfc4462 ("x86/tdx: Allow 32-bit emulation by default")
 * Without it:  a host injects vector 0x80 into a program, and so has it make a system call of
 *              whatever its registers hold.
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../lib/need.h"

#define TRAP_GP		13
#define GETPID_32	20			/* arch/x86: the 32-bit table */
/* APM vol. 2, 8.4.1: an entry of the IDT is to blame.  Which one, QEMU gets wrong (16 * vector). */
#define ERROR_TABLE	7u
#define ERROR_IDT	2u

static long result;

static __insn void int80_getpid(void)
{
	asm volatile("int $0x80" : "=a"(result) : "a"(GETPID_32)
		     : "r8", "r9", "r10", "r11", "memory");
}

TEST(int80_is_refused)
{
	struct fault fault;

	NEED_TECHNOLOGY(1u << COCO_SEV | 1u << COCO_SEV_ES | 1u << COCO_SEV_SNP, "SEV");
	result = -1;
	fault = fault_of(int80_getpid);
	EXPECT_EQ(SIGSEGV, fault.signal);
	EXPECT_EQ(TRAP_GP, fault.trapno);
	EXPECT_EQ(ERROR_IDT, fault.error & ERROR_TABLE);
	EXPECT_TRUE(rip_is_ours(fault.rip));
	EXPECT_EQ(-1, result);
}

/* A TDX module shows in the ISR who raised the vector: no need to do without */
TEST(int80_is_a_system_call)
{
	struct fault fault;

	NEED_TECHNOLOGY(1u << COCO_NONE | 1u << COCO_TDX, "guests that need not do without");
	result = -1;
	fault = fault_of(int80_getpid);
	EXPECT_EQ(0, fault.signal);
	EXPECT_EQ(getpid(), result);
}

TEST_HARNESS_MAIN
