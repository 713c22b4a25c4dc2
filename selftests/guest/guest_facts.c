// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest can tell of itself, for guest/run-guest, as key=value lines: no test.
 *
 *	technology	none, sev, sev-es, sev-snp or tdx
 *	told_by		machine, cpuid, msr or log: who said so
 *	machine		yes in the software machine
 *	hypervisor	yes in any guest
 */
#include <stdio.h>

#include "../lib/compiler.h"
#include "../lib/machine.h"
#include "../lib/technology.h"

static const char *yes_no(bool yes)
{
	return yes ? "yes" : "no";
}

int main(void)
{
	const char *told_by;
	int technology = technology_told_by(&told_by);

	printf("technology=%s\n", personality_name(technology));
	printf("told_by=%s\n", told_by);
	printf("machine=%s\n", yes_no(machine_present()));
	printf("hypervisor=%s\n", yes_no(cpuid_says_hypervisor()));
	return 0;
}
