/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/sev-guest, open, and what a request needs: the fixture of its suites. */
#ifndef COCO_SEV_GUEST_DEVICE_H
#define COCO_SEV_GUEST_DEVICE_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/sev-guest.h>

#include "kselftest_harness.h"
#include "../lib/need.h"
#include "report.h"

#define DEVICE			"/dev/sev-guest"
#define GUEST_REQUEST		0x80000011	/* GHCB specification, 4.1 */
#define EXT_GUEST_REQUEST	0x80000012
#define VMM_ERROR(error)	((uint64_t)(error) << 32)
#define PAGE			4096
#define TABLE_PAGES		2		/* of the machine's certificates */

#define NEED_OPEN(fd) do { \
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP); \
	if ((fd) < 0) \
		SKIP(return, DEVICE ": %s", strerror(-(fd))); \
} while (0)
#define NEED_DEVICE()	NEED_OPEN(self->fd)

FIXTURE(guest) {
	int fd;
	struct snp_guest_request_ioctl call;
	struct snp_report_req request;
	struct snp_ext_report_req ext;
	struct snp_derived_key_req key;
	union {
		struct snp_report_resp raw;
		struct report_reply reply;
		struct key_reply key_reply;
	};
	uint8_t *certs;
	int64_t breaches;
};

static void guest_open(FIXTURE_DATA(guest) *self)
{
	size_t i;

	self->fd = open(DEVICE, O_RDWR);
	if (self->fd < 0)
		self->fd = -errno;
	self->call.msg_version = 1;
	self->call.resp_data = (uintptr_t)&self->raw;
	for (i = 0; i < sizeof(self->request.user_data); i++)
		self->request.user_data[i] = 0xc0 ^ i * 7;
	self->request.vmpl = self->key.vmpl = technology_vmpl();
	self->ext.data = self->request;
	self->certs = mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	self->breaches = machine_breaches();
}

/* Whatever a test did, the host was never handed an IV twice: true */
static bool guest_close(FIXTURE_DATA(guest) *self)
{
	machine_rule_del(0);
	if (self->fd >= 0)
		close(self->fd);
	return self->breaches == machine_breaches();
}

FIXTURE_SETUP(guest)
{
	guest_open(self);
	ASSERT_NE(MAP_FAILED, (void *)self->certs);
}

FIXTURE_TEARDOWN(guest)
{
	EXPECT_TRUE(guest_close(self));
}

/* 0 or the error */
static __maybe_unused
int issue(FIXTURE_DATA(guest) *self, unsigned long command, const void *request)
{
	self->call.req_data = (uintptr_t)request;
	self->call.exitinfo2 = 0;
	return ioctl(self->fd, command, &self->call) ? errno : 0;
}

static __maybe_unused
int get_report(FIXTURE_DATA(guest) *self)
{
	memset(&self->raw, 0, sizeof(self->raw));
	return issue(self, SNP_GET_REPORT, &self->request);
}

static __maybe_unused
int get_key(FIXTURE_DATA(guest) *self)
{
	memset(&self->raw, 0, sizeof(self->raw));
	return issue(self, SNP_GET_DERIVED_KEY, &self->key);
}

static __maybe_unused
int get_ext_report(FIXTURE_DATA(guest) *self, void *certs, uint32_t len)
{
	memset(&self->raw, 0, sizeof(self->raw));
	self->ext.certs_address = (uintptr_t)certs;
	self->ext.certs_len = len;
	return issue(self, SNP_GET_EXT_REPORT, &self->ext);
}

/* Both kinds of call to the firmware, so far */
static __maybe_unused
int64_t requests(void)
{
	if (!machine_present())
		return 0;
	return machine_count(COCO_EV_GHCB, GUEST_REQUEST) + machine_count(COCO_EV_GHCB, EXT_GUEST_REQUEST);
}

/* The next calls with this code are answered by the host with SW_EXITINFO2 */
static __maybe_unused
int64_t host_answers(uint64_t code, uint32_t times, uint64_t exitinfo2)
{
	struct coco_rule rule = {
		.kind = COCO_EV_GHCB, .action = COCO_REPLY, .count = times, .code = code,
		.reply_mask = 3, .reply = { 0, exitinfo2 },
	};

	return machine_rule_add(&rule);
}

static inline bool all_zero(const void *p, size_t len)
{
	const uint8_t *byte = p;

	while (len && !*byte) {
		byte++;
		len--;
	}
	return !len;
}

#endif /* COCO_SEV_GUEST_DEVICE_H */
