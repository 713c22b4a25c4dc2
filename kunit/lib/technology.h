/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which technology protects this guest, by what the processor says and not by
 * what the kernel believes: CPUID leaf 21H for TDX, CPUID 8000_001F and the
 * SEV_STATUS MSR for AMD.
 */
#ifndef COCO_LIB_TECHNOLOGY_H
#define COCO_LIB_TECHNOLOGY_H

#include <linux/bits.h>
#include <linux/types.h>
#include "../../machine/include/coco_abi.h"

/* APM vol. 2, 15.34.10: MSR c001_0131, SEV_STATUS */
#define COCO_MSR_SEV_STATUS	0xc0010131
#define COCO_SEV_STATUS_SEV	BIT(0)
#define COCO_SEV_STATUS_ES	BIT(1)
#define COCO_SEV_STATUS_SNP	BIT(2)

/* APM vol. 3, appendix E: CPUID 8000_001F */
#define COCO_CPUID_SEV		0x8000001f
#define COCO_CPUID_EAX_SME	BIT(0)
#define COCO_CPUID_EAX_SEV	BIT(1)
#define COCO_CPUID_EAX_ES	BIT(3)
#define COCO_CPUID_EAX_SNP	BIT(4)
#define COCO_CPUID_EBX_CBIT	0x3f

/* TDX module ABI 348551, CPUID leaf 21H: "IntelTDX    " in EBX, EDX, ECX */
#define COCO_CPUID_TDX		0x21

enum coco_personality coco_technology(void);
const char *coco_technology_name(enum coco_personality technology);

/* EAX and EBX of CPUID 8000_001F; zeroes if the processor has no such leaf */
void coco_cpuid_sev(u32 *eax, u32 *ebx);
bool coco_cpuid_is_tdx(void);

/* Technologies a case is for, e.g. COCO_NEEDS(test, COCO_ES_OR_SNP) */
#define COCO_ANY_SEV		(BIT(COCO_SEV) | BIT(COCO_SEV_ES) | BIT(COCO_SEV_SNP))
#define COCO_ES_OR_SNP		(BIT(COCO_SEV_ES) | BIT(COCO_SEV_SNP))
#define COCO_ONLY(technology)	BIT(technology)

/* "sev-es or sev-snp" */
const char *coco_technologies(unsigned long wanted, char *text, size_t size);

#define COCO_NEEDS(test, wanted) \
	do { \
		char needs_text[64]; \
		\
		if (!((wanted) & BIT(coco_technology()))) \
			kunit_skip(test, "needs %s, this is %s", \
				   coco_technologies(wanted, needs_text, sizeof(needs_text)), \
				   coco_technology_name(coco_technology())); \
	} while (0)

#endif /* COCO_LIB_TECHNOLOGY_H */
