// SPDX-License-Identifier: GPL-2.0
/*
 * Exceptions, NMIs and interrupts for the guest.  In long mode they are
 * delivered by hand, as the CPU would (APM vol. 2, 8.9), because QEMU 7.2 has
 * EVENTINJ wrong:
 *	vector 29 pushes no error code
 *	an interrupt may come once more at any later time, RFLAGS.IF or not
 *	an exit in the delivery of an interrupt saves the state of the host
 * Elsewhere EVENTINJ serves, but for vector 29.
 */
#include "core.h"
#include "sev.h"

#define GATE_PRESENT	BIT_ULL(47)
#define GATE_INTERRUPT	14
#define GATE_TRAP	15
#define DESC_DPL(d)	((d) >> 45 & 3)
#define DESC_CODE	BIT_ULL(43)
#define DESC_LONG	BIT_ULL(53)
#define DESC_PRESENT	BIT_ULL(47)
#define DESC_4K		BIT_ULL(55)
#define TSS_RSP0	0x04
#define TSS_IST1	0x24
#define FIRST_INTERRUPT	32
#define WINDOW		(INTERCEPT(SVM_EXIT_INTR) | INTERCEPT(SVM_EXIT_VINTR))

struct gate {
	u64 low, high;
};

static u64 gate_offset(const struct gate *g)
{
	return (g->low & 0xffff) | (g->low >> 32 & 0xffff0000) | g->high << 32;
}

/* The IDT's gate and its code segment; false: the delivery itself faults */
static bool read_gate(struct vcpu *v, u8 vector, struct gate *g, u64 *code)
{
	const struct vmcb_save *s = &v->vmcb.save;
	u32 type, selector;

	if (vector * sizeof(*g) + sizeof(*g) - 1 > s->idtr.limit ||
	    guest_read(v, s->idtr.base + vector * sizeof(*g), g, sizeof(*g)))
		return false;
	type = g->low >> 40 & 31;
	selector = g->low >> 16 & 0xfff8;
	if (!(g->low & GATE_PRESENT) || (type != GATE_INTERRUPT && type != GATE_TRAP))
		return false;
	if (!selector || selector + 7 > s->gdtr.limit ||
	    guest_read(v, s->gdtr.base + selector, code, sizeof(*code)))
		return false;
	return *code & DESC_CODE && *code & DESC_LONG && *code & DESC_PRESENT &&
	       DESC_DPL(*code) <= guest_cpl(v);
}

/* APM vol. 2, 8.9.3 and 8.9.4: stack switch, alignment */
static bool new_stack(struct vcpu *v, const struct gate *g, u32 cpl, u64 *rsp)
{
	const struct vmcb_save *s = &v->vmcb.save;
	u32 ist = g->low >> 32 & 7, offset = ist ? TSS_IST1 + 8 * (ist - 1) : TSS_RSP0;

	*rsp = s->rsp;
	if ((ist || cpl != guest_cpl(v)) && guest_read(v, s->tr.base + offset, rsp, sizeof(*rsp)))
		return false;
	*rsp &= ~15ull;
	return true;
}

/* RF: an instruction breakpoint at the faulting instruction was taken already (APM vol. 2, 8.3.1) */
static bool is_fault(u8 vector)
{
	return vector < FIRST_INTERRUPT && vector != X86_NMI && vector != X86_DB;
}

static bool deliver(struct vcpu *v, u8 vector, bool has_error, u64 error)
{
	struct vmcb_save *s = &v->vmcb.save;
	u64 frame[6], code, rsp;
	u32 cpl, first = has_error ? 0 : 1;
	struct gate g;

	if (!read_gate(v, vector, &g, &code))
		return false;
	cpl = DESC_DPL(code);
	if (!new_stack(v, &g, cpl, &rsp))
		return false;
	frame[0] = error;
	frame[1] = s->rip;
	frame[2] = s->cs.selector;
	frame[3] = s->rflags | (is_fault(vector) ? RFLAGS_RF : 0);
	frame[4] = s->rsp;
	frame[5] = s->ss.selector;
	rsp -= (6 - first) * 8;
	if (guest_write(v, rsp, frame + first, (6 - first) * 8))
		return false;

	if (cpl != guest_cpl(v))
		s->ss = (struct vmcb_seg) { .selector = cpl };
	s->cs.selector = (g.low >> 16 & 0xfff8) | cpl;
	s->cs.attrib = (code >> 40 & 0xff) | (code >> 44 & 0xf00);
	s->cs.base = 0;
	s->cs.limit = 0xffffffff;
	s->cpl = cpl;
	s->rsp = rsp;
	s->rip = gate_offset(&g);
	s->rflags &= ~(RFLAGS_TF | RFLAGS_NT | RFLAGS_RF | RFLAGS_VM);
	if ((g.low >> 40 & 31) == GATE_INTERRUPT)
		s->rflags &= ~RFLAGS_IF;
	v->vmcb.int_shadow = 0;
	return true;
}

