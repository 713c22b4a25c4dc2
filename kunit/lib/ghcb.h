/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The GHCB of this CPU as the host finds it (GHCB specification 56421, section 2.1).
 *
 * Another call of this CPU changes it: look at it in the window of the instruction.
 */
#ifndef COCO_LIB_GHCB_H
#define COCO_LIB_GHCB_H

#include <asm/io.h>
#include <asm/msr.h>
#include "coco_kunit.h"

#define GHCB_BUFFER		0x800
#define GHCB_BUFFER_SIZE	2032
#define MSR_GHCB		0xc0010130
/* The POST card's port, which any kernel writes to: harmless */
#define POST_PORT		0x80

/* Registers that a call hands over; an answer may have overwritten some */
struct ghcb_registers {
	u64 rax, rcx, rdx, rbx, rsi;
};

/* Where it is: the MSR names it after a call through the page */
static inline u64 ghcb_page(void)
{
	unsigned long flags;
	u32 low, high;

	local_irq_save(flags);
	outb(0, POST_PORT);
	rdmsr(MSR_GHCB, low, high);
	local_irq_restore(flags);
	return (u64)high << 32 | low;
}

static inline s64 ghcb_read_registers(u64 page, struct ghcb_registers *r)
{
	s64 error = coco_host_read(page + 0x1f8, &r->rax, sizeof(r->rax));

	error = error ?: coco_host_read(page + 0x308, &r->rcx, sizeof(r->rcx));
	error = error ?: coco_host_read(page + 0x310, &r->rdx, sizeof(r->rdx));
	error = error ?: coco_host_read(page + 0x318, &r->rbx, sizeof(r->rbx));
	return error ?: coco_host_read(page + 0x330, &r->rsi, sizeof(r->rsi));
}

#endif /* COCO_LIB_GHCB_H */
