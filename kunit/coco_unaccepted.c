// SPDX-License-Identifier: GPL-2.0
/*
 * Memory is accepted before it is used, whole units at a time, and once.
 *
 * Path:        accept_memory(), range_contains_unaccepted_memory() -> page state change
 *              and PVALIDATE, or TDG.MEM.PAGE.ACCEPT
 * Upstream:    dcdfdd40fa82 ("mm: Add support for unaccepted memory"),
 *              2053bc57f367 ("efi: Add unaccepted memory support"),
 *              8dbe33956d96 ("efi/unaccepted: Make sure unaccepted table is mapped"),
 *              7cd34dd3c9bf ("efi/unaccepted: do not let /proc/vmcore try to access unaccepted
 *              memory"),
 *              1c5a1627f481 ("efi/unaccepted: touch soft lockup during memory accept")
 *              CVE-2024-36936,
 *              948a013a54c4 ("efi: Align unaccepted memory range to page boundary")
 * Without it:  the first touch of a page that was not accepted ends a TD, and an SNP guest
 *              that was told that it is validated has been lied to.
 *
 * The guard: load_unaligned_zeropad() may read beyond the memory that it is given, so
 * what ends with a unit counts as reaching into the next one.
 */
#include <linux/crash_dump.h>
#include <linux/kprobes.h>
#include <asm/word-at-a-time.h>
#include "lib/unaccepted.h"

static void table_is_reserved_and_mapped(struct kunit *test);
/* One row a range, at the beginning of several unaccepted units */
static void accept_memory_accepts_its_units_and_the_guard(struct kunit *test);
/* One row a range around a unit that is accepted, the first and the third are not */
static void range_is_unaccepted_up_to_its_guard(struct kunit *test);
static void memory_beyond_the_table_counts_as_accepted(struct kunit *test);
static void last_unit_has_no_guard(struct kunit *test);
static void accepted_unit_is_not_accepted_again(struct kunit *test);
static void accepted_memory_is_private_and_holds_what_is_written(struct kunit *test);
static void zeropad_at_the_end_of_accepted_memory_reads_the_guard(struct kunit *test);
static void vmcore_leaves_unaccepted_pages_out(struct kunit *test);
static void watchdog_is_told_of_each_acceptance(struct kunit *test);
static void unit_that_the_host_keeps_by_pages_is_accepted_by_pages(struct kunit *test);

struct range_case {
	const char *name;
	u64 start, size;		/* from the first unit's start */
	u32 first, count;		/* units that are accepted, or ... */
	bool unaccepted;		/* ... whether the range has unaccepted memory */
};

#define LAST_PAGE	(UNIT_SIZE - PAGE_SIZE)

static const struct range_case accept_cases[] = {
	{ "first_byte", 0, 1, 0, 1 },
	{ "first_page", 0, PAGE_SIZE, 0, 1 },
	{ "page_in_the_middle", UNIT_SIZE / 2, PAGE_SIZE, 0, 1 },
	{ "part_of_a_page", UNIT_SIZE / 2 + 0x800, 0x100, 0, 1 },
	{ "last_page", LAST_PAGE, PAGE_SIZE, 0, 2 },
	{ "all_but_the_last_page", 0, LAST_PAGE, 0, 1 },
	{ "unit", 0, UNIT_SIZE, 0, 2 },
	{ "across_the_border", LAST_PAGE, 2 * PAGE_SIZE, 0, 2 },
	{ "two_units", 0, 2 * UNIT_SIZE, 0, 3 },
	{ "second_unit", UNIT_SIZE, LAST_PAGE, 1, 1 },
	{ "beginning_of_the_last_page", LAST_PAGE, 0x7ff, 0, 2 },
	{ "middle_of_the_last_page", LAST_PAGE + 0x800, 0x400, 0, 2 },
};
KUNIT_ARRAY_PARAM_DESC(accept, accept_cases, name);

