// SPDX-License-Identifier: GPL-2.0
/*
 * Guests with paging off, and what is private whatever names it.
 *
 * Paging off: everything is private then (APM vol. 2, 15.34.5), but QEMU 7.2
 * does no nested paging while CR0.PG is 0.  So CR0.PG stays 1 and the CPU runs
 * in what APM vol. 2, 15.19 calls paged real mode, or in protected mode, on an
 * identity map of the machine's own; the guest's true CR0, CR3, CR4 and EFER
 * are kept beside and accesses to them intercepted.
 *
 * Page tables and instructions are private on hardware, whatever names them (APM
 * vol. 2, 15.34.5); QEMU takes addresses literally, and so they fault in the shared
 * view.  CR3 gets the C-bit then, which the guest does not see there until it writes
 * to it again.  What an entry names is shown in the shared view as it is in the private
 * one, until its state changes: to data accesses without C-bit, too, where hardware
 * has the other key.  What the guest last used as shared does not fault, and is walked and
 * executed as it is, where hardware would decrypt it.  Kernels have the C-bit in all of
 * their entries; OVMF in the last ones only.
 */
#include "core.h"
#include "sev.h"

/* CR4 bits that would change how the identity map is walked or judged */
#define CR4_HIDDEN	(CR4_PAE | CR4_LA57 | CR4_PCIDE | CR4_SMEP | CR4_SMAP | CR4_PKE | CR4_CET | CR4_PKS)
#define CR_INTERCEPTS	(BIT(0) | BIT(3) | BIT(4))
#define LMSW_BITS	(CR0_PE | CR0_MP | CR0_EM | CR0_TS)

static void run_paging_off(struct vcpu *v)
{
	struct vmcb_save *s = &v->vmcb.save;

	s->cr0 = (v->guest_cr0 & ~CR0_WP) | CR0_PG | CR0_ET;
	s->cr4 = (v->guest_cr4 & ~CR4_HIDDEN) | CR4_PSE;
	s->cr3 = PAGING_OFF_TABLE;
	s->efer = (v->guest_efer & ~(EFER_LME | EFER_LMA)) | EFER_SVME;
}

static void set_paging_off(struct vcpu *v, bool off)
{
	v->paging_off = off;
	v->vmcb.nested_cr3 = npt_root(off);
	v->vmcb.msrpm_base = (u64)(off ? msrpm_paging_off : msrpm);
	v->bare_cr3 = false;
	v->vmcb.intercept_cr_read &= ~CR_INTERCEPTS;
	v->vmcb.intercept_cr_write &= ~CR_INTERCEPTS;
	v->vmcb.intercept_cr_write |= config.tech->cr_writes;
	if (off) {
		v->vmcb.intercept_cr_read |= CR_INTERCEPTS;
		v->vmcb.intercept_cr_write |= CR_INTERCEPTS;
	}
}

void paging_load(struct vcpu *v)
{
	struct vmcb_save *s = &v->vmcb.save;
	bool off = !(s->cr0 & CR0_PG);

	s->efer |= EFER_SVME;
	set_paging_off(v, off);
	if (!off)
		return;
	v->guest_cr0 = s->cr0;
	v->guest_cr3 = s->cr3;
	v->guest_cr4 = s->cr4;
	v->guest_efer = s->efer;
	run_paging_off(v);
}

/* APM vol. 2, 14.6.2 and 14.7; false: #GP */
static bool paging_on(struct vcpu *v, u64 cr0)
{
	struct vmcb_save *s = &v->vmcb.save;
	u64 efer = v->guest_efer | EFER_SVME;

	if (!(cr0 & CR0_PE) || (efer & EFER_LME && !(v->guest_cr4 & CR4_PAE)))
		return false;
	s->cr0 = cr0 | CR0_ET;
	s->cr3 = v->guest_cr3;
	s->cr4 = v->guest_cr4;
	s->efer = efer | (efer & EFER_LME ? EFER_LMA : 0);
	set_paging_off(v, false);
	return true;
}

static bool write_cr0(struct vcpu *v, u64 value)
{
	struct vmcb_save *s = &v->vmcb.save;

	/* APM vol. 2, 3.1.1: each of these raises #GP */
	if (value >> 32 || (value & CR0_PG && !(value & CR0_PE)) || (value & CR0_NW && !(value & CR0_CD)))
		return false;
	if (v->paging_off) {
		if (value & CR0_PG)
			return paging_on(v, value);
		v->guest_cr0 = value;
		run_paging_off(v);
	} else if (value & CR0_PG) {
		s->cr0 = value | CR0_ET;
	} else if (guest_code64(v)) {
		return false;		/* from 64-bit code (APM vol. 2, 14.7) */
	} else {
		s->cr0 = value;
		s->efer &= ~EFER_LMA;
		paging_load(v);
	}
	return true;
}

static u64 read_cr(struct vcpu *v, u32 cr)
{
	const struct vmcb_save *s = &v->vmcb.save;

	switch (cr) {
	case 0:
		return v->paging_off ? v->guest_cr0 : s->cr0;
	case 3:
		return v->paging_off || v->bare_cr3 ? v->guest_cr3 : s->cr3;
	default:
		return v->paging_off ? v->guest_cr4 : s->cr4;
	}
}

