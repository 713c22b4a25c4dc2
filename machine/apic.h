/* SPDX-License-Identifier: GPL-2.0 */
/* The local APIC: registers (APM vol. 2, chapter 16), and what apic.c does for the guest. */
#ifndef APIC_H
#define APIC_H

#include "machine.h"

#define APIC_BASE		0xfee00000ull

#define MSR_APIC_BASE		0x1b
#define APIC_BASE_BSP		BIT_ULL(8)
#define APIC_BASE_X2APIC	BIT_ULL(10)
#define APIC_BASE_ENABLE	BIT_ULL(11)

/* Interrupt command register, as an offset and in x2APIC mode */
#define APIC_ICR		0x300
#define APIC_ICR_HIGH		0x310
#define X2APIC_ICR		0x830
#define ICR_MODE		(7u << 8)	/* delivery mode: */
#define ICR_NMI			(4u << 8)
#define ICR_INIT		(5u << 8)
#define ICR_SIPI		(6u << 8)
#define ICR_LOGICAL		BIT(11)
#define ICR_ASSERT		BIT(14)
#define ICR_LEVEL		BIT(15)
#define ICR_RESERVED		0xfff32000ull	/* in x2APIC mode; KVM lets bit 12 pass, xAPIC's status */
#define ICR_SHORTHAND		(3u << 18)	/* 0: the destination field says who */
#define ICR_SELF		(1u << 18)
#define ICR_ALL			(2u << 18)
#define ICR_OTHERS		(3u << 18)

static inline bool apic_page(u64 gpa) { return (gpa & PAGE_MASK) == APIC_BASE; }

void apic_send(u32 apic_id, u32 icr_low);	/* from the machine; the guest's ICR is kept */
void apic_reset(void);				/* this CPU's, as INIT does */
void apic_time_moved(struct vcpu *v);		/* its own CPU, time.c: time_warp() */
u32 apic_read(struct vcpu *v, u32 offset);
void apic_write(struct vcpu *v, u32 offset, u32 value);	/* INIT/SIPI are caught here */
/* x2APIC MSRs over QEMU's xAPIC; false: #GP */
bool apic_msr_read(struct vcpu *v, u32 msr, u64 *value);
bool apic_msr_write(struct vcpu *v, u32 msr, u64 value);

#endif /* APIC_H */
