// SPDX-License-Identifier: GPL-2.0
/*
 * The host's clock, as KVM's PTP driver offers it to user space.
 *
 * Path:        clock_gettime() on /dev/ptpN -> kvm_arch_ptp_get_clock() -> hypercall
 *              KVM_HC_CLOCK_PAIRING, whose answer the host writes into memory of the guest
 *              (Documentation/virt/kvm/x86/hypercalls.rst)
 * Upstream:    6365ba64b4db ("ptp: kvm: Use decrypted memory in confidential guest on x86")
 * Without it:  the host is told to write into a private page: the time reads as garbage, or
 *              the driver does not load.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../lib/machine.h"

#define CLASS		"/sys/class/ptp"
#define CLOCK_NAME	"KVM virtual PTP\n"
#define FD_TO_CLOCKID(fd)	((clockid_t)((~(unsigned int)(fd) << 3) | 3))
/* The machine pairs clocks in every personality of the suite */
#define NEED_CLOCK() do { \
	if (self->fd < 0 && !machine_present()) \
		SKIP(return, "this host does not pair clocks"); \
	ASSERT_LE(0, self->fd); \
} while (0)

#define NSEC_PER_SEC	1000000000
#define NEAR		3600	/* seconds: the guest's own clock need not be set well */

FIXTURE(ptp) {
	int fd;
};

static bool is_kvm(const char *device)
{
	char path[512], name[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), CLASS "/%s/clock_name", device);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	return !strcmp(name, CLOCK_NAME);
}

static int open_clock(void)
{
	DIR *class = opendir(CLASS);
	struct dirent *entry;
	char path[512];
	int fd = -1;

	while (class && fd < 0 && (entry = readdir(class))) {
		if (entry->d_name[0] == '.' || !is_kvm(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (class)
		closedir(class);
	return fd;
}

FIXTURE_SETUP(ptp)
{
	self->fd = open_clock();
}

FIXTURE_TEARDOWN(ptp)
{
	if (self->fd >= 0)
		close(self->fd);
}

/* Garbage is below zero as often as not */
static bool is_time(const struct timespec *t)
{
	return t->tv_nsec >= 0 && t->tv_nsec < NSEC_PER_SEC;
}

TEST_F(ptp, host_tells_a_time_near_the_guests)
{
	struct timespec host = { 0 }, guest = { 0 };

	NEED_CLOCK();
	ASSERT_EQ(0, clock_gettime(FD_TO_CLOCKID(self->fd), &host));
	ASSERT_EQ(0, clock_gettime(CLOCK_REALTIME, &guest));
	EXPECT_LE(guest.tv_sec - NEAR, host.tv_sec);
	EXPECT_GE(guest.tv_sec + NEAR, host.tv_sec);
	EXPECT_TRUE(is_time(&host));
}

TEST_F(ptp, time_of_the_host_goes_on)
{
	struct timespec first = { 0 }, second = { 0 };

	NEED_CLOCK();
	ASSERT_EQ(0, clock_gettime(FD_TO_CLOCKID(self->fd), &first));
	ASSERT_EQ(0, clock_gettime(FD_TO_CLOCKID(self->fd), &second));
	EXPECT_TRUE(is_time(&first));
	EXPECT_TRUE(is_time(&second));
	EXPECT_TRUE(second.tv_sec > first.tv_sec ||
		    (second.tv_sec == first.tv_sec && second.tv_nsec > first.tv_nsec));
}

TEST_HARNESS_MAIN
