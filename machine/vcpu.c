// SPDX-License-Identifier: GPL-2.0
/* A virtual CPU: its control block, permission maps, registers, and the loop around VMRUN. */
#include "apic.h"
#include "core.h"

#define MSRPM_PAGES	2
#define IOPM_PAGES	3
#define VCPU_REGS	8192	/* entry.S */
#define DEFAULT_PAT	0x0007040600070406ull

_Static_assert(offsetof(struct vcpu, vmcb) == 0, "entry.S: VMCB");
_Static_assert(offsetof(struct vcpu, regs) == VCPU_REGS, "entry.S: VCPU_REGS");

struct vcpu vcpus[MAX_VCPUS];

/* Two bits an MSR, one a port; set: intercepted.  The paging-off map adds EFER. */
u8 msrpm[MSRPM_PAGES * PAGE_SIZE] __page_aligned;
u8 msrpm_paging_off[MSRPM_PAGES * PAGE_SIZE] __page_aligned;
u8 iopm[IOPM_PAGES * PAGE_SIZE] __page_aligned;

u64 reg(const struct vcpu *v, enum reg r)
{
	switch (r) {
	case RAX:
		return v->vmcb.save.rax;
	case RSP:
		return v->vmcb.save.rsp;
	default:
		return v->regs[r];
	}
}

void set_reg(struct vcpu *v, enum reg r, u64 value)
{
	switch (r) {
	case RAX:
		v->vmcb.save.rax = value;
		break;
	case RSP:
		v->vmcb.save.rsp = value;
		break;
	default:
		v->regs[r] = value;
	}
}

u64 edx_eax(const struct vcpu *v)
{
	return (u32)reg(v, RAX) | reg(v, RDX) << 32;
}

void set_edx_eax(struct vcpu *v, u64 value)
{
	set_reg(v, RAX, (u32)value);
	set_reg(v, RDX, value >> 32);
}

struct vcpu *vcpu_by_apic_id(u32 apic_id)
{
	return apic_id < config.vcpus ? &vcpus[apic_id] : NULL;
}

/* ---- permission maps (APM vol. 2, 15.10 and 15.11) ---- */

static void msr_bits(u8 *map, u32 msr, u8 bits)
{
	u32 bit;

	if (msr < 0x2000)
		bit = msr * 2;
	else if (msr >= 0xc0000000 && msr < 0xc0002000)
		bit = 0x4000 + (msr - 0xc0000000) * 2;
	else if (msr >= 0xc0010000 && msr < 0xc0012000)
		bit = 0x8000 + (msr - 0xc0010000) * 2;
	else
		return;		/* no bits: always intercepted */
	map[bit / 8] = (map[bit / 8] & ~(3 << bit % 8)) | bits << bit % 8;
}

void permissions_init(void)
{
	memset(msrpm, 0xff, sizeof(msrpm));
	memset(msrpm_paging_off, 0xff, sizeof(msrpm_paging_off));
	memset(iopm, 0xff, sizeof(iopm));
}

void msr_permit(u32 msr, bool read, bool write)
{
	u8 bits = (read ? 0 : 1) | (write ? 0 : 2);

	msr_bits(msrpm, msr, bits);
	msr_bits(msrpm_paging_off, msr, msr == MSR_EFER ? 3 : bits);
}

void io_permit(u16 port, bool direct)
{
	if (direct)
		iopm[port / 8] &= ~BIT(port % 8);
	else
		iopm[port / 8] |= BIT(port % 8);
}

/* ---- state ---- */

static void segment(struct vmcb_seg *s, u16 selector, u16 attrib)
{
	*s = (struct vmcb_seg) { .selector = selector, .attrib = attrib, .limit = 0xffff };
}

void vcpu_reset_state(struct vcpu *v)
{
	struct vmcb_save *s = &v->vmcb.save;

	memset(s, 0, sizeof(*s));
	segment(&s->cs, 0xf000, 0x9b);
	s->cs.base = 0xffff0000;
	segment(&s->ss, 0, 0x93);
	s->ds = s->es = s->fs = s->gs = s->ss;
	segment(&s->gdtr, 0, 0);
	segment(&s->idtr, 0, 0);
	segment(&s->ldtr, 0, 0x82);
	segment(&s->tr, 0, 0x8b);
	s->cr0 = 0x60000010;
	s->dr6 = 0xffff0ff0;
	s->dr7 = 0x400;
	s->rflags = 2;
	s->rip = 0xfff0;
	s->g_pat = DEFAULT_PAT;
	memset(v->regs, 0, sizeof(v->regs));
	v->regs[RDX] = 0x600;		/* family 6, stepping 0; any will do */
}

