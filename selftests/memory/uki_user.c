// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that was started with a unified kernel image: the stub of a boot loader ran first,
 * and started the kernel out of its own file.
 *
 * Path:        efi_pe_entry() as a program that another one loaded and started; the stub's
 *              initramfs by the loader's EFI_LOAD_FILE2_PROTOCOL and device path
 * Without it:  images that boot on firmware of a cloud do not come up there.
 *
 * The firmware has no initramfs and no command line to give: whatever is there came out of
 * the image, and that this program runs says that the initramfs did.
 */
#include <stdlib.h>
#include <unistd.h>

#include "started.h"

#define WORD_OF_THE_IMAGE	"coco_uki"	/* backports/expect/suites/uki_user.yaml */

TEST(firmware_gives_no_initramfs)
{
	char byte;

	NEED_MACHINE();
	EXPECT_EQ(machine_initramfs(&byte, 1, 0), -ENOENT);
}

TEST(command_line_is_the_image_s)
{
	char line[4096] = "";
	FILE *file = fopen("/proc/cmdline", "r");

	NEED_MACHINE();
	ASSERT_TRUE(file && fgets(line, sizeof(line), file));
	fclose(file);
	EXPECT_TRUE(strstr(line, WORD_OF_THE_IMAGE) != NULL);
}

/* A configuration table that the kernel's stub installs, of what EFI_RNG_PROTOCOL gave */
TEST(seed_is_passed_on)
{
	char *log;

	NEED_MACHINE();
	NEED_KERNEL_LOG(log);
	EXPECT_TRUE(strstr(log, " RNG=0x") != NULL);
	free(log);
}

TEST_HARNESS_MAIN
