// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/sev-guest: reports, keys and certificates from the SNP firmware.
 *
 * Path:        ioctl -> sev-guest driver: encrypts with the VMPCK -> GUEST_REQUEST or
 *              EXT_GUEST_REQUEST -> host -> firmware, and the reply back
 * Upstream:    fce96cf04430 ("virt: Add SEV-SNP guest driver")
 *              d80b494f7123 ("virt: sev-guest: Add support to get extended report")
 *              47894e0fa6a5 ("virt/sev-guest: Prevent IV reuse in the SNP guest driver")
 *              72f7754dcf31 ("virt/coco/sev-guest: Add throttling awareness")
 * Without it:  a guest attests with wrong data, or encrypts two messages with one IV, which
 *              gives its key to the host.
 *
 * What the host is sent is judged by the machine: one IV for two messages is a breach.
 * The last test makes the driver throw its key away.
 */
#include "device.h"

#define VMPCKS			4		/* SNP firmware ABI: the secrets page */
#define VMPCK_SIZE		32
#define NOWHERE			((uint64_t)PAGE)	/* never mapped: below vm.mmap_min_addr */
#define KERNEL_SPACE		0xffff888000000000ull

/* ---- SNP_GET_REPORT ---- */

TEST_F(guest, report_echoes_the_report_data)
{
	int64_t before = requests();

	NEED_DEVICE();
	ASSERT_EQ(0, get_report(self));
	EXPECT_EQ(0, self->reply.status);
	EXPECT_EQ(sizeof(self->reply.report), self->reply.size);
	EXPECT_EQ(0, memcmp(self->request.user_data, self->reply.report.report_data, 64));
	if (machine_present())
		EXPECT_EQ(before + 1, requests());
}

TEST_F(guest, report_names_the_vmpl_asked_for)
{
	uint32_t vmpl;

	NEED_DEVICE();
	for (vmpl = technology_vmpl(); vmpl <= 3; vmpl++) {
		self->request.vmpl = vmpl;
		ASSERT_EQ(0, get_report(self));
		EXPECT_EQ(0, self->reply.status);
		EXPECT_EQ(vmpl, self->reply.report.vmpl);
	}
}

TEST_F(guest, report_fields_are_sane)
{
	const struct report *report = &self->reply.report;

	NEED_DEVICE();
	ASSERT_EQ(0, get_report(self));
	EXPECT_LE(2, report->version);
	EXPECT_TRUE(report->policy & POLICY_RESERVED_ONE);
	EXPECT_EQ(ECDSA_P384_SHA384, report->signature_algo);
	EXPECT_TRUE(tcb_within(report->reported_tcb, report->current_tcb));
	EXPECT_TRUE(tcb_within(report->committed_tcb, report->current_tcb));
	EXPECT_FALSE(all_zero(report->measurement, sizeof(report->measurement)));
	EXPECT_FALSE(all_zero(report->report_id, sizeof(report->report_id)));
	EXPECT_FALSE(all_zero(report->r, 48));
	EXPECT_FALSE(all_zero(report->s, 48));
	EXPECT_TRUE(all_zero(report->r + 48, sizeof(report->r) - 48));
	EXPECT_TRUE(all_zero(report->s + 48, sizeof(report->s) - 48));
}

/* The firmware answers, with a status in the reply: the driver goes on */
TEST_F(guest, report_of_a_vmpl_above_3_is_refused_by_the_firmware)
{
	static const uint32_t vmpls[] = { 4, 0x80000000, ~0u };
	size_t i;

	NEED_DEVICE();
	for (i = 0; i < ARRAY_SIZE(vmpls); i++) {
		self->request.vmpl = vmpls[i];
		EXPECT_EQ(0, get_report(self));
		EXPECT_EQ(STATUS_INVALID_PARAM, self->reply.status);
		EXPECT_EQ(0, self->reply.size);
	}
	self->request.vmpl = technology_vmpl();
	EXPECT_EQ(0, get_report(self));
	EXPECT_EQ(0, self->reply.status);
}

/* ---- SNP_GET_DERIVED_KEY ---- */

TEST_F(guest, derived_key_is_the_same_for_the_same_request)
{
	struct key_reply first;

	NEED_DEVICE();
	ASSERT_EQ(0, get_key(self));
	EXPECT_EQ(0, self->key_reply.status);
	EXPECT_FALSE(all_zero(self->key_reply.key, 32));
	first = self->key_reply;
	ASSERT_EQ(0, get_key(self));
	EXPECT_EQ(0, memcmp(&first, &self->key_reply, sizeof(first)));
}

