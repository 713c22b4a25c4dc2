// SPDX-License-Identifier: GPL-2.0
/*
 * A guest below VMPL 0: what the kernel has the SVSM do, and how it asks for it.
 *
 * Path:        set_memory_encrypted() -> pvalidate_pages() -> svsm_pval_pages() ->
 *              svsm_perform_call_protocol() -> calling area, GHCB run VMPL
 *              RDMSR of SVSM_CAA, CPUID 8000_001F -> #VC
 * Upstream:    fcd042e86422 ("x86/sev: Perform PVALIDATE using the SVSM when not at VMPL0"),
 *              3ee9cebd0a5e ("x86/sev: Ensure SVSM reserved fields in a page validation entry are
 *              initialized to zero"),
 *              1beb348d5c7f ("x86/sev: Provide SVSM discovery support")
 * Without it:  PVALIDATE ends the guest; or an SVSM that gives the reserved bits a meaning
 *              does something else to a page than was asked for.
 *
 * The SVSM executes PVALIDATE itself: the machine shows it as it shows the guest's.
 */
#include <linux/mm.h>
#include <linux/set_memory.h>
#include <linux/smp.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/sev.h>
#include "lib/block.h"
#include "lib/coco_kunit.h"
#include "lib/pages.h"

static void each_page_is_validated_by_the_svsm(struct kunit *test);
static void svsm_that_is_not_done_is_called_again(struct kunit *test);
static void large_page_of_small_entries_is_validated_in_small_pages(struct kunit *test);
static void msr_is_the_address_of_the_calling_area(struct kunit *test);
static void msr_is_not_written(struct kunit *test);
static void cpuid_tells_of_the_svsm(struct kunit *test);
static void each_vcpu_has_its_own_calling_area(struct kunit *test);
/* Of an entry of 4K, of 2M, and of those that stand for one of 2M */
static void reserved_bits_are_zero_behind_another_call(struct kunit *test);
static void reserved_bits_of_a_large_page_are_zero_behind_another_call(struct kunit *test);
/* The host says that it has: the call is pending all the same */
static void svsm_that_is_not_run_ends_the_guest(struct kunit *test);

static struct kunit_case svsm_cases[] = {
	KUNIT_CASE(each_page_is_validated_by_the_svsm),
	KUNIT_CASE(svsm_that_is_not_done_is_called_again),
	KUNIT_CASE(large_page_of_small_entries_is_validated_in_small_pages),
	KUNIT_CASE(msr_is_the_address_of_the_calling_area),
	KUNIT_CASE(msr_is_not_written),
	KUNIT_CASE(cpuid_tells_of_the_svsm),
	KUNIT_CASE(each_vcpu_has_its_own_calling_area),
	KUNIT_CASE(reserved_bits_are_zero_behind_another_call),
	KUNIT_CASE(reserved_bits_of_a_large_page_are_zero_behind_another_call),
	KUNIT_CASE(svsm_that_is_not_run_ends_the_guest),
	{}
};

/* Behind the first page of the block: nothing there is a large page to a request */
#define FIRST		1
#define PAGES		8

/* SVSM specification 58019: calls of the core protocol, results, the MSR, the bit of CPUID */
#define CORE_PVALIDATE		1
#define SVSM_INCOMPLETE		0x80000000ull
#define SVSM_BUSY		0x80000007ull
#define MSR_SVSM_CAA		0xc001f000
#define CPUID_EAX_SVSM		BIT(28)
/* GHCB specification 56421, SNP Run VMPL */
#define NAE_RUN_VMPL		0x80000018
/* APM vol. 3, PVALIDATE: EAX 6 is FAIL_SIZEMISMATCH; the event's info1 of a large page */
#define FAIL_SIZEMISMATCH	6
#define VALIDATES_2M		(1 | 1 << 8)

static void need_svsm(struct kunit *test)
{
	COCO_NEEDS(test, COCO_ONLY(COCO_SEV_SNP));
	COCO_NEEDS_MACHINE(test);
	if (!snp_vmpl)
		kunit_skip(test, "this guest is at VMPL 0: there is no SVSM");
}

