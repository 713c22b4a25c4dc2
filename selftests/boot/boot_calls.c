// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel asked its host for on the way up, and what it did without the host.
 *
 * Path:        sev_es_setup_ap_jump_table() -> get_jump_table_addr() -> secrets page, or GHCB,
 *              AP jump table
 *              dmi_setup(), probe_roms() -> pages below 1 MiB
 * Upstream:    0afb6b660a6b ("x86/sev: Use SEV-SNP AP creation to start secondary CPUs"),
 *              c2106a231c2b ("x86/sev: Get the AP jump table address from secrets page"),
 *              0f4a1e80989a ("x86/sev: Skip ROM range scans and validation for SEV-SNP guests")
 * Without it:  an SEV-SNP guest takes the host's word for where its other CPUs start, though
 *              its firmware has told it; or it looks for tables in pages that it has not
 *              validated so far, and ends.
 *
 * The machine counts exits from the guest's first instruction on.
 */
#include "kselftest_harness.h"
#include "../lib/need.h"

/* GHCB specification 56421, table 6 */
#define AP_JUMP_TABLE	0x80000005

/* Option ROMs and BIOS */
#define ROM_START	0xc0000
#define ROM_END		0x100000

TEST(ap_jump_table_is_asked_for_once_in_sev_es)
{
	NEED_TECHNOLOGY(1u << COCO_SEV_ES);
	NEED_MACHINE();
	/* Where it is, and no address to be set: the machine has a table */
	EXPECT_EQ(1, machine_count(COCO_EV_GHCB, AP_JUMP_TABLE));
}

/* SNP firmware ABI 56860, 8.17, secrets page: the guest's own word */
TEST(ap_jump_table_is_in_the_secrets_page_in_sev_snp)
{
	NEED_TECHNOLOGY(1u << COCO_SEV_SNP);
	NEED_MACHINE();
	EXPECT_EQ(0, machine_count(COCO_EV_GHCB, AP_JUMP_TABLE));
}

/* Not RAM by e820, hence validated by nobody, and nothing that an SNP guest needs */
TEST(roms_are_left_alone_in_sev_snp)
{
	uint64_t gpa;

	NEED_TECHNOLOGY(1u << COCO_SEV_SNP);
	NEED_MACHINE();
	for (gpa = ROM_START; gpa < ROM_END; gpa += MACHINE_PAGE)
		EXPECT_EQ(0, machine_count(COCO_EV_PVALIDATE, gpa));
}

TEST_HARNESS_MAIN
