// SPDX-License-Identifier: GPL-2.0
/*
 * Where no memory is, nothing is cached, whoever asks for it.
 *
 * Path:        ioremap_cache() -> memtype_reserve() -> pat_x_mtrr_type() -> mtrr_type_lookup()
 * Upstream:    0dccbc75e18d ("x86/kvm: Force legacy PCI hole to UC when overriding MTRRs for
 *              TDX/SNP") CVE-2025-40181
 * Without it:  guests that have no MTRRs of their own map the hole below 4 GiB as they were
 *              asked to, and ACPI asks for it to be cached.
 *
 * Nothing is accessed.  The page is in the hole, and no device's.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <asm/pgtable.h>
#include "lib/coco_kunit.h"

static void hole_below_4g_is_not_cached(struct kunit *test);

static struct kunit_case memory_type_cases[] = {
	KUNIT_CASE(hole_below_4g_is_not_cached),
	{}
};

#define HOLE	0xf8000000ul

static void hole_below_4g_is_not_cached(struct kunit *test)
{
	unsigned int level;
	void __iomem *map;
	pte_t *pte;

	COCO_NEEDS(test, COCO_ONLY(COCO_SEV_SNP) | COCO_ONLY(COCO_TDX));
	map = ioremap_cache(HOLE, PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, (void __force *)map);
	pte = lookup_address((unsigned long)map, &level);
	KUNIT_EXPECT_NOT_NULL(test, pte);
	if (pte)
		KUNIT_EXPECT_NE_MSG(test, pte_val(*pte) & (u64)_PAGE_CACHE_MASK, 0ull,
				    "the page is mapped write-back");
	iounmap(map);
}

static struct kunit_suite memory_type_suite = {
	.name = "memory_type",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = memory_type_cases,
};
kunit_test_suite(memory_type_suite);

MODULE_DESCRIPTION("where no memory is, nothing is cached");
MODULE_LICENSE("GPL");
