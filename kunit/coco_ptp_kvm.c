// SPDX-License-Identifier: GPL-2.0
/*
 * The page into which a host writes its clock and the TSC at one moment (ptp_kvm).
 *
 * Path:        kvm_arch_ptp_init() -> set_memory_decrypted() -> KVM_HC_CLOCK_PAIRING;
 *              kvm_arch_ptp_exit() -> set_memory_encrypted()
 * Upstream:    6365ba64b4db ("ptp: kvm: Use decrypted memory in confidential guest on x86")
 * Without it:  the host cannot write that page, or writes under its own key; and a page that
 *              may be shared goes back to the allocator.
 *
 * The driver's functions are called where they are, since it has no device that could be
 * bound again.
 */
#include <linux/mm.h>
#include <linux/timekeeping.h>
#include <asm/set_memory.h>
#include "lib/coco_kunit.h"
#include "lib/override.h"
#include "lib/pages.h"
#include "lib/symbol.h"

static void host_writes_its_clock(struct kunit *test);
static void page_that_is_not_decrypted_is_kept(struct kunit *test);
static void page_that_is_not_encrypted_again_is_kept(struct kunit *test);

static struct kunit_case ptp_kvm_cases[] = {
	KUNIT_CASE(host_writes_its_clock),
	KUNIT_CASE(page_that_is_not_decrypted_is_kept),
	KUNIT_CASE(page_that_is_not_encrypted_again_is_kept),
	{}
};

#define MOST_APART	(24 * 60 * 60)	/* seconds, between the host's clock and the guest's */

typedef int (*init_fn)(void);
typedef int (*clock_fn)(struct timespec64 *time);
typedef void (*exit_fn)(void);

static init_fn driver_init;
static exit_fn driver_exit;
static clock_fn driver_clock;

static void need_driver(struct kunit *test)
{
	driver_init = coco_symbol("kvm_arch_ptp_init");
	driver_clock = coco_symbol("kvm_arch_ptp_get_clock");
	driver_exit = coco_symbol("kvm_arch_ptp_exit");
	if (!driver_init || !driver_clock || !driver_exit)
		kunit_skip(test, "ptp_kvm is not loaded, or has no exit of its own");
}

static void __nocfi host_writes_its_clock(struct kunit *test)
{
	struct timespec64 time = { 0 };
	s64 apart;

	need_driver(test);
	KUNIT_ASSERT_EQ(test, driver_clock(&time), 0);
	apart = time.tv_sec - ktime_get_real_seconds();
	KUNIT_EXPECT_LT(test, abs(apart), (s64)MOST_APART);
}

/* set_memory_decrypted() fails by a kprobe: SEV asks no host, and an SNP guest would end */
static void __nocfi page_that_is_not_decrypted_is_kept(struct kunit *test)
{
	struct coco_override decrypt = { .function = "set_memory_decrypted" };
	struct page *page;
	int error, users;

	COCO_NEEDS(test, COCO_ANY_SEV);
	need_driver(test);
	KUNIT_ASSERT_EQ(test, coco_override_begin(&decrypt), 0);
	error = driver_init();
	coco_override_end(&decrypt);
	KUNIT_ASSERT_EQ(test, decrypt.ncalls, 1u);
	page = virt_to_page((void *)decrypt.calls[0].arg[0]);
	users = page_count(page);
	KUNIT_EXPECT_LT(test, error, 0);
	/* For the driver, which has no page now */
	KUNIT_EXPECT_EQ(test, driver_init(), 0);
	KUNIT_EXPECT_EQ_MSG(test, users, 1, "the page went back to the allocator");
	/* It is as private as ever, since nothing was really done to it */
	if (users == 1)
		__free_page(page);
}

/* A reference of ours keeps a shared page out of others' hands, whatever the driver does */
static void __nocfi page_that_is_not_encrypted_again_is_kept(struct kunit *test)
{
	struct coco_override watch = { .function = "set_memory_decrypted", .watch = true };
	struct coco_override encrypt = { .function = "set_memory_encrypted" };
	struct page *page;
	int users;

	COCO_NEEDS(test, COCO_ANY_SEV);
	need_driver(test);
	driver_exit();
	KUNIT_ASSERT_EQ(test, coco_override_begin(&watch), 0);
	KUNIT_EXPECT_EQ(test, driver_init(), 0);
	coco_override_end(&watch);
	KUNIT_ASSERT_EQ(test, watch.ncalls, 1u);
	page = virt_to_page((void *)watch.calls[0].arg[0]);
	get_page(page);
	KUNIT_EXPECT_EQ(test, coco_override_begin(&encrypt), 0);
	driver_exit();
	coco_override_end(&encrypt);
	KUNIT_EXPECT_EQ(test, encrypt.ncalls, 1u);
	users = page_count(page);
	KUNIT_EXPECT_EQ_MSG(test, users, 2, "the shared page went back to the allocator");
	KUNIT_EXPECT_EQ(test, set_memory_encrypted((unsigned long)page_address(page), 1), 0);
	while (users--)
		put_page(page);
	KUNIT_EXPECT_EQ(test, driver_init(), 0);
}

static struct kunit_suite ptp_kvm_suite = {
	.name = "ptp_kvm",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = ptp_kvm_cases,
};
kunit_test_suite(ptp_kvm_suite);

COCO_INJECTS_FAULTS;
MODULE_DESCRIPTION("The page into which a host writes its clock (ptp_kvm)");
MODULE_LICENSE("GPL");
