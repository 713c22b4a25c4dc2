// SPDX-License-Identifier: GPL-2.0
/*
 * kdump: the kernel after a crash reads the memory of the one that crashed.
 *
 * Path:        panic() -> native_machine_crash_shutdown() -> enc_kexec_finish(); the next
 *              kernel: /proc/vmcore -> copy_oldmem_page_encrypted(), pfn_is_ram()
 * Upstream:    992b649a3f01 ("kdump, proc/vmcore: Enable kdumping encrypted memory with SME
 *              enabled"), 3074152e56c9 ("x86/sev: Convert shared memory back to private on
 *              kexec"), d2062cc1b1c3 ("x86/sev: Do not touch VMSA pages during SNP guest memory
 *              kdump"), 82b7f88f2316 ("x86/sev: Make sure pages are not skipped during kdump")
 * Without it:  the dump is noise, or reading it ends the second kernel, too.
 */
#include "kselftest_harness.h"
#include "../lib/need.h"
#include "kdump.h"

TEST_SECOND(vmcore_has_the_memory_of_the_kernel_that_crashed)
{
	NEED_MACHINE();
	NEED_TECHNOLOGY(1u << COCO_NONE | 1u << COCO_SEV | 1u << COCO_SEV_ES);
	crash(_metadata);
}

TEST_SECOND(vmcore_has_the_memory_of_an_snp_guest_that_crashed)
{
	NEED_MACHINE();
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP);
	crash(_metadata);
}

/* The other vCPU runs from a page of this guest's memory, which nobody else may touch meanwhile */
TEST_SECOND(vmcore_has_the_memory_of_an_snp_guest_of_two_vcpus)
{
	NEED_MACHINE();
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP);
	NEED_TWO_CPUS();
	crash(_metadata);
}

TEST_SECOND(vmcore_has_the_memory_of_a_td_that_crashed)
{
	NEED_MACHINE();
	NEED_TECHNOLOGY(1u << COCO_TDX);
	crash(_metadata);
}

TEST_HARNESS_MAIN