TEST_F(guest, derived_key_depends_on_each_input)
{
	static const struct snp_derived_key_req other[] = {
		{ .vmpl = 1 },
		{ .guest_field_select = KEY_OF_POLICY },
		{ .guest_field_select = KEY_OF_TCB },
		{ .guest_field_select = KEY_OF_TCB, .tcb_version = 1 },
		{ .guest_field_select = KEY_OF_SVN },
		/* the last one: beyond the SVN of a guest that was launched without ID block */
		{ .guest_field_select = KEY_OF_SVN, .guest_svn = 1 },
	};
	size_t n = ARRAY_SIZE(other) + (machine_present() ? 1 : 0);
	uint8_t keys[ARRAY_SIZE(other) + 1][32];
	size_t i, j;

	NEED_DEVICE();
	ASSERT_EQ(0, get_key(self));
	memcpy(keys[0], self->key_reply.key, 32);
	for (i = 1; i < n; i++) {
		self->key = other[i - 1];
		self->key.vmpl += technology_vmpl();
		ASSERT_EQ(0, get_key(self));
		EXPECT_EQ(0, self->key_reply.status);
		memcpy(keys[i], self->key_reply.key, 32);
		for (j = 0; j < i; j++)
			if (!memcmp(keys[i], keys[j], 32))
				TH_LOG("request %zu gives the key of request %zu", i, j);
		for (j = 0; j < i; j++)
			EXPECT_NE(0, memcmp(keys[i], keys[j], 32));
	}
}

TEST_F(guest, derived_key_of_impossible_inputs_is_refused_by_the_firmware)
{
	static const struct snp_derived_key_req bad[] = {
		{ .vmpl = 4 },
		{ .guest_field_select = 1ull << 63 },
		{ .guest_field_select = KEY_OF_SVN, .guest_svn = ~0u },
		{ .guest_field_select = KEY_OF_TCB, .tcb_version = ~0ull },
	};
	size_t i;

	NEED_DEVICE();
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		self->key = bad[i];
		self->key.vmpl += technology_vmpl();
		EXPECT_EQ(0, get_key(self));
		EXPECT_EQ(STATUS_INVALID_PARAM, self->key_reply.status);
		EXPECT_TRUE(all_zero(self->key_reply.key, 32));
	}
}

/* As printk() would show bytes: "%*phN", "%*ph", dumps in words that are turned */
static bool log_has_bytes(const char *log, const uint8_t *bytes)
{
	static const char * const separators[] = { "", " ", ":", "-" };
	char text[2][64] = { "", "" };
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(separators); i++) {
		for (j = 0; j < 8; j++)
			snprintf(text[0] + j * (2 + strlen(separators[i])), 8, "%02x%s", bytes[j],
				 j < 7 ? separators[i] : "");
		if (strstr(log, text[0]))
			return true;
	}
	for (j = 0; j < 8; j++)
		snprintf(text[1] + 2 * j, 4, "%02x", bytes[7 - j]);
	return strstr(log, text[1]);
}

TEST_F(guest, derived_key_is_in_no_line_of_the_log)
{
	char *log;
	size_t i;

	NEED_DEVICE();
	ASSERT_EQ(0, get_key(self));
	EXPECT_EQ(0, self->key_reply.status);
	NEED_KERNEL_LOG(log);
	EXPECT_NE('\0', *log);
	for (i = 0; i < sizeof(self->key_reply.key); i += 8)
		EXPECT_FALSE(log_has_bytes(log, self->key_reply.key + i));
	free(log);
}

/* Those of the machine: user space of another guest does not know its own */
TEST_F(guest, message_keys_are_in_no_line_of_the_log)
{
	uint8_t key[VMPCK_SIZE];
	char *log;
	size_t i, j;

	NEED_DEVICE();
	NEED_MACHINE();
	ASSERT_EQ(0, get_report(self));
	log = kernel_log();
	ASSERT_NE(NULL, (void *)log);
	EXPECT_NE('\0', *log);
	for (i = 0; i < VMPCKS; i++) {
		for (j = 0; j < VMPCK_SIZE; j++)
			key[j] = COCO_VMPCK_BYTE(i, j);
		for (j = 0; j < VMPCK_SIZE; j += 8)
			EXPECT_FALSE(log_has_bytes(log, key + j));
	}
	free(log);
}

/* ---- SNP_GET_EXT_REPORT ---- */