static const struct range_case contains_cases[] = {
	{ "accepted_page", UNIT_SIZE, PAGE_SIZE, .unaccepted = false },
	{ "accepted_byte", UNIT_SIZE + UNIT_SIZE / 2, 1, .unaccepted = false },
	{ "all_but_the_last_page", UNIT_SIZE, LAST_PAGE, .unaccepted = false },
	{ "accepted_unit", UNIT_SIZE, UNIT_SIZE, .unaccepted = true },
	{ "last_accepted_page", UNIT_SIZE + LAST_PAGE, PAGE_SIZE, .unaccepted = true },
	{ "beginning_of_the_last_page", UNIT_SIZE + LAST_PAGE, 0x7ff, .unaccepted = true },
	{ "across_the_end", UNIT_SIZE + LAST_PAGE, 2 * PAGE_SIZE, .unaccepted = true },
	{ "across_the_beginning", LAST_PAGE, 2 * PAGE_SIZE, .unaccepted = true },
	{ "page_before", LAST_PAGE, PAGE_SIZE, .unaccepted = true },
	{ "first_byte_of_the_unit_before", 0, 1, .unaccepted = true },
	{ "unit_behind", 2 * UNIT_SIZE, PAGE_SIZE, .unaccepted = true },
	{ "all_three", 0, 2 * UNIT_SIZE + PAGE_SIZE, .unaccepted = true },
};
KUNIT_ARRAY_PARAM_DESC(contains, contains_cases, name);

static struct kunit_case unaccepted_cases[] = {
	KUNIT_CASE(table_is_reserved_and_mapped),
	KUNIT_CASE_PARAM(accept_memory_accepts_its_units_and_the_guard, accept_gen_params),
	KUNIT_CASE_PARAM(range_is_unaccepted_up_to_its_guard, contains_gen_params),
	KUNIT_CASE(memory_beyond_the_table_counts_as_accepted),
	KUNIT_CASE(last_unit_has_no_guard),
	KUNIT_CASE(accepted_unit_is_not_accepted_again),
	KUNIT_CASE(accepted_memory_is_private_and_holds_what_is_written),
	KUNIT_CASE(zeropad_at_the_end_of_accepted_memory_reads_the_guard),
	KUNIT_CASE(vmcore_leaves_unaccepted_pages_out),
	KUNIT_CASE(watchdog_is_told_of_each_acceptance),
	KUNIT_CASE(unit_that_the_host_keeps_by_pages_is_accepted_by_pages),
	{}
};

/* It is firmware memory of type ACPI reclaim: nobody maps that of his own accord */
static void table_is_reserved_and_mapped(struct kunit *test)
{
	struct page *page;

	need_unaccepted(test);
	KUNIT_EXPECT_EQ(test, unaccepted_table()->version, 1u);
	KUNIT_ASSERT_TRUE(test, pfn_valid(PHYS_PFN(efi.unaccepted)));
	page = pfn_to_page(PHYS_PFN(efi.unaccepted));
	KUNIT_EXPECT_TRUE(test, PageReserved(page));
	KUNIT_EXPECT_EQ(test, coco_translate(unaccepted_table()),
			(s64)((efi.unaccepted & PAGE_MASK) | COCO_GPA_PRIVATE));
}

/* The table's bits around accept_memory(), while nobody else could accept anything */
struct bits {
	DECLARE_BITMAP(before, MAX_UNITS);
	DECLARE_BITMAP(after, MAX_UNITS);
};

static void accept_between(struct coco_window *w, struct bits *bits, u64 start, u64 size)
{
	coco_window_begin(w);
	bitmap_copy(bits->before, unaccepted_table()->bitmap, units());
	kernel_accept(start, size);
	bitmap_copy(bits->after, unaccepted_table()->bitmap, units());
	coco_window_end(w);
}

