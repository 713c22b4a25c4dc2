// SPDX-License-Identifier: GPL-2.0
/*
 * The driver of the SNP firmware, bound by hand to a device of another guest.
 *
 * Path:        driver_override of a platform device -> module's init -> sev_guest_probe()
 * Upstream:    d6fd48eff750 ("virt/coco/sev-guest: Check SEV_SNP attribute at probe time")
 * Without it:  where there is no SNP, the driver takes whatever it finds for a secrets page,
 *              and offers reports that nobody makes.
 *
 * Kernels that find the secrets page by a variable of their own (since 6.14) would look at
 * physical address 0 here.  In an ordinary guest a key is written to where it would be, so that
 * nothing but the check stops them; in others /dev/mem is no way to private memory.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../lib/need.h"
#include "../lib/module.h"

#define DEVICES		"/sys/bus/platform/devices"
#define DEVICE		"/dev/sev-guest"
#define MODULE		"/sys/module/sev_guest"
#define DRIVER		"sev-guest"
#define VMPCK0		0x20	/* SNP firmware ABI 56860, secrets page */
#define VMPCK_SIZE	32

FIXTURE(bind) {
	char device[256];		/* "": every platform device has a driver */
	bool overridden, probed;
};

/* Some platform device that nobody drives; a name of its own is no matter */
static void find_device(char *name, size_t size)
{
	struct dirent *entry;
	char path[512];
	DIR *dir = opendir(DEVICES);

	*name = '\0';
	while (dir && !*name && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), DEVICES "/%s/driver", entry->d_name);
		if (!access(path, F_OK))
			continue;
		snprintf(path, sizeof(path), DEVICES "/%s/driver_override", entry->d_name);
		if (!access(path, W_OK))
			snprintf(name, size, "%s", entry->d_name);
	}
	if (dir)
		closedir(dir);
}

static int override(const char *device, const char *driver)
{
	char path[512];
	int fd, error = 0;

	snprintf(path, sizeof(path), DEVICES "/%s/driver_override", device);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (write(fd, driver, strlen(driver)) < 0)
		error = errno;
	close(fd);
	return error;
}

static int write_key(void)
{
	uint8_t key[VMPCK_SIZE];
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC), error = 0;

	memset(key, 0xa5, sizeof(key));
	if (fd < 0)
		return errno;
	if (pwrite(fd, key, sizeof(key), VMPCK0) != sizeof(key))
		error = errno;
	close(fd);
	return error;
}

FIXTURE_SETUP(bind)
{
	find_device(self->device, sizeof(self->device));
}

FIXTURE_TEARDOWN(bind)
{
	if (self->probed)
		module_remove("sev_guest");
	if (self->overridden)
		override(self->device, "\n");
}

TEST_F(bind, driver_refuses_a_device_of_another_guest)
{
	int error;

	NEED_MACHINE();
	if (technology_active() == COCO_SEV_SNP)
		SKIP(return, "this is an SNP guest, where it has a device");
	if (!*self->device)
		SKIP(return, "every platform device has a driver");
	if (!access(MODULE, F_OK))
		SKIP(return, "the driver is built in, and has seen the devices that there are");
	if (technology_active() == COCO_NONE)
		ASSERT_EQ(0, write_key());
	self->overridden = true;
	ASSERT_EQ(0, override(self->device, DRIVER));
	self->probed = true;
	error = module_probe(DRIVER, "");
	if (error == -ENOENT)
		SKIP(return, "this kernel has no such driver");
	EXPECT_EQ(-ENODEV, error);
	EXPECT_NE(0, access(DEVICE, F_OK));
	EXPECT_NE(0, access(MODULE, F_OK));
}

TEST_HARNESS_MAIN