static u64 validation_calls(void)
{
	return coco_count(COCO_EV_SVSM, CORE_PVALIDATE);
}

static void need_svsm_and_block(struct kunit *test)
{
	need_svsm(test);
	coco_block_get(test, COCO_ONLY(COCO_SEV_SNP));
}

/* There and back; each page changed and validated once */
static void convert(struct kunit *test, unsigned int n)
{
	u64 first = coco_event_next();
	struct coco_log *log;
	unsigned int i, right = 0;

	coco_decrypt(test, FIRST, n);
	coco_encrypt(test, FIRST, n);
	log = coco_log(test, first, __pa(coco_page(FIRST)), n);
	for (i = 0; i < n; i++) {
		const struct coco_page_log *page = &log->page[i];

		right += page->to_shared == 1 && page->to_private == 1 && page->rescinded == 1 &&
			 page->validated == 1;
	}
	KUNIT_EXPECT_FALSE(test, log->lost);
	KUNIT_EXPECT_EQ(test, right, n);
}

static void each_page_is_validated_by_the_svsm(struct kunit *test)
{
	u64 calls;

	need_svsm_and_block(test);
	calls = validation_calls();
	convert(test, PAGES);
	/* One list there and one back */
	KUNIT_EXPECT_EQ(test, validation_calls() - calls, (u64)2);
}

static void svsm_that_is_not_done_is_called_again(struct kunit *test)
{
	const u64 results[] = { SVSM_INCOMPLETE, SVSM_BUSY };
	unsigned int i;
	u64 calls;

	need_svsm_and_block(test);
	for (i = 0; i < ARRAY_SIZE(results); i++) {
		const struct coco_rule not_done = {
			.kind = COCO_EV_SVSM, .action = COCO_REPLY, .code = CORE_PVALIDATE,
			.count = 3, .reply_mask = BIT(0), .reply = { results[i] },
		};

		calls = validation_calls();
		KUNIT_ASSERT_GT(test, coco_rule_add(&not_done), (s64)0);
		convert(test, PAGES);
		KUNIT_EXPECT_EQ(test, validation_calls() - calls, (u64)5);
	}
}

/* 2M at its own boundary: one entry, until the processor says that the RMP has smaller ones */
static void convert_large(struct kunit *test)
{
	unsigned int i, validated = 0;
	const struct coco_rule small_entries = {
		.kind = COCO_EV_PVALIDATE, .action = COCO_REPLY, .code = __pa(coco_page(0)), .count = 1,
		.info1 = VALIDATES_2M, .info1_mask = ~0ull,
		.reply_mask = BIT(0), .reply = { FAIL_SIZEMISMATCH },
	};
	s64 rule;

	coco_decrypt(test, 0, COCO_PAGES_IN_2M);
	rule = coco_rule_add(&small_entries);
	KUNIT_EXPECT_GT(test, rule, (s64)0);
	coco_encrypt(test, 0, COCO_PAGES_IN_2M);
	KUNIT_EXPECT_EQ(test, coco_rule_hits(rule), (u64)1);
	for (i = 0; i < COCO_PAGES_IN_2M; i++)
		validated += coco_state_is(coco_page(i), true);
	KUNIT_EXPECT_EQ(test, validated, COCO_PAGES_IN_2M);
}

static void large_page_of_small_entries_is_validated_in_small_pages(struct kunit *test)
{
	need_svsm_and_block(test);
	convert_large(test);
}

/* Addresses and sizes that lie where the entries of a later list have their reserved bits */
static void leave_junk(void *unused)
{
	const struct svsm_loc_entry junk = { .pa = 0xff0, .len = 0xff0 };
	struct svsm_attest_call attest = {
		.report_buf = junk, .nonce = junk, .manifest_buf = junk, .certificates_buf = junk,
	};
	struct svsm_call call = { 0 };

	snp_issue_svsm_attest_req(1ull << 32, &call, &attest);
}

/* A call of another protocol, by the same calling area: refused, as no buffer is aligned */
static void call_for_a_report(void)
{
	on_each_cpu(leave_junk, NULL, 1);
}

