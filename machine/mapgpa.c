// SPDX-License-Identifier: GPL-2.0
/*
 * TDG.VP.VMCALL<MapGPA>: the host converts pages ([GHCI] 3.2).
 *
 * The range is converted by entries, 2M where it holds a whole aligned one and
 * 4K elsewhere, all at once where no RAM is; each is an event (page state
 * change) that a rule can have fail.
 * A host may stop after any of them and ask the guest to call again for the
 * rest: status RETRY, and in R11 the address to go on from.
 */
#include "page.h"
#include "tdx.h"

enum { OP_PRIVATE = 1, OP_SHARED = 2 };		/* as SEV-SNP's page state changes */

#define EVENT_2M	BIT(8)

static bool is_device_or_hole(u64 gpa, u64 pages)
{
	u64 i;

	for (i = 0; i < pages; i++)
		if (!is_ram(gpa + i * PAGE_SIZE))
			return true;
	return false;
}

static bool is_private(u64 gpa)
{
	return page_flags(gpa) & COCO_PAGE_PRIVATE;
}

/* Runs of pages that are not yet what they shall be; the others keep state and contents */
static void convert(struct vcpu *v, u64 gpa, u64 pages, enum view to)
{
	u64 end = gpa + pages * PAGE_SIZE, run;
	bool private = to == PRIVATE;

	for (; gpa < end; gpa = run + PAGE_SIZE) {
		for (run = gpa; run < end && is_private(run) != private; run += PAGE_SIZE)
			;
		if (run > gpa)
			page_convert(gpa, (run - gpa) / PAGE_SIZE, private ? COCO_PAGE_PRIVATE : 0);
	}
	vcpus_flush(v);
}

/* One entry; a GHCI status */
static u64 map_entry(struct vcpu *v, u64 gpa, u64 pages, enum view to)
{
	u64 op = (to == PRIVATE ? OP_PRIVATE : OP_SHARED) | (pages > 1 ? EVENT_2M : 0);
	struct coco_event *event = event_add(v, COCO_EV_PSC, gpa, op, 0);
	const struct coco_rule *rule = rule_match(event);
	u64 status = GHCI_SUCCESS;

	if (rule && rule->reply_mask & 1)
		status = rule->reply[0];
	if (!rule || rule->action == COCO_PATCH) {
		/* Devices are shared; nothing there can become private */
		if (!is_device_or_hole(gpa, pages))
			convert(v, gpa, pages, to);
		else if (to == PRIVATE)
			status = GHCI_INVALID_OPERAND;
	}
	event->ret = status;
	return status;
}

static bool well_formed(u64 start, u64 end)
{
	u64 width = config.cbit + 1;

	return end > start && !(start >> width) && !((end - 1) >> width) &&
	       view_of(start) == view_of(end - 1);
}

void map_gpa(struct vcpu *v, struct tdvmcall *call)
{
	u64 start = call->in[R12], size = call->in[R13], shared = start & config.cmask;
	u64 at = strip(start), stop = at + size, limit = stop, pages, status = GHCI_SUCCESS;

	if (!well_formed(start, start + size))
		status = GHCI_INVALID_OPERAND;
	else if ((start | size) & ~PAGE_MASK)
		status = GHCI_ALIGN_ERROR;
	if (td.map_gpa_chunk && size > td.map_gpa_chunk)
		limit = at + td.map_gpa_chunk;
	for (; !status && at < limit; at += pages * PAGE_SIZE) {
		if (next_ram(at) != at)
			pages = (min(limit, next_ram(at)) - at) / PAGE_SIZE;
		else
			pages = at & (SIZE_2M - 1) || limit - at < SIZE_2M ? 1 : PAGES_IN_2M;
		status = map_entry(v, at, pages, shared ? SHARED : PRIVATE);
		if (status)
			break;
	}
	if (!status && at < stop)
		status = GHCI_RETRY;
	tdvmcall_answer(call, R10, status);
	if (status)
		tdvmcall_answer(call, R11, at | shared);
}
