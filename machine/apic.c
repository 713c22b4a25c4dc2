// SPDX-License-Identifier: GPL-2.0
/*
 * The local APIC on behalf of a guest (APM vol. 2, chapter 16).
 *
 * Guests use the APIC of the CPU that they run on.  What must not reach it are
 * INIT and SIPI, which would take the CPU away from the machine, and NMIs,
 * which would be taken for the machine's own kicks: these are done here.  The
 * x2APIC registers are mapped to the xAPIC's, since QEMU 7.2 has no x2APIC.
 */
#include "apic.h"
#include "core.h"

#define APIC_ID		0x020
#define APIC_TPR	0x080
#define APIC_EOI	0x0b0
#define APIC_LDR	0x0d0
#define APIC_DFR	0x0e0
#define APIC_SPIV	0x0f0
#define APIC_ISR	0x100
#define APIC_ESR	0x280
#define APIC_LVT_TIMER	0x320
#define APIC_LVT_ERROR	0x370
#define APIC_TIMER_INIT	0x380
#define APIC_TIMER_NOW	0x390
#define APIC_TIMER_DIV	0x3e0
#define APIC_SELF_IPI	0x3f0	/* x2APIC only */
#define APIC_LVT_MASKED	BIT(16)
#define APIC_LVT_PERIODIC BIT(17)

#define X2APIC_FIRST	0x800
#define X2APIC_LAST	0x83f
#define X2APIC_ID	0x802
#define X2APIC_LDR	0x80d
#define X2APIC_SELF_IPI	0x83f
#define X2APIC_ALL	0xffffffffu

struct ipi {
	u32 low;		/* ICR bits 31:0 */
	u32 dest;
	u32 all;		/* dest that means every CPU */
	bool x2apic;
};

static u32 logical_id[MAX_VCPUS];	/* xAPIC LDR bits 31:24, as written by the guest */

static volatile u32 *apic(u32 offset)
{
	return (volatile u32 *)(APIC_BASE + offset);
}

void apic_send(u32 apic_id, u32 icr_low)
{
	u32 high = *apic(APIC_ICR_HIGH);

	*apic(APIC_ICR_HIGH) = apic_id << 24;
	*apic(APIC_ICR) = icr_low;
	*apic(APIC_ICR_HIGH) = high;
}

void apic_reset(void)
{
	u32 i, offset;

	*apic(APIC_TIMER_INIT) = 0;
	for (offset = APIC_LVT_TIMER; offset <= APIC_LVT_ERROR; offset += 0x10)
		*apic(offset) = *apic(offset) | APIC_LVT_MASKED;
	*apic(APIC_TPR) = 0;
	/* One EOI for each vector in service: it ends the highest (APM vol. 2, 16.6.4) */
	for (i = 256; i--;)
		if (*apic(APIC_ISR + i / 32 * 0x10) & BIT(i % 32))
			*apic(APIC_EOI) = 0;
	*apic(APIC_SPIV) = 0xff;
}

/*
 * A one-shot timer whose time is over now that time was moved on fires at once.
 * QEMU's counts nanoseconds, divided by 1 << shift (APM vol. 2, 16.4.1; 7 divides by 1).
 */
void apic_time_moved(struct vcpu *v)
{
	u32 lvt, divide, left, shift;
	u64 gone;

	if (!v->moved_ns)
		return;		/* before each entry: no device is to be asked for it */
	lvt = *apic(APIC_LVT_TIMER);
	divide = *apic(APIC_TIMER_DIV);
	left = *apic(APIC_TIMER_NOW);
	shift = ((divide & 3) + (divide >> 1 & 4) + 1) & 7;
	gone = v->moved_ns >> shift;
	v->moved_ns = 0;
	if (gone && left && !(lvt & (APIC_LVT_MASKED | APIC_LVT_PERIODIC)))
		*apic(APIC_TIMER_INIT) = gone < left ? left - gone : 1;
}

/* ---- who an IPI is for (APM vol. 2, 16.6) ---- */

static bool in_logical_dest(const struct vcpu *v, const struct ipi *ipi)
{
	if (ipi->x2apic)
		return ipi->dest >> 16 == v->apic_id >> 4 && ipi->dest & BIT(v->apic_id & 15);
	return ipi->dest & logical_id[v->index];
}

static bool is_target(const struct vcpu *self, const struct vcpu *v, const struct ipi *ipi)
{
	switch (ipi->low & ICR_SHORTHAND) {
	case ICR_SELF:
		return v == self;
	case ICR_ALL:
		return true;
	case ICR_OTHERS:
		return v != self;
	}
	if (ipi->dest == ipi->all)
		return true;
	return ipi->low & ICR_LOGICAL ? in_logical_dest(v, ipi) : ipi->dest == v->apic_id;
}

static void ipi_one(struct vcpu *v, u32 low)
{
	switch (low & ICR_MODE) {
	case ICR_INIT:
		if (!(low & ICR_LEVEL) || low & ICR_ASSERT)
			vcpu_park(v);
		break;
	case ICR_SIPI:
		vcpu_start_sipi(v->apic_id, low);	/* not waiting for one: dropped */
		break;
	case ICR_NMI:
		raise_nmi(v);
		break;
	default:
		apic_send(v->apic_id, low & ~(ICR_SHORTHAND | ICR_LOGICAL));
	}
}

