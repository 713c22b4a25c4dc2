// SPDX-License-Identifier: GPL-2.0
/*
 * The result stream: records "<channel>|<text>".  In the machine they leave
 * through COCO_CALL_PUT; on plain QEMU through the debug console at the same
 * port that the machine uses; elsewhere they go to stdout.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "../lib/technology.h"
#include "init.h"

#define STREAM_PORT		0x402
#define DEBUGCON_READBACK	0xe9	/* what QEMU's isa-debugcon reads as */
#define LINE_MAX_BYTES		1000	/* the machine's lines have 1024 */

static enum { TO_STDOUT, TO_MACHINE, TO_PORT } sink;

void out_open(void)
{
	if (machine_present())
		sink = TO_MACHINE;
	else if (technology_by_cpuid() == COCO_NONE && !ioperm(STREAM_PORT, 1, 1) &&
		 inb(STREAM_PORT) == DEBUGCON_READBACK)
		sink = TO_PORT;		/* nothing is asked of a port in a confidential guest of a real host */
	else
		sink = TO_STDOUT;
}

void out_line(char channel, const char *text, size_t len)
{
	static const char cut[] = " [cut]";
	char line[LINE_MAX_BYTES + sizeof(cut) + 4];
	size_t head = 0, n = len < LINE_MAX_BYTES ? len : LINE_MAX_BYTES;

	if (sink != TO_MACHINE) {
		line[head++] = channel;
		line[head++] = '|';
	}
	memcpy(line + head, text, n);
	n += head;
	if (len > LINE_MAX_BYTES) {
		memcpy(line + n, cut, sizeof(cut) - 1);
		n += sizeof(cut) - 1;
	}
	line[n++] = '\n';
	switch (sink) {
	case TO_MACHINE:
		machine_put(channel, line, n);
		break;
	case TO_PORT:
		outsb(STREAM_PORT, line, n);
		break;
	case TO_STDOUT:
		if (write(STDOUT_FILENO, line, n) < 0)
			return;		/* nobody to tell */
		break;
	}
}

void out(const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n > 0)
		out_line(COCO_CHAN_INIT, text, strlen(text));
}

void end_of_run(int code)
{
	klog_settle();
	out("done code=%d", code);
	sync();
	machine_exit(code);
	reboot(RB_POWER_OFF);
	for (;;)	/* init may not leave */
		pause();
}
