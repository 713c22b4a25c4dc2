// SPDX-License-Identifier: GPL-2.0
/*
 * The reverse map table of SEV-SNP as a guest meets it: PVALIDATE, RMPADJUST,
 * and accesses that it refuses (APM vol. 2, 15.36; vol. 3, PVALIDATE, RMPADJUST).
 *
 *	page state	private access		shared access
 *	shared		host is asked [1]	goes on
 *	assigned	#VC 0x404		host is asked [1]
 *	validated	goes on			host is asked [1]
 *
 * [1] A nested page fault of the host's.  The guest should have asked for the
 * page state change first, so this is a breach; then the host does what KVM
 * does, and converts the page to what the access needs.
 */
#include "core.h"
#include "sev.h"
#include "svsm.h"

#define PREFIX_PVALIDATE 0xf2
#define PREFIX_RMPADJUST 0xf3

/* EAX on return, or none: an exception, or the instruction runs again */
enum outcome {
	SUCCESS			= 0,
	FAIL_INPUT		= 1,
	FAIL_PERMISSION		= 2,
	FAIL_INUSE		= 3,
	FAIL_SIZEMISMATCH	= 6,
	NO_RETURN		= 0x100,
};

#define RFLAGS_CF	BIT_ULL(0)
#define RFLAGS_PF	BIT_ULL(2)
#define RFLAGS_AF	BIT_ULL(4)
#define RFLAGS_ZF	BIT_ULL(6)
#define RFLAGS_SF	BIT_ULL(7)
#define RFLAGS_OF	BIT_ULL(11)

#define VMPLS		4
#define ATTR_VMPL(rdx)	((rdx) & 0xff)
#define ATTR_VMSA	BIT_ULL(16)

/* Until RMPADJUST says otherwise, or the page is assigned anew (APM vol. 3, RMPUPDATE) */
static void set_vmsa(u64 gpa, bool on)
{
	u8 flags = page_flags(gpa);

	page_set(gpa, on ? flags | COCO_PAGE_VMSA : flags & ~COCO_PAGE_VMSA);
}

/* No firmware validates option ROMs and BIOS: not RAM for e820, the kernel validates them itself */
void rmp_reset(void)
{
	u64 gpa;

	for (gpa = ROM_START; gpa < ROM_END; gpa += PAGE_SIZE)
		page_set(gpa, COCO_PAGE_PRIVATE);
}

/* What KVM does about an access that does not fit the page's state */
static void convert_for(struct vcpu *v, u64 gpa, enum view view, const char *what)
{
	u8 flags = page_flags(gpa);

	if (flags & COCO_PAGE_BLOCKED)
		unmodelled(v, "the guest uses page 0x%lx, which the host took away", gpa);
	breach(v, COCO_BREACH_PAGE, gpa, "%s page 0x%lx, which is %s", what, gpa,
	       flags & COCO_PAGE_PRIVATE ? "private" : "shared");
	if (view == PRIVATE)
		page_make_private(gpa);
	else
		page_make_shared(gpa);
}

/* A fault that the host can do nothing about: it comes again and again */
static void __noreturn not_the_guests(struct vcpu *v, u64 gpa, const char *whose)
{
	breach(v, COCO_BREACH_PAGE, gpa, "access to page 0x%lx, which is %s", gpa, whose);
	end_run(v, COCO_END_SHUTDOWN, gpa, "access to page 0x%lx, which is %s", gpa, whose);
}

bool rmp_npf(struct vcpu *v, u64 gpa, enum view view, u64 error)
{
	u8 flags;

	gpa &= PAGE_MASK;
	flags = page_flags(gpa);
	event_add(v, COCO_EV_NPF, gpa, error, flags);
	/* VMPL permission (APM vol. 2, 15.36.10) */
	if (flags & COCO_PAGE_VMPL0)
		not_the_guests(v, gpa, "the SVSM's");
	/* VMRUN has its VMSA to itself, as d2062cc1b1c3 ("x86/sev: Do not touch VMSA pages ...") met it */
	if (flags & COCO_PAGE_IN_USE)
		not_the_guests(v, gpa, "the VMSA of a vCPU in guest mode");
	if (flags & COCO_PAGE_BLOCKED || !(flags & COCO_PAGE_PRIVATE) == (view == PRIVATE)) {
		convert_for(v, gpa, view,
			    view == PRIVATE ? "private access to" : "shared access to");
		return true;
	}
	/* Validated meanwhile by another vCPU: the access is tried again */
	if (view == PRIVATE && !(flags & COCO_PAGE_VALIDATED))
		raise_vc(v, SVM_EXIT_NPF_NOT_VALIDATED);
	return true;
}

