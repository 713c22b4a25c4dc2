// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/sev-guest with a host that does not carry messages as it should.
 *
 * Path:        ioctl -> sev-guest driver -> GUEST_REQUEST or EXT_GUEST_REQUEST -> host, and
 *              what the host makes of the reply
 * Upstream:    47894e0fa6a5 ("virt/sev-guest: Prevent IV reuse in the SNP guest driver")
 *              72f7754dcf31 ("virt/coco/sev-guest: Add throttling awareness")
 *              3e385c0d6ce8 ("virt: sev-guest: Move SNP Guest Request data pages handling
 *              under snp_cmd_mutex")
 *              ac7c06acaa37 ("virt: sev-guest: Allocate request data dynamically")
 *              23e6a1ca04ae ("virt: sev-guest: Do not use host-controlled page order in
 *              cleanup path")  CVE-2026-52959
 * Without it:  one IV for two messages gives the host the key; a reply that the host made up
 *              passes for the firmware's; a number from the host frees other people's pages.
 *
 * The machine judges each message that the host is handed: one IV for two is a breach, whether
 * the host lets the firmware see them or not.  Tests that end a key run in a guest of their own.
 */
#include <sys/wait.h>
#include <time.h>

#include "device.h"

#define SECOND		1000000000ull
#define PATIENCE	60		/* seconds that the driver goes on asking a host that is busy */
#define PAUSE		2		/* between two times */
#define VMM_BUSY	VMM_ERROR(SNP_GUEST_VMM_ERR_BUSY)
#define VMM_INVALID_LEN	VMM_ERROR(SNP_GUEST_VMM_ERR_INVALID_LEN)

/* The driver has thrown its key away: nothing works any more, and the host hears nothing */
static int calls_that_get_through(FIXTURE_DATA(guest) *self)
{
	int64_t before = requests();
	int through = 0;

	through += get_report(self) != ENOTTY;
	through += get_key(self) != ENOTTY;
	through += get_ext_report(self, self->certs, TABLE_PAGES * PAGE) != ENOTTY;
	return through + (requests() - before);
}

/* ---- replies that are not the firmware's ---- */

FIXTURE(reply) {
	FIXTURE_DATA(guest) guest;
};

/* Bytes of the message in the reply's page: old & keep ^ flip (SNP firmware ABI, Message Header) */
FIXTURE_VARIANT(reply) {
	uint64_t offset, length, keep, flip;
};

FIXTURE_VARIANT_ADD(reply, tag) { 0x00, 1, ~0ull, 0x01 };
FIXTURE_VARIANT_ADD(reply, tag_last_byte) { 0x0f, 1, ~0ull, 0x80 };
FIXTURE_VARIANT_ADD(reply, sequence_number) { 0x20, 1, ~0ull, 0x01 };
FIXTURE_VARIANT_ADD(reply, sequence_number_upper_half) { 0x24, 1, ~0ull, 0x01 };
FIXTURE_VARIANT_ADD(reply, algorithm) { 0x30, 1, ~0ull, 0x02 };
FIXTURE_VARIANT_ADD(reply, type) { 0x34, 1, 0, 0x05 };
FIXTURE_VARIANT_ADD(reply, message_version) { 0x35, 1, ~0ull, 0x02 };
FIXTURE_VARIANT_ADD(reply, size_of_nothing) { 0x36, 2, 0, 0 };
FIXTURE_VARIANT_ADD(reply, size_smaller) { 0x36, 2, 0, 0x20 };
FIXTURE_VARIANT_ADD(reply, size_that_just_fits) { 0x36, 2, 0, 4000 };
FIXTURE_VARIANT_ADD(reply, size_beyond_by_one) { 0x36, 2, 0, 4001 };
FIXTURE_VARIANT_ADD(reply, size_of_64k) { 0x36, 2, 0, 0xffff };
FIXTURE_VARIANT_ADD(reply, key_number) { 0x3c, 1, ~0ull, 0x01 };
FIXTURE_VARIANT_ADD(reply, payload) { 0x60, 1, ~0ull, 0x01 };

FIXTURE_SETUP(reply)
{
	guest_open(&self->guest);
	ASSERT_NE(MAP_FAILED, (void *)self->guest.certs);
}

FIXTURE_TEARDOWN(reply)
{
	EXPECT_TRUE(guest_close(&self->guest));
}

TEST_F(reply, reply_that_the_host_changed_ends_the_key)
{
	struct coco_rule rule = {
		.kind = COCO_EV_GHCB, .action = COCO_WRITE, .count = 1, .code = GUEST_REQUEST,
		.reply = { 2, variant->offset, variant->length, variant->keep, variant->flip },
	};
	int64_t id;

	NEED_OPEN(self->guest.fd);
	NEED_MACHINE();
	id = machine_rule_add(&rule);
	ASSERT_LT(0, id);
	EXPECT_EQ(EBADMSG, get_report(&self->guest));
	EXPECT_EQ(1, machine_rule_hits(id));
	EXPECT_EQ(0, self->guest.call.exitinfo2);
	EXPECT_TRUE(all_zero(&self->guest.raw, sizeof(self->guest.raw)));
	EXPECT_EQ(0, calls_that_get_through(&self->guest));
}

/* ---- errors: what the caller is told, and the end of the key ---- */

FIXTURE(told) {
	FIXTURE_DATA(guest) guest;
};

FIXTURE_VARIANT(told) {
	uint64_t exitinfo2;
};

FIXTURE_VARIANT_ADD(told, firmware_overflow) { 0x1d };
FIXTURE_VARIANT_ADD(told, firmware_unknown) { 0xffffffff };
FIXTURE_VARIANT_ADD(told, host_generic) { VMM_ERROR(0xffffffff) };
FIXTURE_VARIANT_ADD(told, host_unknown) { VMM_ERROR(3) };
FIXTURE_VARIANT_ADD(told, host_busy_and_firmware) { VMM_BUSY | STATUS_INVALID_PARAM };

FIXTURE_SETUP(told)
{
	guest_open(&self->guest);
	ASSERT_NE(MAP_FAILED, (void *)self->guest.certs);
}

FIXTURE_TEARDOWN(told)
{
	EXPECT_TRUE(guest_close(&self->guest));
}

TEST_F(told, error_is_told_whole_and_ends_the_key)
{
	int64_t before = requests();

	NEED_OPEN(self->guest.fd);
	NEED_MACHINE();
	ASSERT_LT(0, host_answers(GUEST_REQUEST, 1, variant->exitinfo2));
	EXPECT_EQ(EIO, get_report(&self->guest));
	EXPECT_EQ(variant->exitinfo2, self->guest.call.exitinfo2);
	EXPECT_EQ(before + 1, requests());
	EXPECT_TRUE(all_zero(&self->guest.raw, sizeof(self->guest.raw)));
	EXPECT_EQ(0, calls_that_get_through(&self->guest));
}

/* SW_EXITINFO1: the host has not even looked at the message, or says so */
static int call_answered(FIXTURE_DATA(guest) *self, uint64_t exitinfo1, uint64_t exitinfo2)
{
	struct coco_rule rule = {
		.kind = COCO_EV_GHCB, .action = COCO_REPLY, .count = 1, .code = GUEST_REQUEST,
		.reply_mask = 3, .reply = { exitinfo1, exitinfo2 },
	};

	if (machine_rule_add(&rule) <= 0)
		return 0;
	self->call.req_data = (uintptr_t)&self->request;
	return ioctl(self->fd, SNP_GET_REPORT, &self->call);
}

TEST_F(guest, call_that_the_host_calls_malformed_fails)
{
	NEED_DEVICE();
	NEED_MACHINE();
	EXPECT_EQ(-1, call_answered(self, 2, 5));
	EXPECT_TRUE(all_zero(&self->raw, sizeof(self->raw)));
	EXPECT_EQ(0, calls_that_get_through(self));
}

TEST_F(guest, call_that_the_host_answers_with_gp_fails)
{
	NEED_DEVICE();
	NEED_MACHINE();
	EXPECT_EQ(-1, call_answered(self, 1, 0x80000b0d));
	EXPECT_TRUE(all_zero(&self->raw, sizeof(self->raw)));
	EXPECT_EQ(0, calls_that_get_through(self));
}

/* Meant for extended requests only; the firmware has not counted the message */
TEST_F(guest, plain_request_that_is_told_a_length_reuses_no_iv)
{
	NEED_DEVICE();
	NEED_MACHINE();
	ASSERT_LT(0, host_answers(GUEST_REQUEST, 1, VMM_INVALID_LEN));
	EXPECT_EQ(EIO, get_report(self));
	EXPECT_EQ(VMM_INVALID_LEN, self->call.exitinfo2);
	self->request.user_data[0] ^= 1;
	EXPECT_NE(0, get_report(self));
	EXPECT_TRUE(all_zero(&self->raw, sizeof(self->raw)));
}

/* ---- a number of pages from the host ---- */

TEST_F(guest, number_of_pages_from_the_host_is_only_told)
{
	/* the most first: a kernel that frees so many is stopped at once */
	static const uint64_t pages[] = { 0xffffffff, 0x1000, 64, 3 };
	struct coco_rule rule = {
		.kind = COCO_EV_GHCB, .action = COCO_REPLY, .count = 1, .code = EXT_GUEST_REQUEST,
		.reply_mask = 2 | 8, .reply = { 0, VMM_INVALID_LEN },
	};
	size_t i;

	NEED_DEVICE();
	NEED_MACHINE();
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		rule.reply[3] = pages[i];
		ASSERT_LT(0, machine_rule_add(&rule));
		EXPECT_EQ(EIO, get_ext_report(self, self->certs, PAGE));
		EXPECT_EQ(VMM_INVALID_LEN, self->call.exitinfo2);
		EXPECT_EQ((uint32_t)(pages[i] * PAGE), self->ext.certs_len);
		EXPECT_TRUE(all_zero(self->certs, 5 * PAGE));
	}
	EXPECT_EQ(0, get_ext_report(self, self->certs, TABLE_PAGES * PAGE));
	EXPECT_EQ(0, self->reply.status);
}

/* ---- a host that is busy ---- */

/* A process that lets that many seconds of guest time go by, each in a moment */
static pid_t time_flies(int seconds)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	for (; seconds > 0; seconds--) {
		usleep(20000);
		machine_warp(SECOND);
	}
	_exit(0);
}