/* Just these units became accepted, every page of them, once */
static void expect_units(struct kunit *test, const struct coco_window *w, const struct bits *bits,
			 u32 first, u32 count)
{
	u32 unit;

	for (unit = first; unit < first + count; unit++)
		KUNIT_ASSERT_TRUE(test, test_bit(unit, bits->before));
	for (unit = 0; unit < units(); unit++) {
		bool accepted = unit >= first && unit < first + count;

		KUNIT_EXPECT_EQ_MSG(test, (int)test_bit(unit, bits->after),
				    (int)(test_bit(unit, bits->before) && !accepted),
				    "bit of unit %d", (int)(unit - first));
	}
	for (unit = first - 1; unit <= first + count && unit < units(); unit++) {
		bool accepted = unit >= first && unit < first + count;

		/* Others are in use, by now or before, and may be shared */
		if (accepted || unit_is_unaccepted(unit))
			KUNIT_EXPECT_EQ_MSG(test, pages_accepted(unit),
					    accepted ? (u64)UNIT_PAGES : 0ull, "pages of unit %d",
					    (int)(unit - first));
	}
	KUNIT_EXPECT_EQ_MSG(test, w->lost, 0u, "events were lost");
	KUNIT_EXPECT_EQ(test, acceptances(w, unit_gpa(first), unit_gpa(first + count)), count);
	KUNIT_EXPECT_EQ_MSG(test, acceptances(w, 0, ~0ull), count, "acceptances elsewhere");
	COCO_EXPECT_EXITS(test, w, COCO_EV_BREACH, COCO_ANY, 0);
}

static void accept_memory_accepts_its_units_and_the_guard(struct kunit *test)
{
	const struct range_case *c = test->param_value;
	struct coco_window *w = coco_window(test);
	struct bits bits;
	u32 unit;

	need_unaccepted(test);
	unit = take_units(test, 4);
	accept_between(w, &bits, unit_gpa(unit) + c->start, c->size);
	expect_units(test, w, &bits, unit + c->first, c->count);
}

static void range_is_unaccepted_up_to_its_guard(struct kunit *test)
{
	const struct range_case *c = test->param_value;
	static u32 prepared;		/* the same three units for all rows */
	struct coco_window *w;
	bool got;

	need_unaccepted(test);
	if (!prepared) {
		prepared = take_units(test, 3);
		kernel_accept(unit_gpa(prepared + 1), PAGE_SIZE);
	}
	KUNIT_ASSERT_TRUE(test, unit_is_unaccepted(prepared));
	KUNIT_ASSERT_FALSE(test, unit_is_unaccepted(prepared + 1));
	KUNIT_ASSERT_TRUE(test, unit_is_unaccepted(prepared + 2));
	w = coco_window(test);
	coco_window_begin(w);
	got = kernel_sees_unaccepted(unit_gpa(prepared) + c->start, c->size);
	coco_window_end(w);
	KUNIT_EXPECT_EQ(test, (int)got, (int)c->unaccepted);
	KUNIT_EXPECT_EQ_MSG(test, acceptances(w, 0, ~0ull), 0u, "a question accepts nothing");
}

