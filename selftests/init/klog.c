// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's log on the result stream.  The console that coco.ko registers
 * sends every line at once, also those before an oops.  Where that module is
 * missing (no headers to build it against), init forwards /dev/kmsg instead:
 * late, and without the lines of a kernel that is no longer able to run init.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>

#include "../lib/module.h"
#include "init.h"

#define COCO_KO			"/coco/modules/coco.ko"
#define SERIAL_CONSOLE		"/sys/class/tty/ttyS0/console"
#define KLOG_CONSOLE_LEVEL	8	/* syslog(2) */
#define EVERY_LEVEL		8

static int kmsg = -1;

static int insert_coco(const void *arg)
{
	return module_insert(arg, "");
}

static void detach_serial_console(void)
{
	int fd = open(SERIAL_CONSOLE, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;		/* no such port, or a kernel before 5.7 */
	if (write(fd, "N", 1) < 0)
		out("note : cannot detach the serial console: %s", strerror(errno));
	close(fd);
}

void klog_console(void)
{
	struct child child = { .name = "coco", .function = insert_coco, .arg = COCO_KO, .limit = 60 };
	int error;

	/* Before there is the console: what booted quietly comes out there, warnings and all */
	klogctl(KLOG_CONSOLE_LEVEL, NULL, EVERY_LEVEL);
	error = child_run(&child);
	out("console rc=%d%s%s", abs(error), error < 0 ? " : " : "", error < 0 ? strerror(-error) : "");
	if (error && error != -EEXIST && kmsg < 0)
		kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	detach_serial_console();
	klog_forward();
}

int klog_fd(void)
{
	return kmsg;
}

/* A record is "level,sequence,microseconds,flags;text", then lines of properties */
static void forward_record(char *record)
{
	unsigned long long us = 0;
	char line[1100], *text = strchr(record, ';');

	if (!text || sscanf(record, "%*u,%*u,%llu", &us) != 1)
		return;
	text[1 + strcspn(text + 1, "\n")] = '\0';
	snprintf(line, sizeof(line), "[%5llu.%06llu] %s", us / 1000000, us % 1000000, text + 1);
	out_line(COCO_CHAN_KLOG, line, strlen(line));
}

void klog_forward(void)
{
	char record[8192];
	ssize_t n;

	if (kmsg < 0)
		return;
	for (;;) {
		n = read(kmsg, record, sizeof(record) - 1);
		if (n > 0) {
			record[n] = '\0';
			forward_record(record);
		} else if (n == 0 || errno == EAGAIN) {
			return;
		} else if (errno == EPIPE) {
			out_line(COCO_CHAN_KLOG, "[log lines lost]", strlen("[log lines lost]"));
		} else if (errno != EINTR && errno != EINVAL) {
			return;
		}
	}
}

/* Reading the list of consoles takes the console lock, and whoever drops that prints what is left */
void klog_settle(void)
{
	char buf[512];
	int fd;

	klog_forward();
	fd = open("/proc/consoles", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
}
