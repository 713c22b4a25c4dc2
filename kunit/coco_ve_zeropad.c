// SPDX-License-Identifier: GPL-2.0
/*
 * load_unaligned_zeropad() that runs into a page which is not private.
 *
 * Path:        MOV across the end of a private page -> #VE, exit reason 48 (EPT
 *              violation), at the next page -> handle_mmio() refuses the split ->
 *              ve_raise_fault() -> ex_handler_zeropad()
 * Upstream:    1e7769653b06 ("x86/tdx: Handle load_unaligned_zeropad() page-cross to a
 *              shared page"),
 *              9f9116406120 ("x86/traps: Fix load_unaligned_zeropad() handling for shared
 *              TDX memory")
 * Without it:  a path look-up that ends at a page's end panics, or the host answers
 *              for what lies in private memory.
 *
 * The next page is shared, and the host has it otherwise, as it may at any time:
 * TDX module base specification 348549, "#VE injection on EPT violations".
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/set_memory.h>
#include <asm/word-at-a-time.h>
#include "lib/ve.h"

/* One row a number of bytes before the page's end */
static void bytes_beyond_the_private_page_are_zero(struct kunit *test);
/* The host is there, and the load has its bytes */
static void shared_page_that_is_there_is_read(struct kunit *test);

struct end_case {
	const char *name;
	unsigned int bytes;
};

static const struct end_case end_cases[] = {
	{ "one_byte", 1 },
	{ "four_bytes", 4 },
	{ "seven_bytes", 7 },
};
KUNIT_ARRAY_PARAM_DESC(end, end_cases, name);

static struct kunit_case ve_zeropad_cases[] = {
	KUNIT_CASE_PARAM(bytes_beyond_the_private_page_are_zero, end_gen_params),
	KUNIT_CASE(shared_page_that_is_there_is_read),
	{}
};

#define PRIVATE_BYTE	0x5a
#define SHARED_BYTE	0xc3
#define ALL(byte)	((byte) * 0x0101010101010101ull)
#define ORDER		1

/* Two pages: the first private, the second shared */
static u8 *pages;

static u64 gpa_of(const void *address)
{
	return coco_translate(address) & PAGE_MASK;
}

static void bytes_beyond_the_private_page_are_zero(struct kunit *test)
{
	const struct end_case *c = test->param_value;
	unsigned long got;
	struct coco_window *w;
	s64 taken, given;
	u64 gpa;

	need_tdx_and_machine(test);
	gpa = gpa_of(pages + PAGE_SIZE);
	w = coco_window(test);
	coco_window_begin(w);
	taken = coco_page_set(gpa, COCO_PAGE_PRIVATE);
	got = load_unaligned_zeropad(pages + PAGE_SIZE - c->bytes);
	given = coco_page_set(gpa, 0);
	coco_window_end(w);
	KUNIT_EXPECT_EQ(test, taken, (s64)0);
	KUNIT_EXPECT_EQ(test, given, (s64)0);
	KUNIT_EXPECT_EQ(test, (u64)got, ALL(PRIVATE_BYTE) >> 8 * (8 - c->bytes));
	COCO_EXPECT_EXITS(test, w, COCO_EV_VE, REASON_EPT, 1);
	COCO_EXPECT_EXITS(test, w, COCO_EV_TDVMCALL, COCO_ANY, 0);
}

static void shared_page_that_is_there_is_read(struct kunit *test)
{
	unsigned long got;
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = coco_window(test);
	coco_window_begin(w);
	got = load_unaligned_zeropad(pages + PAGE_SIZE - 4);
	coco_window_end(w);
	KUNIT_EXPECT_EQ(test, (u64)got, (u64)SHARED_BYTE * 0x0101010100000000ull +
					(u64)PRIVATE_BYTE * 0x01010101ull);
	COCO_EXPECT_EXITS(test, w, COCO_EV_VE, COCO_ANY, 0);
}

static int zeropad_begin(struct kunit *test)
{
	int error = coco_case_begin(test);

	if (error || coco_technology() != COCO_TDX || !coco_machine())
		return error;
	pages = (u8 *)__get_free_pages(GFP_KERNEL, ORDER);
	if (!pages)
		return -ENOMEM;
	memset(pages, PRIVATE_BYTE, PAGE_SIZE);
	error = set_memory_decrypted((unsigned long)pages + PAGE_SIZE, 1);
	if (!error)
		memset(pages + PAGE_SIZE, SHARED_BYTE, PAGE_SIZE);
	return error;
}

/* Memory that cannot be made private again is lost */
static void zeropad_end(struct kunit *test)
{
	if (pages && !set_memory_encrypted((unsigned long)pages + PAGE_SIZE, 1))
		free_pages((unsigned long)pages, ORDER);
	pages = NULL;
	coco_case_end(test);
}

static struct kunit_suite ve_zeropad_suite = {
	.name = "ve_zeropad",
	.init = zeropad_begin,
	.exit = zeropad_end,
	.test_cases = ve_zeropad_cases,
};
kunit_test_suite(ve_zeropad_suite);

MODULE_DESCRIPTION("load_unaligned_zeropad() that runs into a shared page");
MODULE_LICENSE("GPL");