static int64_t guest_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

TEST_F_TIMEOUT(guest, host_that_stays_busy_ends_the_key_after_a_minute, 300)
{
	int64_t before = requests(), start = guest_seconds(), took;

	NEED_DEVICE();
	NEED_MACHINE();
	ASSERT_LT(0, host_answers(GUEST_REQUEST, 0, VMM_BUSY));
	ASSERT_LT(0, time_flies(2 * PATIENCE));
	EXPECT_EQ(ETIMEDOUT, get_report(self));
	took = guest_seconds() - start;
	EXPECT_EQ(VMM_BUSY, self->call.exitinfo2);
	EXPECT_LE(PATIENCE - PAUSE, took);
	EXPECT_GE(PATIENCE + 5 * PAUSE, took);
	/* once in two seconds, and often enough to be sure that there were pauses */
	EXPECT_LE(PATIENCE / PAUSE / 2, requests() - before);
	EXPECT_GE(PATIENCE / PAUSE + 2, requests() - before);
	EXPECT_TRUE(all_zero(&self->raw, sizeof(self->raw)));
	machine_rule_del(0);
	EXPECT_EQ(0, calls_that_get_through(self));
}

TEST_F_TIMEOUT(guest, busy_host_is_asked_again_with_the_certificates, 120)
{
	int64_t plain, extended, rule;

	NEED_DEVICE();
	NEED_MACHINE();
	plain = machine_count(COCO_EV_GHCB, GUEST_REQUEST);
	extended = machine_count(COCO_EV_GHCB, EXT_GUEST_REQUEST);
	rule = host_answers(EXT_GUEST_REQUEST, 3, VMM_BUSY);
	ASSERT_LT(0, rule);
	ASSERT_LT(0, time_flies(5 * PAUSE));
	EXPECT_EQ(0, get_ext_report(self, self->certs, TABLE_PAGES * PAGE));
	EXPECT_EQ(0, self->reply.status);
	EXPECT_NE(NULL, (void *)find_cert(self->certs, vcek_guid));
	EXPECT_EQ(3, machine_rule_hits(rule));
	EXPECT_EQ(plain, machine_count(COCO_EV_GHCB, GUEST_REQUEST));
	EXPECT_EQ(extended + 4, machine_count(COCO_EV_GHCB, EXT_GUEST_REQUEST));
}

