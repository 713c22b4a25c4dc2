// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest can tell of itself, for guest/run-guest, as key=value lines: no test.
 *
 *	technology	none, sev, sev-es, sev-snp or tdx
 *	told_by		machine, cpuid, msr or log: who said so
 *	machine		yes in the software machine
 *	hypervisor	yes in any guest
 *
 * The kernel's log loses its first lines in a guest that has been up for long,
 * so it is asked last; an AMD host's CPUID may name more than is switched on.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../lib/compiler.h"
#include "../lib/machine.h"
#include "../lib/technology.h"

/* APM vol. 2, 15.34.10 */
#define MSR_SEV_STATUS	0xc0010131
#define STATUS_SEV	(1u << 0)
#define STATUS_SEV_ES	(1u << 1)
#define STATUS_SEV_SNP	(1u << 2)

static const char *yes_no(bool yes)
{
	return yes ? "yes" : "no";
}

/* TECHNOLOGY_UNKNOWN: no such device, or not allowed */
static int technology_by_msr(void)
{
	int fd = open("/dev/cpu/0/msr", O_RDONLY);
	uint64_t status;
	bool got = fd >= 0 && pread(fd, &status, sizeof(status), MSR_SEV_STATUS) == sizeof(status);

	if (fd >= 0)
		close(fd);
	if (!got)
		return TECHNOLOGY_UNKNOWN;
	if (status & STATUS_SEV_SNP)
		return COCO_SEV_SNP;
	if (status & STATUS_SEV_ES)
		return COCO_SEV_ES;
	return status & STATUS_SEV ? COCO_SEV : COCO_NONE;
}

static int find_technology(const char **told_by)
{
	int by_cpuid = technology_by_cpuid(), found;
	char *log;

	*told_by = "machine";
	if (machine_present())
		return machine_personality();
	*told_by = "cpuid";
	if (by_cpuid == COCO_NONE || by_cpuid == COCO_TDX)
		return by_cpuid;
	*told_by = "msr";
	found = technology_by_msr();
	if (found != TECHNOLOGY_UNKNOWN)
		return found;
	*told_by = "log";
	log = kernel_log();
	found = log ? technology_by_log(log) : COCO_NONE;
	free(log);
	if (found != COCO_NONE)
		return found;
	*told_by = "cpuid";
	return by_cpuid;
}

int main(void)
{
	const char *told_by;
	int technology = find_technology(&told_by);

	printf("technology=%s\n", personality_name(technology));
	printf("told_by=%s\n", told_by);
	printf("machine=%s\n", yes_no(machine_present()));
	printf("hypervisor=%s\n", yes_no(cpuid_says_hypervisor()));
	return 0;
}
