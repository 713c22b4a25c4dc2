// SPDX-License-Identifier: GPL-2.0
/*
 * kexec: the next kernel finds all memory private, and comes up as a guest of the same
 * technology.
 *
 * Path:        reboot(KEXEC) -> machine_shutdown() -> enc_kexec_begin(), enc_kexec_finish()
 *              -> tdx_kexec_finish(), snp_kexec_finish() -> all shared pages of the direct map
 *              are made private
 * Upstream:    859e63b789d6 ("x86/tdx: Convert shared memory back to private on kexec"),
 *              3074152e56c9 ("x86/sev: Convert shared memory back to private on kexec")
 * Without it:  the next kernel uses a page as private that the host still has as shared, and
 *              ends there, or says secrets into it.
 */
#include "kselftest_harness.h"
#include "../lib/need.h"
#include "audit.h"

static const char *second_main(void)
{
	return use_memory();
}

static void start_second_kernel(struct __test_metadata *_metadata)
{
	ASSERT_EQ(0, second_load(0, ""));
	EXPECT_EQ(0, second_start(SECOND_OK));		/* which does not come back */
}

TEST_SECOND(second_kernel_reaches_user_space)
{
	NEED_MACHINE();
	NEED_TECHNOLOGY(1u << COCO_NONE | 1u << COCO_SEV | 1u << COCO_SEV_ES);
	start_second_kernel(_metadata);
}

TEST_SECOND(second_kernel_of_an_snp_guest_reaches_user_space)
{
	NEED_MACHINE();
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP);
	start_second_kernel(_metadata);
}

TEST_SECOND(second_kernel_of_a_td_reaches_user_space)
{
	NEED_MACHINE();
	NEED_TECHNOLOGY(1u << COCO_TDX);
	start_second_kernel(_metadata);
}

TEST(td_leaves_all_pages_private)
{
	NEED_MACHINE();
	NEED_TECHNOLOGY(1u << COCO_TDX);
	start_auditor(_metadata);
}

TEST_HARNESS_MAIN