TEST_F(guest, extended_report_has_report_and_certificates)
{
	static const uint32_t lengths[] = { TABLE_PAGES * PAGE, (TABLE_PAGES + 1) * PAGE };
	const struct cert_entry *entry;
	size_t i;

	NEED_DEVICE();
	NEED_MACHINE();
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		memset(self->certs, 0xee, 5 * PAGE);
		ASSERT_EQ(0, get_ext_report(self, self->certs, lengths[i]));
		EXPECT_EQ(0, self->reply.status);
		EXPECT_EQ(0, memcmp(self->ext.data.user_data, self->reply.report.report_data, 64));
		entry = find_cert(self->certs, vcek_guid);
		ASSERT_NE(NULL, (void *)entry);
		ASSERT_GT(lengths[i], entry->offset);
		EXPECT_GE(lengths[i], entry->offset + entry->length);
		EXPECT_EQ(0x30, self->certs[entry->offset]);		/* DER: SEQUENCE */
		EXPECT_EQ(0xee, self->certs[lengths[i]]);
	}
}

/*
 * The host asks for more room; the driver must use the sequence number up all the
 * same, by the plain request, before it says so.
 */
TEST_F(guest, extended_report_with_too_little_room_tells_the_size)
{
	static const uint32_t lengths[] = { 0, PAGE };
	int64_t plain, extended;
	size_t i;

	NEED_DEVICE();
	NEED_MACHINE();
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		plain = machine_count(COCO_EV_GHCB, GUEST_REQUEST);
		extended = machine_count(COCO_EV_GHCB, EXT_GUEST_REQUEST);
		EXPECT_EQ(EIO, get_ext_report(self, self->certs, lengths[i]));
		EXPECT_EQ(VMM_ERROR(SNP_GUEST_VMM_ERR_INVALID_LEN), self->call.exitinfo2);
		EXPECT_EQ(TABLE_PAGES * PAGE, self->ext.certs_len);
		EXPECT_EQ(plain + 1, machine_count(COCO_EV_GHCB, GUEST_REQUEST));
		EXPECT_EQ(extended + 1, machine_count(COCO_EV_GHCB, EXT_GUEST_REQUEST));
		EXPECT_TRUE(all_zero(self->certs, 5 * PAGE));
	}
	EXPECT_EQ(0, get_report(self));
}

/* Refused by the driver: at most 16K, whole pages, and memory of the caller's */
TEST_F(guest, extended_report_refuses_a_bad_buffer)
{
	int64_t before = requests();

	NEED_DEVICE();
	EXPECT_EQ(EINVAL, get_ext_report(self, self->certs, 1));
	EXPECT_EQ(EINVAL, get_ext_report(self, self->certs, PAGE + 1));
	EXPECT_EQ(EINVAL, get_ext_report(self, self->certs, 5 * PAGE));
	EXPECT_EQ(EINVAL, get_ext_report(self, self->certs, 0u - PAGE));
	EXPECT_EQ(EFAULT, get_ext_report(self, (void *)KERNEL_SPACE, TABLE_PAGES * PAGE));
	EXPECT_EQ(before, requests());
	EXPECT_EQ(0, get_report(self));
}

/* ---- what the driver refuses without asking anyone ---- */

FIXTURE(refused) {
	int fd;
	struct snp_guest_request_ioctl call;
	uint8_t request[sizeof(struct snp_ext_report_req)];
	struct snp_report_resp reply;
};

FIXTURE_VARIANT(refused) {
	unsigned long command;
};

FIXTURE_VARIANT_ADD(refused, report) { SNP_GET_REPORT };
FIXTURE_VARIANT_ADD(refused, derived_key) { SNP_GET_DERIVED_KEY };
FIXTURE_VARIANT_ADD(refused, ext_report) { SNP_GET_EXT_REPORT };

FIXTURE_SETUP(refused)
{
	self->fd = open(DEVICE, O_RDWR);
	if (self->fd < 0)
		self->fd = -errno;
	self->call.msg_version = 1;
	self->call.req_data = (uintptr_t)self->request;
	self->call.resp_data = (uintptr_t)&self->reply;
}

FIXTURE_TEARDOWN(refused)
{
	if (self->fd >= 0)
		close(self->fd);
}

static int error_of(int fd, unsigned long command, const void *argument)
{
	return ioctl(fd, command, argument) ? errno : 0;
}

