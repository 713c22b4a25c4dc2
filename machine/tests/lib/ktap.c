// SPDX-License-Identifier: GPL-2.0
/* KTAP lines through the machine call, so that reporting exits in no way under test. */
#include "payload.h"

#define DUMP_LINE	96		/* bytes */

static u32 checks;
static char line[256];
static size_t used;

static void add(const char *s)
{
	while (*s && used < sizeof(line) - 2)
		line[used++] = *s++;
}

static void add_number(u64 v, u32 base)
{
	char digits[24];
	int i = sizeof(digits) - 1;

	digits[i] = 0;
	do {
		digits[--i] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	if (base == 16)
		add("0x");
	add(digits + i);
}

static void send(void)
{
	line[used++] = '\n';
	machine_call(COCO_CALL_PUT, COCO_CHAN_TEST, (u64)line, used);
	used = 0;
}

static void result(const char *claim, bool holds)
{
	checks++;
	add(holds ? "ok " : "not ok ");
	add_number(checks, 10);
	add(" ");
	add(claim);
	send();
}

void check(const char *claim, bool holds)
{
	result(claim, holds);
}

void check_eq(const char *claim, u64 got, u64 want)
{
	if (got != want) {
		add("# ");
		add(claim);
		add(": got ");
		add_number(got, 16);
		add(", want ");
		add_number(want, 16);
		send();
	}
	result(claim, got == want);
}

void note(const char *text, u64 value)
{
	add("# ");
	add(text);
	add(" ");
	add_number(value, 16);
	send();
}

void dump(const char *name, const void *data, size_t len)
{
	const u8 *byte = data;
	size_t i;

	for (i = 0; i < len; i++) {
		if (!used) {
			add("# hex ");
			add(name);
			add(" ");
		}
		line[used++] = "0123456789abcdef"[byte[i] >> 4];
		line[used++] = "0123456789abcdef"[byte[i] & 15];
		if (i % DUMP_LINE == DUMP_LINE - 1 || i == len - 1)
			send();
	}
}

void finish(void)
{
	add("1..");
	add_number(checks, 10);
	send();
	machine_call(COCO_CALL_EXIT, 0, 0, 0);
	for (;;)
		;
}
