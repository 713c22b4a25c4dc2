// SPDX-License-Identifier: GPL-2.0
/*
 * A snapshot: this process goes on, and so does another one from the file, each
 * with the memory, the registers and the other vCPU that there were.
 */
#include "lib/payload.h"

#define PAGE		8
#define SHARED		9
#define PATIENCE	1000000000u	/* spins */

static volatile u64 beats;

static void ap(void)
{
	for (;;)
		beats++;
}

static bool beats_go_on(void)
{
	u64 before = beats;
	u32 i;

	for (i = 0; i < PATIENCE && beats == before; i++)
		;
	return beats != before;
}

static void fill(u8 *p, u8 seed)
{
	u32 i;

	for (i = 0; i < PAGE_SIZE; i++)
		p[i] = i * 3 + seed;
}

static bool filled(const u8 *p, u8 seed)
{
	u32 i;

	for (i = 0; i < PAGE_SIZE; i++)
		if (p[i] != (u8)(i * 3 + seed))
			return false;
	return true;
}

static bool memory_is_there(void)
{
	return filled(arena(PAGE), 1) && filled(arena(SHARED), 2);
}

void payload(void)
{
	char value[4];
	u64 tsc;
	s64 r;

	if (is_es())
		ghcb_init();
	if (is_tdx()) {
		map_gpa((ARENA + SHARED * PAGE_SIZE) | cmask, PAGE_SIZE);
		map_arena(SHARED, SHARED_PAGE);
	} else {
		make_shared(SHARED);
	}
	fill(arena(PAGE), 1);
	fill(arena(SHARED), 2);
	ap_start(ap);
	check("other_vcpu_runs", beats_go_on());
	tsc = rdtsc();
	r = machine_call(COCO_CALL_SNAPSHOT, 0, 0, 0);
	if (!r) {
		check("this_process_goes_on_with_its_memory", memory_is_there());
		check("this_process_goes_on_with_the_other_vcpu", beats_go_on());
		return;
	}
	check_eq("another_process_is_told_that_it_is_one", r, 1);
	check("another_process_has_the_memory", memory_is_there());
	check("another_process_has_the_other_vcpu", beats_go_on());
	check("time_goes_on", rdtsc() > tsc);
	read_run_file();
	check("run_file_is_the_new_process_s",
	      parameter("process=", value, sizeof(value)) && value[0] == '2');
}
