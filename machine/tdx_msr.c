// SPDX-License-Identifier: GPL-2.0
/*
 * Model-specific registers of a TD ([base] "MSR handling"; [ABI] "MSR
 * virtualization" lists each).  A TD's access reaches the register, raises #VE
 * or raises #GP; with TD_CTLS.REDUCE_VE most that raised #VE raise #GP.  What
 * depends on a feature (performance monitoring, CET, PT, LBR, TSX, UMWAIT, PKS,
 * XFD, TSC deadline, SGX, VMX, TME) is here for a TD without it.
 *
 * The host's side of the same, TDG.VP.VMCALL<Instruction.RDMSR, WRMSR>, refuses
 * what the module switches with the TD and what KVM does not emulate for a TD,
 * and is msr.c otherwise.
 */
#include "apic.h"
#include "core.h"
#include "tdx.h"

enum access {
	DIRECT,			/* as on a CPU */
	SPECIAL,		/* the module's own answer: special_read(), special_write() */
	VE,			/* #VE, always */
	GP,			/* #GP(0) */
	CONFIG,			/* #VE; #GP(0) with REDUCE_VE.  So is what is not listed. */
};

static const struct msr_class {
	u32 first, last;
	enum access read, write;
} classes[] = {
	{ 0x10, 0x10, DIRECT, VE },			/* TSC */
	{ 0x1b, 0x1b, VE, VE },				/* APIC_BASE */
	{ 0x34, 0x34, SPECIAL, SPECIAL },		/* SMI_COUNT */
	{ 0x3a, 0x3a, SPECIAL, CONFIG },		/* FEATURE_CONTROL */
	{ 0x48, 0x49, DIRECT, DIRECT },			/* SPEC_CTRL, PRED_CMD */
	{ 0x4e, 0x4e, SPECIAL, CONFIG },		/* PPIN_CTL */
	{ 0x79, 0x79, CONFIG, SPECIAL },		/* BIOS_UPDT_TRIG */
	{ 0x87, 0x87, GP, GP },				/* MKTME partitioning */
	{ 0x8b, 0x8b, SPECIAL, SPECIAL },		/* BIOS_SIGN_ID */
	{ 0x8c, 0x8f, GP, GP },				/* SGXLEPUBKEYHASH */
	{ 0x98, 0x9b, GP, GP },				/* WBINVDP ... SMM_MONITOR_CTL */
	{ 0x9e, 0x9e, GP, GP },				/* SMBASE */
	{ 0xbc, 0xbc, DIRECT, VE },			/* MISC_PACKAGE_CTLS */
	{ 0xbd, 0xbd, SPECIAL, GP },			/* XAPIC_DISABLE_STATUS; the CPU's #GP */
	{ 0xc1, 0xc8, GP, GP },				/* PMC */
	{ 0xce, 0xce, SPECIAL, CONFIG },		/* PLATFORM_INFO */
	{ 0xe1, 0xe1, GP, GP },				/* UMWAIT_CONTROL */
	{ 0x10a, 0x10a, SPECIAL, GP },			/* ARCH_CAPABILITIES; the CPU's #GP */
	{ 0x10b, 0x10b, DIRECT, DIRECT },		/* FLUSH_CMD */
	{ 0x122, 0x122, GP, GP },			/* TSX_CTRL */
	{ 0x140, 0x140, SPECIAL, SPECIAL },		/* MISC_FEATURES_ENABLES */
	{ 0x174, 0x176, DIRECT, DIRECT },		/* SYSENTER */
	{ 0x186, 0x18d, GP, GP },			/* PERFEVTSEL */
	{ 0x195, 0x195, GP, GP },			/* OVERCLOCKING_STATUS */
	{ 0x1a0, 0x1a0, SPECIAL, SPECIAL },		/* MISC_ENABLE */
	{ 0x1a6, 0x1a7, GP, GP },			/* OFFCORE_RSP */
	{ 0x1c4, 0x1c5, GP, GP },			/* XFD, XFD_ERR */
	{ 0x1d9, 0x1d9, SPECIAL, SPECIAL },		/* DEBUGCTL */
	{ 0x1f8, 0x1fa, GP, GP },			/* DCA */
	{ 0x276, 0x276, GP, GP },			/* SLAM_ENABLE */
	{ 0x277, 0x277, DIRECT, DIRECT },		/* PAT */
	{ 0x309, 0x310, GP, GP },			/* FIXED_CTR */
	{ 0x329, 0x329, GP, GP },			/* PERF_METRICS */
	{ 0x345, 0x345, SPECIAL, GP },			/* PERF_CAPABILITIES */
	{ 0x38d, 0x392, GP, GP },			/* FIXED_CTR_CTRL ... PERF_GLOBAL_INUSE */
	{ 0x3f1, 0x3f2, GP, GP },			/* PEBS */
	{ 0x3f6, 0x3f7, GP, GP },
	{ 0x480, 0x480, SPECIAL, GP },			/* VMX capabilities */
	{ 0x481, 0x484, CONFIG, GP },
	{ 0x485, 0x489, SPECIAL, GP },
	{ 0x48a, 0x48a, CONFIG, GP },
	{ 0x48b, 0x492, SPECIAL, GP },
	{ 0x4c1, 0x4c8, GP, GP },			/* A_PMC */
	{ 0x500, 0x500, GP, GP },			/* SGX_SVN_STATUS */
	{ 0x560, 0x561, GP, GP },			/* PT */
	{ 0x570, 0x572, GP, GP },
	{ 0x580, 0x587, GP, GP },
	{ 0x600, 0x600, DIRECT, DIRECT },		/* DS_AREA */
	{ 0x6a0, 0x6a0, GP, GP },			/* CET */
	{ 0x6a2, 0x6a2, GP, GP },
	{ 0x6a4, 0x6a8, GP, GP },
	{ 0x6e0, 0x6e1, GP, GP },			/* TSC_DEADLINE, PKRS */
	{ 0x800, 0x801, GP, GP },			/* x2APIC from here on */
	{ 0x802, 0x802, SPECIAL, VE },
	{ 0x803, 0x803, VE, VE },
	{ 0x804, 0x807, GP, GP },
	{ 0x808, 0x80c, DIRECT, DIRECT },		/* TPR, PPR, EOI */
	{ 0x80d, 0x80d, VE, VE },
	{ 0x80e, 0x80e, DIRECT, DIRECT },
	{ 0x80f, 0x80f, VE, VE },
	{ 0x810, 0x827, DIRECT, DIRECT },		/* ISR, TMR, IRR */
	{ 0x828, 0x828, VE, VE },
	{ 0x829, 0x82e, GP, GP },
	{ 0x82f, 0x830, VE, VE },
	{ 0x831, 0x831, GP, GP },
	{ 0x832, 0x83e, VE, VE },
	{ 0x83f, 0x83f, DIRECT, DIRECT },		/* self IPI */
	{ 0x840, 0x8ff, GP, GP },
	{ 0x981, 0x98a, GP, GP },			/* TME, user interrupts */
	{ 0xc80, 0xc80, DIRECT, VE },			/* DEBUG_INTERFACE */
	{ 0xd90, 0xd90, GP, GP },			/* BNDCFGS */
	{ 0xd93, 0xd93, GP, GP },			/* PASID */
	{ 0xda0, 0xda0, DIRECT, SPECIAL },		/* XSS */
	{ 0x1200, 0x12ff, GP, GP },			/* LBR */
	{ 0x14ce, 0x14cf, GP, GP },
	{ 0x1500, 0x16ff, GP, GP },
	{ 0x1b01, 0x1b01, DIRECT, DIRECT },		/* UARCH_MISC_CTL */
	{ 0x2000, 0xbfffffff, VE, VE },			/* outside the MSR bitmaps: always #VE */
	{ 0xc0000080, 0xc0000080, DIRECT, SPECIAL },	/* EFER */
	{ 0xc0000081, 0xc0000082, DIRECT, DIRECT },	/* STAR, LSTAR */
	{ 0xc0000084, 0xc0000084, DIRECT, DIRECT },	/* FMASK */
	{ 0xc0000100, 0xc0000103, DIRECT, DIRECT },	/* FS, GS, kernel GS base, TSC_AUX */
	{ 0xc0002000, 0xffffffff, VE, VE },
};