static void reserved_bits_are_zero_behind_another_call(struct kunit *test)
{
	u64 breaches;

	need_svsm_and_block(test);
	call_for_a_report();
	breaches = coco_breaches();
	convert(test, PAGES);
	KUNIT_EXPECT_EQ(test, coco_breaches() - breaches, (u64)0);
}

static void reserved_bits_of_a_large_page_are_zero_behind_another_call(struct kunit *test)
{
	u64 breaches;

	need_svsm_and_block(test);
	call_for_a_report();
	breaches = coco_breaches();
	convert_large(test);
	KUNIT_EXPECT_EQ(test, coco_breaches() - breaches, (u64)0);
}

static void read_msr(void *value)
{
	u32 low, high;

	*(u64 *)value = rdmsr_safe(MSR_SVSM_CAA, &low, &high) ? 0 : (u64)high << 32 | low;
}

/* The list of the last call, whichever CPU it came from, is in one of them */
static void msr_is_the_address_of_the_calling_area(struct kunit *test)
{
	u64 first, seq, area = 0, list = 0;
	struct coco_event event;
	unsigned int cpu, found = 0;

	need_svsm_and_block(test);
	first = coco_event_next();
	convert(test, 1);
	for (seq = first; !coco_event(seq, &event); seq++)
		if (event.kind == COCO_EV_SVSM && event.code == CORE_PVALIDATE)
			list = event.info1;
	for_each_online_cpu(cpu) {
		smp_call_function_single(cpu, read_msr, &area, 1);
		found += area && area == (list & PAGE_MASK);
	}
	KUNIT_EXPECT_EQ(test, found, 1u);
}

static void msr_is_not_written(struct kunit *test)
{
	u64 before, after;

	need_svsm(test);
	preempt_disable();
	read_msr(&before);
	wrmsr_safe(MSR_SVSM_CAA, 0, 0);
	read_msr(&after);
	preempt_enable();
	KUNIT_EXPECT_NE(test, before, (u64)0);
	KUNIT_EXPECT_EQ(test, before, after);
}

static void cpuid_tells_of_the_svsm(struct kunit *test)
{
	u32 eax, ebx;

	need_svsm(test);
	coco_cpuid_sev(&eax, &ebx);
	KUNIT_EXPECT_TRUE(test, eax & CPUID_EAX_SVSM);
}

static void each_vcpu_has_its_own_calling_area(struct kunit *test)
{
	u64 area = 0, other = 0;
	unsigned int cpu;

	need_svsm(test);
	COCO_NEEDS_TWO_CPUS(test);
	for_each_online_cpu(cpu) {
		other = area;
		smp_call_function_single(cpu, read_msr, &area, 1);
		KUNIT_EXPECT_NE(test, area, (u64)0);
		KUNIT_EXPECT_NE(test, area, other);
	}
}

static void svsm_that_is_not_run_ends_the_guest(struct kunit *test)
{
	const struct coco_rule nothing = {
		.kind = COCO_EV_GHCB, .action = COCO_REPLY, .code = NAE_RUN_VMPL,
		.reply_mask = BIT(0) | BIT(1),
	};

	need_svsm_and_block(test);
	KUNIT_ASSERT_EQ(test, coco_expect(COCO_END_TERMINATE, TERMINATE_PVALIDATE, ~0ull), (s64)0);
	KUNIT_ASSERT_GT(test, coco_rule_add(&nothing), (s64)0);
	set_memory_decrypted(coco_address(FIRST), PAGES);
	coco_expect(0, 0, 0);
	KUNIT_FAIL(test, "the guest takes its pages for validated");
}

static struct kunit_suite svsm_suite = {
	.name = "svsm",
	.init = coco_case_begin,
	.exit = coco_block_end,
	.test_cases = svsm_cases,
};
kunit_test_suite(svsm_suite);

MODULE_DESCRIPTION("A guest below VMPL 0: what the kernel has the SVSM do");
MODULE_LICENSE("GPL");
COCO_INJECTS_FAULTS;