TEST_F(refused, invalid_argument_is_refused_without_request)
{
	struct snp_guest_request_ioctl call = self->call;
	int64_t before = requests();

	NEED_DEVICE();
	call.msg_version = 0;
	EXPECT_EQ(EINVAL, error_of(self->fd, variant->command, &call));
	call = self->call;
	call.req_data = 0;
	EXPECT_EQ(EINVAL, error_of(self->fd, variant->command, &call));
	call = self->call;
	call.resp_data = 0;
	EXPECT_EQ(EINVAL, error_of(self->fd, variant->command, &call));
	call = self->call;
	call.req_data = NOWHERE;
	EXPECT_EQ(EFAULT, error_of(self->fd, variant->command, &call));
	call.req_data = KERNEL_SPACE;
	EXPECT_EQ(EFAULT, error_of(self->fd, variant->command, &call));
	EXPECT_EQ(EFAULT, error_of(self->fd, variant->command, NULL));
	EXPECT_EQ(EFAULT, error_of(self->fd, variant->command, (void *)NOWHERE));
	EXPECT_EQ(before, requests());
	/* Without a buffer the extended report ends in EIO: its own test */
	if (variant->command != SNP_GET_EXT_REPORT)
		EXPECT_EQ(0, error_of(self->fd, variant->command, &self->call));
}

TEST_F(guest, unknown_ioctl_is_refused_without_request)
{
	static const unsigned long commands[] = {
		_IOWR('S', 0x3, struct snp_guest_request_ioctl),
		_IOR('S', 0x0, struct snp_guest_request_ioctl),
		_IOWR('T', 0x0, struct snp_guest_request_ioctl),
	};
	int64_t before = requests();
	size_t i;

	NEED_DEVICE();
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		EXPECT_EQ(ENOTTY, issue(self, commands[i], &self->request));
	EXPECT_EQ(before, requests());
	EXPECT_EQ(0, get_report(self));
}

TEST_F(guest, reply_into_no_memory_is_efault_and_no_end)
{
	NEED_DEVICE();
	self->call.resp_data = NOWHERE;
	EXPECT_EQ(EFAULT, issue(self, SNP_GET_REPORT, &self->request));
	EXPECT_EQ(EFAULT, issue(self, SNP_GET_DERIVED_KEY, &self->key));
	self->call.resp_data = (uintptr_t)&self->raw;
	EXPECT_EQ(0, get_report(self));
	EXPECT_EQ(0, self->reply.status);
}

/* The length of the certificates goes back into the request */
TEST_F(guest, length_into_no_memory_is_efault_and_no_end)
{
	struct snp_ext_report_req *ext;

	NEED_DEVICE();
	NEED_MACHINE();
	ext = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)ext);
	*ext = self->ext;
	ASSERT_EQ(0, mprotect(ext, PAGE, PROT_READ));
	EXPECT_EQ(EFAULT, issue(self, SNP_GET_EXT_REPORT, ext));
	EXPECT_EQ(VMM_ERROR(SNP_GUEST_VMM_ERR_INVALID_LEN), self->call.exitinfo2);
	EXPECT_EQ(0, get_report(self));
	EXPECT_EQ(0, self->reply.status);
}

/* ---- a host that says other things ---- */

/* Throttled (GHCB specification, SNP Guest Request): again, every two seconds, the same message */
TEST_F(guest, busy_host_is_asked_again)
{
	int64_t before = requests(), rule;

	NEED_DEVICE();
	NEED_MACHINE();
	rule = host_answers(GUEST_REQUEST, 2, VMM_ERROR(SNP_GUEST_VMM_ERR_BUSY));
	ASSERT_LT(0, rule);
	EXPECT_EQ(0, get_report(self));
	EXPECT_EQ(0, self->reply.status);
	EXPECT_EQ(2, machine_rule_hits(rule));
	EXPECT_EQ(before + 3, requests());
}

/*
 * The firmware did not take the message: its sequence number may neither be used
 * again nor left out, so the driver gives the key up.  Last: nothing works after.
 */
TEST_F(guest, firmware_error_is_reported_and_ends_the_key)
{
	int64_t before;

	NEED_DEVICE();
	NEED_MACHINE();
	ASSERT_LT(0, host_answers(GUEST_REQUEST, 1, STATUS_INVALID_PARAM));
	EXPECT_EQ(EIO, get_report(self));
	EXPECT_EQ(STATUS_INVALID_PARAM, self->call.exitinfo2);
	EXPECT_TRUE(all_zero(&self->raw, sizeof(self->raw)));
	before = requests();
	EXPECT_EQ(ENOTTY, get_report(self));
	EXPECT_EQ(ENOTTY, get_key(self));
	EXPECT_EQ(ENOTTY, get_ext_report(self, self->certs, TABLE_PAGES * PAGE));
	EXPECT_EQ(before, requests());
}

TEST_HARNESS_MAIN
