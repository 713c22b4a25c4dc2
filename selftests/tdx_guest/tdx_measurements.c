// SPDX-License-Identifier: GPL-2.0
/*
 * A TD's measurement registers in sysfs: read, and extended.
 *
 * Path:        /sys/class/misc/tdx_guest/measurements/ -> tsm-mr -> tdx-guest driver ->
 *              TDG.MR.REPORT, TDG.MR.RTMR.EXTEND
 * Upstream:    "virt: tdx-guest: Expose TDX MRs as sysfs attributes" (6.16)
 * Without it:  user space measures into a register and reads a stale value back.
 *
 * An extension stays until the TD ends and changes what it attests to: on the machine only.
 */
#include <fcntl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../lib/need.h"
#include "report.h"

#define REGISTERS	"/sys/class/misc/tdx_guest/measurements/"
#define EXTENDED	2	/* the RTMR that the tests extend */
#define TDG_MR_RTMR_EXTEND	2

#define NEED_REGISTERS() do { \
	NEED_TECHNOLOGY(1u << COCO_TDX); \
	if (access(REGISTERS, F_OK)) \
		SKIP(return, "no " REGISTERS ": came in 6.16, or no driver is loaded"); \
} while (0)

static const char * const rtmr_names[RTMRS] = {
	"rtmr0:sha384", "rtmr1:sha384", "rtmr2:sha384", "rtmr3:sha384",
};

/* SHA-384 of 48 zeros and of the digest below, and of that and once more the digest */
static const uint8_t once[SHA384_SIZE] = {
	0x7c, 0x21, 0xd5, 0x69, 0xd3, 0x36, 0xcd, 0x9f, 0x75, 0x13, 0xcc, 0x99,
	0x46, 0xe6, 0xd6, 0x8b, 0x22, 0x7f, 0x58, 0x24, 0xad, 0x23, 0xc6, 0xb6,
	0x2f, 0x16, 0xc4, 0xbf, 0x06, 0x5f, 0x5a, 0x19, 0xb8, 0x33, 0xa2, 0x67,
	0x62, 0x51, 0x5c, 0x74, 0x0d, 0xc3, 0x88, 0x8b, 0x4d, 0xbf, 0x60, 0x5d,
};

static const uint8_t twice[SHA384_SIZE] = {
	0x7e, 0x3a, 0xe8, 0x4b, 0xb4, 0x26, 0xc0, 0xd2, 0x56, 0x30, 0x1e, 0x34,
	0xce, 0xa2, 0x5a, 0x23, 0x96, 0xfc, 0xc2, 0x1d, 0x19, 0xba, 0x5a, 0xbc,
	0xea, 0x80, 0xd1, 0x89, 0x5f, 0xa0, 0xe4, 0x41, 0x5f, 0x74, 0x3a, 0x48,
	0x3f, 0xe1, 0x5a, 0x03, 0xa6, 0x38, 0xa2, 0xff, 0xc9, 0x90, 0x1a, 0xb1,
};

FIXTURE(registers) {
	uint8_t digest[SHA384_SIZE], value[SHA384_SIZE];
	struct report_call call;
};

FIXTURE_SETUP(registers)
{
	size_t i;

	for (i = 0; i < SHA384_SIZE; i++)
		self->digest[i] = i * 3 + 1;
}

FIXTURE_TEARDOWN(registers)
{
}

static int register_open(const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), REGISTERS "%s", name);
	fd = open(path, flags);
	return fd < 0 ? -errno : fd;
}

/* 0 or the error */
static int register_read(const char *name, uint8_t value[SHA384_SIZE])
{
	int fd = register_open(name, O_RDONLY), error = 0;
	ssize_t n;

	if (fd < 0)
		return -fd;
	n = read(fd, value, SHA384_SIZE);
	if (n != SHA384_SIZE)
		error = n < 0 ? errno : ENODATA;
	close(fd);
	return error;
}

static int register_write(const char *name, const uint8_t *digest, size_t len, off_t at)
{
	int fd = register_open(name, O_WRONLY), error = 0;
	ssize_t n;

	if (fd < 0)
		return -fd;
	n = pwrite(fd, digest, len, at);
	if (n != (ssize_t)len)
		error = n < 0 ? errno : ENODATA;
	close(fd);
	return error;
}

