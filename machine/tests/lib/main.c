// SPDX-License-Identifier: GPL-2.0
/* From the first C line to payload(): what the run file says, traps, page tables. */
#include "payload.h"

enum coco_personality personality;
int cbit;
u64 cmask;
u64 boot_params;

static char run_file[512];

void payload_start(u64 params) __noreturn;
void trap_init(void);

void read_run_file(void)
{
	memset(run_file, 0, sizeof(run_file));
	machine_call(COCO_CALL_GET, (u64)run_file, sizeof(run_file) - 1, 0);
}

bool parameter(const char *name, char *value, size_t size)
{
	const char *s = run_file;
	size_t n = strlen(name), i;

	while (*s) {
		if (!strncmp(s, name, n)) {
			for (i = 0, s += n; *s > ' ' && i < size - 1; i++)
				value[i] = *s++;
			value[i] = 0;
			return true;
		}
		while (*s > ' ')
			s++;
		while (*s && *s <= ' ')
			s++;
	}
	return false;
}

bool case_is(const char *name)
{
	char value[40];

	return parameter("case=", value, sizeof(value)) && strlen(value) == strlen(name) &&
	       !memcmp(value, name, strlen(name));
}

static u64 number(const char *name)
{
	char value[24];
	u64 n = 0;
	int i;

	if (parameter(name, value, sizeof(value)))
		for (i = 0; value[i]; i++)
			n = n * 10 + value[i] - '0';
	return n;
}

void payload_start(u64 params)
{
	boot_params = params;
	read_run_file();
	personality = number("personality=");
	cbit = number("cbit=");
	cmask = personality == COCO_NONE ? 0 : BIT_ULL(cbit);
	trap_init();
	paging_init();
	payload();
	finish();
}
