// SPDX-License-Identifier: GPL-2.0
/*
 * Model-specific registers.
 *
 * Three sorts: those that the guest reaches without the machine, because the
 * CPU switches them with the guest or the machine does not use them; those in
 * the table below; and all others, which raise #GP as KVM does for MSRs that it
 * does not know (kvm_get_msr_common(), kvm_set_msr_common()).  Each of the last
 * is noted once.
 *
 * EFER and control registers are paging.c's, SEV's own MSRs are sev.c's.
 */
#include "apic.h"
#include "core.h"

enum kind {
	IN_CPU,			/* kept in the CPU below, which nobody else uses it for */
	CPUS_OWN,		/* the CPU's, writing raises #GP */
	ZERO,			/* reads as zero, writes are ignored */
	ZERO_ONLY,		/* reads as zero, writing anything else raises #GP */
	FIXED,			/* reads as a value, writes are ignored */
};

struct range {
	u32 first, last;
	enum kind kind;
	u64 value;
};

/* Guests that probe these find the same under KVM (arch/x86/kvm/x86.c, svm.c; AMD, no PMU) */
static const struct range ranges[] = {
	{ 0x00000000, 0x00000001, ZERO_ONLY, 0 },		/* P5 machine check */
	{ 0x00000017, 0x00000017, ZERO, 0 },			/* platform ID */
	{ 0x0000002a, 0x0000002a, ZERO, 0 },			/* EBL_CR_POWERON */
	{ 0x0000002c, 0x0000002c, FIXED, 1 << 24 },		/* EBC frequency ID */
	{ 0x00000079, 0x00000079, ZERO, 0 },			/* microcode update */
	{ 0x0000008b, 0x0000008b, FIXED, 0x01000065 },		/* patch level, as KVM's */
	{ 0x000000cd, 0x000000cd, FIXED, 3 },			/* FSB frequency */
	{ 0x000000fe, 0x000000fe, CPUS_OWN, 0 },		/* MTRRcap */
	{ 0x0000011e, 0x0000011e, FIXED, 0xbe702111 },		/* BBL_CR_CTL3 */
	{ 0x00000179, 0x00000179, CPUS_OWN, 0 },		/* MCG_CAP */
	{ 0x0000017a, 0x0000017b, IN_CPU, 0 },			/* MCG_STATUS, MCG_CTL */
	{ 0x00000186, 0x00000187, ZERO_ONLY, 0 },		/* P6 event select */
	{ 0x000000c1, 0x000000c2, ZERO_ONLY, 0 },		/* P6 counters */
	{ 0x00000198, 0x00000198, FIXED, 1000 | 4ull << 40 },	/* PERF_STATUS */
	{ 0x00000199, 0x00000199, ZERO, 0 },			/* PERF_CTL */
	{ 0x000001db, 0x000001de, ZERO_ONLY, 0 },		/* last branch, last exception */
	{ 0x00000200, 0x0000020f, IN_CPU, 0 },			/* variable MTRRs */
	{ 0x00000250, 0x00000250, IN_CPU, 0 },			/* fixed MTRRs */
	{ 0x00000258, 0x00000259, IN_CPU, 0 },
	{ 0x00000268, 0x0000026f, IN_CPU, 0 },
	{ 0x000002ff, 0x000002ff, IN_CPU, 0 },			/* MTRR default type */
	{ 0x00000400, 0x00000427, IN_CPU, 0 },			/* ten machine check banks */
	{ 0x00000606, 0x00000606, ZERO_ONLY, 0 },		/* RAPL units, energy */
	{ 0x00000611, 0x00000611, ZERO_ONLY, 0 },
	{ 0x00000619, 0x00000619, ZERO_ONLY, 0 },
	{ 0x00000639, 0x00000639, ZERO_ONLY, 0 },
	{ 0x00000641, 0x00000641, ZERO_ONLY, 0 },
	{ 0xc0010000, 0xc0010007, ZERO_ONLY, 0 },		/* K7 event select, counters */
	{ 0xc0010010, 0xc0010010, ZERO, 0 },			/* SYSCFG */
	{ 0xc001001b, 0xc001001b, FIXED, 0x20000000 },		/* CLK_CTL */
	{ 0xc001001f, 0xc0010020, ZERO, 0 },			/* NB_CFG, patch loader */
	{ 0xc0010055, 0xc0010055, ZERO, 0 },			/* interrupt pending message */
	{ 0xc0010058, 0xc0010058, ZERO_ONLY, 0 },		/* MMIO configuration base */
	{ 0xc0010112, 0xc0010113, ZERO, 0 },			/* TSEG */
	{ 0xc0010114, 0xc0010114, ZERO_ONLY, 0 },		/* VM_CR */
	{ 0xc0010117, 0xc0010117, ZERO, 0 },			/* VM_HSAVE_PA */
	{ 0xc0010200, 0xc001020b, ZERO_ONLY, 0 },		/* core performance counters */
	{ 0xc0011021, 0xc0011023, ZERO, 0 },			/* IC_CFG, DC_CFG, TW_CFG */
	{ 0xc001102a, 0xc001102a, ZERO, 0 },			/* BU_CFG2 */
	{ 0xc001102c, 0xc001102c, ZERO, 0 },			/* EX_CFG */
};

/* What the guest reaches directly */
static const struct range direct[] = {
	{ .first = 0x00000174, .last = 0x00000176 },		/* SYSENTER */
	{ .first = 0x00000277, .last = 0x00000277 },		/* PAT */
	{ .first = 0xc0000081, .last = 0xc0000084 },		/* STAR, LSTAR, CSTAR, SFMASK */
	{ .first = 0xc0000100, .last = 0xc0000103 },		/* FS, GS, TSC_AUX */
};

