// SPDX-License-Identifier: GPL-2.0
/* What leaves the machine: the result stream, the trace, and the end of the run. */
#include "core.h"

#define ACPI_PM1A_CNT	0x604	/* QEMU's PIIX4 */
#define ACPI_SLP_EN	BIT(13)	/* with sleep type 0: power off */
#define LINE_MAX	1024

struct line {
	char channel;
	size_t len;
	char text[LINE_MAX];
};

static struct line lines[] = { { .channel = 'm' }, { .channel = 'i' }, { .channel = 'k' }, { .channel = 't' } };

static const char * const end_words[] = {
	[COCO_END_EXIT] = "exit",
	[COCO_END_POWEROFF] = "poweroff",
	[COCO_END_RESET] = "reset",
	[COCO_END_TERMINATE] = "terminate",
	[COCO_END_FATAL] = "fatal",
	[COCO_END_SHUTDOWN] = "shutdown",
	[COCO_END_UNMODELLED] = "unmodelled",
	[COCO_END_INTERNAL] = "internal",
	[COCO_END_HALT] = "halt",
};

static void port_write(u16 port, const char *s, size_t n)
{
	asm volatile("rep outsb" : "+S"(s), "+c"(n) : "d"(port) : "memory");
}

static void line_end(struct line *line)
{
	char head[2] = { line->channel, '|' };

	port_write(STREAM_PORT, head, sizeof(head));
	port_write(STREAM_PORT, line->text, line->len);
	port_write(STREAM_PORT, "\n", 1);
	line->len = 0;
}

static struct line *line_of(char channel)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lines) - 1; i++)
		if (lines[i].channel == channel)
			break;
	return &lines[i];
}

void stream_put(char channel, const char *text, size_t len)
{
	struct line *line = line_of(channel);

	while (len--) {
		if (*text == '\n' || line->len == LINE_MAX)
			line_end(line);
		if (*text != '\n')
			line->text[line->len++] = *text;
		text++;
	}
}

void stream_line(char channel, const char *fmt, ...)
{
	char text[LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (line_of(channel)->len)
		line_end(line_of(channel));
	stream_put(channel, text, strlen(text));
	stream_put(channel, "\n", 1);
}

void trace(const char *fmt, ...)
{
	char text[LINE_MAX];
	va_list ap;

	if (!config.trace)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	port_write(LOG_PORT, text, strlen(text));
	if (!*text || text[strlen(text) - 1] != '\n')
		port_write(LOG_PORT, "\n", 1);
}

static void power_off(void) __noreturn;
static void power_off(void)
{
	outw(ACPI_PM1A_CNT, ACPI_SLP_EN);
	for (;;)
		asm volatile("cli; hlt");
}

void end_run(struct vcpu *v, enum coco_end why, u64 value, const char *fmt, ...)
{
	static bool ending;
	char text[LINE_MAX / 2], code[32] = "";
	va_list ap;
	size_t i;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (ending)		/* something went wrong below, under the same lock */
		power_off();
	ending = true;
	for (i = 0; i < ARRAY_SIZE(lines); i++)
		if (lines[i].len)
			line_end(&lines[i]);
	if (end_expected(why, value))
		stream_line('m', "expected %s value=0x%lx", end_words[why], value);
	exit_totals();
	event_totals();
	if (why == COCO_END_EXIT)
		snprintf(code, sizeof(code), " code=%lu", value);
	stream_line('m', "end %s%s value=0x%lx rip=0x%lx : %s", end_words[why], code, value,
		    v ? v->vmcb.save.rip : 0, text);
	power_off();
}
