// SPDX-License-Identifier: GPL-2.0
/*
 * A TD whose module has #VE reduction: the kernel asks for it at boot, and fewer
 * questions reach the host.
 *
 * Path:        tdx_early_init() -> reduce_unnecessary_ve() -> TDG.VM.WR of TD_CTLS.REDUCE_VE; from
 *              then on CPUID and RDMSR are the module's, or #GP
 * Upstream:    cd9ce8217345 ("x86/tdx: Disable unnecessary virtualization exceptions")
 * Without it:  the host answers what the module could, and drivers for what a TD has not (machine
 *              checks, MTRRs) ask it about their registers.
 *
 * TDX module base specification 348549, "Reduced #VE"; which leaf and which register is of which
 * kind: ABI 348551, CPUID virtualization and MSR virtualization.
 */
#include "lib/ve.h"

/* One row a leaf that raises #VE in a TD without reduction */
static void leaf_of_the_modules_raises_no_ve(struct kunit *test);
/* One row an MSR, the same */
static void msr_that_a_td_lacks_raises_gp(struct kunit *test);
static void hypervisors_leaf_is_still_the_hosts(struct kunit *test);
static void msr_outside_the_bitmaps_is_still_the_hosts(struct kunit *test);

COCO_INSN_UP(do_cpuid, "cpuid")
COCO_INSN_UP(do_rdmsr, "rdmsr")

struct number_case {
	const char *name;
	u32 number;
};

static const struct number_case leaf_cases[] = {
	{ "caches_2", 2 },
	{ "power", 6 },
	{ "topology", 0xb },
	{ "topology_v2", 0x1f },
	{ "brand", 0x80000002 },
	{ "caches_amd", 0x80000006 },
};
KUNIT_ARRAY_PARAM_DESC(leaf, leaf_cases, name);

static const struct number_case msr_cases[] = {
	{ "mcg_cap", 0x179 },
	{ "mtrr_cap", 0xfe },
	{ "not_listed", 0xc40 },
};
KUNIT_ARRAY_PARAM_DESC(msr, msr_cases, name);

static struct kunit_case ve_reduction_cases[] = {
	KUNIT_CASE_PARAM(leaf_of_the_modules_raises_no_ve, leaf_gen_params),
	KUNIT_CASE_PARAM(msr_that_a_td_lacks_raises_gp, msr_gen_params),
	KUNIT_CASE(hypervisors_leaf_is_still_the_hosts),
	KUNIT_CASE(msr_outside_the_bitmaps_is_still_the_hosts),
	{}
};

/* The last of its range */
#define HYPERVISOR_LEAF		0x4fffffff

static void leaf_of_the_modules_raises_no_ve(struct kunit *test)
{
	const struct number_case *c = test->param_value;
	struct coco_regs r = { .ax = c->number };

	need_tdx_and_machine(test);
	expect_ve_costs(test, ve_run_all(test, do_cpuid, &r, NULL), 0, 0);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	/* A #VE that the kernel answers by itself makes all of them zero */
	KUNIT_EXPECT_NE(test, r.ax | r.bx | r.cx | r.dx, 0ul);
}

static void msr_that_a_td_lacks_raises_gp(struct kunit *test)
{
	const struct number_case *c = test->param_value;
	struct coco_regs r = { .cx = c->number };

	need_tdx_and_machine(test);
	expect_ve_costs(test, ve_run_all(test, do_rdmsr, &r, NULL), 0, 0);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_VECTOR_GP);
}

static void hypervisors_leaf_is_still_the_hosts(struct kunit *test)
{
	const struct coco_rule *answer =
		HOST_REPLIES(REASON_CPUID, 0x3d, STATUS_SUCCESS, 0, 0x11111111, 0x22222222,
			     0x33333333, 0x44444444);
	struct coco_regs r = { .ax = HYPERVISOR_LEAF };

	need_tdx_and_machine(test);
	expect_ve_costs(test, ve_run_all(test, do_cpuid, &r, answer), 1, 1);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, r.ax, 0x11111111ul);
	KUNIT_EXPECT_EQ(test, r.bx, 0x22222222ul);
	KUNIT_EXPECT_EQ(test, r.cx, 0x33333333ul);
	KUNIT_EXPECT_EQ(test, r.dx, 0x44444444ul);
}

static void msr_outside_the_bitmaps_is_still_the_hosts(struct kunit *test)
{
	struct coco_regs r = { .cx = SOME_MSR };

	need_tdx_and_machine(test);
	expect_ve_costs(test, ve_run_all(test, do_rdmsr, &r,
					 HOST_REPLIES(REASON_RDMSR, BIT(0) | BIT(1),
						      STATUS_SUCCESS, 0x0123456789abcdefull)), 1, 1);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, r.ax, 0x89abcdeful);
	KUNIT_EXPECT_EQ(test, r.dx, 0x01234567ul);
}

static struct kunit_suite ve_reduction_suite = {
	.name = "ve_reduction",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = ve_reduction_cases,
};
kunit_test_suite(ve_reduction_suite);

MODULE_DESCRIPTION("What is left of #VE in a TD whose module reduces it");
MODULE_LICENSE("GPL");
