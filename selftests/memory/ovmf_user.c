// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that a PC's firmware has started: OVMF ran from the reset vector on, found the kernel
 * and started it as an EFI program.
 *
 * Path:        the firmware's own #VC and #VE handlers, page state changes, acceptance of memory;
 *              then efi_pe_entry(), efi_init(), efi_enter_virtual_mode(), and in variables: runtime
 *              services that are code of the firmware, in page tables of the kernel
 *              (kernel_map_pages_in_pgd(), sev_es_efi_map_ghcbs())
 * Without it:  what the machine itself does as firmware is all that the kernel is ever tried with.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "started.h"
#include "../tdx_guest/report.h"

#define TABLES		"/sys/firmware/acpi/tables/"
#define VARIABLES	"/sys/firmware/efi/efivars"
#define EVENT_LOG	TABLES "data/CCEL"
/* TCG PC Client Platform Firmware Profile, 10.4.5.1: the first event */
#define SPEC_ID		"Spec ID Event03"

static ssize_t read_file(const char *path, void *buf, size_t size)
{
	ssize_t n, all = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while ((n = read(fd, (char *)buf + all, size - all)) > 0)
		all += n;
	close(fd);
	return n < 0 ? -errno : all;
}

TEST(firmware_is_not_the_machine_s)
{
	char *log;

	NEED_MACHINE();
	NEED_KERNEL_LOG(log);
	EXPECT_TRUE(strstr(log, "efi: EFI v") != NULL);
	EXPECT_TRUE(strstr(log, "EDK II") != NULL);
	free(log);
}

/*
 * The firmware put them into private memory: mapped with another key they would be noise.
 * Not the MADT, whose checksum OVMF (edk2-stable202502) forgets when it adds a TD's mailbox.
 */
TEST(tables_are_readable)
{
	static const char *const names[] = { "DSDT", "FACP" };
	static uint8_t table[1 << 20];
	uint8_t sum;
	ssize_t n;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64];

		snprintf(path, sizeof(path), TABLES "%s", names[i]);
		n = read_file(path, table, sizeof(table));
		ASSERT_GT(n, 36) TH_LOG("%s", path);
		EXPECT_EQ(memcmp(table, names[i], 4), 0);
		for (sum = 0; n; n--)
			sum += table[n - 1];
		EXPECT_EQ(sum, 0);
	}
}

/* Each is a call of the firmware's GetVariable() and GetNextVariableName() */
TEST(variables_are_readable)
{
	struct dirent *entry;
	unsigned int found = 0;
	uint8_t value[4096];
	char path[512];
	DIR *dir;

	if (mount("efivarfs", VARIABLES, "efivarfs", MS_RDONLY, NULL) && errno != EBUSY)
		SKIP(return, "efivarfs: %s", strerror(errno));
	dir = opendir(VARIABLES);
	ASSERT_NE(dir, NULL);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), VARIABLES "/%s", entry->d_name);
		EXPECT_GE(read_file(path, value, sizeof(value)), 4) TH_LOG("%s", entry->d_name);
		found++;
	}
	closedir(dir);
	EXPECT_GT(found, 0);
}

/* A TD's firmware extends its registers (RTMRs 0 and 1) and logs how: TDVF design guide, 8 */
TEST(measurements_are_logged)
{
	static const uint8_t zero[SHA384_SIZE];
	static uint8_t event_log[1 << 16];
	struct report_call call = { 0 };
	ssize_t n;
	int fd;

	NEED_TECHNOLOGY(1u << COCO_TDX);
	n = read_file(EVENT_LOG, event_log, sizeof(event_log));
	if (n == -ENOENT)
		SKIP(return, EVENT_LOG ": %s", strerror(ENOENT));
	ASSERT_GT(n, (ssize_t)sizeof(SPEC_ID) + 32);
	EXPECT_EQ(memcmp(event_log + 32, SPEC_ID, sizeof(SPEC_ID)), 0);
	fd = open(TDX_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		SKIP(return, TDX_DEVICE ": %s", strerror(ENOENT));
	ASSERT_GE(fd, 0);
	ASSERT_EQ(ioctl(fd, GET_REPORT0, &call), 0);
	close(fd);
	EXPECT_NE(memcmp(call.report.rtmr[0], zero, sizeof(zero)), 0);
	EXPECT_NE(memcmp(call.report.rtmr[1], zero, sizeof(zero)), 0);
}

TEST_HARNESS_MAIN
