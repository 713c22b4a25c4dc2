// SPDX-License-Identifier: GPL-2.0
/*
 * What one exit of each kind costs, for `coco bench`: no test, a measurement.
 *
 *	# cost <kind> ns=<nanoseconds each>
 *
 * "call" is a machine call that does nothing: the least that any exit costs
 * here.  A kind that this guest cannot run is left out.  The best of several
 * rounds counts, since whatever else the host did only ever adds.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/io.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../lib/compiler.h"
#include "../lib/machine.h"
#include "../lib/technology.h"

#define ROUNDS		60		/* short, so that some fall between two time slices of the host */
#define EACH		20

#define DELAY_PORT	0x80		/* takes a write at any time */
#define MSR_APIC_BASE	0x1b		/* never passed through */

static int msr_fd = -1;

static void nothing(void)
{
}

static void system_call(void)
{
	syscall(SYS_getppid);
}

static void call(void)
{
	machine_version();
}

static void cpuid_of_the_host(void)
{
	cpuid(0x40000000, 0);
}

static void cpuid_of_the_processor(void)
{
	cpuid(0, 0);
}

static void port_in(void)
{
	io_in(DELAY_PORT, 1, 0);
}

static void port_out(void)
{
	io_out(DELAY_PORT, 1, 0);
}

static void time_stamp(void)
{
	rdtsc();
}

/* Through the kernel's driver, hence with a system call around it */
static void rdmsr_by_system_call(void)
{
	uint64_t value;

	if (pread(msr_fd, &value, sizeof(value), MSR_APIC_BASE) != sizeof(value))
		msr_fd = -1;
}

static bool always(void)
{
	return true;
}

/* A TD's user space gets no port at all, and TDX turns RDTSC into no exit */
static bool ports(void)
{
	return technology_active() != COCO_TDX && !ioperm(DELAY_PORT, 1, 1);
}

static bool msr_device(void)
{
	uint64_t value;

	msr_fd = open("/dev/cpu/0/msr", O_RDONLY | O_CLOEXEC);
	return msr_fd >= 0 && pread(msr_fd, &value, sizeof(value), MSR_APIC_BASE) == sizeof(value);
}

static const struct kind {
	const char *name;
	bool (*possible)(void);
	void (*run)(void);
} kinds[] = {
	{ "nothing", always, nothing },
	{ "system_call", always, system_call },
	{ "time_stamp", always, time_stamp },
	{ "call", machine_present, call },
	{ "cpuid_of_the_processor", always, cpuid_of_the_processor },
	{ "cpuid_of_the_host", always, cpuid_of_the_host },
	{ "port_in", ports, port_in },
	{ "port_out", ports, port_out },
	{ "rdmsr_by_system_call", msr_device, rdmsr_by_system_call },
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static uint64_t cost(const struct kind *kind)
{
	uint64_t best = UINT64_MAX, begin, spent;
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		begin = now();
		for (i = 0; i < EACH; i++)
			kind->run();
		spent = now() - begin;
		if (spent < best)
			best = spent;
	}
	return best / EACH;
}

int main(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].possible())
			printf("# cost %s ns=%llu\n", kinds[i].name, (unsigned long long)cost(&kinds[i]));
	return 0;
}
