// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that the firmware filled and the kernel keeps is the guest's own: whoever
 * maps it, it is mapped private.
 *
 * Path:        ioremap_cache() -> __ioremap_check_mem() -> __ioremap_check_other();
 *              memremap() -> arch_memremap_wb()
 * Upstream:    985e537a4082 ("x86/ioremap: Map EFI runtime services data as encrypted for SEV"),
 *              8d651ee9c71b ("x86/ioremap: Map EFI-reserved memory as encrypted for SEV")
 *              CVE-2021-47228, 81256a50aa0f ("x86/mm: Make memremap(MEMREMAP_WB) map memory as
 *              encrypted by default")
 * Without it:  the firmware's tables read as the host likes to have them, or end the guest.
 *
 * What the kernel has of the firmware's memory map after boot is what firmware and
 * kernel share for good (UEFI specification 2.10, 7.2.3, EFI_MEMORY_RUNTIME).  A table
 * in memory of the boot services is among it because the kernel asked for that.
 */
#include <linux/efi.h>
#include <linux/io.h>
#include "lib/coco_kunit.h"
#include "lib/pages.h"

static void runtime_data_is_mapped_private(struct kunit *test);
static void kept_table_of_the_boot_services_is_mapped_private(struct kunit *test);
static void whatever_is_not_ram_is_mapped_private_by_memremap(struct kunit *test);

static struct kunit_case efi_memory_cases[] = {
	KUNIT_CASE(runtime_data_is_mapped_private),
	KUNIT_CASE(kept_table_of_the_boot_services_is_mapped_private),
	KUNIT_CASE(whatever_is_not_ram_is_mapped_private_by_memremap),
	{}
};

/* Where the firmware's first memory of this type is */
static phys_addr_t memory_of_type(struct kunit *test, u32 type)
{
	efi_memory_desc_t *md;

	COCO_NEEDS(test, COCO_CONFIDENTIAL);
	COCO_NEEDS_MACHINE(test);
	if (!efi_enabled(EFI_MEMMAP))
		kunit_skip(test, "the guest was not handed over by EFI");
	for_each_efi_memory_desc(md) {
		if (md->type == type && md->attribute & EFI_MEMORY_RUNTIME)
			return md->phys_addr;
	}
	return 0;
}

/* What is mapped otherwise is not read: that would be the end of some guests */
static void expect_remapped_private(struct kunit *test, phys_addr_t start, const char *begins)
{
	void *at = (void __force *)ioremap_cache(start, PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, at);
	KUNIT_ASSERT_TRUE(test, coco_maps_private(at));
	KUNIT_EXPECT_EQ(test, memcmp(at, begins, strlen(begins)), 0);
	iounmap((void __iomem __force *)at);
}

/* The system table is what lies there first (4.3) */
static void runtime_data_is_mapped_private(struct kunit *test)
{
	phys_addr_t start = memory_of_type(test, EFI_RUNTIME_SERVICES_DATA);

	KUNIT_ASSERT_NE(test, start, (phys_addr_t)0);
	expect_remapped_private(test, start, "IBI SYST");
}

/* The table of system resources, which has one (23.4) */
static void kept_table_of_the_boot_services_is_mapped_private(struct kunit *test)
{
	phys_addr_t start = memory_of_type(test, EFI_BOOT_SERVICES_DATA);

	KUNIT_ASSERT_NE_MSG(test, start, (phys_addr_t)0, "the kernel kept none");
	expect_remapped_private(test, start, "\1");
}

/* Code of the runtime services: no memory that anybody else vouches for */
static void whatever_is_not_ram_is_mapped_private_by_memremap(struct kunit *test)
{
	phys_addr_t start = memory_of_type(test, EFI_RUNTIME_SERVICES_CODE);
	void *at;

	KUNIT_ASSERT_NE(test, start, (phys_addr_t)0);
	at = memremap(start, PAGE_SIZE, MEMREMAP_WB);
	KUNIT_ASSERT_NOT_NULL(test, at);
	KUNIT_EXPECT_TRUE(test, coco_maps_private(at));
	memunmap(at);
}

static struct kunit_suite efi_memory_suite = {
	.name = "efi_memory",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = efi_memory_cases,
};
kunit_test_suite(efi_memory_suite);

MODULE_DESCRIPTION("Memory that the firmware filled is mapped private");
MODULE_LICENSE("GPL");
