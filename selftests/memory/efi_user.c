// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that was handed over as the EFI stub does, seen from user space.
 *
 * Path:        boot_params.efi_info -> efi_init(), efi_enter_virtual_mode(); sev-snp:
 *              EFI configuration table -> confidential computing blob
 * Upstream:    b190a043c49a ("x86/sev: Add SEV-SNP feature detection/setup"),
 *              c01fce9cef84 ("x86/compressed: Add SEV-SNP feature detection/setup"),
 *              8d651ee9c71b ("x86/ioremap: Map EFI-reserved memory as encrypted for SEV")
 *              CVE-2021-47228
 * Without it:  a guest that firmware started finds no tables, or reads them with the wrong
 *              key.
 *
 * The machine hands over no blob in setup_data then: an SNP guest that comes up as one
 * has found it in the EFI table.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../lib/need.h"

#define EFI		"/sys/firmware/efi"
#define BOOT_DATA	4	/* UEFI specification 2.10, 7.2.1 */
#define RUNTIME_CODE	5
#define RUNTIME_DATA	6
#define MEMORY_RUNTIME	(1ull << 63)

#define NEED_SUITE() do { \
	if (access(EFI, F_OK)) \
		SKIP(return, EFI ": %s", strerror(errno)); \
} while (0)

static const char *text(const char *path)
{
	static char buf[4096];
	ssize_t n;
	int fd = open(path, O_RDONLY);

	n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static uint64_t number(const char *name, int entry)
{
	char path[128];

	snprintf(path, sizeof(path), EFI "/runtime-map/%d/%s", entry, name);
	return strtoull(text(path), NULL, 0);
}

TEST(firmware_has_64_bits)
{
	NEED_SUITE();
	EXPECT_STREQ(text(EFI "/fw_platform_size"), "64\n");
}

TEST(kernel_found_the_acpi_tables)
{
	NEED_SUITE();
	EXPECT_TRUE(strstr(text(EFI "/systab"), "ACPI") != NULL);
	EXPECT_EQ(access("/sys/firmware/acpi/tables/APIC", R_OK), 0);
}

/* Code and data of the runtime services, each mapped at an address of its own; and what is kept */
TEST(runtime_services_are_mapped)
{
	uint64_t types = 0;
	int i;

	NEED_SUITE();
	if (access(EFI "/runtime-map", F_OK))
		SKIP(return, EFI "/runtime-map: %s", strerror(errno));
	for (i = 0; i < 2 || number("num_pages", i); i++) {
		EXPECT_EQ(number("num_pages", i), 1);
		EXPECT_EQ(number("attribute", i) & MEMORY_RUNTIME, MEMORY_RUNTIME);
		EXPECT_NE(number("virt_addr", i), 0);
		EXPECT_NE(number("virt_addr", i), number("phys_addr", i));
		types |= 1ull << number("type", i);
	}
	EXPECT_EQ(types & ~(1ull << BOOT_DATA), 1ull << RUNTIME_CODE | 1ull << RUNTIME_DATA);
}

/* A table in memory of the boot services, which the kernel keeps and maps later on */
TEST(kernel_reads_the_firmwares_table_of_resources)
{
	NEED_SUITE();
	NEED_MACHINE();
	EXPECT_STREQ(text(EFI "/esrt/fw_resource_count"), "1\n");
	EXPECT_STREQ(text(EFI "/esrt/fw_resource_version"), "1\n");
	EXPECT_STREQ(text(EFI "/esrt/entries/entry0/fw_version"), "49344\n");
}

TEST(kernel_says_the_technology_that_the_machine_has)
{
	char *log;

	NEED_SUITE();
	NEED_MACHINE();
	log = kernel_log();
	ASSERT_TRUE(log != NULL);
	EXPECT_EQ(technology_by_log(log), machine_personality());
	free(log);
}

TEST_HARNESS_MAIN
