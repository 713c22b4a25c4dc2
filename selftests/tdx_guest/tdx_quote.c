// SPDX-License-Identifier: GPL-2.0
/*
 * Quotes of a TD: what the driver makes of a quoting service that works, fails, is slow, lies.
 *
 * Path:        configfs-tsm outblob -> tdx-guest driver: TDG.MR.REPORT into a shared buffer,
 *              TDG.VP.VMCALL<GetQuote>, wait, copy (GHCI 3.3)
 * Upstream:    f4738f56d1dc ("virt: tdx-guest: Add Quote generation support using TSM_REPORTS")
 *              c3fd16c3b98e ("virt: tdx-guest: Fix handling of host controlled 'quote' buffer
 *              length")  CVE-2026-31470
 *              0f409eaea53e ("virt: tdx-guest: Return error for GetQuote failures")
 * Without it:  an empty or unfinished quote passes for one; a length from the host copies
 *              kernel memory behind the buffer to user space.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "kselftest_harness.h"
#include "../tsm/item.h"
#include "report.h"

#define ITEM		"coco_quote"
#define SECOND		1000000000ull
#define PATIENCE	30		/* seconds that the driver waits for the service */

/* GHCI 3.3: the buffer's header, and its status */
#define STATUS_AT	8
#define OUT_LEN_AT	20
#define HEADER_SIZE	24
#define IN_FLIGHT	(~0ull)
#define QUOTE_ERROR	0x8000000000000000ull
#define UNAVAILABLE	0x8000000000000001ull

struct quote_header {
	uint16_t version, key_type;
	uint32_t tee_type;
	uint8_t rest[40];
};

struct quote_body {
	uint8_t tcb_svn[16], mrseam[96], seam_attributes[8];
	uint64_t attributes, xfam;
	uint8_t mrtd[SHA384_SIZE], mrconfigid[SHA384_SIZE], mrowner[SHA384_SIZE];
	uint8_t mrownerconfig[SHA384_SIZE], rtmr[RTMRS][SHA384_SIZE], data[REPORTDATA_SIZE];
};

_Static_assert(sizeof(struct quote_header) == 48, "TD Quote Header");
_Static_assert(sizeof(struct quote_body) == 584, "TD Quote Body");

#define NEED_QUOTES() do { \
	NEED_REPORTS(); \
	NEED_TECHNOLOGY(1u << COCO_TDX); \
} while (0)
#define NEED_SERVICE() do { \
	NEED_QUOTES(); \
	NEED_MACHINE(); \
} while (0)

FIXTURE(quote) {
	uint64_t *in_flight;		/* what time_flies() saw: where the buffer is */
	uint8_t inblob[INBLOB_SIZE];
	struct blob blob;
	int64_t breaches;
};

FIXTURE_SETUP(quote)
{
	self->in_flight = mmap(NULL, sizeof(*self->in_flight), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->in_flight);
	item_ask(ITEM, self->inblob, 3);
	self->breaches = machine_breaches();
}

FIXTURE_TEARDOWN(quote)
{
	machine_rule_del(0);
	item_remove(ITEM);
	munmap(self->in_flight, sizeof(*self->in_flight));
	EXPECT_EQ(self->breaches, machine_breaches());
}

/* Once the service has answered, the host writes that number into the buffer */
static int64_t service_writes(uint64_t at, uint64_t len, uint64_t value)
{
	struct coco_rule rule = {
		.kind = COCO_EV_TDVMCALL, .action = COCO_WRITE, .count = 1, .code = GHCI_GET_QUOTE,
		.reply = { 1, at, len, 0, value },
	};

	return machine_rule_add(&rule);
}

/* Where the driver has its buffer: the operand of the last call; 0: there was none since */
static uint64_t buffer_gpa(uint64_t since, uint64_t *size)
{
	uint64_t seq = machine_event_next(), gpa = 0;
	struct coco_event event;

	while (!gpa && seq-- > since) {
		if (!machine_event(seq, &event) && event.kind == COCO_EV_TDVMCALL &&
		    event.code == GHCI_GET_QUOTE) {
			gpa = event.info1;
			if (size)
				*size = event.info2;
		}
	}
	return gpa;
}

static int64_t set_status(uint64_t gpa, uint64_t status)
{
	return machine_host_write(gpa + STATUS_AT, &status, sizeof(status));
}

static int64_t guest_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/*
 * A process that lets guest time go by, each second in a moment, and then has the service finish.
 * In all that time the machine sees more events than it keeps, so the call is looked for first.
 */
