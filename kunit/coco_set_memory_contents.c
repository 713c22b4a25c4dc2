// SPDX-License-Identifier: GPL-2.0
/*
 * set_memory_decrypted() and set_memory_encrypted(): what guest and host read of a page
 * before and after.
 *
 * Path:        set_memory_decrypted(), set_memory_encrypted() -> __set_memory_enc_pgtable()
 * Upstream:    dc3f3d2474b8 ("x86/mm: Validate memory when changing the C-bit"),
 *              7dbde7631629 ("x86/mm/cpa: Add support for TDX shared memory")
 * Without it:  a secret is left for the host to read, or what the host left is taken for
 *              the guest's own.
 *
 *			contents of the page afterwards
 *	SEV, SEV-ES	the same bytes under the other key
 *	SEV-SNP		not those of before
 *	TDX		zeros once accepted
 *
 * (APM vol. 2, 15.34, 15.36; TDX module base specification, secure EPT.)
 */
#include <linux/mm.h>
#include <asm/set_memory.h>
#include "lib/block.h"
#include "lib/coco_kunit.h"
#include "lib/pages.h"

static void secret_is_never_readable_by_the_host(struct kunit *test);
static void secret_does_not_become_shared(struct kunit *test);
static void shared_page_is_read_and_written_by_both(struct kunit *test);
static void shared_bytes_do_not_become_private(struct kunit *test);
static void accepted_page_is_zero(struct kunit *test);
static void page_under_its_own_key_again_is_as_before(struct kunit *test);

static struct kunit_case set_memory_contents_cases[] = {
	KUNIT_CASE(secret_is_never_readable_by_the_host),
	KUNIT_CASE(secret_does_not_become_shared),
	KUNIT_CASE(shared_page_is_read_and_written_by_both),
	KUNIT_CASE(shared_bytes_do_not_become_private),
	KUNIT_CASE(accepted_page_is_zero),
	KUNIT_CASE(page_under_its_own_key_again_is_as_before),
	{}
};

#define SECRET		0x5ec2e7ull
#define DATA		0xda7aull

static void secret_is_never_readable_by_the_host(struct kunit *test)
{
	COCO_NEEDS_MACHINE(test);
	coco_block_get(test, COCO_CONFIDENTIAL);
	coco_fill_page(coco_page(5), SECRET);
	KUNIT_EXPECT_EQ(test, coco_host_filled(coco_gpa(coco_page(5)), SECRET), 0);
	coco_decrypt(test, 5, 1);
	KUNIT_EXPECT_EQ(test, coco_host_filled(coco_gpa(coco_page(5)), SECRET), 0);
	memset(coco_page(5), 0, PAGE_SIZE);
	coco_encrypt(test, 5, 1);
	coco_fill_page(coco_page(5), SECRET);
	KUNIT_EXPECT_EQ(test, coco_page_filled(coco_page(5), SECRET), (unsigned int)COCO_WORDS);
	KUNIT_EXPECT_EQ(test, coco_host_filled(coco_gpa(coco_page(5)), SECRET), 0);
}

/* Neither for the guest itself */
static void secret_does_not_become_shared(struct kunit *test)
{
	coco_block_get(test, COCO_CONFIDENTIAL);
	coco_fill_page(coco_page(5), SECRET);
	coco_decrypt(test, 5, 1);
	KUNIT_EXPECT_EQ(test, coco_page_filled(coco_page(5), SECRET), 0u);
}

static void shared_page_is_read_and_written_by_both(struct kunit *test)
{
	static u64 bytes[COCO_WORDS];
	u64 gpa;

	COCO_NEEDS_MACHINE(test);
	coco_block_get(test, COCO_CONFIDENTIAL);
	gpa = coco_gpa(coco_page(5));
	coco_decrypt(test, 5, 1);
	coco_fill_page(coco_page(5), DATA);
	KUNIT_EXPECT_EQ(test, coco_host_filled(gpa, DATA), (int)COCO_WORDS);
	coco_fill_page(bytes, DATA + 1);
	KUNIT_EXPECT_EQ(test, coco_host_write(gpa, bytes, PAGE_SIZE), (s64)0);
	KUNIT_EXPECT_EQ(test, coco_page_filled(coco_page(5), DATA + 1), (unsigned int)COCO_WORDS);
}

static void shared_bytes_do_not_become_private(struct kunit *test)
{
	coco_block_get(test, COCO_CONFIDENTIAL);
	coco_decrypt(test, 5, 1);
	coco_fill_page(coco_page(5), DATA);
	coco_encrypt(test, 5, 1);
	KUNIT_EXPECT_EQ(test, coco_page_filled(coco_page(5), DATA), 0u);
}

/* TDX module ABI, TDG.MEM.PAGE.ACCEPT: "initialize it to 0" */
static void accepted_page_is_zero(struct kunit *test)
{
	coco_block_get(test, COCO_ONLY(COCO_TDX));
	coco_fill_page(coco_page(5), SECRET);
	coco_decrypt(test, 5, 1);
	coco_fill_page(coco_page(5), DATA);
	coco_encrypt(test, 5, 1);
	KUNIT_EXPECT_NULL(test, memchr_inv(coco_page(5), 0, PAGE_SIZE));
}

/* The C-bit picks a key, and changes no memory (APM vol. 2, 15.34.5) */
static void page_under_its_own_key_again_is_as_before(struct kunit *test)
{
	coco_block_get(test, COCO_ONLY(COCO_SEV) | COCO_ONLY(COCO_SEV_ES));
	coco_fill_page(coco_page(5), SECRET);
	coco_decrypt(test, 5, 1);
	KUNIT_EXPECT_EQ(test, coco_page_filled(coco_page(5), SECRET), 0u);
	coco_encrypt(test, 5, 1);
	KUNIT_EXPECT_EQ(test, coco_page_filled(coco_page(5), SECRET), (unsigned int)COCO_WORDS);
}

static struct kunit_suite set_memory_contents_suite = {
	.name = "set_memory_contents",
	.init = coco_case_begin,
	.exit = coco_block_end,
	.test_cases = set_memory_contents_cases,
};
kunit_test_suite(set_memory_contents_suite);

MODULE_DESCRIPTION("set_memory_decrypted(), set_memory_encrypted(): contents");
MODULE_LICENSE("GPL");
