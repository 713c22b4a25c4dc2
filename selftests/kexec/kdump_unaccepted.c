// SPDX-License-Identifier: GPL-2.0
/*
 * kdump of a kernel that had not accepted all its memory: what nobody accepted reads as
 * zeroes, and the rest as it was.
 *
 * Path:        /proc/vmcore -> unaccepted_memory_vmcore_pfn_is_ram() -> the table that the
 *              first kernel kept; init_memory_mapping() of the second kernel, which maps it
 * Upstream:    7cd34dd3c9bf ("efi/unaccepted: do not let /proc/vmcore try to access unaccepted
 *              memory"), 5574b368873d ("x86/mm: Do not zap page table entries mapping unaccepted
 *              memory table during kdump")
 * Without it:  the second kernel touches memory that is not there, or its table of it.
 */
#include "kselftest_harness.h"
#include "../lib/need.h"
#include "kdump.h"

static void crash_with_unaccepted_memory(struct __test_metadata *_metadata)
{
	if (meminfo_kib("Unaccepted:") < 0)
		SKIP(return, "the kernel does not count unaccepted memory");
	ASSERT_GT(meminfo_kib("Unaccepted:"), 0);
	crash(_metadata);
}

TEST_SECOND(vmcore_of_an_snp_guest_leaves_unaccepted_memory_alone)
{
	NEED_MACHINE();
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP);
	crash_with_unaccepted_memory(_metadata);
}

TEST_SECOND(vmcore_of_a_td_leaves_unaccepted_memory_alone)
{
	NEED_MACHINE();
	NEED_TECHNOLOGY(1u << COCO_TDX);
	crash_with_unaccepted_memory(_metadata);
}

TEST_HARNESS_MAIN
