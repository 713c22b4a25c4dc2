// SPDX-License-Identifier: GPL-2.0
/*
 * Writes to CR0 and CR4 ([base] "CR handling").  A value that the platform
 * itself would refuse raises #GP; one that a TD is not to have raises #VE with
 * exit reason CR access; the guest believes that CR4.VMXE is 0, and CR4.MCE and
 * CR0.NE are always 1.
 */
#include "core.h"
#include "cpuid.h"
#include "tdx.h"

#define CR0_IGNORED	0x1ffaffc0ull		/* reserved bits that a write leaves alone */
#define CR4_VMXE	BIT_ULL(13)
#define CR4_SMXE	BIT_ULL(14)

enum verdict { ALLOWED, GP, NOT_IN_A_TD };

/* CR4 bits, and the CPUID bit that says that the CPU has them */
static const struct {
	u64 bit;
	u32 leaf;
	u8 reg, feature;
} cr4_features[] = {
	{ BIT_ULL(11), 7, ECX, 2 },		/* UMIP */
	{ BIT_ULL(16), 7, EBX, 0 },		/* FSGSBASE */
	{ CR4_PCIDE, 1, ECX, 17 },
	{ BIT_ULL(18), 1, ECX, 26 },		/* OSXSAVE */
	{ CR4_SMEP, 7, EBX, 7 },
	{ CR4_SMAP, 7, EBX, 20 },
	{ CR4_PKE, 7, ECX, 3 },
};

/* VME ... OSXMMEXCPT, but for MCE's place; VMXE and SMXE, which every TDX platform has */
#define CR4_ALWAYS	(0x7ffull | CR4_VMXE | CR4_SMXE)

static u64 cr4_native(void)
{
	static u64 known;
	u32 r[4];
	size_t i;

	if (known)
		return known;
	known = CR4_ALWAYS;
	for (i = 0; i < ARRAY_SIZE(cr4_features); i++) {
		cpuid_raw(cr4_features[i].leaf, 0, r);
		if (r[cr4_features[i].reg] & BIT(cr4_features[i].feature))
			known |= cr4_features[i].bit;
	}
	return known;
}

static bool long_mode_enabled(struct vcpu *v)
{
	return !v->paging_off && guest_long_mode(v);
}

static enum verdict judge_cr0(u64 value)
{
	/* IA32_VMX_CR0_FIXED0 has NE, FIXED1 nothing above bit 31 */
	if (value >> 32 || !(value & CR0_NE))
		return GP;
	if (value & CR0_PG && !(value & CR0_PE))
		return GP;
	if (!(value & CR0_PE) || value & (CR0_NW | CR0_CD))
		return NOT_IN_A_TD;
	return ALLOWED;
}

static enum verdict judge_cr4(struct vcpu *v, u64 value)
{
	u64 old = v->paging_off ? v->guest_cr4 : v->vmcb.save.cr4;

	if (value & ~cr4_native())
		return GP;
	if (value & CR4_PKE && !(td.xfam & BIT_ULL(9)))
		return GP;
	if (long_mode_enabled(v) && !(value & CR4_PAE))
		return GP;
	if (value & CR4_PCIDE && !(old & CR4_PCIDE) &&
	    (!long_mode_enabled(v) || v->vmcb.save.cr3 & ~PAGE_MASK))
		return GP;
	if (!(value & CR4_MCE) || value & (CR4_VMXE | CR4_SMXE))
		return NOT_IN_A_TD;
	return ALLOWED;
}

static void apply(struct vcpu *v, u32 cr, u64 value, u32 length)
{
	struct vmcb_save *s = &v->vmcb.save;

	if (v->paging_off || (cr == 0 && !(value & CR0_PG))) {
		paging_exit(v);		/* paging.c keeps the truth then */
		return;
	}
	if (cr == 0)
		s->cr0 = (s->cr0 & CR0_IGNORED) | (value & ~CR0_IGNORED) | CR0_ET;
	else
		s->cr4 = value;
	insn_done(v, length);
}

bool tdx_cr_write_exit(struct vcpu *v)
{
	enum verdict verdict;
	u32 cr, length;
	enum reg gpr;
	bool write;
	u64 value;

	/* CLTS and LMSW change none of the bits that matter here */
	if (!insn_decode_mov_cr(v, &cr, &gpr, &write, &length) || !write || (cr != 0 && cr != 4))
		return paging_exit(v);
	value = guest_code64(v) ? reg(v, gpr) : (u32)reg(v, gpr);
	verdict = cr ? judge_cr4(v, value) : judge_cr0(value);
	switch (verdict) {
	case GP:
		raise_gp(v);
		break;
	case NOT_IN_A_TD:
		/* [SDM] table 28-3: number, MOV to CR, register */
		ve_instruction(v, VMX_EXIT_CR_ACCESS, cr | gpr << 8, length);
		break;
	case ALLOWED:
		apply(v, cr, value, length);
	}
	return true;
}
