// SPDX-License-Identifier: GPL-2.0
/*
 * #VC of a program that runs in a segment of its LDT, while another thread changes that.
 *
 * Path:        user instruction -> #VC -> vc_decode_user_insn() -> insn_get_effective_ip() ->
 *              insn_get_seg_base() -> get_desc(), which takes the LDT's lock
 * Upstream:    as released: findings/vc-ldt-lock.txt
 * Without it:  the handler waits for the lock with interrupts off, and whoever has it waits until
 *              this CPU has taken the interrupt that tells of the new LDT: both stand still for good.
 *              Or it sleeps, and has the GHCB of its CPU meanwhile.  No privilege is needed.
 *
 * The segment is flat and of 32 bits; this program is below 4G, so that its own code will do.
 */
#include <asm/ldt.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../lib/need.h"

#define SELECTOR	0x7	/* the first of the LDT, privilege 3 */
#define WRITE_LDT	0x11	/* modify_ldt(2) */
#define STACK		65536
#define SECONDS		5

static volatile bool over;

static int make_segment(unsigned int entry)
{
	struct user_desc segment = {
		.entry_number = entry, .limit = 0xfffff, .limit_in_pages = 1, .seg_32bit = 1,
		.contents = MODIFY_LDT_CONTENTS_CODE, .useable = 1,
	};

	return syscall(SYS_modify_ldt, WRITE_LDT, &segment, sizeof(segment));
}

/* One CPUID in the segment, between two far jumps: 0x33 is __USER_CS */
static __attribute__((__noinline__)) void run_in_ldt(void)
{
	struct {
		uint32_t offset;
		uint16_t selector;
	} __attribute__((packed)) to = { 0, SELECTOR };

	asm volatile("movl $1f, %[offset]\n\t"
		     "ljmp *%[to]\n\t"
		     ".code32\n"
		     "1:\txor %%eax, %%eax\n\t"
		     "cpuid\n\t"
		     "ljmpl $0x33, $2f\n\t"
		     ".code64\n"
		     "2:"
		     : [offset] "=m"(to.offset)
		     : [to] "m"(to)
		     : "rax", "rbx", "rcx", "rdx", "memory");
}

static int run(void *rounds)
{
	int error = pin_to_cpu(0);

	for (; !over && !error; (*(volatile unsigned int *)rounds)++)
		run_in_ldt();
	return error;
}

/* The first entry stays as it is, and the table is a new one each time */
static int change(void *rounds)
{
	int error = pin_to_cpu(1);

	for (; !over && !error; (*(volatile unsigned int *)rounds)++)
		error = make_segment(1);
	return !!error;
}

/* Its stack is below 4G: an exception's return to 32-bit code keeps no more of RSP */
static pid_t thread(int (*function)(void *), volatile unsigned int *rounds)
{
	uint8_t *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (stack == MAP_FAILED)
		return -1;
	return clone(function, stack + STACK, CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD,
		     (void *)rounds);
}

static void put(const char *path, const char *word)
{
	FILE *file = fopen(path, "we");

	if (file) {
		fputs(word, file);
		fclose(file);
	}
}

/* CPUs that stand still end the guest after ten seconds, if there is a watchdog, and not after a minute */
static void be_impatient(void)
{
	put("/proc/sys/kernel/watchdog_thresh", "5");
	put("/proc/sys/kernel/softlockup_panic", "1");
}

TEST(instructions_run_while_another_cpu_changes_it)
{
	static volatile unsigned int run_rounds, change_rounds;
	pid_t runner, changer;
	int status;

	NEED_MACHINE();
	NEED_VC();
	NEED_TWO_CPUS();
	if (make_segment(0))
		SKIP(return, "modify_ldt: %s", strerror(errno));
	be_impatient();
	runner = thread(run, &run_rounds);
	changer = thread(change, &change_rounds);
	ASSERT_LT(0, runner);
	ASSERT_LT(0, changer);
	sleep(SECONDS);
	over = true;
	EXPECT_EQ(runner, waitpid(runner, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(changer, waitpid(changer, &status, 0));
	EXPECT_EQ(0, status);
	TH_LOG("%u instructions, %u changes", run_rounds, change_rounds);
	EXPECT_LT(0, run_rounds);
	EXPECT_LT(0, change_rounds);
}

TEST_HARNESS_MAIN
