/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Items of configfs-tsm (Documentation/ABI/testing/configfs-tsm-report): a folder
 * a report, attributes for what goes in and comes out.  All errors are errno.
 */
#ifndef COCO_TSM_ITEM_H
#define COCO_TSM_ITEM_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/need.h"

#define TSM_REPORTS	"/sys/kernel/config/tsm/report"
#define INBLOB_SIZE	64		/* of both providers: REPORT_DATA, REPORTDATA */
#define BLOB_MAX	32768

struct blob {
	ssize_t len;
	uint8_t data[BLOB_MAX];
};

static __maybe_unused const char *item_path(const char *item, const char *attribute)
{
	static char path[256];

	snprintf(path, sizeof(path), TSM_REPORTS "/%s%s%s", item, attribute ? "/" : "",
		 attribute ? attribute : "");
	return path;
}

static __maybe_unused int item_remove(const char *item)
{
	return rmdir(item_path(item, NULL)) ? errno : 0;
}

static __maybe_unused bool item_has(const char *item, const char *attribute)
{
	return !access(item_path(item, attribute), F_OK);
}

/* Binary attributes take what was written when they are closed, which tells no error */
static __maybe_unused
int item_write(const char *item, const char *attribute, const void *data, size_t len)
{
	int fd = open(item_path(item, attribute), O_WRONLY), error = 0;

	if (fd < 0)
		return errno;
	if (len && write(fd, data, len) != (ssize_t)len)
		error = errno;
	if (close(fd) && !error)
		error = errno;
	return error;
}

/* All of it, from the first byte on */
static __maybe_unused int read_rest(int fd, struct blob *blob)
{
	ssize_t n;

	do {
		n = read(fd, blob->data + blob->len, BLOB_MAX - blob->len);
		if (n < 0)
			return errno;
		blob->len += n;
	} while (n);
	return 0;
}

static __maybe_unused
int item_read(const char *item, const char *attribute, struct blob *blob)
{
	int fd = open(item_path(item, attribute), O_RDONLY), error;

	blob->len = 0;
	if (fd < 0)
		return errno;
	error = read_rest(fd, blob);
	close(fd);
	return error;
}

static __maybe_unused int item_level(const char *item, int vmpl)
{
	char level[16];

	snprintf(level, sizeof(level), "%d\n", vmpl);
	return item_write(item, "privlevel", level, strlen(level));
}

static __maybe_unused int item_make_plain(const char *item)
{
	return mkdir(item_path(item, NULL), 0755) ? errno : 0;
}

/* Below VMPL 0 the level of a new item is none that the guest's key speaks for */
static __maybe_unused int item_make(const char *item)
{
	int error = item_make_plain(item);

	return error || !technology_vmpl() ? error : item_level(item, technology_vmpl());
}

/* An attribute with one number in it; negative: errno */
static __maybe_unused long item_number(const char *item, const char *attribute)
{
	static struct blob text;
	int error = item_read(item, attribute, &text);

	if (error)
		return -error;
	text.data[text.len < BLOB_MAX ? text.len : BLOB_MAX - 1] = '\0';
	return strtol((char *)text.data, NULL, 10);
}

/* Changes since item_make(), which may have told the level */
static __maybe_unused long item_generation(const char *item)
{
	return item_number(item, "generation") - !!technology_vmpl();
}

static __maybe_unused void fill_inblob(uint8_t inblob[INBLOB_SIZE], uint8_t seed)
{
	size_t i;

	for (i = 0; i < INBLOB_SIZE; i++)
		inblob[i] = seed + i * 5;
}

/* A new item that asks for the report of other bytes with each seed */
static __maybe_unused void item_ask(const char *item, uint8_t inblob[INBLOB_SIZE], uint8_t seed)
{
	item_remove(item);
	item_make(item);
	fill_inblob(inblob, seed);
	item_write(item, "inblob", inblob, INBLOB_SIZE);
}

/* A TD quote's body: behind the header, and from version 5 on behind its descriptor, too */
static inline size_t quote_body(const struct blob *quote)
{
	return 48 + (quote->data[0] >= 5 ? 6 : 0);
}

/* Where the provider's report has the inblob: ATTESTATION_REPORT, or a TD's quote */
static __maybe_unused const uint8_t *report_data(const struct blob *report)
{
	size_t at = technology_active() == COCO_TDX ? quote_body(report) + 520 : 0x50;

	return report->len >= (ssize_t)(at + INBLOB_SIZE) ? report->data + at : NULL;
}

static __maybe_unused bool report_echoes(const struct blob *report, const uint8_t inblob[INBLOB_SIZE])
{
	const uint8_t *data = report_data(report);

	return data && !memcmp(data, inblob, INBLOB_SIZE);
}

/* Calls to whoever makes reports, so far: the firmware, or the host's quoting service */
static __maybe_unused int64_t reports_asked_for(void)
{
	if (!machine_present())
		return 0;
	return machine_count(COCO_EV_GHCB, 0x80000012) + machine_count(COCO_EV_TDVMCALL, 0x10002);
}

#define NEED_REPORTS() do { \
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP | 1u << COCO_TDX); \
	if (access(TSM_REPORTS, F_OK)) \
		SKIP(return, "no " TSM_REPORTS ": came in 6.7, or no provider is loaded"); \
} while (0)

#endif /* COCO_TSM_ITEM_H */
