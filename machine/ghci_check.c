// SPDX-License-Identifier: GPL-2.0
/*
 * The judge of TDG.VP.VMCALL: what each leaf takes and gives ([GHCI] 3), held
 * against what the guest exposed.
 *
 *	a register that the leaf takes or gives is not exposed		REGMASK
 *	a register that the leaf does not take is, and is not zero	REGMASK
 *	an XMM register is: no leaf has one				REGMASK
 *	a reserved bit or value of a register that the leaf takes	RESERVED
 *	data beyond the bytes of the access				RESERVED
 *	MMIO asked for RAM, private memory or the xAPIC's page		PAGE
 *
 * Exposing further registers, with zero in them, is allowed: the guest says
 * nothing by it.  Operands for which the leaf defines an error get that error.
 */
#include "apic.h"
#include "core.h"
#include "tdx.h"

#define R(n)		BIT(n)
#define XMM_MASK	0xffff0000u
#define MESSAGE		(R(R14) | R(R15) | R(RBX) | R(RDI) | R(RSI) | R(R8) | R(R9) | R(RDX))

struct call_rule {
	u64 leaf;
	u32 takes, gives;
	u32 may_take;			/* not required: for some calls only */
	void (*values)(struct vcpu *v, const struct tdvmcall *call);
};

static void reserved(struct vcpu *v, const struct tdvmcall *call, enum reg r, const char *why)
{
	breach(v, COCO_BREACH_RESERVED, call->in[R11], "TDVMCALL 0x%lx: R%u = 0x%lx: %s",
	       call->in[R11], r, call->in[r], why);
}

/* Bits of a register beyond the access: whatever they are, they are not the device's */
static bool beyond(u64 value, u64 size)
{
	return size < 8 && value >> (8 * size);
}

/* A 32-bit immediate, as an instruction sign-extends it */
static bool sign_extended(u64 value, u64 size)
{
	return size && size < 8 && value >> (8 * size - 1) == ~0ull >> (8 * size - 1);
}

/*
 * An MMIO write that shows the host more than it writes: no breach, as [GHCI]
 * 3.7 says nothing of those bits, and every Linux does it whose compiler does
 * not clear the stack.  It is for a test to judge.
 */
bool ghci_dirty(const struct tdvmcall *call)
{
	u64 data = call->in[R15], size = call->in[R12];

	return !call->in[R10] && call->in[R11] == VMX_EXIT_EPT_VIOLATION && call->in[R13] &&
	       beyond(data, size) && !sign_extended(data, size);
}

static void check_hlt(struct vcpu *v, const struct tdvmcall *call)
{
	if (call->in[R12] > 1)
		reserved(v, call, R12, "the interrupt blocked flag is one bit");
}

static void check_io(struct vcpu *v, const struct tdvmcall *call)
{
	if (call->in[R13] && beyond(call->in[R15], call->in[R12]))
		reserved(v, call, R15, "more than the access's bytes");
}

static void check_mmio(struct vcpu *v, const struct tdvmcall *call)
{
	u64 gpa = call->in[R14];

	if (view_of(gpa) != SHARED)
		breach(v, COCO_BREACH_PAGE, gpa, "MMIO at private 0x%lx", gpa);
	else if (is_ram(strip(gpa)))
		breach(v, COCO_BREACH_PAGE, gpa, "MMIO at 0x%lx, which is RAM", gpa);
	else if (apic_page(strip(gpa)))
		breach(v, COCO_BREACH_PAGE, gpa, "MMIO at 0x%lx, but a TD's APIC is an x2APIC", gpa);
}

static void check_get_info(struct vcpu *v, const struct tdvmcall *call)
{
	if (call->in[R12] > 1)
		reserved(v, call, R12, "leaf");
}

