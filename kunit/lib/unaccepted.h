/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Unaccepted memory, as the kernel's table and as the machine have it.
 *
 * A unit is what one bit of the table stands for (2M).  The suites take units
 * that are still unaccepted, from the top down, because the page allocator
 * takes them from the bottom up; a unit that they accept is found accepted when
 * its turn comes, so nothing has to be put back.
 *
 * accept_memory() and range_contains_unaccepted_memory() are not exported.
 * Included by a suite's one file: it keeps where they are.
 */
#ifndef COCO_LIB_UNACCEPTED_H
#define COCO_LIB_UNACCEPTED_H

#include <linux/bitmap.h>
#include <linux/efi.h>
#include <linux/mm.h>
#include "coco_kunit.h"
#include "symbol.h"
#include "tdx.h"

#define UNIT_SIZE	PMD_SIZE
#define UNIT_PAGES	(UNIT_SIZE / PAGE_SIZE)
#define MAX_UNITS	512		/* of the largest machine */
#define ACCEPTED	(COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED)

static inline struct efi_unaccepted_memory *unaccepted_table(void)
{
	return efi.unaccepted == EFI_INVALID_TABLE_ADDR ? NULL : __va(efi.unaccepted);
}

/* From v6.12 on they take a size; before, the end.  Nobody else tells, but the type. */
#define UNACCEPTED_TAKES_SIZE \
	__builtin_types_compatible_p(typeof(accept_memory), void (phys_addr_t, unsigned long))

static typeof(accept_memory) *accept_fn;
static typeof(range_contains_unaccepted_memory) *contains_fn;

static inline void __nocfi kernel_accept(phys_addr_t start, u64 size)
{
	accept_fn(start, UNACCEPTED_TAKES_SIZE ? size : start + size);
}

static inline bool __nocfi kernel_sees_unaccepted(phys_addr_t start, u64 size)
{
	return contains_fn(start, UNACCEPTED_TAKES_SIZE ? size : start + size);
}

/* The look-up sleeps: not in a window */
static inline void need_unaccepted(struct kunit *test)
{
	COCO_NEEDS(test, COCO_ONLY(COCO_SEV_SNP) | COCO_ONLY(COCO_TDX));
	COCO_NEEDS_MACHINE(test);
	if (!unaccepted_table())
		kunit_skip(test, "the firmware left no unaccepted memory");
	if (!accept_fn)
		accept_fn = coco_need_symbol(test, "accept_memory");
	if (!contains_fn)
		contains_fn = coco_need_symbol(test, "range_contains_unaccepted_memory");
	KUNIT_ASSERT_EQ(test, (u64)unaccepted_table()->unit_size, (u64)UNIT_SIZE);
	KUNIT_ASSERT_LE(test, unaccepted_table()->size * BITS_PER_BYTE, (u64)MAX_UNITS);
}

/* ---- units ---- */
static inline u32 units(void)
{
	return unaccepted_table()->size * BITS_PER_BYTE;
}

static inline bool unit_is_unaccepted(u32 unit)
{
	return test_bit(unit, unaccepted_table()->bitmap);
}

static inline u64 unit_gpa(u32 unit)
{
	return unaccepted_table()->phys_base + unit * UNIT_SIZE;
}

/* One case needs the last one */
#define KEPT_AT_THE_END	2

/* The first of so many neighbours, all unaccepted, and below those that are kept */
static inline u32 take_units(struct kunit *test, u32 count)
{
	u32 unit = units() - KEPT_AT_THE_END, run = 0;

	while (unit-- && run < count)
		run = unit_is_unaccepted(unit) ? run + 1 : 0;
	KUNIT_ASSERT_EQ_MSG(test, run, count, "no %u unaccepted units in a row are left", count);
	return unit + 1;
}

/* ---- what the machine has ---- */
static inline u64 pages_accepted(u32 unit)
{
	u64 gpa, count = 0;

	for (gpa = unit_gpa(unit); gpa < unit_gpa(unit) + UNIT_SIZE; gpa += PAGE_SIZE)
		count += (coco_page_state(gpa) & ACCEPTED) == ACCEPTED;
	return count;
}

/* Acceptances of pages from .. to - 1, of whatever size, in a window */
static inline unsigned int acceptances(const struct coco_window *w, u64 from, u64 to)
{
	unsigned int i, count = 0;

	for (i = 0; i < w->nevents; i++) {
		const struct coco_event *e = &w->events[i];
		u64 gpa = e->kind == COCO_EV_TDCALL ? e->info1 & PAGE_MASK : e->code;
		bool accept = e->kind == COCO_EV_PVALIDATE ||
			      (e->kind == COCO_EV_TDCALL && e->code == TDCALL_PAGE_ACCEPT);

		count += accept && gpa >= from && gpa < to;
	}
	return count;
}

/* accept_memory(), in a window */
static inline struct coco_window *accept_in_window(struct kunit *test, u64 start, u64 size)
{
	struct coco_window *w = coco_window(test);

	coco_window_begin(w);
	kernel_accept(start, size);
	coco_window_end(w);
	return w;
}

#endif /* COCO_LIB_UNACCEPTED_H */
