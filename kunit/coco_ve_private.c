// SPDX-License-Identifier: GPL-2.0
/*
 * #VE for private memory ends the TD: it is no MMIO, and nobody may answer for it.
 *
 * Path:        touch of a private page that is not accepted -> #VE, exit reason 48 (EPT
 *              violation) -> virt_exception_kernel() -> panic()
 * Upstream:    373e715e31bf ("x86/tdx: Panic on bad configs that #VE on "private" memory access")
 *              CVE-2022-49886
 * Without it:  the host, asked about MMIO, says what is in a page that it took away.
 *
 * TDX module base specification 348549, "#VE injection on EPT violations": just in a TD whose
 * attribute SEPT_VE_DISABLE is 0, which Linux accepts of a debug TD alone.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include "lib/pages.h"
#include "lib/panic.h"
#include "lib/ve.h"

static void touch_of_private_memory_that_is_gone_ends_the_guest(struct kunit *test);

static struct kunit_case ve_private_cases[] = {
	KUNIT_CASE(touch_of_private_memory_that_is_gone_ends_the_guest),
	{}
};

static struct coco_window *window;

/* Nothing was asked of the host before it */
static bool passes(const char *message)
{
	coco_window_read(window);
	return strstr(message, "private memory") &&
	       coco_window_find(window, COCO_EV_VE, REASON_EPT, 0) &&
	       !coco_window_find(window, COCO_EV_TDVMCALL, REASON_EPT, 0);
}

static void touch_of_private_memory_that_is_gone_ends_the_guest(struct kunit *test)
{
	struct page *page;
	s64 error;

	need_tdx_and_machine(test);
	page = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	window = coco_window(test);
	coco_panic_begin(passes);
	coco_window_begin(window);
	/* The host took it, and gave another one that the TD has not accepted */
	error = coco_page_set(page_to_phys(page), COCO_PAGE_PRIVATE);
	READ_ONCE(*(u8 *)page_address(page));
	coco_window_end(window);
	coco_panic_end();
	KUNIT_EXPECT_EQ(test, error, (s64)0);
	KUNIT_FAIL(test, "the guest reads memory that is not there");
}

static struct kunit_suite ve_private_suite = {
	.name = "ve_private",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = ve_private_cases,
};
kunit_test_suite(ve_private_suite);

MODULE_DESCRIPTION("#VE for private memory ends the TD");
MODULE_LICENSE("GPL");
COCO_INJECTS_FAULTS;