/*
 * Of a fourth-generation Xeon: RDCL_NO, IBRS_ALL, SKIP_L1DFL, MDS_NO, PSCHANGE_MC_NO,
 * TAA_NO, SBDR_SSDP_NO, FBSDP_NO, PSDP_NO, XAPIC_DISABLE_STATUS, PBRSB_NO, GDS_NO,
 * RFDS_NO, ITS_NO
 */
#define ARCH_CAPABILITIES	(BIT_ULL(0) | BIT_ULL(1) | BIT_ULL(3) | BIT_ULL(5) | BIT_ULL(6) | \
				 BIT_ULL(8) | BIT_ULL(13) | BIT_ULL(14) | BIT_ULL(15) | \
				 BIT_ULL(21) | BIT_ULL(24) | BIT_ULL(26) | BIT_ULL(27) | \
				 BIT_ULL(62))
#define SPEC_CTRL_BITS		0x4ffull	/* as CPUID 7.0 and 7.2 enumerate them */
#define DEBUGCTL_RESERVED	0xffffffffffff003cull
#define DEBUGCTL_TR		BIT_ULL(6)
#define DEBUGCTL_BTS		BIT_ULL(7)
#define DEBUGCTL_UNCORE_PMI	BIT_ULL(13)
#define DEBUGCTL_SMM_FREEZE	BIT_ULL(14)
#define DEBUGCTL_RTM		BIT_ULL(15)
#define MISC_PERFMON		BIT_ULL(7)
#define MISC_NO_BTS		BIT_ULL(11)
#define MISC_NO_PEBS		BIT_ULL(12)
#define MISC_EST		BIT_ULL(16)
#define MISC_MONITOR		BIT_ULL(18)
#define MISC_LIMIT_CPUID	BIT_ULL(22)
#define MISC_NO_TPR_MESSAGES	BIT_ULL(23)
#define MISC_MUST_BE_ZERO	0xffffffffff3ae776ull

