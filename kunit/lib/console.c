// SPDX-License-Identifier: GPL-2.0
/*
 * The console "coco": the kernel's log on the result stream, "k|<line>".
 *
 * In the machine a record is one call.  A serial port would cost several exits
 * a character; worse, a record would still be on its way when the guest dies.
 *
 * In a plain QEMU guest records go to isa-debugcon, byte by byte, if one sits at
 * the stream's port: it reads back a byte of its own there.
 */
#include <linux/console.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <asm/cpufeature.h>
#include "console.h"
#include "machine.h"
#include "technology.h"

#define STREAM_PORT		0x402
#define DEBUGCON_READBACK	0xe9

static void write_machine(struct console *console, const char *text, unsigned int len)
{
	coco_put(COCO_CHAN_KLOG, text, len);
}

static void write_port(struct console *console, const char *text, unsigned int len)
{
	static const char prefix[] = { COCO_CHAN_KLOG, '|' };
	const char *newline;

	while (len) {
		unsigned int line = len;

		newline = memchr(text, '\n', len);
		if (newline)
			line = newline - text;
		outsb(STREAM_PORT, prefix, sizeof(prefix));
		outsb(STREAM_PORT, text, line);
		outb('\n', STREAM_PORT);
		line += !!newline;
		text += line;
		len -= line;
	}
}

static struct console console = {
	.name = "coco",
	.flags = CON_ENABLED | CON_ANYTIME | CON_PRINTBUFFER,
	.index = -1,
};

/* Nothing is asked of a port on bare metal, nor in a confidential guest of a real host */
static bool has_debugcon(void)
{
	return boot_cpu_has(X86_FEATURE_HYPERVISOR) && coco_technology() == COCO_NONE &&
	       inb(STREAM_PORT) == DEBUGCON_READBACK;
}

void coco_console_start(void)
{
	if (coco_machine())
		console.write = write_machine;
	else if (has_debugcon())
		console.write = write_port;
	if (console.write)
		register_console(&console);
}

void coco_console_stop(void)
{
	if (console.write)
		unregister_console(&console);
}
