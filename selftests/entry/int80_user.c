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

/* Of kernels that were built with 32-bit emulation, old and new */
#define NEED_INT80() do { \
	if (!kernel_has("entry_INT80_compat", NULL) && !kernel_has("asm_int80_emulation", NULL)) \
		SKIP(return, "this kernel was built without INT 0x80"); \
} while (0)

#define NEED_DEFAULT_EMULATION() do { \
	if (command_line_has("ia32_emulation=")) \
		SKIP(return, "ia32_emulation= on the command line"); \
} while (0)

static long result;

static bool command_line_has(const char *option)
{
	char line[4096];
	FILE *f = fopen("/proc/cmdline", "re");
	bool found = f && fgets(line, sizeof(line), f) && strstr(line, option);

	if (f)
		fclose(f);
	return found;
}

static __insn void int80_getpid(void)
{
	asm volatile("int $0x80" : "=a"(result) : "a"(GETPID_32)
		     : "r8", "r9", "r10", "r11", "memory");
}

TEST(int80_is_refused)
{
	struct fault fault;

	NEED_TECHNOLOGY(1u << COCO_SEV | 1u << COCO_SEV_ES | 1u << COCO_SEV_SNP);
	NEED_DEFAULT_EMULATION();
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

	NEED_TECHNOLOGY(1u << COCO_NONE | 1u << COCO_TDX);
	NEED_INT80();
	NEED_DEFAULT_EMULATION();
	result = -1;
	fault = fault_of(int80_getpid);
	EXPECT_EQ(0, fault.signal);
	EXPECT_EQ(getpid(), result);
}

TEST_HARNESS_MAIN
