/* SPDX-License-Identifier: GPL-2.0 */
/* CPUID as the CPU below the machine gives it. */
#ifndef CPUID_H
#define CPUID_H

#include "machine.h"

enum { EAX, EBX, ECX, EDX };

static inline void cpuid_raw(u32 leaf, u32 subleaf, u32 out[4])
{
	asm volatile("cpuid" : "=a"(out[EAX]), "=b"(out[EBX]), "=c"(out[ECX]), "=d"(out[EDX])
			     : "a"(leaf), "c"(subleaf));
}

#endif /* CPUID_H */