/* The same in 32-bit protected mode, without change of privilege (APM vol. 2, 8.7): what early boot code needs */
static bool deliver_protected(struct vcpu *v, u8 vector, u64 error)
{
	struct vmcb_save *s = &v->vmcb.save;
	u32 frame[4] = { error, s->rip, s->cs.selector, s->rflags | RFLAGS_RF };
	u32 selector, sp = s->rsp - sizeof(frame);
	u64 gate, code;

	if (vector * sizeof(gate) + sizeof(gate) - 1 > s->idtr.limit ||
	    guest_read(v, s->idtr.base + vector * sizeof(gate), &gate, sizeof(gate)))
		return false;
	selector = gate >> 16 & 0xfff8;
	if (!(gate & GATE_PRESENT) || (gate >> 40 & 31) != GATE_INTERRUPT || selector + 7 > s->gdtr.limit ||
	    guest_read(v, s->gdtr.base + selector, &code, sizeof(code)) ||
	    !(code & DESC_CODE) || !(code & DESC_PRESENT) || DESC_DPL(code) != guest_cpl(v))
		return false;
	if (guest_write(v, s->ss.base + sp, frame, sizeof(frame)))
		return false;
	s->cs.selector = selector | guest_cpl(v);
	s->cs.attrib = (code >> 40 & 0xff) | (code >> 44 & 0xf00);
	s->cs.base = (code >> 16 & 0xffffff) | (code >> 32 & 0xff000000);
	s->cs.limit = (code & 0xffff) | (code >> 32 & 0xf0000);
	if (code & DESC_4K)
		s->cs.limit = s->cs.limit << 12 | 0xfff;
	s->rsp = sp;
	s->rip = (gate & 0xffff) | (gate >> 32 & 0xffff0000);
	s->rflags &= ~(RFLAGS_TF | RFLAGS_NT | RFLAGS_RF | RFLAGS_VM | RFLAGS_IF);
	v->vmcb.int_shadow = 0;
	return true;
}

void raise_exception(struct vcpu *v, u8 vector, bool has_error, u64 error)
{
	trace("raise vector %u error 0x%lx rip 0x%lx", vector, error, v->vmcb.save.rip);
	if (!guest_long_mode(v)) {
		bool real = v->paging_off && !(v->guest_cr0 & CR0_PE);

		if (vector == X86_VC && !real && deliver_protected(v, vector, error))
			return;
		v->vmcb.event_inj = EVENT_VALID | EVENT_EXCEPTION | vector;
		if (has_error && !real) {
			v->vmcb.event_inj |= EVENT_ERROR;
			v->vmcb.event_inj_error = error;
		}
		return;
	}
	if (deliver(v, vector, has_error, error))
		return;
	if (vector == X86_DF || !deliver(v, X86_DF, true, 0))
		end_run(v, COCO_END_SHUTDOWN, vector, "vector %u, error 0x%lx cannot be delivered", vector,
			error);
}

void raise_pf(struct vcpu *v, u64 va, u64 error)
{
	v->vmcb.save.cr2 = va;
	raise_exception(v, X86_PF, true, error);
}

/* ---- NMIs ---- */

/* On SEV-ES the guest tells when it is done (GHCB, NMI Complete), and its IRET is no exit */
static bool iret_unblocks(void)
{
	return !is_es();
}

void raise_nmi(struct vcpu *v)
{
	v->nmi_pending = true;
	if (!v->nmi_blocked)
		vcpu_kick(v);
}

static void deliver_nmi(struct vcpu *v)
{
	v->nmi_pending = false;
	v->nmi_blocked = true;
	if (iret_unblocks())
		v->vmcb.intercepts |= INTERCEPT(SVM_EXIT_IRET);
	if (!guest_long_mode(v))
		v->vmcb.event_inj = EVENT_VALID | EVENT_NMI | X86_NMI;
	else
		raise_exception(v, X86_NMI, false, 0);
}

/* The IRET has yet to happen: let it, and stop behind it.  #DB stays intercepted: exit.c passes it on. */
void nmi_iret(struct vcpu *v)
{
	v->vmcb.intercepts &= ~INTERCEPT(SVM_EXIT_IRET);
	v->vmcb.intercept_exceptions |= BIT(X86_DB);
	v->vmcb.save.rflags |= RFLAGS_TF;
	v->nmi_stepping = true;
}

bool nmi_step(struct vcpu *v)
{
	if (!v->nmi_stepping)
		return false;
	v->vmcb.save.dr6 &= ~DR6_BS;
	v->nmi_stepping = false;
	v->nmi_blocked = false;
	return true;
}

bool vcpu_undisturbed(const struct vcpu *v)
{
	const struct vmcb *b = &v->vmcb;

	return !v->nmi_pending && v->pending_vector < 0 && !(b->event_inj & EVENT_VALID) &&
	       !(b->save.rflags & RFLAGS_TF) && !inject_waits(v);
}

/* Exit as soon as the guest would take an interrupt: by V_IRQ, which QEMU forgets over a real one */
static void want_window(struct vcpu *v, bool want)
{
	struct vmcb *b = &v->vmcb;

	if (want) {
		b->intercepts |= WINDOW;
		b->int_ctl |= V_IRQ | V_IGN_TPR;
	} else {
		b->intercepts &= ~WINDOW;
		b->int_ctl &= ~(V_IRQ | V_IGN_TPR);
	}
}

static void deliver_interrupt(struct vcpu *v)
{
	struct vmcb *b = &v->vmcb;
	bool open = b->save.rflags & RFLAGS_IF && !b->int_shadow && !(b->event_inj & EVENT_VALID);

	want_window(v, v->pending_vector >= 0 && !open);
	if (v->pending_vector < 0 || !open)
		return;
	if (guest_long_mode(v))
		raise_exception(v, v->pending_vector, false, 0);
	else
		b->event_inj = EVENT_VALID | EVENT_INTR | v->pending_vector;
	v->pending_vector = -1;
}

void vcpu_deliver(struct vcpu *v)
{
	if (v->nmi_pending && !v->nmi_blocked && !(v->vmcb.event_inj & EVENT_VALID))
		deliver_nmi(v);
	deliver_interrupt(v);
}
