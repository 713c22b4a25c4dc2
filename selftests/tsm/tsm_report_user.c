// SPDX-License-Identifier: GPL-2.0
/*
 * configfs-tsm: reports of whatever technology, by files.
 *
 * Path:        /sys/kernel/config/tsm/report/<item>/: inblob in, provider's report_new(),
 *              outblob and auxblob out
 * Upstream:    70e6f7e2b985 ("configfs-tsm: Introduce a shared ABI for attestation reports")
 *              fba4ceaa242d ("configfs-tsm-report: Fix NULL dereference of tsm_ops")
 *              CVE-2025-38210
 * Without it:  a reader gets a report that is not for his data, or an item that outlives its
 *              provider is a NULL dereference.
 *
 * The same for both providers, sev_guest and tdx_guest; what they answer themselves is in
 * their own suites.
 */
#include <poll.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "item.h"
#include "../lib/module.h"

#define SMALL	"coco_a"
#define OTHER	"coco_b"

FIXTURE(tsm) {
	uint8_t inblob[INBLOB_SIZE], other[INBLOB_SIZE];
	struct blob report, again;
};

FIXTURE_SETUP(tsm)
{
	item_remove(SMALL);
	item_remove(OTHER);
	item_make(SMALL);
	fill_inblob(self->inblob, 1);
	fill_inblob(self->other, 99);
}

FIXTURE_TEARDOWN(tsm)
{
	item_remove(SMALL);
	item_remove(OTHER);
}

static bool is_snp(void)
{
	return technology_active() == COCO_SEV_SNP;
}

TEST_F(tsm, provider_is_the_driver)
{
	NEED_REPORTS();
	ASSERT_EQ(0, item_read(SMALL, "provider", &self->report));
	self->report.data[self->report.len] = '\0';
	EXPECT_STREQ(is_snp() ? "sev_guest\n" : "tdx_guest\n", (char *)self->report.data);
}

/* Attributes that mean nothing to a provider are not there */
TEST_F(tsm, provider_shows_its_attributes_only)
{
	static const char * const everyone[] = { "generation", "provider", "inblob", "outblob" };
	static const char * const snp[] = { "auxblob", "privlevel", "privlevel_floor" };
	static const char * const svsm[] = { "manifestblob", "service_provider", "service_guid",
					     "service_manifest_version" };
	size_t i;

	NEED_REPORTS();
	for (i = 0; i < ARRAY_SIZE(everyone); i++)
		EXPECT_TRUE(item_has(SMALL, everyone[i]));
	/* 6.7 to 6.10 had no way to hide attributes of services */
	for (i = 0; i < ARRAY_SIZE(snp); i++)
		EXPECT_EQ(is_snp(), item_has(SMALL, snp[i]));
	for (i = 0; i < ARRAY_SIZE(svsm); i++)
		EXPECT_EQ(is_snp() && technology_vmpl(), item_has(SMALL, svsm[i]));
}

TEST_F(tsm, no_inblob_no_report)
{
	int64_t before = reports_asked_for();

	NEED_REPORTS();
	EXPECT_EQ(EINVAL, item_read(SMALL, "outblob", &self->report));
	EXPECT_EQ(0, item_generation(SMALL));
	EXPECT_EQ(before, reports_asked_for());
}

TEST_F(tsm, report_is_for_the_inblob)
{
	NEED_REPORTS();
	ASSERT_EQ(0, item_write(SMALL, "inblob", self->inblob, INBLOB_SIZE));
	EXPECT_EQ(1, item_generation(SMALL));
	ASSERT_EQ(0, item_read(SMALL, "outblob", &self->report));
	EXPECT_TRUE(report_echoes(&self->report, self->inblob));
	EXPECT_EQ(1, item_generation(SMALL));
}

TEST_F(tsm, report_is_made_once_an_inblob)
{
	int64_t before = reports_asked_for();

	NEED_REPORTS();
	ASSERT_EQ(0, item_write(SMALL, "inblob", self->inblob, INBLOB_SIZE));
	ASSERT_EQ(0, item_read(SMALL, "outblob", &self->report));
	ASSERT_EQ(0, item_read(SMALL, "outblob", &self->again));
	EXPECT_EQ(self->report.len, self->again.len);
	EXPECT_EQ(0, memcmp(self->report.data, self->again.data, self->report.len));
	if (machine_present())
		EXPECT_EQ(before + 1, reports_asked_for());
	ASSERT_EQ(0, item_write(SMALL, "inblob", self->other, INBLOB_SIZE));
	EXPECT_EQ(2, item_generation(SMALL));
	ASSERT_EQ(0, item_read(SMALL, "outblob", &self->report));
	EXPECT_TRUE(report_echoes(&self->report, self->other));
	if (machine_present())
		EXPECT_EQ(before + 2, reports_asked_for());
}

