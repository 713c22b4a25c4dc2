// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID as the TDX module fixes it ([base] "CPUID virtualization"; [ABI] "CPUID
 * virtualization" lists each field).
 *
 * A leaf is answered by the module, or raises #VE; one that is not listed raises
 * #VE.  Values that the module passes on from the CPU come from QEMU's, values
 * that the host configures are a fourth-generation Xeon's ("Sapphire Rapids").
 * The list wants features of a TDX platform that QEMU's CPU has not; those that
 * only stand for MSRs are added here, instructions cannot be:
 *	XSAVEC, XSAVES	not in QEMU's CPU
 *	CX16		QEMU 7.2 leaves wrong flags behind CMPXCHG16B
 *	LA57		the machine's nested tables have the guest in four levels
 */
#include "core.h"
#include "cpuid.h"
#include "tdx.h"

#define MAX_BASE_LEAF		0x23
#define MAX_EXTENDED_LEAF	0x80000008
#define ANY			~0u
#define SIGNATURE		0x000806f8	/* family 6, model 0x8f, stepping 8 */
#define XFAM_FIXED0		0x0006dbe7ull	/* what the module knows ([ABI] "XFAM") */
#define MAX_PA			52

enum leaf_class {
	VALUE,			/* from the CPU or fixed: value_of() */
	ZERO,			/* fixed 0, or gated by something that this TD has not */
	VE,			/* #VE; zero with REDUCE_VE */
	VE_OR_VALUE,		/* #VE; a value with REDUCE_VE */
	CPUID2,			/* #VE; a value with VIRT_CPUID2 */
	TOPOLOGY,		/* #VE; values with ENUM_TOPOLOGY */
};

/* Any other leaf is of class VE */
static const struct {
	u32 leaf;
	u32 subleaves;		/* 0 .. n - 1 */
	enum leaf_class class;
} leaves[] = {
	{ 0x00, ANY, VALUE },
	{ 0x01, ANY, VALUE },
	{ 0x02, ANY, CPUID2 },
	{ 0x03, ANY, ZERO },
	{ 0x04, 4, VALUE },
	{ 0x04, 5, ZERO },
	{ 0x05, ANY, ZERO },		/* CPUID(1).ECX.MONITOR */
	{ 0x06, ANY, VE_OR_VALUE },
	{ 0x07, 3, VALUE },
	{ 0x08, ANY, ZERO },
	{ 0x0a, ANY, ZERO },		/* ATTRIBUTES.PERFMON */
	{ 0x0b, 3, TOPOLOGY },
	{ 0x0d, 19, VALUE },
	{ 0x0e, ANY, ZERO },
	{ 0x11, ANY, ZERO },
	{ 0x12, ANY, ZERO },
	{ 0x13, ANY, ZERO },
	{ 0x14, 2, ZERO },		/* XFAM.PT */
	{ 0x15, ANY, VALUE },
	{ 0x19, ANY, ZERO },		/* ATTRIBUTES.KL */
	{ 0x1c, ANY, ZERO },		/* XFAM.LBR */
	{ 0x1d, 2, ZERO },		/* XFAM.AMX */
	{ 0x1e, ANY, ZERO },
	{ 0x1f, 6, TOPOLOGY },
	{ 0x20, ANY, ZERO },
	{ 0x21, 1, VALUE },
	{ 0x22, ANY, ZERO },
	{ 0x23, 4, ZERO },		/* ATTRIBUTES.PERFMON */
	{ 0x80000000, ANY, VALUE },
	{ 0x80000001, ANY, VALUE },
	{ 0x80000002, ANY, VE_OR_VALUE },
	{ 0x80000006, ANY, VE_OR_VALUE },
	{ 0x80000007, ANY, VALUE },
	{ 0x80000008, ANY, VALUE },
};

static enum leaf_class class_of(u32 leaf, u32 subleaf)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(leaves); i++)
		if (leaves[i].leaf == leaf &&
		    (leaves[i].subleaves == ANY || subleaf < leaves[i].subleaves))
			return leaves[i].class;
	return VE;
}

static bool in_hypervisor_range(u32 leaf)
{
	return leaf >> 28 == 4;
}

u64 tdx_xfam(void)
{
	u32 r[4];

	cpuid_raw(0xd, 0, r);
	return r[EAX] & XFAM_FIXED0;
}

/* ---- values ---- */

/*
 * _OFF: what a TD never sees, or only with features that this one has not;
 * _ON: what it always sees; _PV: what it sees unless TD_CTLS.REDUCE_VE is set.
 */
#define LEAF1_ECX_OFF	(BIT(3) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(10) | BIT(11) | \
			 BIT(13) | BIT(14) | BIT(15) | BIT(16) | BIT(18) | BIT(24))
#define LEAF1_ECX_ON	(BIT(21) | BIT(31))		/* x2APIC; a hypervisor is present */
#define LEAF1_EDX_OFF	(BIT(10) | BIT(17) | BIT(18) | BIT(20) | BIT(21) | BIT(22) | BIT(29) | \
			 BIT(30) | BIT(31))