/* In the middle of its call: the message must be brought to its end all the same */
TEST_F_TIMEOUT(guest, killed_caller_leaves_no_message_behind, 120)
{
	int64_t before, rule;
	int status = 0;
	pid_t caller;

	NEED_DEVICE();
	NEED_MACHINE();
	before = requests();
	rule = host_answers(GUEST_REQUEST, 20, VMM_BUSY);
	ASSERT_LT(0, rule);
	caller = fork();
	if (!caller) {
		self->request.user_data[0] ^= 0xff;
		_exit(get_report(self));
	}
	ASSERT_LT(0, caller);
	while (machine_rule_hits(rule) < 1)
		usleep(1000);
	kill(caller, SIGKILL);
	ASSERT_EQ(caller, waitpid(caller, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	/* It died in its call: that had to wait for the host first */
	EXPECT_EQ(20, machine_rule_hits(rule));
	EXPECT_EQ(before + 21, requests());
	EXPECT_EQ(0, get_report(self));
	EXPECT_EQ(0, self->reply.status);
	EXPECT_EQ(0, memcmp(self->request.user_data, self->reply.report.report_data, 64));
}

/* ---- several callers ---- */

/* How many of this caller's reports had another's data, or none */
static int get_reports(FIXTURE_DATA(guest) *self, int caller, int count)
{
	int i, bad = 0;

	self->fd = open(DEVICE, O_RDWR);
	for (i = 0; i < count; i++) {
		memset(self->request.user_data, caller << 4 | (i & 15), sizeof(self->request.user_data));
		self->request.user_data[0] = i;
		bad += get_report(self) || self->reply.status ||
		       memcmp(self->request.user_data, self->reply.report.report_data, 64);
	}
	return bad;
}

static pid_t caller_start(FIXTURE_DATA(guest) *self, int caller, int count)
{
	pid_t pid = fork();

	if (!pid)
		_exit(get_reports(self, caller, count));
	return pid;
}

static int caller_end(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F_TIMEOUT(guest, callers_at_once_get_each_their_own_report, 120)
{
	enum { CALLERS = 4, REPORTS = 8 };
	int64_t before = requests();
	pid_t callers[CALLERS];
	int i;

	NEED_DEVICE();
	for (i = 0; i < CALLERS; i++)
		callers[i] = caller_start(self, i + 1, REPORTS);
	for (i = 0; i < CALLERS; i++)
		EXPECT_EQ(0, caller_end(callers[i]));
	if (machine_present())
		EXPECT_EQ(before + CALLERS * REPORTS, requests());
}

/* While one waits for the host, others bring their data along: nobody's may be lost */
TEST_F_TIMEOUT(guest, callers_that_wait_get_each_their_own_report, 120)
{
	enum { CALLERS = 4 };
	pid_t callers[CALLERS];
	int64_t rule;
	int i;

	NEED_DEVICE();
	NEED_MACHINE();
	rule = host_answers(GUEST_REQUEST, 2, VMM_BUSY);
	ASSERT_LT(0, rule);
	callers[0] = caller_start(self, 1, 1);
	while (machine_rule_hits(rule) < 1)
		usleep(1000);
	for (i = 1; i < CALLERS; i++)
		callers[i] = caller_start(self, i + 1, 1);
	usleep(200000);
	EXPECT_EQ(1, machine_rule_hits(rule));
	ASSERT_LT(0, time_flies(3 * PAUSE));
	for (i = 0; i < CALLERS; i++)
		EXPECT_EQ(0, caller_end(callers[i]));
}

/* With room for them or without: 0 if the caller was told what he should be */
static int get_certificates(FIXTURE_DATA(guest) *self, uint32_t len)
{
	int error;

	self->fd = open(DEVICE, O_RDWR);
	error = get_ext_report(self, self->certs, len);
	if (len)
		return error || self->reply.status || !find_cert(self->certs, vcek_guid);
	return error != EIO || self->ext.certs_len != TABLE_PAGES * PAGE;
}

static pid_t certificates_start(FIXTURE_DATA(guest) *self, uint32_t len)
{
	pid_t pid = fork();

	if (!pid)
		_exit(get_certificates(self, len));
	return pid;
}

/* The other one brings no room along, and has to wait until the first one is done */
TEST_F_TIMEOUT(guest, caller_that_waits_keeps_his_room_for_certificates, 120)
{
	pid_t first, second;
	int64_t rule;

	NEED_DEVICE();
	NEED_MACHINE();
	rule = host_answers(EXT_GUEST_REQUEST, 2, VMM_BUSY);
	ASSERT_LT(0, rule);
	first = certificates_start(self, TABLE_PAGES * PAGE);
	while (machine_rule_hits(rule) < 1)
		usleep(1000);
	second = certificates_start(self, 0);
	usleep(200000);
	EXPECT_EQ(1, machine_rule_hits(rule));
	ASSERT_LT(0, time_flies(3 * PAUSE));
	EXPECT_EQ(0, caller_end(first));
	EXPECT_EQ(0, caller_end(second));
}

TEST_HARNESS_MAIN