/* Both technologies take 64 bytes, no more and no less; an inblob holds no more at all */
TEST_F(tsm, inblob_of_another_length_gives_no_report)
{
	static const size_t lengths[] = { 1, 32, 63 };
	uint8_t more[INBLOB_SIZE + 1] = { 0 };
	int64_t before = reports_asked_for();
	size_t i;

	NEED_REPORTS();
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		ASSERT_EQ(0, item_write(SMALL, "inblob", self->inblob, lengths[i]));
		EXPECT_EQ(EINVAL, item_read(SMALL, "outblob", &self->report));
	}
	EXPECT_EQ(EFBIG, item_write(SMALL, "inblob", more, sizeof(more)));
	EXPECT_EQ(before, reports_asked_for());
	ASSERT_EQ(0, item_write(SMALL, "inblob", self->inblob, INBLOB_SIZE));
	ASSERT_EQ(0, item_read(SMALL, "outblob", &self->report));
	EXPECT_TRUE(report_echoes(&self->report, self->inblob));
}

/* Opened for writing and closed, as `: > inblob` does */
TEST_F(tsm, inblob_of_no_length_changes_nothing)
{
	NEED_REPORTS();
	ASSERT_EQ(0, item_write(SMALL, "inblob", self->inblob, INBLOB_SIZE));
	EXPECT_EQ(0, item_write(SMALL, "inblob", "", 0));
	ASSERT_EQ(0, item_read(SMALL, "outblob", &self->report));
	EXPECT_TRUE(report_echoes(&self->report, self->inblob));
}

TEST_F(tsm, items_do_not_share_their_data)
{
	NEED_REPORTS();
	ASSERT_EQ(0, item_make(OTHER));
	ASSERT_EQ(0, item_write(SMALL, "inblob", self->inblob, INBLOB_SIZE));
	ASSERT_EQ(0, item_write(OTHER, "inblob", self->other, INBLOB_SIZE));
	ASSERT_EQ(0, item_read(SMALL, "outblob", &self->report));
	ASSERT_EQ(0, item_read(OTHER, "outblob", &self->again));
	EXPECT_TRUE(report_echoes(&self->report, self->inblob));
	EXPECT_TRUE(report_echoes(&self->again, self->other));
	EXPECT_EQ(1, item_generation(SMALL));
	EXPECT_EQ(1, item_generation(OTHER));
}

TEST_F(tsm, attribute_goes_one_way)
{
	NEED_REPORTS();
	EXPECT_EQ(EACCES, item_read(SMALL, "inblob", &self->report));
	EXPECT_EQ(EACCES, item_write(SMALL, "outblob", self->inblob, INBLOB_SIZE));
	EXPECT_EQ(EACCES, item_write(SMALL, "generation", "7\n", 2));
	EXPECT_EQ(EACCES, item_write(SMALL, "provider", "x\n", 2));
}

/* ---- more than one at it ---- */

static pid_t writer_start(const uint8_t inblob[INBLOB_SIZE], int times)
{
	pid_t pid = fork();
	int i, bad = 0;

	if (pid)
		return pid;
	for (i = 0; i < times; i++) {
		bad += item_write(SMALL, "inblob", inblob, INBLOB_SIZE) != 0;
		usleep(1000);
	}
	_exit(bad);
}