static void memory_beyond_the_table_counts_as_accepted(struct kunit *test)
{
	u64 base, end;

	need_unaccepted(test);
	base = unit_gpa(0);
	end = unit_gpa(units());
	KUNIT_EXPECT_FALSE(test, kernel_sees_unaccepted(0, PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, kernel_sees_unaccepted(base - UNIT_SIZE, LAST_PAGE));
	KUNIT_EXPECT_FALSE(test, kernel_sees_unaccepted(end, PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, kernel_sees_unaccepted(end + UNIT_SIZE, 2 * UNIT_SIZE));
	KUNIT_EXPECT_EQ(test, acceptances(accept_in_window(test, 0, PAGE_SIZE), 0, ~0ull), 0u);
	KUNIT_EXPECT_EQ(test, acceptances(accept_in_window(test, end, UNIT_SIZE), 0, ~0ull), 0u);
}

/* What follows the bitmap is not looked at */
static void last_unit_has_no_guard(struct kunit *test)
{
	struct coco_window *w = coco_window(test);
	unsigned long last;
	struct bits bits;

	need_unaccepted(test);
	last = find_last_bit(unaccepted_table()->bitmap, units());
	KUNIT_ASSERT_EQ_MSG(test, last, (unsigned long)units() - 1, "the last unit is in use");
	accept_between(w, &bits, unit_gpa(last), unit_gpa(units()) - unit_gpa(last));
	expect_units(test, w, &bits, last, 1);
}

static void accepted_unit_is_not_accepted_again(struct kunit *test)
{
	struct coco_window *w;
	u32 unit;

	need_unaccepted(test);
	unit = take_units(test, 2);
	w = accept_in_window(test, unit_gpa(unit), LAST_PAGE);
	KUNIT_ASSERT_EQ(test, acceptances(w, 0, ~0ull), 1u);
	w = accept_in_window(test, unit_gpa(unit), LAST_PAGE);
	KUNIT_EXPECT_EQ(test, acceptances(w, 0, ~0ull), 0u);
	COCO_EXPECT_EXITS(test, w, COCO_EV_PSC, COCO_ANY, 0);
}

static void accepted_memory_is_private_and_holds_what_is_written(struct kunit *test)
{
	u64 seen = 0, *first, *last;
	u32 unit;

	need_unaccepted(test);
	unit = take_units(test, 2);
	kernel_accept(unit_gpa(unit), LAST_PAGE);
	first = __va(unit_gpa(unit));
	last = __va(unit_gpa(unit) + UNIT_SIZE - sizeof(*last));
	WRITE_ONCE(*first, 0x1122334455667788ull);
	WRITE_ONCE(*last, 0x99aabbccddeeff00ull);
	KUNIT_EXPECT_EQ(test, READ_ONCE(*first), 0x1122334455667788ull);
	KUNIT_EXPECT_EQ(test, READ_ONCE(*last), 0x99aabbccddeeff00ull);
	KUNIT_EXPECT_EQ(test, coco_host_read(unit_gpa(unit), &seen, sizeof(seen)), (s64)0);
	KUNIT_EXPECT_NE_MSG(test, seen, 0x1122334455667788ull, "the host reads it");
}

static void zeropad_at_the_end_of_accepted_memory_reads_the_guard(struct kunit *test)
{
	unsigned long got;
	struct coco_window *w;
	u8 *end;
	u32 unit;

	need_unaccepted(test);
	unit = take_units(test, 3);
	kernel_accept(unit_gpa(unit), UNIT_SIZE);
	KUNIT_ASSERT_EQ(test, pages_accepted(unit + 1), (u64)UNIT_PAGES);
	end = __va(unit_gpa(unit + 1));
	memset(end - 4, 0x5a, 4);
	memset(end, 0xc3, 4);
	w = coco_window(test);
	coco_window_begin(w);
	got = load_unaligned_zeropad(end - 4);
	coco_window_end(w);
	KUNIT_EXPECT_EQ(test, (u64)got, 0xc3c3c3c35a5a5a5aull);
	KUNIT_EXPECT_EQ_MSG(test, w->nevents, 0u, "the load raises nothing");
}

/* What /proc/vmcore asks everybody before it reads a page of the kernel that crashed */
#ifdef CONFIG_CRASH_DUMP
static bool vmcore_reads(const struct list_head *callbacks, u64 gpa)
{
	struct vmcore_cb *callback;

	list_for_each_entry(callback, callbacks, next)
		if (callback->pfn_is_ram && !callback->pfn_is_ram(callback, PHYS_PFN(gpa)))
			return false;
	return true;
}
#else
static bool vmcore_reads(const struct list_head *callbacks, u64 gpa)
{
	return true;
}
#endif

static void vmcore_leaves_unaccepted_pages_out(struct kunit *test)
{
	const struct list_head *callbacks;
	u32 unit;

	need_unaccepted(test);
	callbacks = coco_symbol("vmcore_cb_list");
	if (!callbacks)
		kunit_skip(test, "needs CONFIG_PROC_VMCORE and CONFIG_KALLSYMS_ALL");
	unit = take_units(test, 3);
	kernel_accept(unit_gpa(unit + 1), PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, vmcore_reads(callbacks, unit_gpa(unit)));
	KUNIT_EXPECT_TRUE(test, vmcore_reads(callbacks, unit_gpa(unit + 1)));
	KUNIT_EXPECT_TRUE(test, vmcore_reads(callbacks, unit_gpa(unit + 2) - 2 * PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, vmcore_reads(callbacks, unit_gpa(unit + 2)));
}

static unsigned int touches;

static int count_touch(struct kprobe *probe, struct pt_regs *regs)
{
	touches++;
	return 0;
}

/* As probes are set; other CPUs stand still meanwhile */
static void watchdog_is_told_of_each_acceptance(struct kunit *test)
{
	struct kprobe probe = {
		.symbol_name = "touch_softlockup_watchdog", .pre_handler = count_touch,
	};
	u32 unit;

	need_unaccepted(test);
	if (!IS_ENABLED(CONFIG_SOFTLOCKUP_DETECTOR))
		kunit_skip(test, "needs CONFIG_SOFTLOCKUP_DETECTOR");
	unit = take_units(test, 3);
	KUNIT_ASSERT_EQ(test, register_kprobe(&probe), 0);
	touches = 0;
	accept_in_window(test, unit_gpa(unit), LAST_PAGE);
	KUNIT_EXPECT_EQ(test, touches, 1u);
	touches = 0;
	accept_in_window(test, unit_gpa(unit) + UNIT_SIZE, LAST_PAGE);
	KUNIT_EXPECT_EQ(test, touches, 1u);
	unregister_kprobe(&probe);
}

/*
 * APM vol. 3, PVALIDATE: FAIL_SIZEMISMATCH where the RMP has the page by 4K.
 * TDX module ABI 348551, TDG.MEM.PAGE.ACCEPT: TDX_PAGE_SIZE_MISMATCH likewise.
 */
static void unit_that_the_host_keeps_by_pages_is_accepted_by_pages(struct kunit *test)
{
	const struct coco_rule mismatch = {
		.kind = COCO_EV_TDCALL, .action = COCO_REPLY, .code = TDCALL_PAGE_ACCEPT,
		.info1 = 1, .info1_mask = ~(u64)PAGE_MASK, .reply_mask = BIT(0),
		.reply = { 0xc0000b0b00000001ull },
	};
	bool snp = coco_technology() == COCO_SEV_SNP;
	u64 small, all;
	u32 unit;

	need_unaccepted(test);
	unit = take_units(test, 2);
	if (snp)	/* one page is assigned already, so that the host has no entry of 2M */
		KUNIT_ASSERT_EQ(test, coco_page_set(unit_gpa(unit), COCO_PAGE_PRIVATE), (s64)0);
	else
		KUNIT_ASSERT_GT(test, coco_rule_add(&mismatch), (s64)0);
	all = coco_count(snp ? COCO_EV_PVALIDATE : COCO_EV_TDCALL,
			 snp ? COCO_ANY : TDCALL_PAGE_ACCEPT);
	kernel_accept(unit_gpa(unit), LAST_PAGE);
	small = coco_count(snp ? COCO_EV_PVALIDATE : COCO_EV_TDCALL,
			   snp ? COCO_ANY : TDCALL_PAGE_ACCEPT) - all;
	coco_rule_del(0);
	KUNIT_EXPECT_EQ(test, pages_accepted(unit), (u64)UNIT_PAGES);
	KUNIT_EXPECT_FALSE(test, unit_is_unaccepted(unit));
	/* In vain as a whole, once, then page by page; others may accept something, too */
	KUNIT_EXPECT_GE(test, small, (u64)UNIT_PAGES + 1);
}

static struct kunit_suite unaccepted_suite = {
	.name = "unaccepted",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = unaccepted_cases,
};
kunit_test_suite(unaccepted_suite);

MODULE_DESCRIPTION("memory is accepted before it is used, by units, and once");
MODULE_LICENSE("GPL");