#define LEAF1_EDX_ON	BIT(9)				/* APIC */
#define LEAF1_EDX_PV	(BIT(7) | BIT(12) | BIT(14))	/* MCE, MTRR, MCA */
#define LEAF7_EBX_OFF	(BIT(1) | BIT(2) | BIT(4) | BIT(11) | BIT(12) | BIT(14) | BIT(15) | \
			 BIT(22) | BIT(25))
#define LEAF7_ECX_OFF	(BIT(5) | BIT(7) | BIT(13) | BIT(15) | BIT(16) | 31u << 17 | BIT(23) | \
			 BIT(24) | BIT(25) | BIT(26) | BIT(29) | BIT(30) | BIT(31))
/* MD_CLEAR, IBRS, STIBP, L1D_FLUSH, ARCH_CAPABILITIES, SSBD; the bits that QEMU's CPU backs stay */
#define LEAF7_EDX_ON	(BIT(10) | BIT(26) | BIT(27) | BIT(28) | BIT(29) | BIT(31))
#define LEAF7_EDX_PV	BIT(30)				/* CORE_CAPABILITIES */
#define LEAF7_EDX_KEEP	(BIT(4) | BIT(14))		/* fast short REP MOVS, SERIALIZE */
/* PSFD, IPRED_CTRL, RRSBA_CTRL, BHI_CTRL: bits of IA32_SPEC_CTRL */
#define LEAF7_2_EDX	0x17u

static u64 guest_cr4(struct vcpu *v)
{
	return v->paging_off ? v->guest_cr4 : v->vmcb.save.cr4;
}

static void set_bit_to(u32 *word, u32 bit, bool on)
{
	*word = on ? *word | BIT(bit) : *word & ~BIT(bit);
}

static void version_and_features(struct vcpu *v, u32 out[4])
{
	out[EAX] = SIGNATURE;
	/* The vCPU's index, or with ENUM_TOPOLOGY its x2APIC ID: this host makes them equal */
	out[EBX] = (out[EBX] & 0x00ffffff) | v->index << 24;
	out[ECX] = (out[ECX] & ~LEAF1_ECX_OFF) | LEAF1_ECX_ON;
	set_bit_to(&out[ECX], 27, guest_cr4(v) & BIT_ULL(18));
	out[EDX] = (out[EDX] & ~(LEAF1_EDX_OFF | LEAF1_EDX_PV)) | LEAF1_EDX_ON;
	if (!td_reduces_ve())
		out[EDX] |= LEAF1_EDX_PV;
}

static void structured_features(struct vcpu *v, u32 subleaf, u32 out[4])
{
	switch (subleaf) {
	case 0:
		out[EAX] = 2;
		out[EBX] &= ~LEAF7_EBX_OFF;
		out[ECX] &= ~LEAF7_ECX_OFF;
		set_bit_to(&out[ECX], 4, guest_cr4(v) & CR4_PKE);
		out[EDX] = (out[EDX] & LEAF7_EDX_KEEP) | LEAF7_EDX_ON;
		if (!td_reduces_ve())
			out[EDX] |= LEAF7_EDX_PV;
		break;
	case 1:
		out[EAX] &= 0x1d10;	/* AVX-VNNI and the fast string operations */
		out[EBX] = out[ECX] = out[EDX] = 0;
		break;
	case 2:
		out[EAX] = out[EBX] = out[ECX] = 0;
		out[EDX] = LEAF7_2_EDX;
		break;
	}
}

static void extended_state(u32 subleaf, u32 out[4])
{
	u32 i, size = 576, component[4];

	switch (subleaf) {
	case 0:
		for (i = 2; i < 19; i++) {
			if (!(td.xfam & BIT_ULL(i)))
				continue;
			cpuid_raw(0xd, i, component);
			if (component[EAX] + component[EBX] > size)
				size = component[EAX] + component[EBX];
		}
		out[EAX] = td.xfam;
		/* EBX: for the XCR0 of the moment, as the CPU gives it */
		out[ECX] = size;
		out[EDX] = 0;
		break;
	case 1:
		out[ECX] = out[EDX] = 0;
		break;
	default:
		if (!(td.xfam & BIT_ULL(subleaf)))
			memset(out, 0, 4 * sizeof(out[0]));
	}
}

/* The host's choice: one package, one thread a core, x2APIC IDs from 0 on */
static void topology(struct vcpu *v, u32 subleaf, u32 out[4])
{
	u32 shift = 0;

	memset(out, 0, 4 * sizeof(out[0]));
	out[ECX] = subleaf;
	out[EDX] = v->index;
	if (subleaf == 0) {
		out[EBX] = 1;
		out[ECX] |= 1 << 8;		/* logical processors */
	} else if (subleaf == 1) {
		while (BIT(shift) < config.vcpus)
			shift++;
		out[EAX] = shift;
		out[EBX] = config.vcpus;
		out[ECX] |= 2 << 8;		/* cores */
	}
}