static int end_of(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Whoever came last: a report of his data, never of a mixture */
TEST_F(tsm, two_writers_leave_one_whole_inblob)
{
	enum { TIMES = 20 };
	int ends[2], reads = 0, mixed = 0;
	struct pollfd writers;
	pid_t first, second;

	NEED_REPORTS();
	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(0, item_write(SMALL, "inblob", self->inblob, INBLOB_SIZE));
	first = writer_start(self->inblob, TIMES);
	second = writer_start(self->other, TIMES);
	/* nobody has the other end any more: both are done */
	close(ends[1]);
	writers = (struct pollfd) { .fd = ends[0] };
	for (; !poll(&writers, 1, 0); reads++) {
		ASSERT_EQ(0, item_read(SMALL, "outblob", &self->report));
		mixed += !report_echoes(&self->report, self->inblob) &&
			 !report_echoes(&self->report, self->other);
		usleep(500);
	}
	close(ends[0]);
	EXPECT_EQ(0, end_of(first));
	EXPECT_EQ(0, end_of(second));
	EXPECT_LT(1, reads);
	EXPECT_EQ(0, mixed);
	EXPECT_EQ(1 + 2 * TIMES, item_generation(SMALL));
	ASSERT_EQ(0, item_write(SMALL, "inblob", self->other, INBLOB_SIZE));
	ASSERT_EQ(0, item_read(SMALL, "outblob", &self->report));
	EXPECT_TRUE(report_echoes(&self->report, self->other));
}

/* A file that is open has one report; the next to be opened has the next */
TEST_F(tsm, reader_keeps_his_report_when_the_inblob_changes)
{
	struct blob *whole = &self->again;
	int fd;

	NEED_REPORTS();
	ASSERT_EQ(0, item_write(SMALL, "inblob", self->inblob, INBLOB_SIZE));
	ASSERT_EQ(0, item_read(SMALL, "outblob", whole));
	fd = open(item_path(SMALL, "outblob"), O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(100, read(fd, self->report.data, 100));
	self->report.len = 100;
	ASSERT_EQ(0, item_write(SMALL, "inblob", self->other, INBLOB_SIZE));
	EXPECT_EQ(2, item_generation(SMALL));
	EXPECT_EQ(0, read_rest(fd, &self->report));
	close(fd);
	EXPECT_EQ(whole->len, self->report.len);
	EXPECT_EQ(0, memcmp(whole->data, self->report.data, whole->len));
	ASSERT_EQ(0, item_read(SMALL, "outblob", &self->report));
	EXPECT_TRUE(report_echoes(&self->report, self->other));
}

/* ---- the end of an item, and of its provider ---- */

TEST_F(tsm, removed_item_ends_its_open_files)
{
	char byte;
	int fd;

	NEED_REPORTS();
	ASSERT_EQ(0, item_write(SMALL, "inblob", self->inblob, INBLOB_SIZE));
	fd = open(item_path(SMALL, "outblob"), O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, item_remove(SMALL));
	errno = 0;
	EXPECT_EQ(-1, read(fd, &byte, 1));
	EXPECT_EQ(ENOENT, errno);
	/* one of the same name is another one */
	ASSERT_EQ(0, item_make(SMALL));
	EXPECT_EQ(0, item_generation(SMALL));
	errno = 0;
	EXPECT_EQ(-1, read(fd, &byte, 1));
	EXPECT_EQ(ENOENT, errno);
	close(fd);
	EXPECT_EQ(EINVAL, item_read(SMALL, "outblob", &self->report));
}

static const char *provider_module(void)
{
	return is_snp() ? "sev_guest" : "tdx_guest";
}

/* The item is of the core's, and stays; the next provider must not get it */
TEST_F(tsm, item_outlives_its_provider)
{
	struct stat unused;

	NEED_MACHINE();		/* a real guest may not get its driver back */
	NEED_REPORTS();
	ASSERT_EQ(0, item_write(SMALL, "inblob", self->inblob, INBLOB_SIZE));
	if (module_remove(provider_module()))
		SKIP(return, "%s cannot be unloaded", provider_module());
	EXPECT_EQ(ENXIO, item_read(SMALL, "provider", &self->report));
	EXPECT_EQ(ENXIO, item_read(SMALL, "outblob", &self->report));
	if (is_snp()) {
		EXPECT_EQ(ENXIO, item_write(SMALL, "privlevel", "1\n", 2));
		EXPECT_EQ(ENXIO, item_read(SMALL, "privlevel_floor", &self->report));
		EXPECT_EQ(ENXIO, item_read(SMALL, "auxblob", &self->report));
	}
	EXPECT_EQ(1, item_generation(SMALL));
	EXPECT_EQ(ENXIO, item_make(OTHER));
	EXPECT_NE(0, stat(item_path(OTHER, NULL), &unused));
	EXPECT_NE(0, module_probe(provider_module(), ""));
	EXPECT_EQ(0, item_remove(SMALL));
	EXPECT_EQ(0, module_probe(provider_module(), ""));
	ASSERT_EQ(0, item_make(SMALL));
	ASSERT_EQ(0, item_write(SMALL, "inblob", self->other, INBLOB_SIZE));
	ASSERT_EQ(0, item_read(SMALL, "outblob", &self->report));
	EXPECT_TRUE(report_echoes(&self->report, self->other));
}

TEST_F(tsm, open_report_outlives_its_provider)
{
	int fd;

	NEED_MACHINE();
	NEED_REPORTS();
	ASSERT_EQ(0, item_write(SMALL, "inblob", self->inblob, INBLOB_SIZE));
	ASSERT_EQ(0, item_read(SMALL, "outblob", &self->again));
	fd = open(item_path(SMALL, "outblob"), O_RDONLY);
	ASSERT_LE(0, fd);
	if (module_remove(provider_module()))
		SKIP(return, "%s cannot be unloaded", provider_module());
	/* It was made before: a report is no less true without its maker */
	self->report.len = 0;
	EXPECT_EQ(0, read_rest(fd, &self->report));
	EXPECT_EQ(self->again.len, self->report.len);
	EXPECT_EQ(0, memcmp(self->again.data, self->report.data, self->again.len));
	close(fd);
	EXPECT_EQ(0, item_remove(SMALL));
	EXPECT_EQ(0, module_probe(provider_module(), ""));
}

/* ---- SEV-SNP: privilege levels and certificates ---- */

#define NEED_SNP() do { \
	NEED_REPORTS(); \
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP); \
} while (0)