/* What the plain machine intercepts, as the technologies add to it */
static void reset_controls(struct vcpu *v)
{
	struct vmcb *b = &v->vmcb;

	memset(b, 0, offsetof(struct vmcb, save));
	b->intercepts = INTERCEPT(SVM_EXIT_NMI) | INTERCEPT(SVM_EXIT_CR0_SEL_WRITE) |
			INTERCEPT(SVM_EXIT_CPUID) | INTERCEPT(SVM_EXIT_INVLPGA) |
			INTERCEPT(SVM_EXIT_IOIO) | INTERCEPT(SVM_EXIT_MSR) |
			INTERCEPT(SVM_EXIT_SHUTDOWN) | INTERCEPT(SVM_EXIT_VMRUN) |
			INTERCEPT(SVM_EXIT_VMMCALL) | INTERCEPT(SVM_EXIT_VMLOAD) |
			INTERCEPT(SVM_EXIT_VMSAVE) | INTERCEPT(SVM_EXIT_STGI) |
			INTERCEPT(SVM_EXIT_CLGI) | INTERCEPT(SVM_EXIT_SKINIT);
	/* QEMU's HLT does not survive an exit, and vCPUs make one another exit */
	if (config.vcpus > 1 || config.halt_ends)
		b->intercepts |= INTERCEPT(SVM_EXIT_HLT);
	b->iopm_base = (u64)iopm;
	b->msrpm_base = (u64)msrpm;
	b->asid = 1;
	b->nested_ctl = 1;
	b->nested_cr3 = npt_root(false);
	v->kicked = v->nmi_pending = v->nmi_blocked = v->nmi_stepping = false;
	v->pending_vector = -1;
}

void vcpu_init(struct vcpu *v)
{
	v->index = v - vcpus;
	v->apic_id = v->index;
	wrmsr(MSR_VM_HSAVE_PA, (u64)v->hsave);
	machine_lock();
	reset_controls(v);
	vcpu_reset_state(v);
	msr_setup(v);
	if (config.tech->vcpu_setup)
		config.tech->vcpu_setup(v);
	machine_unlock();
}

/* ---- the loop ---- */

/*
 * An exit in the middle of an event's delivery (APM vol. 2, 15.7.2): external
 * interrupts and NMIs are lost unless injected again; instructions that
 * faulted or trapped by INT n run again.
 */
static void keep_interrupted_event(struct vcpu *v, u32 event)
{
	if (!(event & EVENT_VALID))
		return;
	if ((event & EVENT_TYPE) == EVENT_NMI) {
		v->nmi_pending = true;
		v->nmi_blocked = false;
	} else if ((event & EVENT_TYPE) == EVENT_INTR) {
		if (v->pending_vector >= 0)
			unmodelled(v, "exit 0x%lx in the delivery of a second waiting interrupt",
				   v->vmcb.exit_code);
		v->pending_vector = event & 0xff;
	}
}

static void enter_guest(struct vcpu *v)
{
	vcpu_deliver(v);
	v->vmcb.save.efer |= EFER_SVME;
	v->online = true;
	v->wake = false;
	v->in_guest = true;
	machine_unlock();
	vcpu_enter(v);
	v->in_guest = false;
	machine_lock();
}

/* Parked: only an NMI of ours wakes; whoever sends it has set the state */
static void wait_for_start(struct vcpu *v)
{
	while (!v->running)
		vcpu_sleep(v, false);
}

void vcpu_run_forever(struct vcpu *v)
{
	u32 inits = 0;

	machine_lock();
	for (;;) {
		if (inits != v->inits)
			apic_reset();
		inits = v->inits;
		wait_for_start(v);
		if (inits != v->inits)
			continue;
		apic_time_moved(v);
		inject_due(v);
		enter_guest(v);
		if (inits != v->inits)
			continue;		/* an INIT took this guest state away */
		keep_interrupted_event(v, v->vmcb.exit_int_info);
		handle_exit(v);
	}
}
