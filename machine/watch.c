// SPDX-License-Identifier: GPL-2.0
/*
 * A watched range: each event that changes the state of one of its pages says
 * how the guest's page tables mapped that page just then (coco_event.mask), so
 * that a test sees in what order a guest changes tables and states.
 */
#include "control.h"
#include "tdx.h"

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

struct gpa_range {
	u64 start, size;
};

static struct gpa_range page_of(u64 gpa, bool huge)
{
	u64 size = huge ? SIZE_2M : PAGE_SIZE;

	return (struct gpa_range) { gpa & ~(size - 1), size };
}

/* Whose state is changed; size 0: no page's */
static struct gpa_range changed(const struct coco_event *e)
{
	switch (e->kind) {
	case COCO_EV_PSC:
		return page_of(e->code, e->info1 & BIT(8));
	case COCO_EV_PVALIDATE:
		return page_of(e->code, e->info1 & 1);
	case COCO_EV_TDCALL:
		if (e->code != TDG_MEM_PAGE_ACCEPT)
			break;
		return page_of(e->info1, e->info1 & PAGE_INFO_LEVEL);
	default:
		break;
	}
	return (struct gpa_range) { 0 };
}

u64 watch_mapping(struct vcpu *v, const struct coco_event *e)
{
	struct gpa_range page = changed(e);
	u64 first = max(page.start, watched.gpa);
	struct mapping m;

	if (first >= min(page.start + page.size, watched.gpa + watched.len))
		return 0;
	if (guest_translate(v, watched.va + (first - watched.gpa), &m))
		return COCO_WATCHED;
	return COCO_WATCHED | COCO_WATCH_MAPPED | (m.view == PRIVATE ? COCO_WATCH_PRIVATE : 0);
}