/* ---- the instructions ---- */

static bool even_parity(u8 byte)
{
	byte ^= byte >> 4;
	byte ^= byte >> 2;
	return !((byte ^ byte >> 1) & 1);
}

static void set_result(struct vcpu *v, u32 eax, bool carry)
{
	u64 flags = 0;

	set_reg(v, RAX, eax);
	if (carry)
		flags |= RFLAGS_CF;
	if (!eax)
		flags |= RFLAGS_ZF;
	if (even_parity(eax))
		flags |= RFLAGS_PF;
	v->vmcb.save.rflags &=
		~(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF);
	v->vmcb.save.rflags |= flags;
}

/* The page that both instructions work on: SUCCESS, FAIL_INPUT, NO_RETURN */
static enum outcome find_page(struct vcpu *v, struct mapping *m, bool *huge)
{
	u64 va = reg(v, RAX);

	if (guest_cpl(v)) {
		raise_gp(v);
		return NO_RETURN;
	}
	if (!guest_long_mode(v))
		va = (u32)va;
	if (guest_translate(v, va, m)) {
		raise_pf(v, va, 0);
		return NO_RETURN;
	}
	*huge = (u32)reg(v, RCX) == 1;
	m->gpa &= PAGE_MASK;
	if ((u32)reg(v, RCX) > 1 || (*huge && m->gpa & (SIZE_2M - 1)))
		return FAIL_INPUT;
	return SUCCESS;
}

/* A smaller entry is a size mismatch; a larger one the host splits (as KVM: PSMASH) */
static u32 fit_size(u64 gpa, bool huge)
{
	bool entry_huge = page_flags(gpa) & COCO_PAGE_2M;

	if (huge && !entry_huge)
		return FAIL_SIZEMISMATCH;
	if (!huge && entry_huge)
		page_split(gpa);
	return SUCCESS;
}

void rmp_set_vmsa(u64 gpa, bool on)
{
	fit_size(gpa, false);
	set_vmsa(gpa, on);
}

/* A nested page fault of a guest's page that the host has nothing for */
static void __noreturn not_ram(struct vcpu *v, u64 gpa, const char *what)
{
	breach(v, COCO_BREACH_PAGE, gpa, "%s of 0x%lx, which is not RAM", what, gpa);
	end_run(v, COCO_END_SHUTDOWN, gpa, "%s of 0x%lx, which is not RAM", what, gpa);
}

/* EAX, and in bit 32 whether the entry was in this state already */
static u64 pvalidate_model(struct vcpu *v, u64 gpa, bool huge, bool validate)
{
	u64 i, count = huge ? PAGES_IN_2M : 1;
	u8 flags;
	u32 eax;

	if (!page_all_ram(gpa, count))
		not_ram(v, gpa, "PVALIDATE");
	if (page_flags(gpa) & COCO_PAGE_BLOCKED || !(page_flags(gpa) & COCO_PAGE_PRIVATE))
		convert_for(v, gpa, PRIVATE, "PVALIDATE of");
	eax = fit_size(gpa, huge);
	if (eax)
		return eax;
	flags = page_flags(gpa);
	if (!(flags & COCO_PAGE_VALIDATED) == !validate)
		return 1ull << 32;
	flags = validate ? flags | COCO_PAGE_VALIDATED : flags & ~COCO_PAGE_VALIDATED;
	for (i = 0; i < count; i++)
		page_set(gpa + i * PAGE_SIZE, flags);
	if (!validate)
		vcpus_flush(v);
	return SUCCESS;
}

