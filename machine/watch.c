// SPDX-License-Identifier: GPL-2.0
/*
 * A watched range: each event that changes the state of one of its pages says
 * how the guest's page tables mapped that page just then (coco_event.mask), so
 * that a test sees in what order a guest changes tables and states.
 */
#include "control.h"

#define TDG_MEM_PAGE_ACCEPT	6

static struct {
	u64 va, gpa, len;		/* len 0: nothing is watched */
} watched;

s64 watch_set(struct vcpu *v, u64 va, u64 len)
{
	struct mapping m;

	watched.len = 0;
	if (!len)
		return 0;
	if ((va | len) & ~PAGE_MASK || va + len < va)
		return -EINVAL;
	if (guest_translate(v, va, &m))
		return -EFAULT;
	watched.va = va;
	watched.gpa = m.gpa;
	watched.len = len;
	return 0;
}

/* The address of the page whose state is changed; no address of RAM if there is none */
static u64 changed(const struct coco_event *e)
{
	switch (e->kind) {
	case COCO_EV_PSC:
	case COCO_EV_PVALIDATE:
		return e->code;
	case COCO_EV_TDCALL:
		return e->code == TDG_MEM_PAGE_ACCEPT ? e->info1 & PAGE_MASK : COCO_ANY;
	default:
		return COCO_ANY;
	}
}

u64 watch_mapping(struct vcpu *v, const struct coco_event *e)
{
	u64 offset = changed(e) - watched.gpa;
	struct mapping m;

	if (offset >= watched.len)
		return 0;
	if (guest_translate(v, watched.va + offset, &m))
		return COCO_WATCHED;
	return COCO_WATCHED | COCO_WATCH_MAPPED | (m.view == PRIVATE ? COCO_WATCH_PRIVATE : 0);
}
