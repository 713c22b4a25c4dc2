// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel that was started as an EFI program, by firmware that left memory unaccepted.
 *
 * Path:        efi_stub_entry() -> allocate_e820() -> allocate_unaccepted_bitmap(),
 *              process_unaccepted_memory(); EFI configuration table -> accept_memory()
 * Upstream:    745e3ed85f71 ("efi/libstub: Implement support for unaccepted memory")
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
/* Less than the guest has left unaccepted, more than it has accepted by then */
#define ENOUGH_KIB	(128 * 1024)
#define USED		(64 * MIB)

#define NEED_SUITE() do { \
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP | 1u << COCO_TDX, "sev-snp, tdx"); \
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

TEST(most_of_it_waits_until_it_is_used)
{
	NEED_SUITE();
	EXPECT_GT(counter("/proc/meminfo", "Unaccepted:"), ENOUGH_KIB);
}

TEST(it_can_be_used)
{
	unsigned long i;
	int64_t before;
	char *p;

	NEED_SUITE();
	before = counter("/proc/meminfo", "MemFree:");
	ASSERT_GT(before, 2 * (int64_t)(USED / 1024));
	p = mmap(NULL, USED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(p, MAP_FAILED);
	for (i = 0; i < USED; i += 4096)
		p[i] = i >> 12;
	for (i = 0; i < USED; i += 4096)
		ASSERT_EQ(p[i], (char)(i >> 12));
	munmap(p, USED);
}

TEST_HARNESS_MAIN