TEST_F(tsm, privlevel_is_the_reports_vmpl)
{
	static const char * const levels[] = { "0\n", "1\n", "2\n", "3\n" };
	int floor = technology_vmpl();
	uint32_t vmpl;

	NEED_SNP();
	EXPECT_EQ(floor, item_number(SMALL, "privlevel_floor"));
	ASSERT_EQ(0, item_write(SMALL, "inblob", self->inblob, INBLOB_SIZE));
	for (vmpl = floor; vmpl < ARRAY_SIZE(levels); vmpl++) {
		ASSERT_EQ(0, item_write(SMALL, "privlevel", levels[vmpl], 2));
		EXPECT_EQ(2 + vmpl - floor, item_generation(SMALL));
		ASSERT_EQ(0, item_read(SMALL, "outblob", &self->report));
		EXPECT_EQ(0, memcmp(self->report.data + 0x30, &vmpl, sizeof(vmpl)));
		EXPECT_TRUE(report_echoes(&self->report, self->inblob));
	}
}

TEST_F(tsm, privlevel_that_there_is_not_is_refused)
{
	static const char * const levels[] = { "4\n", "-1\n", "4294967296\n", "x\n", "\n" };
	size_t i;

	NEED_SNP();
	for (i = 0; i < ARRAY_SIZE(levels); i++)
		EXPECT_NE(0, item_write(SMALL, "privlevel", levels[i], strlen(levels[i])));
	EXPECT_EQ(0, item_generation(SMALL));
}

TEST_F(tsm, auxblob_is_the_hosts_table)
{
	int64_t before = reports_asked_for();
	uint32_t offset, length;

	NEED_SNP();
	NEED_MACHINE();
	ASSERT_EQ(0, item_write(SMALL, "inblob", self->inblob, INBLOB_SIZE));
	ASSERT_EQ(0, item_read(SMALL, "auxblob", &self->again));
	ASSERT_EQ(0, item_read(SMALL, "outblob", &self->report));
	EXPECT_EQ(before + 1, reports_asked_for());
	EXPECT_TRUE(report_echoes(&self->report, self->inblob));
	ASSERT_LT(4096, self->again.len);
	memcpy(&offset, self->again.data + 16, sizeof(offset));
	memcpy(&length, self->again.data + 20, sizeof(length));
	EXPECT_EQ(4096, offset);
	EXPECT_LE(offset + length, self->again.len);
	EXPECT_EQ(0x30, self->again.data[offset]);		/* DER: SEQUENCE */
}

TEST_HARNESS_MAIN