static struct msr_class class_of(u32 msr)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(classes); i++)
		if (msr >= classes[i].first && msr <= classes[i].last)
			return classes[i];
	return (struct msr_class) { msr, msr, CONFIG, CONFIG };
}

void tdx_msr_setup(struct vcpu *v)
{
	/* CSTAR: of no use on this vendor's CPUs, and not the TD's */
	msr_permit(0xc0000083, false, false);
	/*
	 * The host's answer for a TD's MTRRs is that after reset ([SDM] 3, 12.11.2.1):
	 * no TD firmware sets them, as CR0.CD, which it takes, is not a TD's to set.
	 */
	wrmsr(MSR_MTRR_DEF_TYPE, 0);
	tdx_vcpu(v)->misc_enable = (rdmsr(0x1a0) & ~MISC_PERFMON) | MISC_NO_BTS | MISC_NO_PEBS;
}

/* ---- direct: what QEMU's CPU lacks, or the machine stands in for ---- */

static u64 *stored(struct vcpu *v, u32 msr)
{
	struct tdx_vcpu *t = tdx_vcpu(v);

	switch (msr) {
	case 0x48:
		return &t->spec_ctrl;
	case 0x600:
		return &t->ds_area;
	default:
		return NULL;
	}
}

static u64 efer(struct vcpu *v)
{
	return (v->paging_off ? v->guest_efer : v->vmcb.save.efer) & ~EFER_SVME;
}

static enum access direct_read(struct vcpu *v, u32 msr, u64 *value)
{
	u64 *store = stored(v, msr);

	if (msr >= 0x800 && msr <= 0x8ff)
		return apic_msr_read(v, msr, value) ? DIRECT : GP;
	switch (msr) {
	case 0x10:			/* QEMU's CPU reads it as 0 */
		*value = guest_tsc(v);
		return DIRECT;
	case 0x49:			/* commands cannot be read */
	case 0x10b:
		return GP;
	case 0xda0:
		*value = 0;
		return DIRECT;
	case MSR_EFER:
		*value = efer(v);
		return DIRECT;
	}
	if (!store)
		unmodelled(v, "reading MSR 0x%x", msr);
	*value = *store;
	return DIRECT;
}

