// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/tdx_guest: a TD's report, which the TDX module makes for software on the same platform.
 *
 * Path:        ioctl(TDX_CMD_GET_REPORT0) -> tdx-guest driver -> TDG.MR.REPORT
 * Upstream:    6c8c1406a6d6 ("virt: Add TDX guest driver")
 * Without it:  a TD attests with another caller's data, or not at all.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "../lib/need.h"
#include "report.h"

#define PAGE		4096
#define NOWHERE		((uint8_t *)PAGE)	/* never mapped: below vm.mmap_min_addr */
#define KERNEL_SPACE	((uint8_t *)0xffff888000000000ull)

#define NEED_DEVICE() do { \
	NEED_TECHNOLOGY(1u << COCO_TDX); \
	if (self->fd < 0) \
		SKIP(return, TDX_DEVICE ": %s", strerror(-self->fd)); \
} while (0)

FIXTURE(tdx) {
	int fd;
	struct report_call call, other;
};

FIXTURE_SETUP(tdx)
{
	size_t i;

	self->fd = open(TDX_DEVICE, O_RDWR);
	if (self->fd < 0)
		self->fd = -errno;
	for (i = 0; i < REPORTDATA_SIZE; i++)
		self->call.data[i] = 0x5a ^ i * 11;
	self->other = self->call;
	self->other.data[63] ^= 1;
}

FIXTURE_TEARDOWN(tdx)
{
	if (self->fd >= 0)
		close(self->fd);
}

/* 0 or the error */
static int issue(int fd, unsigned long command, void *argument)
{
	return ioctl(fd, command, argument) ? errno : 0;
}

static int64_t reports(void)
{
	return machine_present() ? machine_count(COCO_EV_TDCALL, TDG_MR_REPORT) : 0;
}

static bool all_zero(const void *p, size_t len)
{
	const uint8_t *byte = p;

	while (len && !*byte) {
		byte++;
		len--;
	}
	return !len;
}

TEST_F(tdx, report_echoes_the_report_data)
{
	int64_t before = reports();

	NEED_DEVICE();
	ASSERT_EQ(0, issue(self->fd, GET_REPORT0, &self->call));
	EXPECT_EQ(0, memcmp(self->call.data, self->call.report.data, REPORTDATA_SIZE));
	if (machine_present())
		EXPECT_EQ(before + 1, reports());
}

TEST_F(tdx, report_fields_are_sane)
{
	const struct td_report *report = &self->call.report;

	NEED_DEVICE();
	ASSERT_EQ(0, issue(self->fd, GET_REPORT0, &self->call));
	EXPECT_EQ(REPORT_TYPE_TDX, report->type);
	EXPECT_EQ(0, report->subtype);
	EXPECT_EQ(0, report->reserved);
	EXPECT_TRUE(all_zero(report->reserved_4, sizeof(report->reserved_4)));
	EXPECT_TRUE(all_zero(report->reserved_192, sizeof(report->reserved_192)));
	EXPECT_TRUE(all_zero(report->reserved_495, sizeof(report->reserved_495)));
	EXPECT_FALSE(all_zero(report->tcb_info_hash, SHA384_SIZE));
	EXPECT_FALSE(all_zero(report->td_info_hash, SHA384_SIZE));
	EXPECT_FALSE(all_zero(report->mac, sizeof(report->mac)));
	EXPECT_FALSE(all_zero(report->mrtd, SHA384_SIZE));
	EXPECT_EQ(3, report->xfam & 3);		/* x87 and SSE, always */
}

/* One bit of the data: another MAC, and nothing else */
TEST_F(tdx, report_mac_covers_the_report_data)
{
	struct td_report *report = &self->call.report, *other = &self->other.report;

	NEED_DEVICE();
	ASSERT_EQ(0, issue(self->fd, GET_REPORT0, &self->call));
	ASSERT_EQ(0, issue(self->fd, GET_REPORT0, &self->other));
	EXPECT_NE(0, memcmp(report->mac, other->mac, sizeof(report->mac)));
	memcpy(other->mac, report->mac, sizeof(report->mac));
	memcpy(other->data, report->data, sizeof(report->data));
	EXPECT_EQ(0, memcmp(report, other, sizeof(*report)));
}

TEST_F(tdx, report_is_the_same_for_the_same_data)
{
	NEED_DEVICE();
	self->other = self->call;
	ASSERT_EQ(0, issue(self->fd, GET_REPORT0, &self->call));
	ASSERT_EQ(0, issue(self->fd, GET_REPORT0, &self->other));
	EXPECT_EQ(0, memcmp(&self->call, &self->other, sizeof(self->call)));
}

