// SPDX-License-Identifier: GPL-2.0
/*
 * Everyone who tells which technology protects this guest tells the same.
 *
 * Path:        CPUID 8000_001F and 21H, MSR c001_0131 (SEV_STATUS), and what the
 *              kernel made of them at boot: sme_me_mask, cc_platform_has(),
 *              sev_active(), feature flags, the address bit in page tables
 * Upstream:    aa5a461171f9 ("x86/sev: Add an x86 version of cc_platform_has()"),
 *              009767dbf42a ("x86/sev: Check SME/SEV support in CPUID first")
 * Without it:  a kernel that takes itself for an ordinary guest leaves device
 *              buffers private, or one that takes itself for a protected one
 *              shares memory that nobody protects.
 *
 * The processor is the authority: coco_technology() asks nobody else.  A plain
 * guest must say "none" everywhere.
 */
#include <linux/mm.h>
#include <asm/cpufeature.h>
#include <asm/mem_encrypt.h>
#include <asm/msr.h>
#include "lib/coco_kunit.h"
#include "lib/symbol.h"

#ifdef CC_HAVE_CC_PLATFORM
#include <linux/cc_platform.h>
#endif
#ifdef CC_HAVE_MEM_ENCRYPT_ACTIVE
#include <linux/mem_encrypt.h>
#endif

#define ALL_BUT_NONE	(COCO_ANY_SEV | BIT(COCO_TDX))

/* The processor's own signs, and the machine's, agree */
static void processor_agrees_with_itself(struct kunit *test);
static void plain_guest_has_no_sev_status(struct kunit *test);
static void machine_says_the_same(struct kunit *test);
/* What the kernel made of them */
static void encryption_mask_is_the_c_bit(struct kunit *test);
static void feature_flags_agree(struct kunit *test);
static void cc_platform_has_agrees(struct kunit *test);
static void sev_active_agrees(struct kunit *test);
static void kernel_keeps_the_sev_status(struct kunit *test);
/* What page tables get from it */
static void decrypted_mapping_differs_in_one_bit(struct kunit *test);

static struct kunit_case technology_cases[] = {
	KUNIT_CASE(processor_agrees_with_itself),
	KUNIT_CASE(plain_guest_has_no_sev_status),
	KUNIT_CASE(machine_says_the_same),
	KUNIT_CASE(encryption_mask_is_the_c_bit),
	KUNIT_CASE(feature_flags_agree),
	KUNIT_CASE(cc_platform_has_agrees),
	KUNIT_CASE(sev_active_agrees),
	KUNIT_CASE(kernel_keeps_the_sev_status),
	KUNIT_CASE(decrypted_mapping_differs_in_one_bit),
	{}
};

struct flag_row {
	const char *name;
	unsigned int feature;
	unsigned long may;		/* technologies where the kernel may set it */
	unsigned long must;		/* ... and has to */
};

/* Guests of a host that hides SYSCFG or HWCR see the AMD flags cleared: "may" */
static const struct flag_row flag_rows[] = {
	{ "sme", X86_FEATURE_SME, COCO_ANY_SEV, 0 },
	{ "sev", X86_FEATURE_SEV, COCO_ANY_SEV, 0 },
#ifdef X86_FEATURE_SEV_ES
	{ "sev_es", X86_FEATURE_SEV_ES, COCO_ANY_SEV, 0 },
#endif
#ifdef X86_FEATURE_SEV_SNP
	{ "sev_snp", X86_FEATURE_SEV_SNP, COCO_ANY_SEV, 0 },
#endif
#ifdef X86_FEATURE_TDX_GUEST
	{ "tdx_guest", X86_FEATURE_TDX_GUEST, COCO_ONLY(COCO_TDX), COCO_ONLY(COCO_TDX) },
#endif
	{ "hypervisor", X86_FEATURE_HYPERVISOR, ~0ul, ALL_BUT_NONE },
};

#ifdef CC_HAVE_CC_PLATFORM
struct attribute_row {
	const char *name;
	enum cc_attr attribute;
	unsigned long where;		/* technologies that have it */
};

