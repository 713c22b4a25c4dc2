/* SPDX-License-Identifier: GPL-2.0 */
/* What this kernel has, and what it says. */
#ifndef COCO_KERNEL_H
#define COCO_KERNEL_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>

#include "compiler.h"

#define KLOG_READ_ALL		3	/* syslog(2) */
#define KLOG_SIZE_BUFFER	10

/* A function or variable of its own; address: 0 where it does not tell us.  May be NULL */
static __maybe_unused bool kernel_has(const char *name, uint64_t *address)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long long value = 0;
	char *line = NULL, symbol[128];
	size_t size = 0;
	bool found = false;

	while (f && !found && getline(&line, &size, f) > 0)
		found = sscanf(line, "%llx %*s %127s", &value, symbol) == 2 && !strcmp(symbol, name);
	free(line);
	if (f)
		fclose(f);
	if (found && address)
		*address = value;
	return found;
}

/* ---- the kernel's log ---- */

/* All of it that is still kept, to be freed; NULL: not allowed */
static __maybe_unused char *kernel_log(void)
{
	int size = klogctl(KLOG_SIZE_BUFFER, NULL, 0), len;
	char *log = size > 0 ? malloc(size + 1) : NULL;

	if (!log)
		return NULL;
	len = klogctl(KLOG_READ_ALL, log, size);
	log[len > 0 ? len : 0] = '\0';
	return log;
}

/* The rest of the log's line after the text; NULL: no such text */
static __maybe_unused const char *log_after(const char *log, const char *text)
{
	const char *found = log ? strstr(log, text) : NULL;

	return found ? found + strlen(text) : NULL;
}

/* Its end, to be closed; -1: not allowed */
static __maybe_unused int log_end(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* Is this in a line that came since?  Reads the log up to its new end. */
static __maybe_unused bool log_says(int fd, const char *text)
{
	char record[8192];
	bool found = false;
	ssize_t n;

	for (;;) {
		n = read(fd, record, sizeof(record) - 1);
		if (n > 0) {
			record[n] = '\0';
			found |= strstr(record, text) != NULL;
		} else if (n == 0 || (errno != EINTR && errno != EPIPE)) {
			return found;	/* EPIPE: some were lost, go on with the next */
		}
	}
}

#endif /* COCO_KERNEL_H */
