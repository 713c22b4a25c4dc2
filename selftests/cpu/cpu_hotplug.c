// SPDX-License-Identifier: GPL-2.0
/*
 * A CPU that was taken offline comes back, and works.
 *
 * Path:        /sys/devices/system/cpu/cpu1/online -> AP reset hold, or AP creation -> SIPI ->
 *              setup_ghcb() -> user space
 * Upstream:    0afb6b660a6b ("x86/sev: Use SEV-SNP AP creation to start secondary CPUs"),
 *              27d25348d421 ("x86/sev: Fix kernel crash due to late update to read-only
 *              ghcb_version")
 * Without it:  a CPU that starts after the kernel has closed its read-only data writes there,
 *              and takes the guest down.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../lib/need.h"

#define CPU1_ONLINE	"/sys/devices/system/cpu/cpu1/online"
#define APIC_ID(ebx)	((ebx) >> 24)

static int set_online(const char *word)
{
	int fd = open(CPU1_ONLINE, O_WRONLY), result;

	if (fd < 0)
		return -errno;
	result = write(fd, word, 1) == 1 ? 0 : -errno;
	close(fd);
	return result;
}

TEST(cpu_comes_back_and_works)
{
	uint32_t first, second;

	if (access(CPU1_ONLINE, W_OK))
		SKIP(return, CPU1_ONLINE ": %s", strerror(errno));
	ASSERT_EQ(0, pin_to_cpu(1));
	first = cpuid(1, 0).ebx;
	ASSERT_EQ(0, pin_to_cpu(0));
	ASSERT_EQ(0, set_online("0"));
	EXPECT_NE(0, pin_to_cpu(1));
	ASSERT_EQ(0, set_online("1"));
	ASSERT_EQ(0, pin_to_cpu(1));
	EXPECT_EQ(1, sched_getcpu());
	second = cpuid(1, 0).ebx;
	EXPECT_EQ(APIC_ID(first), APIC_ID(second));
}

TEST_HARNESS_MAIN
