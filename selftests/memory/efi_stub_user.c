// SPDX-License-Identifier: GPL-2.0
/*
 * A guest whose kernel the machine started as an EFI program: all that the kernel has, its
 * own stub got from boot services.
 *
 * Path:        efi_pe_entry(), efi_stub_entry(), exit_boot(); the stub's initramfs, random
 *              seed and, in sev-snp and tdx, what it does about the technology
 * Without it:  a guest that its firmware starts does not come up.
 *
 * That this program runs says that the initramfs came, by EFI_LOAD_FILE2_PROTOCOL.
 */

#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../lib/need.h"

static char *log_or_skip;

#define NEED_STUB() do { \
	NEED_MACHINE(); \
	NEED_KERNEL_LOG(log_or_skip); \
} while (0)

TEST(firmware_is_the_machine)
{
	NEED_STUB();
	EXPECT_TRUE(strstr(log_or_skip, "by coco machine") != NULL);
	EXPECT_EQ(access("/sys/firmware/efi/fw_platform_size", R_OK), 0);
	EXPECT_EQ(access("/sys/firmware/acpi/tables/APIC", R_OK), 0);
	free(log_or_skip);
}

/* A configuration table that the stub installs, of what EFI_RNG_PROTOCOL gave */
TEST(seed_is_passed_on)
{
	NEED_STUB();
	EXPECT_TRUE(strstr(log_or_skip, " RNG=0x") != NULL);
	free(log_or_skip);
}

TEST(technology_is_the_machine_s)
{
	NEED_STUB();
	EXPECT_EQ(technology_by_log(log_or_skip), machine_personality());
	free(log_or_skip);
}

TEST_HARNESS_MAIN
