/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which confidential computing technology is active, as user space can tell:
 * by the machine, by CPUID, by an MSR, by the kernel's log.
 */
#ifndef COCO_TECHNOLOGY_H
#define COCO_TECHNOLOGY_H

#include <fcntl.h>
#include <unistd.h>

#include "kernel.h"
#include "machine.h"

#define TECHNOLOGY_UNKNOWN	(-1)

/* ---- CPUID ---- */
#define CPUID_HYPERVISOR	(1u << 31)	/* leaf 1 ECX */
#define CPUID_TDX		0x21		/* TDX module ABI: "IntelTDX    " in EBX, EDX, ECX */
#define CPUID_AMD_MEMORY	0x8000001f	/* APM vol. 3, E.4.17 */
#define AMD_SEV			(1u << 1)
#define AMD_SEV_ES		(1u << 3)
#define AMD_SEV_SNP		(1u << 4)

static __maybe_unused bool cpuid_says_hypervisor(void)
{
	return cpuid(1, 0).ecx & CPUID_HYPERVISOR;
}

static __maybe_unused bool cpuid_says_tdx(void)
{
	struct cpuid c;

	if (cpuid(0, 0).eax < CPUID_TDX)
		return false;
	c = cpuid(CPUID_TDX, 0);
	return c.ebx == 0x65746e49 && c.edx == 0x5844546c && c.ecx == 0x20202020;
}

/* EAX of Fn8000_001F; 0: no such leaf */
static __maybe_unused uint32_t cpuid_amd_memory(void)
{
	return cpuid(0x80000000, 0).eax < CPUID_AMD_MEMORY ? 0 : cpuid(CPUID_AMD_MEMORY, 0).eax;
}

/* A guest of a technology sees its bit in CPUID; on a host the bits say what could be */
static __maybe_unused int technology_by_cpuid(void)
{
	uint32_t amd;

	if (!cpuid_says_hypervisor())
		return COCO_NONE;
	if (cpuid_says_tdx())
		return COCO_TDX;
	amd = cpuid_amd_memory();
	if (!(amd & AMD_SEV))
		return COCO_NONE;
	if (amd & AMD_SEV_SNP)
		return COCO_SEV_SNP;
	return amd & AMD_SEV_ES ? COCO_SEV_ES : COCO_SEV;
}

/* ---- the MSR ---- */
#define MSR_DEVICE	"/dev/cpu/0/msr"
#define MSR_SEV_STATUS	0xc0010131	/* APM vol. 2, 15.34.10 */
#define STATUS_SEV	(1u << 0)
#define STATUS_SEV_ES	(1u << 1)
#define STATUS_SEV_SNP	(1u << 2)

/* TECHNOLOGY_UNKNOWN: no such device, or not allowed */
static __maybe_unused int technology_by_msr(void)
{
	int fd = open(MSR_DEVICE, O_RDONLY | O_CLOEXEC);
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

/* ---- the kernel's log ---- */

static inline bool line_has_word(const char *line, const char *word)
{
	size_t len = strlen(word);

	while (*line && *line != '\n') {
		size_t span = strcspn(line, " \n");

		if (span == len && !strncmp(line, word, len))
			return true;
		line += span;
		line += *line == ' ';
	}
	return false;
}

/*
 * 5.4:			"AMD Secure Encrypted Virtualization (SEV) active"
 * 5.10, 5.15:		"AMD Memory Encryption Features active: SEV SEV-ES"
 * 6.1 and later:	"Memory Encryption Features active: AMD SEV SEV-ES SEV-SNP", "...: Intel TDX"
 */
static __maybe_unused int technology_by_log(const char *log)
{
	const char *line = log_after(log, "Memory Encryption Features active: ");

	if (!line)
		return log_after(log, "Secure Encrypted Virtualization (SEV) active") ? COCO_SEV : COCO_NONE;
	if (line_has_word(line, "TDX"))
		return COCO_TDX;
	if (line_has_word(line, "SEV-SNP"))
		return COCO_SEV_SNP;
	if (line_has_word(line, "SEV-ES"))
		return COCO_SEV_ES;
	return line_has_word(line, "SEV") ? COCO_SEV : COCO_NONE;
}

/*
 * The best word there is, and whose it was.  The kernel's log loses its first lines
 * in a guest that has been up for long, so it is asked last; an AMD host's CPUID may
 * name more than is switched on.
 */
static __maybe_unused int technology_told_by(const char **told_by)
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

static __maybe_unused int technology_active(void)
{
	const char *told_by;

	return technology_told_by(&told_by);
}

/* "sev-es or sev-snp", until the next call */
static __maybe_unused const char *technologies(unsigned int mask)
{
	static char text[64];
	size_t len = 0;
	int i;

	for (i = COCO_NONE; i <= COCO_TDX; i++)
		if (mask & 1u << i)
			len += snprintf(text + len, sizeof(text) - len, "%s%s", len ? " or " : "",
					personality_name(i));
	return text;
}

/* The VMPL of an SEV-SNP guest: 0, or there is an SVSM.  Kernels that do not show it know no other */
static __maybe_unused int technology_vmpl(void)
{
	FILE *f = fopen("/sys/devices/system/cpu/sev/vmpl", "re");
	int vmpl = 0;

	if (f) {
		if (fscanf(f, "%d", &vmpl) != 1)
			vmpl = 0;
		fclose(f);
	}
	return vmpl;
}

#endif /* COCO_TECHNOLOGY_H */