#define MSR_MISC_ENABLE		0x1a0
#define MSR_X2APIC_FIRST	0x800
#define MSR_X2APIC_LAST		0x8ff
#define MSR_HWCR		0xc0010015
#define MSR_DE_CFG		0xc0011029

#define MISC_ENABLE_NO_PROFILING (BIT_ULL(11) | BIT_ULL(12))	/* BTS and PEBS are unavailable */
#define HWCR_IGNORED		(BIT_ULL(3) | BIT_ULL(6) | BIT_ULL(8))	/* as KVM takes them */
#define HWCR_KEPT		(BIT_ULL(18) | BIT_ULL(24))	/* McStatusWrEn, TscFreqSel */
#define DE_CFG_LFENCE		BIT_ULL(1)
#define DEBUGCTL_KEPT		0x3full		/* LBR, BTF, pin controls (APM vol. 2, 13.1.1.6) */

static struct virtual_msrs {
	u64 misc_enable, debugctl, hwcr;
} virtual_msrs[MAX_VCPUS];

void msr_setup(struct vcpu *v)
{
	size_t i;
	u32 msr;

	for (i = 0; i < ARRAY_SIZE(direct); i++)
		for (msr = direct[i].first; msr <= direct[i].last; msr++)
			msr_permit(msr, true, true);
	virtual_msrs[v->index].misc_enable = MISC_ENABLE_NO_PROFILING;
	if (!v->apic_base)
		v->apic_base = APIC_BASE | APIC_BASE_ENABLE |
			       (v->index ? 0 : APIC_BASE_BSP);
}

static bool is_x2apic_msr(struct vcpu *v, u32 msr)
{
	return v->apic_base & APIC_BASE_X2APIC && msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST;
}

static const struct range *find(u32 msr)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		if (msr >= ranges[i].first && msr <= ranges[i].last)
			return &ranges[i];
	return NULL;
}

/* #GP; says so once for each MSR, so that a kernel's surprise can be explained */
static bool unknown(struct vcpu *v, u32 msr, const char *what)
{
	static u32 noted[128];
	static u32 count;
	u32 i;

	trace("%s of unknown MSR 0x%x rip 0x%lx: #GP", what, msr, v->vmcb.save.rip);
	for (i = 0; i < count; i++)
		if (noted[i] == msr)
			return false;
	if (count < ARRAY_SIZE(noted)) {
		noted[count++] = msr;
		stream_line('m', "note %s of MSR 0x%x gives #GP, as KVM has it", what, msr);
	}
	return false;
}

bool msr_read(struct vcpu *v, u32 msr, u64 *value)
{
	struct virtual_msrs *own = &virtual_msrs[v->index];
	const struct range *r;

	if (kvm_pv_has_msr(msr))
		return kvm_pv_msr_read(v, msr, value);
	if (is_x2apic_msr(v, msr))
		return apic_msr_read(v, msr, value);
	switch (msr) {
	case MSR_TSC:
		*value = guest_tsc(v);
		return true;
	case MSR_APIC_BASE:
		*value = v->apic_base;
		return true;
	case MSR_MISC_ENABLE:
		*value = own->misc_enable;
		return true;
	case MSR_DEBUGCTL:
		*value = own->debugctl;
		return true;
	case MSR_HWCR:
		*value = own->hwcr;
		return true;
	case MSR_DE_CFG:
		*value = DE_CFG_LFENCE;
		return true;
	}
	r = find(msr);
	if (!r)
		return unknown(v, msr, "reading");
	*value = r->kind == IN_CPU || r->kind == CPUS_OWN ? rdmsr(msr) : r->value;
	return true;
}

/* The APIC stays where it is and in xAPIC mode (APM vol. 2, 16.3.1) */
static bool write_apic_base(struct vcpu *v, u64 value)
{
	u64 fixed = ~APIC_BASE_ENABLE;

	if ((value ^ v->apic_base) & fixed)
		return false;
	v->apic_base = value;
	return true;
}

static bool write_hwcr(struct virtual_msrs *own, u64 value)
{
	value &= ~HWCR_IGNORED;
	if (value & ~HWCR_KEPT)
		return false;
	own->hwcr = value;
	return true;
}

static bool write_range(struct vcpu *v, u32 msr, u64 value)
{
	const struct range *r = find(msr);

	if (!r)
		return unknown(v, msr, "writing");
	if (r->kind == CPUS_OWN || (r->kind == ZERO_ONLY && value))
		return false;
	if (r->kind == IN_CPU)
		wrmsr(msr, value);
	return true;
}

bool msr_write(struct vcpu *v, u32 msr, u64 value)
{
	struct virtual_msrs *own = &virtual_msrs[v->index];

	if (kvm_pv_has_msr(msr))
		return kvm_pv_msr_write(v, msr, value);
	if (is_x2apic_msr(v, msr))
		return apic_msr_write(v, msr, value);
	switch (msr) {
	case MSR_TSC:
		v->vmcb.tsc_offset = value - rdtsc();
		return true;
	case MSR_APIC_BASE:
		return write_apic_base(v, value);
	case MSR_MISC_ENABLE:
		own->misc_enable = value | MISC_ENABLE_NO_PROFILING;
		return true;
	case MSR_DEBUGCTL:
		if (value & ~DEBUGCTL_KEPT)
			return false;
		own->debugctl = value;
		return true;
	case MSR_HWCR:
		return write_hwcr(own, value);
	case MSR_DE_CFG:
		return !(value & ~DE_CFG_LFENCE);
	}
	return write_range(v, msr, value);
}