static void ipi_send(struct vcpu *self, const struct ipi *ipi)
{
	u32 i;

	for (i = 0; i < config.vcpus; i++)
		if (is_target(self, &vcpus[i], ipi))
			ipi_one(&vcpus[i], ipi->low);
}

static bool taken_by_machine(u32 low)
{
	u32 mode = low & ICR_MODE;

	return mode == ICR_INIT || mode == ICR_SIPI || mode == ICR_NMI;
}

/* ---- xAPIC registers ---- */

u32 apic_read(struct vcpu *v, u32 offset)
{
	(void)v;
	return *apic(offset & 0xff0);
}

void apic_write(struct vcpu *v, u32 offset, u32 value)
{
	struct ipi ipi = { .low = value, .dest = *apic(APIC_ICR_HIGH) >> 24, .all = 0xff };

	offset &= 0xff0;
	if (offset == APIC_LDR)
		logical_id[v->index] = value >> 24;
	if (offset == APIC_ICR && taken_by_machine(value))
		ipi_send(v, &ipi);
	else
		*apic(offset) = value;
}

/* ---- x2APIC registers (APM vol. 2, 16.11; Intel SDM vol. 3, 11.12) ---- */

/* Logical IDs are fixed in x2APIC mode; the IO-APIC's logical destinations need the same in the xAPIC */
static u32 x2apic_ldr(const struct vcpu *v)
{
	return (v->apic_id & ~15u) << 12 | BIT(v->apic_id & 15);
}

static bool x2apic_exists(u32 msr)
{
	u32 offset = (msr - X2APIC_FIRST) << 4;

	switch (offset) {
	case APIC_ID:
	case 0x030:			/* version */
	case APIC_TPR:
	case 0x0a0:			/* PPR */
	case APIC_EOI:
	case APIC_LDR:
	case APIC_SPIV ... 0x280:	/* ISR, TMR, IRR, ESR */
	case 0x2f0:			/* LVT CMCI */
	case APIC_ICR:
	case APIC_LVT_TIMER ... APIC_TIMER_NOW:
	case APIC_TIMER_DIV:
	case APIC_SELF_IPI:
		return msr >= X2APIC_FIRST && msr <= X2APIC_LAST;
	}
	return false;
}

bool apic_msr_read(struct vcpu *v, u32 msr, u64 *value)
{
	if (!x2apic_exists(msr) || msr == X2APIC_SELF_IPI || msr == X2APIC_FIRST + (APIC_EOI >> 4))
		return false;
	*value = *apic((msr - X2APIC_FIRST) << 4);
	if (msr == X2APIC_ID)
		*value = v->apic_id;
	else if (msr == X2APIC_LDR)
		*value = x2apic_ldr(v);
	else if (msr == X2APIC_ICR)
		*value |= (u64)*apic(APIC_ICR_HIGH) >> 24 << 32;
	return true;
}

static void x2apic_icr(struct vcpu *v, u64 value)
{
	struct ipi ipi = { .low = value, .dest = value >> 32, .all = X2APIC_ALL, .x2apic = true };

	if (taken_by_machine(ipi.low) || ipi.low & ICR_LOGICAL || ipi.low & ICR_SHORTHAND) {
		ipi_send(v, &ipi);
		return;
	}
	*apic(APIC_ICR_HIGH) = (ipi.dest == X2APIC_ALL ? 0xff : ipi.dest) << 24;
	*apic(APIC_ICR) = ipi.low;
}

/* SDM vol. 3, table 11-6 and 11.12.1.2: bits of a write that raise #GP(0) */
static u64 x2apic_reserved(u32 offset)
{
	switch (offset) {
	case APIC_EOI:
	case APIC_ESR:
		return ~0ull;
	case APIC_TPR:
	case APIC_SELF_IPI:
		return ~0xffull;
	case APIC_ICR:
		return ICR_RESERVED;
	default:
		return ~0xffffffffull;
	}
}

bool apic_msr_write(struct vcpu *v, u32 msr, u64 value)
{
	u32 offset = (msr - X2APIC_FIRST) << 4;

	if (!x2apic_exists(msr) || offset == APIC_ID || offset == APIC_LDR || offset == 0x030 ||
	    offset == 0x0a0 || (offset >= APIC_ISR && offset < 0x280) || offset == APIC_TIMER_NOW)
		return false;
	if (value & x2apic_reserved(offset))
		return false;
	if (msr == X2APIC_ICR) {
		x2apic_icr(v, value);
		return true;
	}
	if (msr == X2APIC_SELF_IPI) {
		*apic(APIC_ICR) = ICR_SELF | ICR_ASSERT | (value & 0xff);
		return true;
	}
	if (offset == APIC_SPIV) {
		*apic(APIC_DFR) = ~0u;
		*apic(APIC_LDR) = x2apic_ldr(v) << 24;
	}
	*apic(offset) = value;
	return true;
}