static bool write_cr(struct vcpu *v, u32 cr, u64 value)
{
	if (cr == 0)
		return write_cr0(v, value);
	if (cr == 3 && v->bare_cr3) {
		v->vmcb.save.cr3 = value;
		set_paging_off(v, false);
		return true;
	}
	if (!v->paging_off)
		return false;
	if (cr == 3)
		v->guest_cr3 = value;
	else
		v->guest_cr4 = value;
	run_paging_off(v);
	return true;
}

/* CLTS, LMSW reg, SMSW reg: what real-mode and early code uses besides MOV */
static bool cr0_word(struct vcpu *v)
{
	u64 cr0 = read_cr(v, 0), value;
	u32 length = 3;
	u8 insn[3];

	if (guest_fetch(v, v->vmcb.save.cs.base + v->vmcb.save.rip, insn, sizeof(insn)) || insn[0] != 0x0f)
		return false;
	if (insn[1] == 0x06) {
		value = cr0 & ~CR0_TS;
		length = 2;
	} else if (insn[1] == 0x01 && (insn[2] & 0xf8) == 0xf0) {
		/* LMSW sets PE, but does not clear it (APM vol. 3) */
		value = (cr0 & ~(LMSW_BITS & ~CR0_PE)) | (reg(v, insn[2] & 7) & LMSW_BITS);
	} else if (insn[1] == 0x01 && (insn[2] & 0xf8) == 0xe0) {
		value = cr0;
		set_reg(v, insn[2] & 7, cr0);
	} else {
		return false;
	}
	if (value != cr0 && !write_cr0(v, value)) {
		raise_gp(v);
		return true;
	}
	insn_done(v, length);
	return true;
}

static bool control_register(struct vcpu *v)
{
	u32 cr, length;
	enum reg gpr;
	bool write;

	if (!insn_decode_mov_cr(v, &cr, &gpr, &write, &length))
		return cr0_word(v);
	if (write && !write_cr(v, cr, guest_code64(v) ? reg(v, gpr) : (u32)reg(v, gpr))) {
		raise_gp(v);
		return true;
	}
	if (!write)
		set_reg(v, gpr, read_cr(v, cr));
	insn_done(v, length);
	return true;
}

/* SVME is the machine's; a guest sees it where its own save area holds it, as SEV-ES has it */
static u64 efer_visible(void)
{
	return EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_FFXSR | (is_es() ? EFER_SVME : 0);
}

/* APM vol. 2, 3.1.7: reserved bits; 14.6.2: LME does not change while paging is on */
static bool write_efer(struct vcpu *v, u64 value)
{
	struct vmcb_save *s = &v->vmcb.save;

	if (value & ~efer_visible())
		return false;
	if (v->paging_off) {
		v->guest_efer = value & ~EFER_LMA;
		run_paging_off(v);
		return true;
	}
	if ((value ^ s->efer) & EFER_LME)
		return false;
	s->efer = (value & ~EFER_LMA) | (s->efer & EFER_LMA) | EFER_SVME;
	return true;
}

static bool efer_access(struct vcpu *v)
{
	bool write = v->vmcb.exit_info1 & 1;
	u64 value = (v->paging_off ? v->guest_efer : v->vmcb.save.efer) & efer_visible();

	if (write && !write_efer(v, edx_eax(v))) {
		raise_gp(v);
		return true;
	}
	if (!write)
		set_edx_eax(v, value);
	insn_skip(v, write ? INSN_WRMSR : INSN_RDMSR);
	return true;
}

bool paging_exit(struct vcpu *v)
{
	u64 code = v->vmcb.exit_code;

	if (code == SVM_EXIT_MSR && (u32)reg(v, RCX) == MSR_EFER)
		return efer_access(v);
	if (code == SVM_EXIT_CR0_SEL_WRITE || code < SVM_EXIT_DR0_READ)
		return control_register(v);
	return false;
}

static bool mend_cr3(struct vcpu *v, u64 gpa)
{
	u64 cr3 = v->vmcb.save.cr3;

	if (cr3 & config.cmask || (gpa & PAGE_MASK) != strip(cr3 & PTE_ADDRESS))
		return false;
	v->guest_cr3 = cr3;
	v->vmcb.save.cr3 = strip(cr3) | config.cmask;
	v->bare_cr3 = true;
	v->vmcb.intercept_cr_read |= BIT(3);
	v->vmcb.intercept_cr_write |= BIT(3);
	return true;
}

bool paging_private_whatever(struct vcpu *v, u64 gpa, u64 error)
{
	if (error & NPF_WALK && mend_cr3(v, gpa))
		return true;
	if (!npt_present(gpa, PRIVATE))
		return false;
	npt_show_private(gpa);
	return true;
}

bool paging_bare_cr3(struct vcpu *v)
{
	u64 code = v->vmcb.exit_code;

	return v->bare_cr3 && (code == SVM_EXIT_CR3_READ || code == SVM_EXIT_CR3_WRITE) &&
	       control_register(v);
}