static const struct attribute_row attribute_rows[] = {
	{ "MEM_ENCRYPT", CC_ATTR_MEM_ENCRYPT, ALL_BUT_NONE },
	{ "HOST_MEM_ENCRYPT", CC_ATTR_HOST_MEM_ENCRYPT, 0 },
	{ "GUEST_MEM_ENCRYPT", CC_ATTR_GUEST_MEM_ENCRYPT, ALL_BUT_NONE },
	{ "GUEST_STATE_ENCRYPT", CC_ATTR_GUEST_STATE_ENCRYPT, COCO_ES_OR_SNP },
#ifdef CC_HAVE_CC_ATTR_GUEST_SEV_SNP
	{ "GUEST_SEV_SNP", CC_ATTR_GUEST_SEV_SNP, COCO_ONLY(COCO_SEV_SNP) },
#endif
};
#endif

static bool is_among(unsigned long technologies)
{
	return technologies & BIT(coco_technology());
}

/* SEV_STATUS, or 0 where there is no such MSR */
static u64 read_sev_status(int *error)
{
	u32 low = 0, high = 0;

	*error = rdmsr_safe(COCO_MSR_SEV_STATUS, &low, &high);
	return *error ? 0 : low | (u64)high << 32;
}

/* SNP needs ES, ES needs SEV, each with its CPUID bit; no guest has both vendors' technology */
static void processor_agrees_with_itself(struct kunit *test)
{
	u32 eax, ebx;
	u64 status;
	int error;

	coco_cpuid_sev(&eax, &ebx);
	if (coco_cpuid_is_tdx()) {
		KUNIT_EXPECT_EQ(test, eax & (u32)COCO_CPUID_EAX_SEV, 0u);
		return;
	}
	if (!(eax & COCO_CPUID_EAX_SEV)) {
		KUNIT_EXPECT_EQ(test, eax & (u32)(COCO_CPUID_EAX_ES | COCO_CPUID_EAX_SNP), 0u);
		return;
	}
	status = read_sev_status(&error);
	KUNIT_ASSERT_EQ_MSG(test, error, 0, "CPUID has SEV, but SEV_STATUS cannot be read");
	if (status & COCO_SEV_STATUS_SNP)
		KUNIT_EXPECT_EQ(test, status & COCO_SEV_STATUS_ES, (u64)COCO_SEV_STATUS_ES);
	if (status & COCO_SEV_STATUS_ES)
		KUNIT_EXPECT_EQ(test, status & COCO_SEV_STATUS_SEV, (u64)COCO_SEV_STATUS_SEV);
	if (status & COCO_SEV_STATUS_ES)
		KUNIT_EXPECT_EQ(test, eax & (u32)COCO_CPUID_EAX_ES, (u32)COCO_CPUID_EAX_ES);
	if (status & COCO_SEV_STATUS_SNP)
		KUNIT_EXPECT_EQ(test, eax & (u32)COCO_CPUID_EAX_SNP, (u32)COCO_CPUID_EAX_SNP);
}

/* APM vol. 2, 15.34.10: without SEV the MSR reads zero or does not exist */
static void plain_guest_has_no_sev_status(struct kunit *test)
{
	int error;

	COCO_NEEDS(test, COCO_ONLY(COCO_NONE));
	KUNIT_EXPECT_EQ(test, read_sev_status(&error), 0ull);
	KUNIT_EXPECT_FALSE(test, coco_cpuid_is_tdx());
}

static void machine_says_the_same(struct kunit *test)
{
	COCO_NEEDS_MACHINE(test);
	KUNIT_EXPECT_STREQ(test, coco_technology_name(coco_technology()),
			   coco_technology_name(coco_machine_personality()));
}

/* CPUID 8000_001F EBX[5:0] is the bit's position; TDX leaves AMD's mask alone */
static void encryption_mask_is_the_c_bit(struct kunit *test)
{
	u32 eax, ebx;
	u64 due = 0;

	coco_cpuid_sev(&eax, &ebx);
	if (is_among(COCO_ANY_SEV))
		due = BIT_ULL(ebx & COCO_CPUID_EBX_CBIT);
	KUNIT_EXPECT_EQ(test, (u64)sme_me_mask, due);
	if (due && coco_machine())
		KUNIT_EXPECT_EQ(test, due, BIT_ULL(coco_machine_cbit()));
}