static int get_report(FIXTURE_DATA(registers) *self)
{
	int fd = open(TDX_DEVICE, O_RDWR), error;

	if (fd < 0)
		return errno;
	error = ioctl(fd, GET_REPORT0, &self->call) ? errno : 0;
	close(fd);
	return error;
}

TEST_F(registers, registers_are_those_of_the_report)
{
	const struct td_report *report = &self->call.report;
	const struct {
		const char *name;
		const uint8_t *field;
	} all[] = {
		{ "mrtd:sha384", report->mrtd }, { "mrconfigid", report->mrconfigid },
		{ "mrowner", report->mrowner }, { "mrownerconfig", report->mrownerconfig },
		{ rtmr_names[0], report->rtmr[0] }, { rtmr_names[1], report->rtmr[1] },
		{ rtmr_names[2], report->rtmr[2] }, { rtmr_names[3], report->rtmr[3] },
	};
	size_t i;

	NEED_REGISTERS();
	ASSERT_EQ(0, get_report(self));
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		ASSERT_EQ(0, register_read(all[i].name, self->value));
		EXPECT_EQ(0, memcmp(all[i].field, self->value, SHA384_SIZE)) {
			TH_LOG("%s is not as in the TDREPORT", all[i].name);
		}
	}
}

/* In one test: a register keeps what was done to it */
TEST_F(registers, extended_rtmr_is_the_hash_of_old_and_new)
{
	uint8_t before[RTMRS][SHA384_SIZE];
	int64_t extensions;
	size_t i;

	NEED_REGISTERS();
	NEED_MACHINE();
	for (i = 0; i < RTMRS; i++)
		ASSERT_EQ(0, register_read(rtmr_names[i], before[i]));
	extensions = machine_count(COCO_EV_TDCALL, TDG_MR_RTMR_EXTEND);
	ASSERT_EQ(0, register_write(rtmr_names[EXTENDED], self->digest, SHA384_SIZE, 0));
	ASSERT_EQ(0, register_read(rtmr_names[EXTENDED], self->value));
	EXPECT_EQ(0, memcmp(once, self->value, SHA384_SIZE));
	ASSERT_EQ(0, register_write(rtmr_names[EXTENDED], self->digest, SHA384_SIZE, 0));
	ASSERT_EQ(0, register_read(rtmr_names[EXTENDED], self->value));
	EXPECT_EQ(0, memcmp(twice, self->value, SHA384_SIZE));
	EXPECT_EQ(extensions + 2, machine_count(COCO_EV_TDCALL, TDG_MR_RTMR_EXTEND));
	/* the module holds the same, and the others as they were */
	ASSERT_EQ(0, get_report(self));
	EXPECT_EQ(0, memcmp(twice, self->call.report.rtmr[EXTENDED], SHA384_SIZE));
	for (i = 0; i < RTMRS; i++)
		if (i != EXTENDED)
			EXPECT_EQ(0, memcmp(before[i], self->call.report.rtmr[i], SHA384_SIZE));
}

TEST_F(registers, part_of_a_digest_extends_nothing)
{
	int64_t before = machine_count(COCO_EV_TDCALL, TDG_MR_RTMR_EXTEND);
	uint8_t old[SHA384_SIZE];

	NEED_REGISTERS();
	NEED_MACHINE();
	ASSERT_EQ(0, register_read(rtmr_names[3], old));
	EXPECT_EQ(EINVAL, register_write(rtmr_names[3], self->digest, SHA384_SIZE - 1, 0));
	EXPECT_EQ(EINVAL, register_write(rtmr_names[3], self->digest, 1, 0));
	EXPECT_EQ(EINVAL, register_write(rtmr_names[3], self->digest, 8, 40));
	EXPECT_EQ(before, machine_count(COCO_EV_TDCALL, TDG_MR_RTMR_EXTEND));
	ASSERT_EQ(0, register_read(rtmr_names[3], self->value));
	EXPECT_EQ(0, memcmp(old, self->value, SHA384_SIZE));
}

TEST_F(registers, register_of_the_launch_cannot_be_written)
{
	static const char * const fixed[] = { "mrtd:sha384", "mrconfigid", "mrowner", "mrownerconfig" };
	size_t i;

	NEED_REGISTERS();
	for (i = 0; i < ARRAY_SIZE(fixed); i++)
		EXPECT_EQ(EACCES, register_write(fixed[i], self->digest, SHA384_SIZE, 0));
}

TEST_HARNESS_MAIN
