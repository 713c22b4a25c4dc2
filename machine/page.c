// SPDX-License-Identifier: GPL-2.0
/*
 * The state of each page of guest RAM, and which views show it.
 *
 *			shared view	private view
 *	shared		shown
 *	private				shown, once validated or accepted
 *	blocked
 *
 * SEV and SEV-ES know no validation: there "private" only says under which of
 * its two keys the one physical page is kept just now (sev.c turns it over).
 *
 * A page that a host converts keeps nothing of its contents.  As with KVM's
 * guest memory, the host backs it anew each time: a shared page is zero, and a
 * private one holds what the guest's key makes of a zero page, other bytes at
 * each conversion.
 */
#include "page.h"

static u8 *states;		/* by ram_page() */

static u8 *state_of(u64 gpa)
{
	gpa = strip(gpa);
	if (!is_ram(gpa))
		internal_error("page state of 0x%lx, which is not RAM", gpa);
	return &states[ram_page(gpa)];
}

static bool needs_validation(void)
{
	return config.tech->id == COCO_SEV_SNP || config.tech->id == COCO_TDX;
}

static void show(u64 gpa, u8 flags)
{
	bool shared = !(flags & (COCO_PAGE_PRIVATE | COCO_PAGE_BLOCKED));
	bool private = flags & COCO_PAGE_PRIVATE &&
		       !(flags & (COCO_PAGE_BLOCKED | COCO_PAGE_VMPL0 | COCO_PAGE_IN_USE)) &&
		       (flags & COCO_PAGE_VALIDATED || !needs_validation());

	/* A plain machine has one view, and it is not a private one */
	if (!config.tech->two_views)
		shared = private = !(flags & COCO_PAGE_BLOCKED);
	npt_set(gpa, SHARED, shared, true);
	npt_set(gpa, PRIVATE, private, true);
}

u8 page_flags(u64 gpa)
{
	return *state_of(gpa);
}

/* One 2M entry becomes 512 of 4K, all in the same state (PSMASH; TDH.MEM.PAGE.DEMOTE) */
void page_split(u64 gpa)
{
	u64 page, first = strip(gpa) & ~(SIZE_2M - 1);

	for (page = first; page < first + SIZE_2M; page += PAGE_SIZE)
		*state_of(page) &= ~COCO_PAGE_2M;
}

void page_set(u64 gpa, u8 flags)
{
	u8 *state = state_of(gpa);

	if (*state & COCO_PAGE_2M && !(flags & COCO_PAGE_2M))
		page_split(gpa);
	*state = flags;
	show(strip(gpa) & PAGE_MASK, flags);
}

bool page_all_ram(u64 gpa, u64 count)
{
	u64 i;

	for (i = 0; i < count; i++)
		if (!is_ram(gpa + i * PAGE_SIZE))
			return false;
	return true;
}

void page_init(u8 flags)
{
	u64 gpa;
	u8 here = 0;

	if (!states)
		states = ram_array(sizeof(*states));
	for (gpa = next_ram(0); gpa != RAM_END; gpa = next_ram(gpa + PAGE_SIZE)) {
		if (!(gpa & (SIZE_2M - 1)))
			here = page_all_ram(gpa, PAGES_IN_2M) ? flags : flags & ~COCO_PAGE_2M;
		if (!is_ram(gpa))
			continue;
		states[ram_page(gpa)] = here;
		show(gpa, here);
	}
}

static void fresh_private(u64 gpa)
{
	static const u8 zero[PAGE_SIZE];
	static u64 conversions;

	scramble_page(ram_ptr(gpa, PRIVATE), zero, gpa ^ ++conversions << 32);
}

static void convert(u64 gpa, u8 flags)
{
	if (flags & COCO_PAGE_PRIVATE)
		fresh_private(gpa);
	else
		memset(ram_ptr(gpa, SHARED), 0, PAGE_SIZE);
	page_set(gpa, flags);
}

void page_convert(u64 gpa, u64 count, u8 flags)
{
	u64 i;

	gpa = strip(gpa) & PAGE_MASK;
	for (i = 0; i < count; i++)
		convert(gpa + i * PAGE_SIZE, flags);
}

void page_make_shared(u64 gpa)
{
	page_convert(gpa, 1, 0);
	vcpus_flush(NULL);
}

void page_make_private(u64 gpa)
{
	page_convert(gpa, 1, COCO_PAGE_PRIVATE);
	vcpus_flush(NULL);
}