u64 rmp_pvalidate(struct vcpu *v, u64 gpa, u64 inputs, u32 eax)
{
	struct coco_event *event = event_add(v, COCO_EV_PVALIDATE, gpa, inputs, 0);
	const struct coco_rule *rule = rule_match(event);
	u64 result = eax;

	if (!eax && (!rule || rule->action != COCO_REPLY))
		result = pvalidate_model(v, gpa, (u8)inputs == 1, inputs >> 8 & 1);
	if (rule && rule->reply_mask & 1)
		result = rule->reply[0];
	event->ret = result;
	return result;
}

static void pvalidate(struct vcpu *v)
{
	u64 inputs = (u32)reg(v, RCX) | (u64)(u8)reg(v, RDX) << 8, result;
	struct mapping m;
	bool huge;
	enum outcome outcome = find_page(v, &m, &huge);

	if (outcome == NO_RETURN)
		return;
	if (svsm_guest_vmpl()) {
		breach(v, COCO_BREACH_ORDER, m.gpa, "PVALIDATE at VMPL %u", svsm_guest_vmpl());
		raise_gp(v);
		return;
	}
	result = rmp_pvalidate(v, m.gpa, inputs, outcome);
	set_result(v, result, result >> 32 & 1);
	insn_skip(v, INSN_PVALIDATE);
}

/* A VMPL may give to those below it, and VMPL 0 alone make VMSAs */
static u32 rmpadjust_model(struct vcpu *v, u64 gpa, bool huge, u64 attributes)
{
	u64 i, count = huge ? PAGES_IN_2M : 1;
	u32 eax;

	if (ATTR_VMPL(attributes) >= VMPLS)
		return FAIL_INPUT;
	if (ATTR_VMPL(attributes) <= svsm_guest_vmpl() ||
	    (svsm_guest_vmpl() && attributes & ATTR_VMSA))
		return FAIL_PERMISSION;
	if (page_flags(gpa) & COCO_PAGE_IN_USE)
		return FAIL_INUSE;
	eax = fit_size(gpa, huge);
	for (i = 0; i < count && !eax && !svsm_guest_vmpl(); i++)
		set_vmsa(gpa + i * PAGE_SIZE, attributes & ATTR_VMSA);
	trace("RMPADJUST gpa 0x%lx attributes 0x%lx: %u cpu %u", gpa, attributes, eax, v->index);
	return eax;
}

static enum outcome rmpadjust_page(struct vcpu *v, u64 gpa, bool huge, u64 attributes)
{
	/* Firmware, that is there for all VMPLs, asks in this way for its own */
	if (is_flash(gpa) && ATTR_VMPL(attributes) < VMPLS)
		return ATTR_VMPL(attributes) ? SUCCESS : FAIL_PERMISSION;
	if (!page_all_ram(gpa, huge ? PAGES_IN_2M : 1))
		not_ram(v, gpa, "RMPADJUST");
	if (!(page_flags(gpa) & COCO_PAGE_PRIVATE)) {
		convert_for(v, gpa, PRIVATE, "RMPADJUST of");
		return NO_RETURN;
	}
	if (!(page_flags(gpa) & COCO_PAGE_VALIDATED)) {
		raise_vc(v, SVM_EXIT_NPF_NOT_VALIDATED);
		return NO_RETURN;
	}
	return rmpadjust_model(v, gpa, huge, attributes);
}

static void rmpadjust(struct vcpu *v)
{
	struct mapping m;
	bool huge;
	enum outcome outcome = find_page(v, &m, &huge);

	if (outcome == SUCCESS)
		outcome = rmpadjust_page(v, m.gpa, huge, reg(v, RDX));
	if (outcome == NO_RETURN)
		return;
	set_result(v, outcome, false);
	insn_skip(v, INSN_RMPADJUST);
}

bool rmp_instruction(struct vcpu *v)
{
	u8 prefix = insn_first_byte(v);

	if (prefix == PREFIX_PVALIDATE && insn_length(v, INSN_PVALIDATE))
		pvalidate(v);
	else if (prefix == PREFIX_RMPADJUST && insn_length(v, INSN_RMPADJUST))
		rmpadjust(v);
	else
		raise_exception(v, X86_UD, false, 0);
	return true;
}
