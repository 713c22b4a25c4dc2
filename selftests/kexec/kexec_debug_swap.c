// SPDX-License-Identifier: GPL-2.0
/*
 * kexec of an SNP guest whose debug registers are its own (DebugSwap): the next kernel finds
 * all memory private, and comes up.
 *
 * Path:        reboot(KEXEC) -> machine_shutdown() -> snp_kexec_begin(), snp_kexec_finish() ->
 *              unshare_all_memory(), and last the GHCBs, by the GHCB's MSR
 * Upstream:    3074152e56c9 ("x86/sev: Convert shared memory back to private on kexec")
 * Without it:  the next kernel validates pages that the host still has as shared, and ends there.
 *
 * Without DebugSwap machine_kexec() does not come that far: kexec_user.
 */
#include "kselftest_harness.h"
#include "../lib/need.h"
#include "audit.h"

static const char *second_main(void)
{
	return use_memory();
}

TEST_SECOND(second_kernel_of_an_snp_guest_reaches_user_space)
{
	NEED_MACHINE();
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP);
	ASSERT_EQ(0, second_load(0, ""));
	EXPECT_EQ(0, second_start(SECOND_OK));		/* which does not come back */
}

TEST(snp_guest_leaves_all_pages_private)
{
	NEED_MACHINE();
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP);
	start_auditor(_metadata);
}

TEST_HARNESS_MAIN
