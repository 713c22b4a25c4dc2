// SPDX-License-Identifier: GPL-2.0
/* Which technology protects this guest, by what the processor says. */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/msr.h>
#include "cpuid.h"
#include "technology.h"

static const char *const names[] = {
	[COCO_NONE] = "none",
	[COCO_SEV] = "sev",
	[COCO_SEV_ES] = "sev-es",
	[COCO_SEV_SNP] = "sev-snp",
	[COCO_TDX] = "tdx",
};

bool coco_cpuid_is_tdx(void)
{
	u32 eax, signature[3];

	if (cpuid_eax(0) < COCO_CPUID_TDX)
		return false;
	cpuid_count(COCO_CPUID_TDX, 0, &eax, &signature[0], &signature[2], &signature[1]);
	return !memcmp(signature, "IntelTDX    ", sizeof(signature));
}
EXPORT_SYMBOL_GPL(coco_cpuid_is_tdx);

void coco_cpuid_sev(u32 *eax, u32 *ebx)
{
	u32 ecx, edx;

	*eax = 0;
	*ebx = 0;
	if (cpuid_eax(0x80000000) >= COCO_CPUID_SEV)
		cpuid(COCO_CPUID_SEV, eax, ebx, &ecx, &edx);
}
EXPORT_SYMBOL_GPL(coco_cpuid_sev);

static enum coco_personality by_processor(void)
{
	u32 eax, ebx, status, high;

	if (!boot_cpu_has(X86_FEATURE_HYPERVISOR))
		return COCO_NONE;
	if (coco_cpuid_is_tdx())
		return COCO_TDX;
	coco_cpuid_sev(&eax, &ebx);
	if (!(eax & COCO_CPUID_EAX_SEV) || rdmsr_safe(COCO_MSR_SEV_STATUS, &status, &high))
		return COCO_NONE;
	if (status & COCO_SEV_STATUS_SNP)
		return COCO_SEV_SNP;
	if (status & COCO_SEV_STATUS_ES)
		return COCO_SEV_ES;
	return status & COCO_SEV_STATUS_SEV ? COCO_SEV : COCO_NONE;
}

enum coco_personality coco_technology(void)
{
	static int found = -1;

	if (found < 0)
		found = by_processor();
	return found;
}
EXPORT_SYMBOL_GPL(coco_technology);

const char *coco_technology_name(enum coco_personality technology)
{
	return technology < ARRAY_SIZE(names) ? names[technology] : "unknown";
}
EXPORT_SYMBOL_GPL(coco_technology_name);

const char *coco_technologies(unsigned long wanted, char *text, size_t size)
{
	size_t i, len = 0;

	text[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (wanted & BIT(i))
			len += scnprintf(text + len, size - len, "%s%s", len ? " or " : "",
					 names[i]);
	return text;
}
EXPORT_SYMBOL_GPL(coco_technologies);