static enum access direct_write(struct vcpu *v, u32 msr, u64 value)
{
	u64 *store = stored(v, msr);

	if (msr >= 0x800 && msr <= 0x8ff)
		return apic_msr_write(v, msr, value) ? DIRECT : GP;
	switch (msr) {
	case 0x48:
		if (value & ~SPEC_CTRL_BITS)
			return GP;
		break;
	case 0x49:			/* no predictor to bar, no cache to flush */
	case 0x10b:
		return value & ~1ull ? GP : DIRECT;
	}
	if (!store)
		unmodelled(v, "writing MSR 0x%x", msr);
	*store = value;
	return DIRECT;
}

/* ---- the module's own ---- */

static enum access special_read(struct vcpu *v, u32 msr, u64 *value)
{
	struct tdx_vcpu *t = tdx_vcpu(v);

	switch (msr) {
	case 0xbd:
		*value = 1;		/* legacy xAPIC mode is off for good */
		return DIRECT;
	case 0x10a:
		*value = ARCH_CAPABILITIES;
		return DIRECT;
	case 0x1a0:
		*value = t->misc_enable;
		return DIRECT;
	case 0x1d9:
		*value = t->debugctl & ~DEBUGCTL_UNCORE_PMI;
		return DIRECT;
	case 0x345:
		*value = 0;
		return DIRECT;
	case 0x802:
		*value = v->index;
		return td.td_ctls & TD_CTLS_ENUM_TOPOLOGY ? DIRECT : VE;
	}
	if (msr >= 0x480 && msr <= 0x492)
		unmodelled(v, "reading the VMX capabilities of a TD, MSR 0x%x", msr);
	if (!td_reduces_ve())
		return VE;
	switch (msr) {
	case 0x34:
		*value = t->smi_count;
		break;
	case 0x3a:
	case 0x4e:
		*value = 1;		/* locked */
		break;
	case 0x8b:
		*value = 0xffffffff;
		break;
	case 0xce:
	case 0x140:
		*value = 0;
		break;
	}
	return DIRECT;
}

/* Only SCE is the TD's to change; LMA is read-only */
static enum access write_efer(struct vcpu *v, u64 value)
{
	u64 old = efer(v);

	value = (value & ~EFER_LMA) | (old & EFER_LMA);
	if ((value ^ old) & ~EFER_SCE)
		return VE;
	if (v->paging_off)
		v->guest_efer = (v->guest_efer & ~EFER_SCE) | (value & EFER_SCE);
	v->vmcb.save.efer = (v->vmcb.save.efer & ~EFER_SCE) | (value & EFER_SCE);
	return DIRECT;
}

/* Kept, and of no effect: QEMU's CPU has no such register */
static enum access write_debugctl(struct vcpu *v, u64 value)
{
	if (value & DEBUGCTL_RESERVED)
		return GP;
	if (value & DEBUGCTL_TR && !(value & DEBUGCTL_BTS))
		return VE;
	if (value & (DEBUGCTL_SMM_FREEZE | DEBUGCTL_RTM))
		return GP;
	tdx_vcpu(v)->debugctl = value & ~DEBUGCTL_UNCORE_PMI;
	return DIRECT;
}

static enum access write_misc_enable(struct vcpu *v, u64 value)
{
	u64 *own = &tdx_vcpu(v)->misc_enable, kept = MISC_PERFMON | MISC_NO_BTS | MISC_NO_PEBS;

	if (!td_reduces_ve())
		return VE;
	if (value & (MISC_MUST_BE_ZERO | MISC_EST | MISC_NO_TPR_MESSAGES))
		return GP;
	if ((value ^ *own) & MISC_MONITOR || value & MISC_LIMIT_CPUID)
		return VE;
	*own = (value & ~kept) | (*own & kept);
	return DIRECT;
}

