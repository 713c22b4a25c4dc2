// SPDX-License-Identifier: GPL-2.0
/*
 * What lies beside the variables that the kernel shares with the host by the section that they
 * are in: it stays private, or becomes private again.
 *
 * Path:        .bss..decrypted: sme_postprocess_startup(), mem_encrypt_free_decrypted_mem();
 *              .data..percpu..decrypted: sev_map_percpu_data() -> early_set_memory_decrypted()
 * Upstream:    b3f0907c71e0 ("x86/mm: Add .bss..decrypted section to hold shared variables"),
 *              ac26963a1175 ("percpu: Introduce DEFINE_PER_CPU_DECRYPTED")
 * Without it:  the host reads, and writes, what it has no business with.
 *
 * That the variables themselves are shared is said by kvm_pv.  SEV and SEV-ES keep no state of
 * a page: the host finds it as the guest last used it, so there it is the mapping alone (APM
 * vol. 2, 15.34.5).
 */
#include <linux/mm.h>
#include <linux/percpu.h>
#include "lib/coco_kunit.h"
#include "lib/pages.h"
#include "lib/symbol.h"

static void bss_that_was_not_needed_is_private_again(struct kunit *test);
static void page_before_the_shared_bss_is_private(struct kunit *test);
static void pages_beside_each_cpus_variables_are_private(struct kunit *test);

static struct kunit_case shared_sections_cases[] = {
	KUNIT_CASE(bss_that_was_not_needed_is_private_again),
	KUNIT_CASE(page_before_the_shared_bss_is_private),
	KUNIT_CASE(pages_beside_each_cpus_variables_are_private),
	{}
};

/* All that arch/x86/kernel/kvm.c has in .data..percpu..decrypted */
static const char *const variables[] = { "apf_reason", "steal_time", "kvm_apic_eoi" };

static void expect_private(struct kunit *test, const void *page)
{
	KUNIT_EXPECT_TRUE_MSG(test, coco_maps_private(page), "%px", page);
	if (coco_machine() && coco_technology() == COCO_SEV_SNP)
		KUNIT_EXPECT_EQ_MSG(test, coco_page_state(coco_gpa(page)) & COCO_PAGE_PRIVATE,
				    (s64)COCO_PAGE_PRIVATE, "%px", page);
}

/* ---- .bss..decrypted ---- */

/*
 * The section is shared by entries of 2M, and what it does not fill is given back.  Its next
 * owner may have shared some of that, by the direct map and by this mapping.
 */
static void bss_that_was_not_needed_is_private_again(struct kunit *test)
{
	unsigned long pages = 0, private = 0;
	void *end, *page;

	COCO_NEEDS(test, COCO_ANY_SEV);
	page = coco_need_symbol(test, "__start_bss_decrypted_unused");
	end = coco_need_symbol(test, "__end_bss_decrypted");
	KUNIT_ASSERT_GT(test, (unsigned long)end, (unsigned long)page);
	for (; page < end; page += PAGE_SIZE, pages++)
		private += coco_maps_private(page);
	KUNIT_EXPECT_GT(test, private, pages / 2);
}

static void page_before_the_shared_bss_is_private(struct kunit *test)
{
	COCO_NEEDS(test, COCO_ANY_SEV);
	expect_private(test, coco_need_symbol(test, "__start_bss_decrypted") - PAGE_SIZE);
}

/* ---- .data..percpu..decrypted ---- */

static void *page_of(struct kunit *test, const char *name, unsigned int cpu)
{
	void *variable = per_cpu_ptr((void __percpu __force *)coco_need_symbol(test, name), cpu);

	return (void *)((unsigned long)variable & PAGE_MASK);
}

static void pages_beside_each_cpus_variables_are_private(struct kunit *test)
{
	unsigned int cpu, i;

	COCO_NEEDS(test, COCO_ANY_SEV);
	for_each_online_cpu(cpu) {
		void *first = page_of(test, variables[0], cpu), *last = first;

		for (i = 1; i < ARRAY_SIZE(variables); i++) {
			first = min(first, page_of(test, variables[i], cpu));
			last = max(last, page_of(test, variables[i], cpu));
		}
		expect_private(test, first - PAGE_SIZE);
		expect_private(test, last + PAGE_SIZE);
	}
}

static struct kunit_suite shared_sections_suite = {
	.name = "shared_sections",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = shared_sections_cases,
};
kunit_test_suite(shared_sections_suite);

MODULE_DESCRIPTION("What lies beside variables that are shared by the section they are in");
MODULE_LICENSE("GPL");
