// SPDX-License-Identifier: GPL-2.0
/*
 * Secure EPT: which private pages are there, and what happens at those that are
 * not ([base] "secure EPT", "#VE injection on EPT violations").
 *
 *	state		COCO_PAGE_*		a private access
 *	mapped		PRIVATE VALIDATED	is made
 *	pending		PRIVATE			#VE; TD exit with TD_CTLS.PENDING_VE_DISABLE
 *	free		shared or BLOCKED	TD exit
 *
 * The host keeps a page private or shared as the guest asked for.  It adds a
 * private page when the guest accepts it; a TD exit at any other access is
 * nothing that it could help, so the run ends.
 */
#include "page.h"
#include "tdx.h"

#define PAGE_INFO_RESERVED	0xfff0000000000ff8ull

void td_exit(struct vcpu *v, u64 gpa, const char *what)
{
	end_run(v, COCO_END_SHUTDOWN, gpa, "TD exit: EPT violation at private 0x%lx: %s", gpa,
		what);
}

/* RAM, in a view that does not show it now */
static void wrong_state(struct vcpu *v, u64 gpa, enum view view, u64 error)
{
	u8 flags = page_flags(gpa);

	event_add(v, COCO_EV_NPF, gpa & PAGE_MASK, error, flags);
	if (flags & COCO_PAGE_BLOCKED)
		end_run(v, COCO_END_SHUTDOWN, gpa,
			"TD exit: EPT violation at 0x%lx, which the host took away", gpa);
	if (view == SHARED) {
		/* The host's entry there is not present and convertible */
		ve_ept_violation(v, gpa | config.cmask, error);
		return;
	}
	if (!(flags & COCO_PAGE_PRIVATE))
		td_exit(v, gpa, "a shared page");
	if (td.td_ctls & TD_CTLS_PENDING_VE_DISABLE)
		td_exit(v, gpa, "a page that was not accepted");
	ve_ept_violation(v, gpa, error);
}

bool sept_npf(struct vcpu *v, u64 gpa, enum view view, u64 error)
{
	gpa = strip(gpa);
	if (is_ram(gpa))
		wrong_state(v, gpa, view, error);
	else if (view == SHARED)
		ve_ept_violation(v, gpa | config.cmask, error);
	else
		td_exit(v, gpa, "no memory there");
	return true;
}

/* ---- TDG.MEM.PAGE.ACCEPT ---- */

struct range_state {
	u32 ram, private, accepted, large, blocked;	/* pages */
};

static struct range_state look(u64 gpa, u64 pages)
{
	struct range_state s = { 0 };
	u64 i;

	for (i = 0; i < pages; i++) {
		u8 flags;

		if (!is_ram(gpa + i * PAGE_SIZE))
			continue;
		flags = page_flags(gpa + i * PAGE_SIZE);
		s.ram++;
		s.private += !!(flags & COCO_PAGE_PRIVATE);
		s.blocked += !!(flags & COCO_PAGE_BLOCKED);
		s.accepted += !!(flags & COCO_PAGE_VALIDATED);
		s.large += !!(flags & COCO_PAGE_2M);
	}
	return s;
}

static void accept(u64 gpa, u64 pages)
{
	u8 flags = COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED | (pages > 1 ? COCO_PAGE_2M : 0);
	u64 i;

	for (i = 0; i < pages; i++) {
		memset(ram_ptr(gpa + i * PAGE_SIZE, PRIVATE), 0, PAGE_SIZE);
		page_set(gpa + i * PAGE_SIZE, flags);
	}
}

/* The host gets an EPT violation, and adds the page if it may be private */
static void host_adds(struct vcpu *v, u64 gpa, u64 pages, const struct range_state *s)
{
	if (s->blocked)
		td_exit(v, gpa, "TDG.MEM.PAGE.ACCEPT of what the host took away");
	if (s->private == pages)
		return;
	if (s->ram != pages)
		td_exit(v, gpa, "TDG.MEM.PAGE.ACCEPT where no memory is");
	breach(v, COCO_BREACH_PAGE, gpa,
	       "TDG.MEM.PAGE.ACCEPT of 0x%lx, which is shared: no MapGPA before", gpa);
	page_convert(gpa, pages, COCO_PAGE_PRIVATE);
	vcpus_flush(v);
}

/* [ABI] TDG.MEM.PAGE.ACCEPT; [base] table "TDG.MEM.PAGE.ACCEPT SEPT walk cases" */
u64 sept_accept(struct vcpu *v, u64 page_info)
{
	u64 level = page_info & PAGE_INFO_LEVEL, gpa = page_info & PAGE_MASK;
	u64 pages = level ? PAGES_IN_2M : 1;
	struct range_state s;

	if (page_info & PAGE_INFO_RESERVED || level > 1 || gpa & (pages * PAGE_SIZE - 1))
		return TDX_OPERAND_INVALID | RCX;
	if (gpa >> config.cbit)		/* shared, or beyond GPAW */
		return TDX_OPERAND_INVALID | RCX;
	s = look(gpa, pages);
	if (level == 0) {
		if (s.accepted)
			return TDX_PAGE_ALREADY_ACCEPTED | !!s.large;
		host_adds(v, gpa, pages, &s);
		accept(gpa, pages);	/* of a pending 2M entry: the host demotes it first */
		return TDX_SUCCESS;
	}
	if (s.accepted == pages && s.large == pages)
		return TDX_PAGE_ALREADY_ACCEPTED | level;
	/* Some of it is mapped by 4K, or the host maps everything so: no leaf at this level */
	if (s.accepted || (s.private && s.private != pages) || !td.large_pages)
		return TDX_PAGE_SIZE_MISMATCH | level;
	host_adds(v, gpa, pages, &s);
	accept(gpa, pages);
	return TDX_SUCCESS;
}
