// SPDX-License-Identifier: GPL-2.0
/*
 * Pages for messages and for the host's certificates that cannot be converted never go back
 * to the allocator: nobody knows whether they are private or shared.
 *
 * Path:        ioctl(SNP_GET_EXT_REPORT) -> get_ext_report() -> set_memory_decrypted(), later
 *              set_memory_encrypted()
 *              sev_guest_probe() -> alloc_shared_pages(), sev_guest_remove() ->
 *              free_shared_pages(): the same for the pages that messages go through
 * Upstream:    fd948c3f96b1 ("virt: sev-guest: Explicitly leak pages in unknown state")
 *              CVE-2026-64104
 * Without it:  the next user of such a page writes its secrets where the host reads them, or
 *              is stopped by an access that the page's state does not allow.
 *
 * An SNP guest whose page state change is refused ends at once, so set_memory_*() is made to
 * fail by a kprobe (lib/override.h).  The ioctl and the driver's coming and going are user
 * space's: programs of the selftests do that meanwhile, and what they say of it is no matter here.
 */
#include <linux/mm.h>
#include <asm/set_memory.h>
#include "lib/coco_kunit.h"
#include "lib/override.h"
#include "lib/pages.h"
#include "lib/program.h"

static void certificates_that_are_not_decrypted_are_kept(struct kunit *test);
static void certificates_that_are_not_encrypted_again_are_kept(struct kunit *test);
static void message_pages_that_are_not_encrypted_again_are_kept(struct kunit *test);
/* Alone in its guest: it leaves no driver */
static void message_pages_that_are_not_decrypted_are_kept(struct kunit *test);

static struct kunit_case sev_guest_fail_cases[] = {
	KUNIT_CASE(certificates_that_are_not_decrypted_are_kept),
	KUNIT_CASE(certificates_that_are_not_encrypted_again_are_kept),
	KUNIT_CASE(message_pages_that_are_not_encrypted_again_are_kept),
	KUNIT_CASE(message_pages_that_are_not_decrypted_are_kept),
	{}
};

#define KEPT	2	/* by whoever allocated it, and by struct coco_override */

static struct coco_override decrypt = { .function = "set_memory_decrypted", .hold = true };
static struct coco_override encrypt = { .function = "set_memory_encrypted", .hold = true };

/* A case of a program while one of the two fails; how often it did */
static unsigned int run_while_failing(struct kunit *test, struct coco_override *o,
				      char *program, char *name)
{
	int status;

	COCO_NEEDS(test, COCO_ONLY(COCO_SEV_SNP));
	COCO_NEEDS_MACHINE(test);
	KUNIT_ASSERT_EQ(test, coco_override_begin(o), 0);
	status = coco_run_program(program, name);
	coco_override_end(o);
	KUNIT_ASSERT_GE(test, status, 0);
	return o->ncalls;
}

/* An extended report; where its certificates were to be */
static unsigned long report_while_failing(struct kunit *test, struct coco_override *o)
{
	if (!run_while_failing(test, o, "/coco/selftests/sev_guest_user",
			       "extended_report_has_report_and_certificates"))
		kunit_skip(test, "this driver shares its pages once, when it is loaded");
	KUNIT_EXPECT_EQ(test, o->calls[0].arg[1], 2ul);
	return o->calls[0].arg[0];
}

/*
 * The driver goes and comes; where its first page for messages was, or was to be.  Each is one;
 * drivers that share pages for certificates, too, have more of those.
 */
static unsigned long reload_while_failing(struct kunit *test, struct coco_override *o)
{
	unsigned int i = 0;

	if (!run_while_failing(test, o, "/coco/selftests/sev_guest_keys",
			       "driver_loaded_again_goes_on_counting"))
		kunit_skip(test, "the driver is not there, or built in");
	while (i < o->ncalls && i < COCO_OVERRIDE_CALLS && o->calls[i].arg[1] != 1)
		i++;
	KUNIT_ASSERT_LT(test, i, min_t(unsigned int, o->ncalls, COCO_OVERRIDE_CALLS));
	return o->calls[i].arg[0];
}

static void certificates_that_are_not_decrypted_are_kept(struct kunit *test)
{
	unsigned long address = report_while_failing(test, &decrypt);

	KUNIT_EXPECT_EQ_MSG(test, coco_page_users(address), KEPT, "pages went back to the allocator");
}

static void certificates_that_are_not_encrypted_again_are_kept(struct kunit *test)
{
	unsigned long address = report_while_failing(test, &encrypt);

	KUNIT_EXPECT_EQ_MSG(test, coco_page_users(address), KEPT, "pages went back to the allocator");
}

static void message_pages_that_are_not_encrypted_again_are_kept(struct kunit *test)
{
	unsigned long address = reload_while_failing(test, &encrypt);

	KUNIT_EXPECT_EQ_MSG(test, coco_page_users(address), KEPT, "pages went back to the allocator");
}

static void message_pages_that_are_not_decrypted_are_kept(struct kunit *test)
{
	unsigned long address = reload_while_failing(test, &decrypt);

	KUNIT_EXPECT_EQ_MSG(test, coco_page_users(address), KEPT, "pages went back to the allocator");
}

static struct kunit_suite sev_guest_fail_suite = {
	.name = "sev_guest_fail",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = sev_guest_fail_cases,
};
kunit_test_suite(sev_guest_fail_suite);

MODULE_DESCRIPTION("Pages for messages and certificates that cannot be converted stay out of the allocator");
MODULE_LICENSE("GPL");
COCO_INJECTS_FAULTS;