/* Bit 63 says that R13 names a page with more; only then is it taken */
static void check_fatal_error(struct vcpu *v, const struct tdvmcall *call)
{
	u64 page = call->in[R13];

	if (!(call->in[R12] >> 63) && page)
		reserved(v, call, R13, "no page of additional information was announced");
	else if (call->in[R12] >> 63 && (view_of(page) != SHARED || page & ~PAGE_MASK))
		reserved(v, call, R13, "not a shared page");
}

static const struct call_rule rules[] = {
	{ VMX_EXIT_CPUID, R(R12) | R(R13), R(R12) | R(R13) | R(R14) | R(R15), 0, NULL },
	{ VMX_EXIT_HLT, R(R12), 0, 0, check_hlt },
	{ VMX_EXIT_IO, R(R12) | R(R13) | R(R14) | R(R15), R(R11), 0, check_io },
	{ VMX_EXIT_RDMSR, R(R12), R(R11), 0, NULL },
	{ VMX_EXIT_WRMSR, R(R12) | R(R13), 0, 0, NULL },
	{ VMX_EXIT_EPT_VIOLATION, R(R12) | R(R13) | R(R14) | R(R15), R(R11), 0, check_mmio },
	{ VMX_EXIT_WBINVD, R(R12), 0, 0, NULL },
	{ GHCI_GET_INFO, R(R12), R(R11) | R(R12) | R(R13) | R(R14), 0, check_get_info },
	{ GHCI_MAP_GPA, R(R12) | R(R13), R(R11), 0, NULL },
	{ GHCI_GET_QUOTE, R(R12) | R(R13), 0, 0, NULL },
	{ GHCI_FATAL_ERROR, R(R12), 0, R(R13) | MESSAGE, check_fatal_error },
	{ GHCI_SETUP_EVENT, R(R12), 0, 0, NULL },
	{ GHCI_SERVICE, R(R12) | R(R13) | R(R14) | R(R15), 0, 0, NULL },
};

/* KVM's interface: Documentation/virt/kvm/x86/hypercalls.rst, four arguments */
static const struct call_rule vendor = { 0, R(R11) | R(R12) | R(R13) | R(R14), 0, 0, NULL };

static const struct call_rule *rule_of(const struct tdvmcall *call)
{
	size_t i;

	if (call->in[R10])
		return &vendor;
	for (i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].leaf == call->in[R11])
			return &rules[i];
	return NULL;
}

/* What this very call takes: reading a port or device takes no data */
static u32 taken(const struct call_rule *rule, const struct tdvmcall *call)
{
	bool access = rule->leaf == VMX_EXIT_IO || rule->leaf == VMX_EXIT_EPT_VIOLATION;

	return R(R10) | R(R11) | (access && !call->in[R13] ? rule->takes & ~R(R15) : rule->takes);
}

static u32 registers_in_use(const struct tdvmcall *call)
{
	u32 used = 0;
	enum reg r;

	for (r = RAX; r <= R15; r++)
		if (call->in[r])
			used |= BIT(r);
	return used;
}

void ghci_check(struct vcpu *v, const struct tdvmcall *call)
{
	const struct call_rule *rule = rule_of(call);
	u32 needed, extra;

	if (call->mask & XMM_MASK)
		breach(v, COCO_BREACH_REGMASK, call->mask, "TDVMCALL 0x%lx exposes XMM registers",
		       call->in[R11]);
	if (!rule)
		return;		/* the answer says that there is no such leaf */
	needed = taken(rule, call) | rule->gives;
	if (needed & ~call->mask)
		breach(v, COCO_BREACH_REGMASK, call->mask,
		       "TDVMCALL 0x%lx does not expose registers 0x%x", call->in[R11],
		       needed & ~call->mask);
	extra = registers_in_use(call) & ~(taken(rule, call) | rule->may_take);
	if (extra)
		breach(v, COCO_BREACH_REGMASK, call->mask,
		       "TDVMCALL 0x%lx tells what is in registers 0x%x, which it does not take",
		       call->in[R11], extra);
	if (rule->values)
		rule->values(v, call);
}