static void four(u32 out[4], u32 a, u32 b, u32 c, u32 d)
{
	out[EAX] = a;
	out[EBX] = b;
	out[ECX] = c;
	out[EDX] = d;
}

static void extended(struct vcpu *v, u32 leaf, u32 out[4])
{
	switch (leaf) {
	case 0x80000000:
		four(out, MAX_EXTENDED_LEAF, 0, 0, 0);
		break;
	case 0x80000001:
		/* LAHF, LZCNT, PREFETCHW; NX, 1G pages, RDTSCP, long mode; SYSCALL in 64-bit code */
		four(out, 0, 0, out[ECX] & 0x121, 0x2c100000);
		set_bit_to(&out[EDX], 11, guest_code64(v));
		break;
	case 0x80000002:
		four(out, 0x65746e49, 0x4454206c, 0x58, 0);	/* "Intel TDX" */
		break;
	case 0x80000006:
		four(out, 0, 0, out[ECX], 0);
		break;
	case 0x80000007:
		four(out, 0, 0, 0, BIT(8));			/* invariant TSC */
		break;
	case 0x80000008:
		four(out, MAX_PA | 48 << 8, 0, 0, 0);
		break;
	}
}

static void value_of(struct vcpu *v, u32 leaf, u32 subleaf, u32 out[4])
{
	cpuid_raw(leaf, subleaf, out);
	switch (leaf) {
	case 0x0:
		four(out, MAX_BASE_LEAF, 0x756e6547, 0x6c65746e, 0x49656e69);	/* "GenuineIntel" */
		break;
	case 0x1:
		version_and_features(v, out);
		break;
	case 0x2:
		four(out, 0x00feff01, 0, 0, 0);		/* see leaf 4 */
		break;
	case 0x4:
		break;
	case 0x6:
		four(out, BIT(2), 0, 0, 0);		/* always running APIC timer */
		break;
	case 0x7:
		structured_features(v, subleaf, out);
		break;
	case 0xb:
	case 0x1f:
		topology(v, subleaf, out);
		break;
	case 0xd:
		extended_state(subleaf, out);
		break;
	case 0x15:
		four(out, 1, td_tsc_frequency(), TD_CRYSTAL_HZ, 0);
		break;
	case 0x21:
		four(out, 0, 0x65746e49, 0x20202020, 0x5844546c);	/* "IntelTDX    " */
		break;
	default:
		extended(v, leaf, out);
	}
}

/* ---- who answers ---- */

/* A leaf above its range's highest counts as the highest basic one ([base], as above) */
static u32 existing(u32 leaf)
{
	if (in_hypervisor_range(leaf))
		return leaf;
	if (leaf > MAX_EXTENDED_LEAF || (leaf > MAX_BASE_LEAF && leaf < 0x80000000))
		return MAX_BASE_LEAF;
	return leaf;
}

static bool raises_ve(struct vcpu *v, u32 leaf, u32 subleaf)
{
	if (guest_cpl(v) ? tdx_vcpu(v)->cpuid_user_ve : tdx_vcpu(v)->cpuid_supervisor_ve)
		return true;
	if (in_hypervisor_range(leaf))
		return true;
	switch (class_of(leaf, subleaf)) {
	case VALUE:
	case ZERO:
		return false;
	case CPUID2:
		return !(td.td_ctls & TD_CTLS_VIRT_CPUID2);
	case TOPOLOGY:
		return !(td.td_ctls & TD_CTLS_ENUM_TOPOLOGY);
	default:
		return !td_reduces_ve();
	}
}

void tdx_cpuid_exit(struct vcpu *v)
{
	u32 leaf = existing(reg(v, RAX)), subleaf = reg(v, RCX), out[4];
	u32 length = insn_length(v, INSN_CPUID);

	if (raises_ve(v, leaf, subleaf)) {
		ve_instruction(v, VMX_EXIT_CPUID, 0, length);
		return;
	}
	cpuid_guest(v, leaf, subleaf, out);
	set_reg(v, RAX, out[EAX]);
	set_reg(v, RBX, out[EBX]);
	set_reg(v, RCX, out[ECX]);
	set_reg(v, RDX, out[EDX]);
	insn_done(v, length);
}

void tdx_cpuid(struct vcpu *v, u32 leaf, u32 subleaf, u32 out[4])
{
	if (in_hypervisor_range(leaf))
		return;
	switch (class_of(leaf, subleaf)) {
	case VALUE:
	case VE_OR_VALUE:
	case CPUID2:
	case TOPOLOGY:
		value_of(v, leaf, subleaf, out);
		break;
	default:
		memset(out, 0, 4 * sizeof(out[0]));
		/* Beyond the topology's last level ([base] "platform topology virtualization") */
		if (leaf == 0xb || leaf == 0x1f)
			topology(v, subleaf & 0xff, out);
	}
}
