// SPDX-License-Identifier: GPL-2.0
/*
 * Five levels of page tables: memory above 47 bits is there, and private.
 *
 * Path:        paging_prepare() -> trampoline_32bit_src() -> CR4.LA57; mmap() -> p4d_alloc()
 * Upstream:    3449e1c2a1a9 ("x86/boot/compressed/64: Prepare new top-level page table for
 *              trampoline")
 * Without it:  a guest of a host with much memory does not come up, or has four levels.
 *
 * The trampoline's top level names the table below without the C-bit: page walks are private
 * all the same (APM vol. 2, 15.34.5).
 */
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "../lib/need.h"

#define PAGE	4096
#define HIGH	(1ul << 52)

TEST(memory_above_47_bits_holds_what_is_written)
{
	unsigned char seen[PAGE], *p;
	unsigned int i;
	int64_t at;

	/* Only who asks for it gets such an address (Documentation/arch/x86/x86_64/5level-paging) */
	p = mmap((void *)HIGH, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_EQ((void *)HIGH, p);
	for (i = 0; i < PAGE; i++)
		p[i] = i ^ i >> 8;
	for (i = 0; i < PAGE; i++)
		ASSERT_EQ((unsigned char)(i ^ i >> 8), p[i]);
	if (!machine_present())
		return;
	at = machine_translate(p);
	ASSERT_GT(at, 0);
	ASSERT_EQ(0, machine_host_read(at & ~COCO_GPA_PRIVATE, seen, sizeof(seen)));
	EXPECT_EQ(machine_personality() == COCO_NONE, !memcmp(seen, p, PAGE));
}

TEST_HARNESS_MAIN
