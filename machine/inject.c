// SPDX-License-Identifier: GPL-2.0
/*
 * Scripted injections: what a host may push into a guest, when a test asks.
 *
 *	interrupt	AMD: as by EVENTINJ or V_IRQ of a host that emulates no APIC for
 *			it: taken when RFLAGS.IF allows, no ISR bit set (APM vol. 2, 15.20,
 *			15.21.4).
 *			TDX: posted into the virtual APIC, vectors 31 and up only, so the
 *			ISR bit is set (TDX module base spec., interrupt handling)
 *	NMI		held while NMIs are blocked
 *	#VC		SEV-ES, SEV-SNP: a host's EVENTINJ of vector 29 with an exit code
 *			of its choice as error code (APM vol. 2, 15.20)
 *	#VE		synthetic: only the TDX module raises it
 *	exception	AMD: EVENTINJ; on TDX synthetic
 *
 * "At an address" is a hardware breakpoint of the machine's own, in the guest's
 * DR3 and DR7; the #DB is intercepted and taken back, with DR6 as it was.  Until
 * then a guest that reads DR3 or DR7 sees it, and one that writes them may make
 * the machine miss the address: tests see that no injection happened.
 *
 * QEMU 10 follows DR7 over VMRUN and #VMEXIT.  QEMU 7.2 loads and stores it
 * there, but has breakpoints only by MOV to DR7: so the machine's own DR7 gets
 * the breakpoint, too.
 */
#include "apic.h"
#include "control.h"
#include "core.h"
#include "sev.h"
#include "tdx.h"

#define QUEUE_SIZE	8		/* injections waiting on one vCPU */
#define BREAKPOINT	3		/* the debug register that the machine borrows */
#define DR7_BREAKPOINT	(2ull << (2 * BREAKPOINT))	/* global; type and length 0: execution */
#define DR7_MINE	(3ull << (2 * BREAKPOINT) | 15ull << (16 + 4 * BREAKPOINT))
#define DR7_FIXED	0x400ull
#define TDX_FIRST_VECTOR 31

struct queue {
	struct coco_inject item[QUEUE_SIZE];
	u32 count;
	bool armed;			/* the breakpoint is set, for items with this address */
	u64 address;
	u64 dr3, dr6, dr7;		/* the guest's, from before */
};

static struct queue queues[MAX_VCPUS];

static const char *const type_names[] = {
	[COCO_INJECT_INTR] = "intr",
	[COCO_INJECT_NMI] = "nmi",
	[COCO_INJECT_VC] = "vc",
	[COCO_INJECT_VE] = "ve",
	[COCO_INJECT_EXCEPTION] = "exception",
};

static bool is_tdx(void)
{
	return config.tech->id == COCO_TDX;
}

/* Exceptions that push an error code (APM vol. 2, table 8-1) */
static bool has_error_code(u8 vector)
{
	return BIT(vector) & (BIT(8) | BIT(10) | BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(17) |
			      BIT(21) | BIT(29) | BIT(30));
}

static bool synthetic(const struct coco_inject *i)
{
	return i->type == COCO_INJECT_VE || (i->type == COCO_INJECT_EXCEPTION && is_tdx());
}

static u8 vector_of(const struct coco_inject *i)
{
	switch (i->type) {
	case COCO_INJECT_NMI:
		return X86_NMI;
	case COCO_INJECT_VC:
		return X86_VC;
	case COCO_INJECT_VE:
		return X86_VE;
	default:
		return i->vector;
	}
}

static void log_injection(struct vcpu *v, const struct coco_inject *i)
{
	event_add(v, COCO_EV_INJECT, vector_of(i), i->error_code, i->type);
	stream_line('m', "injected type=%s vector=%u error=0x%lx rip=0x%lx cpu=%u%s",
		    type_names[i->type], vector_of(i), i->error_code, v->vmcb.save.rip, v->index,
		    synthetic(i) ? " synthetic" : "");
}

/* False: an interrupt of the vCPU's own waits already */
static bool deliver_interrupt(struct vcpu *v, const struct coco_inject *i)
{
	if (is_tdx()) {
		apic_write(v, APIC_ICR, ICR_SELF | i->vector);
	} else {
		if (v->pending_vector >= 0)
			return false;
		v->pending_vector = i->vector;
	}
	log_injection(v, i);
	return true;
}

static bool deliver(struct vcpu *v, const struct coco_inject *i)
{
	if (i->type == COCO_INJECT_INTR)
		return deliver_interrupt(v, i);
	log_injection(v, i);
	switch (i->type) {
	case COCO_INJECT_NMI:
		raise_nmi(v);
		break;
	case COCO_INJECT_VE:
		ve_raise(v, &(struct ve_info){ .reason = i->error_code });
		break;
	default:
		raise_exception(v, vector_of(i), has_error_code(vector_of(i)), i->error_code);
		break;
	}
	return true;
}

