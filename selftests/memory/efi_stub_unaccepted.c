// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel that was started as an EFI program, by firmware that left memory unaccepted.
 *
 * Path:        efi_stub_entry() -> allocate_e820() -> allocate_unaccepted_bitmap(),
 *              process_unaccepted_memory(); EFI configuration table -> accept_memory()
 * Upstream:    745e3ed85f71 ("efi/libstub: Implement support for unaccepted memory"),
 *              d54d610243a4 ("x86/boot/sev: Avoid shared GHCB page for early memory acceptance")
 * Without it:  the kernel touches what it has not accepted, or does not know that it has it.
 *
 * The stub's table is the only one: the machine makes none then.
 */

#include <stdlib.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "../lib/need.h"
#include "counter.h"

#define MIB		(1024 * 1024ul)
/* backports/expect/suites: what is no whole unit is the stub's to accept */
#define FIRST_PART	(193 * MIB)
#define LAST_PART	(894 * MIB)
#define ACCEPTED	(COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED)
/* Less than the guest has left unaccepted, more than it has accepted by then */
#define ENOUGH_KIB	(128 * 1024)
#define USED_KIB	(64 * 1024)
#define CHUNK		(16 * MIB)
#define MOST		64	/* chunks, of 1 GiB */

#define NEED_SUITE() do { \
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP | 1u << COCO_TDX); \
	NEED_MACHINE(); \
} while (0)

TEST(stub_has_made_the_table)
{
	char *log;

	NEED_SUITE();
	log = kernel_log();
	ASSERT_TRUE(log != NULL);
	EXPECT_TRUE(strstr(log, "by coco machine") != NULL);
	EXPECT_TRUE(strstr(log, " Unaccepted=0x") != NULL);
	free(log);
}

/* The last one may be a shared pool by now; the machine has seen it accepted in sev-snp */
TEST(parts_of_units_are_accepted)
{
	unsigned long at;

	NEED_SUITE();
	for (at = 0; at < MIB; at += MACHINE_PAGE) {
		EXPECT_EQ(machine_page_state(FIRST_PART + at) & ACCEPTED, ACCEPTED);
		if (machine_personality() == COCO_SEV_SNP)
			EXPECT_GE(machine_count(COCO_EV_PVALIDATE, LAST_PART + at), 1);
	}
}

TEST(most_of_it_waits_until_it_is_used)
{
	NEED_SUITE();
	EXPECT_GT(counter("/proc/meminfo", "Unaccepted:"), ENOUGH_KIB);
}

static void use(unsigned char *chunk, unsigned char seed)
{
	unsigned long i;

	for (i = 0; i < CHUNK; i += MACHINE_PAGE)
		chunk[i] = seed + (i >> 12);
}

static bool holds(const unsigned char *chunk, unsigned char seed)
{
	unsigned long i;

	for (i = 0; i < CHUNK; i += MACHINE_PAGE)
		if (chunk[i] != (unsigned char)(seed + (i >> 12)))
			return false;
	return true;
}

/* The allocator turns to unaccepted memory when the rest runs short */
TEST(it_can_be_used)
{
	unsigned char *chunks[MOST];
	int64_t start, left;
	unsigned int i, n;

	NEED_SUITE();
	start = counter("/proc/meminfo", "Unaccepted:");
	left = start;
	ASSERT_GT(start, USED_KIB);
	for (n = 0; n < MOST && start - left < USED_KIB; n++) {
		chunks[n] = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ASSERT_NE(chunks[n], MAP_FAILED);
		use(chunks[n], n);
		left = counter("/proc/meminfo", "Unaccepted:");
	}
	EXPECT_GE(start - left, USED_KIB);
	for (i = 0; i < n; i++)
		ASSERT_TRUE(holds(chunks[i], i));
}

TEST_HARNESS_MAIN