static pid_t time_flies(FIXTURE_DATA(quote) *self, int seconds, bool finish)
{
	uint64_t since = machine_event_next();
	pid_t pid = fork();

	if (pid)
		return pid;
	while (!(*self->in_flight = buffer_gpa(since, NULL)))
		usleep(1000);
	for (; seconds > 0; seconds--) {
		usleep(20000);
		machine_warp(SECOND);
	}
	_exit(finish ? set_status(*self->in_flight, 0) != 0 : 0);
}

static int next_quote(FIXTURE_DATA(quote) *self)
{
	self->inblob[0]++;
	if (item_write(ITEM, "inblob", self->inblob, INBLOB_SIZE))
		return -1;
	return item_read(ITEM, "outblob", &self->blob);
}

TEST_F(quote, quote_holds_the_report)
{
	const struct quote_header *header = (void *)self->blob.data;
	const struct quote_body *body;
	static struct report_call call;
	int fd = open(TDX_DEVICE, O_RDWR);

	NEED_QUOTES();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, GET_REPORT0, &call));
	close(fd);
	ASSERT_EQ(0, item_read(ITEM, "outblob", &self->blob));
	ASSERT_LE(quote_body(&self->blob) + sizeof(*body), self->blob.len);
	body = (void *)(self->blob.data + quote_body(&self->blob));
	EXPECT_LE(4, header->version);
	EXPECT_EQ(REPORT_TYPE_TDX, header->tee_type);
	EXPECT_EQ(call.report.attributes, body->attributes);
	EXPECT_EQ(call.report.xfam, body->xfam);
	EXPECT_EQ(0, memcmp(call.report.mrtd, body->mrtd, SHA384_SIZE));
	EXPECT_EQ(0, memcmp(call.report.rtmr, body->rtmr, sizeof(body->rtmr)));
	EXPECT_EQ(0, memcmp(self->inblob, body->data, REPORTDATA_SIZE));
}

/* ---- a service that fails ---- */

FIXTURE(failing) {
	FIXTURE_DATA(quote) quote;
};

FIXTURE_VARIANT(failing) {
	uint64_t status;
};

FIXTURE_VARIANT_ADD(failing, error) { QUOTE_ERROR };
FIXTURE_VARIANT_ADD(failing, unavailable) { UNAVAILABLE };
FIXTURE_VARIANT_ADD(failing, unknown) { 1 };
FIXTURE_VARIANT_ADD(failing, nearly_in_flight) { IN_FLIGHT - 1 };

FIXTURE_SETUP(failing)
{
	item_remove(ITEM);
	item_make(ITEM);
	item_write(ITEM, "inblob", self->quote.inblob, INBLOB_SIZE);
}

FIXTURE_TEARDOWN(failing)
{
	machine_rule_del(0);
	item_remove(ITEM);
}

TEST_F(failing, service_that_fails_gives_no_quote)
{
	NEED_SERVICE();
	ASSERT_LT(0, service_writes(STATUS_AT, 8, variant->status));
	EXPECT_EQ(EIO, item_read(ITEM, "outblob", &self->quote.blob));
	EXPECT_EQ(0, self->quote.blob.len);
	/* the next one is another try */
	EXPECT_EQ(0, next_quote(&self->quote));
	EXPECT_TRUE(report_echoes(&self->quote.blob, self->quote.inblob));
}

TEST_F(quote, call_that_the_host_refuses_gives_no_quote)
{
	static const uint64_t statuses[] = { 1, 0x8000000000000000ull, 0x8000000000000003ull, ~0ull };
	struct coco_rule rule = {
		.kind = COCO_EV_TDVMCALL, .action = COCO_REPLY, .count = 1, .code = GHCI_GET_QUOTE,
		.reply_mask = 1,
	};
	size_t i;

	NEED_SERVICE();
	for (i = 0; i < ARRAY_SIZE(statuses); i++) {
		rule.reply[0] = statuses[i];
		ASSERT_LT(0, machine_rule_add(&rule));
		EXPECT_EQ(EIO, next_quote(self));
		EXPECT_EQ(0, self->blob.len);
	}
	EXPECT_EQ(0, next_quote(self));
	EXPECT_TRUE(report_echoes(&self->blob, self->inblob));
}

/* ---- lengths ---- */

TEST_F(quote, length_beyond_the_buffer_gives_no_quote)
{
	uint64_t size = 0, since = machine_event_next();
	uint64_t lengths[4];
	size_t i;

	NEED_SERVICE();
	ASSERT_EQ(0, next_quote(self));
	ASSERT_NE(0, buffer_gpa(since, &size));
	lengths[0] = size - HEADER_SIZE + 1;
	lengths[1] = size;
	lengths[2] = 0x7fffffff;
	lengths[3] = 0xffffffff;
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		ASSERT_LT(0, service_writes(OUT_LEN_AT, 4, lengths[i]));
		EXPECT_EQ(EFBIG, next_quote(self));
		EXPECT_EQ(0, self->blob.len);
	}
	EXPECT_EQ(0, next_quote(self));
	EXPECT_TRUE(report_echoes(&self->blob, self->inblob));
}

