// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID where the answer depends on what the guest has switched on.
 *
 * Path:        #VC, exit code CPUID (72h) -> vc_handle_cpuid() -> GHCB with XCR0; or the table of
 *              SEV-SNP -> snp_cpuid_postprocess(), which fills in OSXSAVE, OSPKE and the sizes of
 *              leaf 0xd
 * Upstream:    ee0bfa08a345 ("x86/compressed/64: Add support for SEV-SNP CPUID table in #VC
 *              handlers")
 * Without it:  a guest takes the state that XSAVE keeps to be smaller than it is, and loses what
 *              does not fit, or what lies behind it.
 *
 * CR4 and XCR0 are what a case makes them for the one instruction.  Linux itself uses no XSAVE in
 * the machine's SNP guests, but the table has leaf 0xd.  APM vol. 3, appendix E; vol. 2, 11.5.2.
 */
#include "lib/vc.h"

/* SEV-ES: the host has to know XCR0 (56421, section 4.1.1), and has no other way to */
static void host_is_told_xcr0(struct kunit *test);
static void host_is_told_the_reset_value_without_osxsave(struct kunit *test);
static void host_is_told_the_subleaf(struct kunit *test);
static void answer_of_one_register_ends_the_guest(struct kunit *test);
/* SEV-SNP */
static void osxsave_bit_follows_cr4(struct kunit *test);
static void ospke_bit_follows_cr4(struct kunit *test);
static void xsave_size_is_that_of_xcr0(struct kunit *test);
static void compacted_size_has_no_gaps(struct kunit *test);
static void compacted_size_counts_supervisor_state(struct kunit *test);
static void component_comes_from_the_table(struct kunit *test);
static void component_that_the_table_lacks_ends_the_guest(struct kunit *test);
static void host_that_tells_no_apic_id_ends_the_guest(struct kunit *test);
static void host_that_tells_one_register_ends_the_guest(struct kunit *test);

COCO_INSN_UP(do_cpuid, "cpuid")
COCO_INSN_UP(do_xsetbv, "xsetbv")
COCO_INSN_UP(do_wrmsr, "wrmsr")

/* The legacy area and the header, which are always there (APM vol. 2, 11.5.2) */
#define XSAVE_BASE	576ul
#define XCR0_X87	BIT(0)
#define XCR0_SSE	BIT(1)
#define XCR0_AVX	BIT(2)
#define XCR0_MPX	(BIT(3) | BIT(4))
#define XCR0_PKRU	BIT(9)
#define SUBLEAF_AVX	2
#define SUBLEAF_PKRU	9
#define SUBLEAF_CET_U	11
#define SUBLEAF_CET_S	12

struct state_case {
	const char *name;
	unsigned long xcr0;
};

static const struct state_case state_cases[] = {
	{ "x87", XCR0_X87 },
	{ "sse", XCR0_X87 | XCR0_SSE },
	{ "avx", XCR0_X87 | XCR0_SSE | XCR0_AVX },
	{ "pkru", XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_PKRU },
	{ "pkru_without_avx", XCR0_X87 | XCR0_SSE | XCR0_PKRU },
};
KUNIT_ARRAY_PARAM_DESC(state, state_cases, name);

/* Components that XSAVES keeps by what is set in XSS */
struct supervisor_case {
	const char *name;
	unsigned int first, last;
};

static const struct supervisor_case supervisor_cases[] = {
	{ "cet_u", SUBLEAF_CET_U, SUBLEAF_CET_U },
	{ "cet_s", SUBLEAF_CET_S, SUBLEAF_CET_S },
	{ "both", SUBLEAF_CET_U, SUBLEAF_CET_S },
};
KUNIT_ARRAY_PARAM_DESC(supervisor, supervisor_cases, name);

static struct kunit_case vc_cpuid_cases[] = {
	KUNIT_CASE_PARAM(host_is_told_xcr0, state_gen_params),
	KUNIT_CASE(host_is_told_the_reset_value_without_osxsave),
	KUNIT_CASE(host_is_told_the_subleaf),
	KUNIT_CASE(osxsave_bit_follows_cr4),
	KUNIT_CASE(ospke_bit_follows_cr4),
	KUNIT_CASE_PARAM(xsave_size_is_that_of_xcr0, state_gen_params),
	KUNIT_CASE_PARAM(compacted_size_has_no_gaps, state_gen_params),
	KUNIT_CASE_PARAM(compacted_size_counts_supervisor_state, supervisor_gen_params),
	KUNIT_CASE(component_comes_from_the_table),
	KUNIT_CASE(component_that_the_table_lacks_ends_the_guest),
	KUNIT_CASE(host_that_tells_no_apic_id_ends_the_guest),
	KUNIT_CASE(host_that_tells_one_register_ends_the_guest),
	KUNIT_CASE(answer_of_one_register_ends_the_guest),
	{}
};

#define CR4_OSXSAVE	BIT(18)
#define CR4_PKE		BIT(22)
#define CPUID_1_OSXSAVE	BIT(27)		/* ECX */
#define CPUID_7_OSPKE	BIT(4)		/* ECX */
#define COCO_MSR_XSS	0xda0
#define GHCB_XCR0	0x3e8		/* 56421, section 2.1: the layout of the page */

static unsigned long read_cr4_raw(void)
{
	unsigned long cr4;

	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	return cr4;
}

/* Not through the kernel: it would pin bits, and remember */
static void write_cr4_raw(unsigned long cr4)
{
	asm volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
}

static unsigned long read_xcr0(void)
{
	u32 low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

/* False: the processor has not all of these components */
static bool write_xcr0(unsigned long xcr0)
{
	struct coco_regs r = { .ax = xcr0 };

	do_xsetbv(&r);
	return r.trap == COCO_NO_TRAP;
}

struct setting {
	unsigned long cr4, cr4_mask;	/* bits in the mask are made so */
	unsigned long xcr0;		/* 0: as it is; OSXSAVE is on else */
};

/* CPUID in a window, with CR4 and XCR0 so; what the host finds for XCR0 then */
static struct coco_window *cpuid_with(struct kunit *test, struct coco_regs *r,
				      const struct setting *s, const struct coco_rule *rule,
				      u64 *told)
{
	struct coco_window *w = coco_window(test);
	unsigned long cr4, xcr0 = 0;
	u64 buffer = vc_buffer();
	bool there = true;

	coco_window_begin_scripted(w, rule);
	cr4 = read_cr4_raw();
	write_cr4_raw((cr4 & ~s->cr4_mask) | s->cr4);
	if (s->xcr0) {
		xcr0 = read_xcr0();
		there = write_xcr0(s->xcr0);
	}
	if (there)
		do_cpuid(r);
	if (told)
		coco_host_read(buffer - GHCB_BUFFER + GHCB_XCR0, told, sizeof(*told));
	if (s->xcr0)
		write_xcr0(xcr0);
	write_cr4_raw(cr4);
	coco_window_end(w);
	if (!there)
		kunit_skip(test, "this processor has no state components 0x%lx", s->xcr0);
	return w;
}

static struct coco_regs leaf(unsigned long nr, unsigned long subleaf)
{
	return (struct coco_regs){ .ax = nr, .bx = JUNK, .cx = subleaf, .dx = JUNK };
}

static void need_es_alone(struct kunit *test)
{
	COCO_NEEDS(test, COCO_ONLY(COCO_SEV_ES));
	need_es_and_machine(test);
	if (!boot_cpu_has(X86_FEATURE_XSAVE))
		kunit_skip(test, "the processor has no XSAVE");
}

static void need_snp(struct kunit *test)
{
	COCO_NEEDS(test, COCO_ONLY(COCO_SEV_SNP));
	need_es_and_machine(test);
}

static void host_is_told_xcr0(struct kunit *test)
{
	const struct state_case *c = test->param_value;
	const struct setting s = { CR4_OSXSAVE, CR4_OSXSAVE, c->xcr0 };
	struct coco_regs r = leaf(0xd, 0);
	struct coco_window *w;
	u64 told = 0;

	need_es_alone(test);
	w = cpuid_with(test, &r, &s, NULL, &told);
	expect_calls(test, w, EXIT_CPUID, 1, EXIT_CPUID, 1);
	expect_call(test, w, EXIT_CPUID, 0, 0, 0,
		    COCO_GHCB_RAX | COCO_GHCB_RCX | COCO_GHCB_XCR0);
	KUNIT_EXPECT_EQ(test, told, (u64)c->xcr0);
}

/* XGETBV would be #UD inside the handler */
static void host_is_told_the_reset_value_without_osxsave(struct kunit *test)
{
	const struct setting s = { 0, CR4_OSXSAVE, 0 };
	struct coco_regs r = leaf(0xd, 0);
	struct coco_window *w;
	u64 told = 0;

	need_es_alone(test);
	w = cpuid_with(test, &r, &s, NULL, &told);
	expect_calls(test, w, EXIT_CPUID, 1, EXIT_CPUID, 1);
	expect_call(test, w, EXIT_CPUID, 0, 0, 0, COCO_GHCB_XCR0);
	KUNIT_EXPECT_EQ(test, told, (u64)XCR0_X87);
}

/* Of a subleaf that a leaf has not the processor says zero (APM vol. 3, appendix E) */
static void host_is_told_the_subleaf(struct kunit *test)
{
	struct coco_regs first = leaf(7, 0), none = leaf(7, 0xff);

	COCO_NEEDS(test, COCO_ONLY(COCO_SEV_ES));
	need_es_and_machine(test);
	expect_calls(test, vc_run(test, do_cpuid, &first, NULL), EXIT_CPUID, 1, EXIT_CPUID, 1);
	KUNIT_EXPECT_NE(test, first.bx, 0ul);
	expect_calls(test, vc_run(test, do_cpuid, &none, NULL), EXIT_CPUID, 1, EXIT_CPUID, 1);
	KUNIT_EXPECT_EQ(test, none.bx, 0ul);
}

/* RCX of this leaf, with this bit of CR4 on and off; all else is the same */
static void expect_bit(struct kunit *test, struct coco_regs r, unsigned long cr4, unsigned long bit)
{
	const struct setting on = { cr4, cr4, 0 }, off = { 0, cr4, 0 };
	struct coco_regs with = r, without = r;

	need_snp(test);
	cpuid_with(test, &with, &on, NULL, NULL);
	cpuid_with(test, &without, &off, NULL, NULL);
	KUNIT_EXPECT_EQ(test, with.cx & bit, bit);
	KUNIT_EXPECT_EQ(test, without.cx & bit, 0ul);
	KUNIT_EXPECT_EQ(test, with.cx & ~bit, without.cx & ~bit);
	KUNIT_EXPECT_EQ(test, with.ax, without.ax);
	KUNIT_EXPECT_EQ(test, with.bx, without.bx);
	KUNIT_EXPECT_EQ(test, with.dx, without.dx);
}

static void osxsave_bit_follows_cr4(struct kunit *test)
{
	expect_bit(test, leaf(1, 0), CR4_OSXSAVE, CPUID_1_OSXSAVE);
}

static void ospke_bit_follows_cr4(struct kunit *test)
{
	expect_bit(test, leaf(7, 0), CR4_PKE, CPUID_7_OSPKE);
}

/* Size and offset of a component, as subleaf 2 and up have them */
static struct coco_regs component(struct kunit *test, unsigned int subleaf)
{
	struct coco_regs r = leaf(0xd, subleaf);

	vc_run(test, do_cpuid, &r, NULL);
	KUNIT_ASSERT_NE(test, r.ax, 0ul);
	return r;
}

/* EBX of leaf 0xd with this in XCR0; the host has no say in it */
static unsigned long size_with(struct kunit *test, unsigned int subleaf, unsigned long xcr0)
{
	const struct setting s = { CR4_OSXSAVE, CR4_OSXSAVE, xcr0 };
	struct coco_regs r = leaf(0xd, subleaf);
	struct coco_window *w = cpuid_with(test, &r, &s, NULL, NULL);

	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	expect_calls(test, w, EXIT_CPUID, 1, EXIT_CPUID, 0);
	return r.bx;
}

/* Each component at its place: the last one tells */
static void xsave_size_is_that_of_xcr0(struct kunit *test)
{
	const struct state_case *c = test->param_value;
	unsigned long size = XSAVE_BASE;
	struct coco_regs r;

	need_snp(test);
	if (c->xcr0 & XCR0_AVX) {
		r = component(test, SUBLEAF_AVX);
		size = max(size, r.ax + r.bx);
	}
	if (c->xcr0 & XCR0_PKRU) {
		r = component(test, SUBLEAF_PKRU);
		size = max(size, r.ax + r.bx);
	}
	KUNIT_EXPECT_EQ(test, size_with(test, 0, c->xcr0), size);
}

/* One behind the other, as XSAVEC stores them */
static void compacted_size_has_no_gaps(struct kunit *test)
{
	const struct state_case *c = test->param_value;
	unsigned long size = XSAVE_BASE;

	need_snp(test);
	if (c->xcr0 & XCR0_AVX)
		size += component(test, SUBLEAF_AVX).ax;
	if (c->xcr0 & XCR0_PKRU)
		size += component(test, SUBLEAF_PKRU).ax;
	KUNIT_EXPECT_EQ(test, size_with(test, 1, c->xcr0), size);
}

static bool write_xss(unsigned long xss)
{
	struct coco_regs r = { .ax = xss, .cx = COCO_MSR_XSS };

	do_wrmsr(&r);
	return r.trap == COCO_NO_TRAP;
}

/* Behind what XCR0 has, where XSAVES stores both */
static void compacted_size_counts_supervisor_state(struct kunit *test)
{
	const struct supervisor_case *c = test->param_value;
	unsigned long xss = 0, size = XSAVE_BASE, found;
	unsigned int i;

	need_snp(test);
	for (i = c->first; i <= c->last; i++) {
		xss |= BIT(i);
		size += component(test, i).ax;
	}
	/* Nobody saves state meanwhile: the guest is not to use XSAVE */
	if (!write_xss(xss))
		kunit_skip(test, "this processor has no supervisor state 0x%lx", xss);
	found = size_with(test, 1, XCR0_X87);
	KUNIT_EXPECT_TRUE(test, write_xss(0));
	KUNIT_EXPECT_EQ(test, found, size);
}

/* 256 bytes behind the header (APM vol. 2, 11.5.2); no fix-up, and no call to the host */
static void component_comes_from_the_table(struct kunit *test)
{
	struct coco_regs r = leaf(0xd, SUBLEAF_AVX);

	need_snp(test);
	expect_calls(test, vc_run(test, do_cpuid, &r, NULL), EXIT_CPUID, 1, EXIT_CPUID, 0);
	KUNIT_EXPECT_EQ(test, r.ax, 256ul);
	KUNIT_EXPECT_EQ(test, r.bx, XSAVE_BASE);
	KUNIT_EXPECT_EQ(test, r.cx, 0ul);
	KUNIT_EXPECT_EQ(test, r.dx, 0ul);
}

static void component_that_the_table_lacks_ends_the_guest(struct kunit *test)
{
	const struct setting s = { CR4_OSXSAVE, CR4_OSXSAVE, XCR0_X87 | XCR0_SSE | XCR0_MPX };
	struct coco_regs r = leaf(0xd, 0);

	need_snp(test);
	vc_expect_termination(test);
	cpuid_with(test, &r, &s, NULL, NULL);
	coco_expect(0, 0, 0);
	KUNIT_FAIL(test, "the guest goes on: its XSAVE area has 0x%lx bytes", r.bx);
}

/* Reason set 1 is Linux's own; of it 5: CPUID that the host should have told */
static void expect_end_for_want_of_cpuid(struct kunit *test, const struct coco_rule *answer)
{
	struct coco_regs r = leaf(1, 0);

	need_snp(test);
	KUNIT_ASSERT_EQ(test, coco_expect(COCO_END_TERMINATE, 0x105, 0xffff), (s64)0);
	vc_run(test, do_cpuid, &r, answer);
	coco_expect(0, 0, 0);
	KUNIT_FAIL(test, "the guest goes on: its APIC ID is 0x%lx", r.bx >> 24);
}

static void host_that_tells_no_apic_id_ends_the_guest(struct kunit *test)
{
	expect_end_for_want_of_cpuid(test, HOST_ANSWERS_INFO(EXIT_CPUID, 2, 0));
}

static void host_that_tells_one_register_ends_the_guest(struct kunit *test)
{
	expect_end_for_want_of_cpuid(test, HOST_REPLIES(EXIT_CPUID, REPLY_RAX, 1));
}

static void answer_of_one_register_ends_the_guest(struct kunit *test)
{
	struct coco_regs r = leaf(0x40000000, 0);

	COCO_NEEDS(test, COCO_ONLY(COCO_SEV_ES));
	need_es_and_machine(test);
	vc_expect_termination(test);
	vc_run(test, do_cpuid, &r, HOST_REPLIES(EXIT_CPUID, REPLY_RAX, 1));
	COCO_FAIL_AS_IT_GOES_ON(test);
}

static struct kunit_suite vc_cpuid_suite = {
	.name = "vc_cpuid",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = vc_cpuid_cases,
};
kunit_test_suite(vc_cpuid_suite);

MODULE_DESCRIPTION("#VC in kernel mode: CPUID that depends on CR4 and XCR0");
MODULE_LICENSE("GPL");