static enum access special_write(struct vcpu *v, u32 msr, u64 value)
{
	switch (msr) {
	case 0x1a0:
		return write_misc_enable(v, value);
	case 0x1d9:
		return write_debugctl(v, value);
	case 0xda0:
		return value ? GP : DIRECT;	/* XFAM has no supervisor state */
	case MSR_EFER:
		return write_efer(v, value);
	}
	if (!td_reduces_ve())
		return VE;
	if (msr == 0x34)
		tdx_vcpu(v)->smi_count = value;
	if (msr == 0x140 && value)
		return GP;
	return DIRECT;		/* BIOS_UPDT_TRIG, BIOS_SIGN_ID: nothing happens */
}

void tdx_msr_exit(struct vcpu *v)
{
	bool write = v->vmcb.exit_info1 & 1;
	u32 msr = reg(v, RCX), length = insn_length(v, write ? INSN_WRMSR : INSN_RDMSR);
	u64 value = edx_eax(v);
	enum access access = write ? class_of(msr).write : class_of(msr).read;

	if (access == DIRECT)
		access = write ? direct_write(v, msr, value) : direct_read(v, msr, &value);
	else if (access == SPECIAL)
		access = write ? special_write(v, msr, value) : special_read(v, msr, &value);
	if (access == CONFIG)
		access = td_reduces_ve() ? GP : VE;
	if (access == GP) {
		raise_gp(v);
		return;
	}
	if (access == VE) {
		ve_instruction(v, write ? VMX_EXIT_WRMSR : VMX_EXIT_RDMSR, 0, length);
		return;
	}
	if (!write)
		set_edx_eax(v, value);
	insn_done(v, length);
}

/* ---- the host ---- */

/* KVM gives a TD's APIC timer the crystal's rate, QEMU's APIC runs at 1 GHz */
#define X2APIC_INITIAL_COUNT		0x838
#define X2APIC_CURRENT_COUNT		0x839
#define APIC_HZ				1000000000ull
#define APIC_SCALE			(APIC_HZ / TD_CRYSTAL_HZ)

/*
 * What KVM emulates for a TD (tdx_has_emulated_msr()), as far as msr.c has it; beside that
 * KVM's own, of which a TD is offered none unless the option pv= asks for it
 */
static const struct {
	u32 first, last;
} emulated[] = {
	{ MSR_APIC_BASE, MSR_APIC_BASE },
	{ 0x8b, 0x8b },					/* BIOS_SIGN_ID */
	{ 0xfe, 0xfe },					/* MTRRs: capabilities, */
	{ 0x179, 0x17b },				/* MCG_CAP, MCG_STATUS, MCG_CTL */
	{ 0x1a0, 0x1a0 },				/* MISC_ENABLE */
	{ 0x200, 0x26f },				/* ranges, variable and fixed, */
	{ 0x2ff, 0x2ff },				/* default type */
	{ 0x400, 0x47f },				/* machine check banks */
	{ 0x800, 0x8ff },				/* x2APIC */
};

/* The module switches it with the TD: out of the host's reach */
static bool is_the_modules(u32 msr)
{
	return class_of(msr).read == DIRECT || class_of(msr).write == DIRECT;
}

static bool is_the_hosts(u32 msr)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(emulated); i++)
		if (msr >= emulated[i].first && msr <= emulated[i].last)
			return !is_the_modules(msr);
	return kvm_pv_has_msr(msr);
}

bool tdx_host_rdmsr(struct vcpu *v, u32 msr, u64 *value)
{
	if (!is_the_hosts(msr) || !msr_read(v, msr, value))
		return false;
	if (msr == X2APIC_INITIAL_COUNT || msr == X2APIC_CURRENT_COUNT)
		*value /= APIC_SCALE;
	return true;
}

bool tdx_host_wrmsr(struct vcpu *v, u32 msr, u64 value)
{
	u32 mode = value & ICR_MODE;

	if (!is_the_hosts(msr) || msr == MSR_APIC_BASE)
		return false;
	/* Nobody can set a TD's vCPU back, or start it elsewhere: KVM drops both */
	if (msr == X2APIC_ICR && (mode == ICR_INIT || mode == ICR_SIPI))
		return true;
	/* A count beyond 107 s at divisor 1, which no guest sets, would come early */
	if (msr == X2APIC_INITIAL_COUNT && !(value >> 32))
		value = min(value * APIC_SCALE, 0xffffffffull);
	return msr_write(v, msr, value);
}
