// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID: an AMD EPYC of the third generation ("Milan", family 0x19 model 1) with
 * the features that QEMU's CPU has, under KVM.
 *
 * Only the leaves in the table below come from QEMU's CPU, less what is hidden
 * there.  Every other leaf is zero, as KVM answers guests of this vendor for
 * leaves that do not exist.  The technology has the last word.
 *
 * Hidden, and why:
 *	CX16		QEMU 7.2 leaves wrong flags behind CMPXCHG16B
 *	LA57		most guests of this processor have four levels; option la57
 *	MONITOR		KVM intercepts MWAIT and therefore does not offer it
 *	X2APIC		QEMU 7.2 has none, and AMD guests here use the xAPIC
 *	TSC_DEADLINE	not on AMD, and QEMU's APIC has no such timer
 *	MPX, PCOMMIT, WAITPKG, PKS, 3DNow!	not on this processor
 *	SVM		no nested guests
 */
#include "cpuid.h"

#define FAMILY_MODEL_STEPPING	0x00a00f11	/* 19h, 01h, 1 */
#define MAX_STANDARD		0xd
#define MAX_EXTENDED		0x80000021

#define CR4_OSXSAVE		BIT_ULL(18)
#define CR4_PKE			BIT_ULL(22)

/* XCR0 components of MPX */
#define XCR0_MPX		(BIT(3) | BIT(4))

static const struct leaf {
	u32 leaf;
	u32 hide[4];
} leaves[] = {
	{ 0x00000000, { 0 } },
	{ 0x00000001, { [ECX] = BIT(3) | BIT(5) | BIT(13) | BIT(21) | BIT(24) } },
	{ 0x00000006, { 0 } },
	{ 0x00000007, { [EBX] = BIT(14) | BIT(22), [ECX] = BIT(5) | BIT(31) } },
	{ 0x0000000b, { 0 } },
	{ 0x0000000d, { [EAX] = XCR0_MPX } },
	{ 0x80000000, { 0 } },
	{ 0x80000001, { [ECX] = BIT(2) | BIT(12) | BIT(22), [EDX] = BIT(30) | BIT(31) } },
	{ 0x80000002, { 0 } },
	{ 0x80000003, { 0 } },
	{ 0x80000004, { 0 } },
	{ 0x80000005, { 0 } },
	{ 0x80000006, { 0 } },
	{ 0x80000007, { 0 } },
	{ 0x80000008, { 0 } },
};

static void from_cpu(u32 leaf, u32 subleaf, u32 out[4])
{
	size_t i;
	u32 r;

	memset(out, 0, 4 * sizeof(out[0]));
	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		if (leaves[i].leaf != leaf)
			continue;
		cpuid_raw(leaf, subleaf, out);
		/* In leaf 0xd only subleaf 0 has feature bits that go by XCR0's numbers */
		if (leaf == 0xd && subleaf)
			return;
		for (r = 0; r < 4; r++)
			out[r] &= ~leaves[i].hide[r];
	}
}

static void vendor(u32 out[4])
{
	out[EBX] = 0x68747541;		/* "Auth" */
	out[EDX] = 0x69746e65;		/* "enti" */
	out[ECX] = 0x444d4163;		/* "cAMD" */
}

static void set_bit_to(u32 *word, u32 bit, bool on)
{
	*word = on ? *word | BIT(bit) : *word & ~BIT(bit);
}

/* Option max_extended=<leaf>: a processor with fewer of them, which knows of no encryption */
static u32 max_extended(void)
{
	static u32 leaf;

	if (!leaf)
		leaf = option_number("max_extended", MAX_EXTENDED);
	return leaf;
}

/* Option la57: five levels of page tables */
static bool five_levels(void)
{
	static int on = -1;

	if (on < 0)
		on = option_flag("la57");
	return on;
}

/* Bits that follow the guest's state or name this vCPU (APM vol. 3, appendix E) */
static void adjust(struct vcpu *v, u32 leaf, u32 subleaf, u32 out[4])
{
	u64 cr4 = v->vmcb.save.cr4;

	switch (leaf) {
	case 0x0:
		vendor(out);
		out[EAX] = MAX_STANDARD;
		break;
	case 0x1:
		out[EAX] = FAMILY_MODEL_STEPPING;
		out[EBX] = (out[EBX] & 0x00ffffff) | v->apic_id << 24;
		out[ECX] |= BIT(31);	/* a hypervisor is present */
		set_bit_to(&out[ECX], 27, cr4 & CR4_OSXSAVE && out[ECX] & BIT(26));
		break;
	case 0x7:
		if (subleaf)
			break;
		set_bit_to(&out[ECX], 4, cr4 & CR4_PKE && out[ECX] & BIT(3));
		set_bit_to(&out[ECX], 16, five_levels() && out[ECX] & BIT(16));
		break;
	case 0xb:
		out[EDX] = v->apic_id;
		break;
	case 0xd:
		if (subleaf == 3 || subleaf == 4)
			memset(out, 0, 4 * sizeof(out[0]));
		break;
	case 0x80000000:
		vendor(out);
		out[EAX] = max_extended();
		break;
	case 0x80000001:
		out[EAX] = FAMILY_MODEL_STEPPING;
		break;
	case 0x80000008:
		/* Linear addresses */
		out[EAX] = (out[EAX] & ~0xff00) | (five_levels() ? 57 : 48) << 8;
		/* An emulated CPU does not speculate: SSB_NO, BTC_NO */
		out[EBX] |= BIT(26) | BIT(29);
		break;
	case 0x80000021:
		/* LFENCE always serializes, null selectors clear the base; SRSO_NO */
		out[EAX] = BIT(2) | BIT(6) | BIT(29);
		/* TSA_SQ_NO, TSA_L1_NO */
		out[ECX] = BIT(1) | BIT(2);
		break;
	}
}

static bool synthetic(struct vcpu *v, u32 leaf, u32 out[4])
{
	switch (leaf) {
	case 0x40000000:
	case 0x40000001:
		kvm_pv_cpuid(v, leaf, out);
		return true;
	case COCO_CPUID_BASE:
		out[EAX] = COCO_CPUID_INFO;
		out[EBX] = COCO_SIGNATURE_EBX;
		out[ECX] = COCO_SIGNATURE_ECX;
		out[EDX] = COCO_SIGNATURE_EDX;
		return true;
	case COCO_CPUID_INFO:
		out[EAX] = COCO_ABI_VERSION;
		out[EBX] = config.tech->id;
		out[ECX] = 0;
		out[EDX] = config.cbit;
		return true;
	}
	return false;
}

void cpuid_guest(struct vcpu *v, u32 leaf, u32 subleaf, u32 out[4])
{
	if (!synthetic(v, leaf, out)) {
		from_cpu(leaf, subleaf, out);
		adjust(v, leaf, subleaf, out);
	}
	if (config.tech->cpuid)
		config.tech->cpuid(v, leaf, subleaf, out);
}
