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
#define PARTS_PAGES	(2 * MIB / MACHINE_PAGE)
#define ACCEPTED	(COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED)
/* GHCB specification 56421, 2.3.1: SNP Page State Change Request of the MSR protocol */
#define MSR_PAGE_STATE	0x14
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

/* A GHCB page would be shared memory of the stub's (start_efi_unaccepted) */
TEST(parts_of_units_are_accepted_without_a_ghcb)
{
	NEED_SUITE();
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP, "sev-snp");
	EXPECT_GE(machine_count(COCO_EV_MSRPROTO, MSR_PAGE_STATE), PARTS_PAGES);
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