static void remove(struct queue *q, u32 n)
{
	q->count--;
	memmove(&q->item[n], &q->item[n + 1], (q->count - n) * sizeof(q->item[0]));
}

static u64 read_dr3(void)
{
	u64 value;

	asm volatile("mov %%dr3, %0" : "=r"(value));
	return value;
}

static void write_dr3(u64 value)
{
	asm volatile("mov %0, %%dr3" : : "r"(value));
}

static void write_dr7(u64 value)
{
	asm volatile("mov %0, %%dr7" : : "r"(value));
}

/* Runs on the vCPU's own CPU, as everything before VMRUN does */
static void arm(struct vcpu *v, u64 address)
{
	struct queue *q = &queues[v->index];

	q->armed = true;
	q->address = address;
	q->dr3 = read_dr3();
	q->dr6 = v->vmcb.save.dr6;
	q->dr7 = v->vmcb.save.dr7;
	v->vmcb.save.dr7 = (q->dr7 & ~DR7_MINE) | DR7_BREAKPOINT;
	v->vmcb.intercept_exceptions |= BIT(X86_DB);
	write_dr3(address);
	write_dr7(DR7_FIXED | DR7_BREAKPOINT);
}

static void disarm(struct vcpu *v)
{
	struct queue *q = &queues[v->index];

	q->armed = false;
	if (!v->nmi_stepping)
		v->vmcb.intercept_exceptions &= ~BIT(X86_DB);
	v->vmcb.save.dr7 = (v->vmcb.save.dr7 & ~DR7_MINE) | (q->dr7 & DR7_MINE);
	/* #VMEXIT brought the machine's DR7 back: clearing the breakpoint there removes it */
	write_dr7(DR7_FIXED);
	write_dr3(q->dr3);
}

bool inject_breakpoint(struct vcpu *v)
{
	struct queue *q = &queues[v->index];
	u32 n;

	if (!q->armed || v->vmcb.save.rip != q->address)
		return false;
	disarm(v);
	v->vmcb.save.dr6 = q->dr6;
	for (n = 0; n < q->count; n++) {
		struct coco_inject *i = &q->item[n];

		if (i->rip != q->address || i->delay)
			continue;
		i->rip = 0;	/* from now on: as soon as possible */
		if (deliver(v, i))
			remove(q, n);
		break;
	}
	return true;
}

bool inject_waits(const struct vcpu *v)
{
	return queues[v->index].count;
}

void inject_due(struct vcpu *v)
{
	struct queue *q = &queues[v->index];
	bool delivered = false;
	u32 n;

	/* Each time: the core ends its own interception when an NMI's IRET is done */
	if (q->armed)
		v->vmcb.intercept_exceptions |= BIT(X86_DB);
	/* An event whose delivery was cut short goes first */
	if (v->vmcb.event_inj & EVENT_VALID)
		return;
	for (n = 0; n < q->count; n++) {
		struct coco_inject *i = &q->item[n];

		if (i->delay) {
			i->delay--;
		} else if (i->rip) {
			if (!q->armed)
				arm(v, i->rip);
		} else if (!delivered && deliver(v, i)) {
			remove(q, n--);
			delivered = true;
		}
	}
}

/* What this host may inject into this guest, and in which form */
static bool allowed(const struct coco_inject *i)
{
	switch (i->type) {
	case COCO_INJECT_INTR:
		return i->vector <= 255 && (!is_tdx() || i->vector >= TDX_FIRST_VECTOR);
	case COCO_INJECT_NMI:
		return true;
	case COCO_INJECT_VC:
		return is_es();
	case COCO_INJECT_VE:
		return is_tdx();
	case COCO_INJECT_EXCEPTION:
		return i->vector < 32 && i->vector != X86_NMI && i->vector != X86_VC &&
		       i->vector != X86_VE;
	default:
		return false;
	}
}

s64 inject_add(struct vcpu *v, const struct coco_inject *what)
{
	struct queue *q;

	if (what->cpu >= config.vcpus || what->flags || !allowed(what))
		return -EINVAL;
	if (!vcpus[what->cpu].running)
		return -EINVAL;
	q = &queues[what->cpu];
	if (q->count == QUEUE_SIZE)
		return -ENOSPC;
	q->item[q->count++] = *what;
	/* Another vCPU looks at its queue before it next enters the guest: have it leave */
	if (&vcpus[what->cpu] != v)
		vcpu_kick(&vcpus[what->cpu]);
	return 0;
}