/* As short as the host likes: the reader must look, the kernel hands on just that */
TEST_F(quote, length_within_the_buffer_is_the_quotes)
{
	static const uint64_t lengths[] = { 1, 1000, 4096 };
	size_t i;

	NEED_SERVICE();
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		ASSERT_LT(0, service_writes(OUT_LEN_AT, 4, lengths[i]));
		EXPECT_EQ(0, next_quote(self));
		EXPECT_EQ(lengths[i], self->blob.len);
	}
}

/* ---- a service that takes its time ---- */

TEST_F_TIMEOUT(quote, slow_service_is_waited_for, 120)
{
	int64_t start = guest_seconds();
	pid_t flies;
	int status = -1;

	NEED_SERVICE();
	ASSERT_LT(0, service_writes(STATUS_AT, 8, IN_FLIGHT));
	flies = time_flies(self, 10, true);
	ASSERT_LT(0, flies);
	EXPECT_EQ(0, item_read(ITEM, "outblob", &self->blob));
	EXPECT_LE(10, guest_seconds() - start);
	EXPECT_TRUE(report_echoes(&self->blob, self->inblob));
	ASSERT_EQ(flies, waitpid(flies, &status, 0));
	EXPECT_EQ(0, status);
}

/* The buffer is still the host's: nobody may use it before the service is done with it */
static int quote_that_never_comes(FIXTURE_DATA(quote) *self, uint64_t *gpa)
{
	int error;

	if (service_writes(STATUS_AT, 8, IN_FLIGHT) <= 0 ||
	    time_flies(self, PATIENCE + 5, false) < 0)
		return -1;
	error = item_read(ITEM, "outblob", &self->blob);
	*gpa = *self->in_flight;
	return error;
}

TEST_F_TIMEOUT(quote, service_that_never_answers_gives_no_quote, 200)
{
	int64_t start = guest_seconds();
	uint64_t gpa = 0;

	NEED_SERVICE();
	EXPECT_NE(0, quote_that_never_comes(self, &gpa));
	EXPECT_EQ(0, self->blob.len);
	EXPECT_LE(PATIENCE - 1, guest_seconds() - start);
	ASSERT_NE(0, gpa);
	EXPECT_EQ(0, set_status(gpa, 0));
}

TEST_F_TIMEOUT(quote, service_that_never_answers_is_told_as_a_timeout, 200)
{
	uint64_t gpa = 0;

	NEED_SERVICE();
	EXPECT_EQ(ETIMEDOUT, quote_that_never_comes(self, &gpa));
	ASSERT_NE(0, gpa);
	EXPECT_EQ(0, set_status(gpa, 0));
}

TEST_F_TIMEOUT(quote, buffer_in_flight_is_not_used_again, 200)
{
	int64_t before;
	uint64_t gpa = 0;

	NEED_SERVICE();
	quote_that_never_comes(self, &gpa);
	ASSERT_NE(0, gpa);
	before = machine_count(COCO_EV_TDVMCALL, GHCI_GET_QUOTE);
	EXPECT_EQ(EBUSY, next_quote(self));
	EXPECT_EQ(EBUSY, next_quote(self));
	EXPECT_EQ(before, machine_count(COCO_EV_TDVMCALL, GHCI_GET_QUOTE));
	ASSERT_EQ(0, set_status(gpa, UNAVAILABLE));
	EXPECT_EQ(0, next_quote(self));
	EXPECT_TRUE(report_echoes(&self->blob, self->inblob));
}

static void on_signal(int signal)
{
	(void)signal;
}

TEST_F_TIMEOUT(quote, reader_can_be_interrupted, 60)
{
	const struct sigaction action = { .sa_handler = on_signal };
	uint64_t since = machine_event_next();
	pid_t reader = getpid(), other;

	NEED_SERVICE();
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	ASSERT_LT(0, service_writes(STATUS_AT, 8, IN_FLIGHT));
	other = fork();
	if (!other) {
		while (!buffer_gpa(since, NULL))
			usleep(1000);
		usleep(100000);
		_exit(kill(reader, SIGUSR1));
	}
	EXPECT_EQ(EINTR, item_read(ITEM, "outblob", &self->blob));
	EXPECT_EQ(0, self->blob.len);
	EXPECT_EQ(EBUSY, next_quote(self));
	ASSERT_EQ(0, set_status(buffer_gpa(since, NULL), 0));
	EXPECT_EQ(0, next_quote(self));
	EXPECT_TRUE(report_echoes(&self->blob, self->inblob));
}

TEST_HARNESS_MAIN