static void feature_flags_agree(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flag_rows); i++) {
		const struct flag_row *row = &flag_rows[i];
		bool set = boot_cpu_has(row->feature);

		if (is_among(row->must))
			KUNIT_EXPECT_TRUE_MSG(test, set, "flag %s", row->name);
		if (!is_among(row->may))
			KUNIT_EXPECT_FALSE_MSG(test, set, "flag %s", row->name);
	}
}

static void cc_platform_has_agrees(struct kunit *test)
{
#ifdef CC_HAVE_CC_PLATFORM
	size_t i;

	for (i = 0; i < ARRAY_SIZE(attribute_rows); i++) {
		const struct attribute_row *row = &attribute_rows[i];

		KUNIT_EXPECT_EQ_MSG(test, cc_platform_has(row->attribute), is_among(row->where),
				    "CC_ATTR_%s", row->name);
	}
#else
	kunit_skip(test, "this kernel has no cc_platform_has()");
#endif
}

/* The interface before cc_platform_has() */
static void sev_active_agrees(struct kunit *test)
{
#ifdef CC_HAVE_SEV_ACTIVE
	KUNIT_EXPECT_EQ(test, sev_active(), is_among(COCO_ANY_SEV));
#ifdef CC_HAVE_MEM_ENCRYPT_ACTIVE
	KUNIT_EXPECT_EQ(test, mem_encrypt_active(), is_among(COCO_ANY_SEV));
#endif
#else
	kunit_skip(test, "this kernel has no sev_active()");
#endif
}

/*
 * The kernel's own copy decides which #VC path early code takes.  No interface
 * shows it: it is looked up in kallsyms.
 */
static void kernel_keeps_the_sev_status(struct kunit *test)
{
	u64 *status;
	bool *enabled;
	int error;

	COCO_NEEDS(test, COCO_ANY_SEV);
	status = coco_symbol("sev_status");
	/* All that a kernel without SEV-ES keeps of it */
	enabled = coco_symbol("sev_enabled");
	if (status)
		KUNIT_EXPECT_EQ(test, *status, read_sev_status(&error));
	else if (enabled)
		KUNIT_EXPECT_EQ(test, *enabled, (bool)(read_sev_status(&error) & COCO_SEV_STATUS_SEV));
	else
		kunit_skip(test, "no sev_status to be found (needs KPROBES and KALLSYMS_ALL)");
}

/* Set for private on AMD, set for shared on TDX, no bit at all in a plain guest */
static void decrypted_mapping_differs_in_one_bit(struct kunit *test)
{
	u64 encrypted = pgprot_val(PAGE_KERNEL);
	u64 decrypted = pgprot_val(pgprot_decrypted(PAGE_KERNEL));
	u64 difference = encrypted ^ decrypted;
	u32 eax, ebx;

	coco_cpuid_sev(&eax, &ebx);
	if (is_among(COCO_ANY_SEV)) {
		KUNIT_EXPECT_EQ(test, difference, BIT_ULL(ebx & COCO_CPUID_EBX_CBIT));
		KUNIT_EXPECT_EQ(test, decrypted & difference, 0ull);
	} else if (is_among(COCO_ONLY(COCO_TDX))) {
		KUNIT_EXPECT_EQ(test, hweight64(difference), 1ul);
		KUNIT_EXPECT_EQ(test, decrypted & difference, difference);
		if (coco_machine())
			KUNIT_EXPECT_EQ(test, difference, BIT_ULL(coco_machine_cbit()));
	} else {
		KUNIT_EXPECT_EQ(test, difference, 0ull);
	}
}

static struct kunit_suite technology_suite = {
	.name = "technology",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = technology_cases,
};
kunit_test_suite(technology_suite);

MODULE_DESCRIPTION("Which technology protects this guest: all who tell agree");
MODULE_LICENSE("GPL");