/* The request is 1088 bytes at any address */
TEST_F(tdx, request_need_not_be_aligned)
{
	uint8_t *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static const size_t offsets[] = { 1, 33, PAGE - 3, PAGE - 65, PAGE - 1087 };
	struct report_call *call;
	size_t i;

	NEED_DEVICE();
	ASSERT_NE(MAP_FAILED, (void *)pages);
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		call = (void *)(pages + offsets[i]);
		memcpy(call->data, self->call.data, REPORTDATA_SIZE);
		ASSERT_EQ(0, issue(self->fd, GET_REPORT0, call));
		EXPECT_EQ(0, memcmp(call->report.data, self->call.data, REPORTDATA_SIZE));
		EXPECT_EQ(REPORT_TYPE_TDX, call->report.type);
	}
}

/* What cannot be read is not reported; what cannot be written is lost: the driver goes on */
TEST_F(tdx, invalid_pointer_is_efault)
{
	uint8_t *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *read_only = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int64_t before = reports();

	NEED_DEVICE();
	ASSERT_NE(MAP_FAILED, (void *)pages);
	ASSERT_NE(MAP_FAILED, (void *)read_only);
	ASSERT_EQ(0, munmap(pages + PAGE, PAGE));
	EXPECT_EQ(EFAULT, issue(self->fd, GET_REPORT0, NOWHERE));
	EXPECT_EQ(EFAULT, issue(self->fd, GET_REPORT0, KERNEL_SPACE));
	EXPECT_EQ(EFAULT, issue(self->fd, GET_REPORT0, (void *)-64ull));
	EXPECT_EQ(EFAULT, issue(self->fd, GET_REPORT0, pages + PAGE - REPORTDATA_SIZE + 1));
	EXPECT_EQ(before, reports());
	EXPECT_EQ(EFAULT, issue(self->fd, GET_REPORT0, NULL));
	EXPECT_EQ(EFAULT, issue(self->fd, GET_REPORT0, pages + PAGE - REPORTDATA_SIZE));
	EXPECT_EQ(EFAULT, issue(self->fd, GET_REPORT0, pages + PAGE - sizeof(struct report_call) + 1));
	EXPECT_EQ(EFAULT, issue(self->fd, GET_REPORT0, read_only));
	ASSERT_EQ(0, issue(self->fd, GET_REPORT0, &self->call));
	EXPECT_EQ(0, memcmp(self->call.data, self->call.report.data, REPORTDATA_SIZE));
}

TEST_F(tdx, unknown_ioctl_is_refused_without_report)
{
	static const unsigned long commands[] = {
		_IOWR('T', 0, struct report_call), _IOWR('T', 2, struct report_call),
		_IOR('T', 1, struct report_call), _IOWR('T', 1, struct td_report),
		_IOWR('S', 1, struct report_call), 0,
	};
	int64_t before = reports();
	size_t i;

	NEED_DEVICE();
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		EXPECT_EQ(ENOTTY, issue(self->fd, commands[i], &self->call));
	EXPECT_EQ(before, reports());
	EXPECT_TRUE(all_zero(&self->call.report, sizeof(self->call.report)));
}

/* How many of this caller's reports had another's data, or none */
static int get_reports(int caller, int count)
{
	struct report_call call;
	int fd = open(TDX_DEVICE, O_RDWR), i, bad = 0;

	for (i = 0; i < count; i++) {
		memset(call.data, caller << 5 | i, sizeof(call.data));
		bad += issue(fd, GET_REPORT0, &call) ||
		       memcmp(call.data, call.report.data, REPORTDATA_SIZE);
	}
	return bad;
}

TEST_F(tdx, callers_at_once_get_each_their_own_report)
{
	enum { CALLERS = 4, REPORTS = 30 };
	int64_t before = reports();
	pid_t callers[CALLERS];
	int i, status;

	NEED_DEVICE();
	for (i = 0; i < CALLERS; i++) {
		callers[i] = fork();
		if (!callers[i])
			_exit(get_reports(i, REPORTS));
	}
	for (i = 0; i < CALLERS; i++) {
		ASSERT_EQ(callers[i], waitpid(callers[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	if (machine_present())
		EXPECT_EQ(before + CALLERS * REPORTS, reports());
}

TEST_HARNESS_MAIN
