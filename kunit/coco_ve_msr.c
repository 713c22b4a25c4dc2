// SPDX-License-Identifier: GPL-2.0
/*
 * Which MSRs and CPUID leaves of a TD are the host's to answer, and which not.
 *
 * Path:        RDMSR, WRMSR, CPUID -> the TDX module, or #VE -> read_msr(),
 *              write_msr(), handle_cpuid() -> TDG.VP.VMCALL
 * Upstream:    ae87f609cd52 ("x86/tdx: Add MSR support for TDX guests"),
 *              c141fa2c2bba ("x86/tdx: Handle CPUID via #VE")
 * Without it:  the host decides what only the module may vouch for.
 *
 * TDX module ABI 348551, MSR virtualization and CPUID virtualization.
 */
#include <asm/msr.h>
#include "lib/ve.h"

/* One row an MSR */
static void msr_of_the_modules_is_read_without_ve(struct kunit *test);
static void msr_of_the_modules_is_written_without_ve(struct kunit *test);
static void msr_that_a_td_lacks_raises_gp_without_ve(struct kunit *test);
static void msr_of_the_hosts_is_read_with_one_call(struct kunit *test);
/* EFER is not: the module asks, the host must not decide */
static void efer_change_that_a_td_may_not_make_faults(struct kunit *test);
/* One row a leaf */
static void cpuid_of_the_modules_is_not_the_hosts_to_change(struct kunit *test);
static void cpuid_at_the_edge_of_the_range_asks_the_host(struct kunit *test);
static void topology_is_the_modules(struct kunit *test);
/* 64-bit mode: the instructions take the lower halves */
static void upper_halves_of_inputs_are_ignored(struct kunit *test);

COCO_INSN_UP(do_cpuid, "cpuid")
COCO_INSN_UP(do_rdmsr, "rdmsr")
COCO_INSN_UP(do_wrmsr, "wrmsr")

#define EFER_NXE		BIT(11)

struct msr_case {
	const char *name;
	u32 msr;
};

static const struct msr_case direct_cases[] = {
	{ "sysenter_cs", 0x174 },
	{ "pat", 0x277 },
	{ "misc_enable", 0x1a0 },
	{ "arch_capabilities", 0x10a },
	{ "efer", 0xc0000080 },
	{ "lstar", 0xc0000082 },
	{ "tsc", 0x10 },
};
KUNIT_ARRAY_PARAM_DESC(direct, direct_cases, name);

/* Those that can be written back as they are */
static const struct msr_case rewritten_cases[] = {
	{ "sysenter_cs", 0x174 },
	{ "pat", 0x277 },
	{ "lstar", 0xc0000082 },
	{ "efer", 0xc0000080 },
};
KUNIT_ARRAY_PARAM_DESC(rewritten, rewritten_cases, name);

static const struct msr_case lacking_cases[] = {
	{ "pmc0", 0xc1 },
	{ "umwait_control", 0xe1 },
	{ "tsx_ctrl", 0x122 },
	{ "perfevtsel0", 0x186 },
	{ "xfd", 0x1c4 },
	{ "tsc_deadline", 0x6e0 },
	{ "x2apic_reserved", 0x804 },
};
KUNIT_ARRAY_PARAM_DESC(lacking, lacking_cases, name);

static const struct msr_case host_cases[] = {
	{ "apic_base", 0x1b },
	{ "x2apic_version", 0x803 },
	{ "outside_the_bitmaps", SOME_MSR },
	{ "last_before_the_upper_range", 0xbfffffff },
	{ "highest", 0xffffffff },
};
KUNIT_ARRAY_PARAM_DESC(host, host_cases, name);

struct leaf_case {
	const char *name;
	u32 leaf, subleaf;
	unsigned int ve;		/* #VE, answered zero by the kernel */
};

static const struct leaf_case leaf_cases[] = {
	{ "vendor", 0, 0, 0 },
	{ "features", 1, 0, 0 },
	{ "more_features", 7, 0, 0 },
	{ "xsave_area", 0xd, 0, 0 },
	{ "tdx", 0x21, 0, 0 },
	{ "address_sizes", 0x80000008, 0, 0 },
	{ "caches_2", 2, 0, 1 },
};
KUNIT_ARRAY_PARAM_DESC(leaf, leaf_cases, name);

struct edge_case {
	const char *name;
	u32 leaf;
};

static const struct edge_case edge_cases[] = {
	{ "first", 0x40000000 },
	{ "last", 0x4fffffff },
};
KUNIT_ARRAY_PARAM_DESC(edge, edge_cases, name);

static const struct leaf_case topology_cases[] = {
	{ "topology", 0xb, 0, 0 },
	{ "topology_cores", 0xb, 1, 0 },
	{ "topology_v2", 0x1f, 0, 0 },
};
KUNIT_ARRAY_PARAM_DESC(topology, topology_cases, name);

#define UPPER	0xdeadbeef00000000ul

struct upper_case {
	const char *name;
	void (*insn)(struct coco_regs *r);
	struct coco_regs in;
	u64 reason, r12, r13;
};

static const struct upper_case upper_cases[] = {
	{ "rdmsr_rcx", do_rdmsr, { .cx = UPPER | SOME_MSR }, REASON_RDMSR, SOME_MSR, 0 },
	{ "wrmsr_rcx", do_wrmsr, { .ax = 1, .cx = UPPER | SOME_MSR, .dx = 2 },
	  REASON_WRMSR, SOME_MSR, 0x200000001 },
	{ "wrmsr_rax", do_wrmsr, { .ax = UPPER | 1, .cx = SOME_MSR, .dx = 2 },
	  REASON_WRMSR, SOME_MSR, 0x200000001 },
	{ "wrmsr_rdx", do_wrmsr, { .ax = 1, .cx = SOME_MSR, .dx = UPPER | 2 },
	  REASON_WRMSR, SOME_MSR, 0x200000001 },
	{ "cpuid_rax", do_cpuid, { .ax = UPPER | 0x40000042, .cx = 7 },
	  REASON_CPUID, 0x40000042, 7 },
	{ "cpuid_rcx", do_cpuid, { .ax = 0x40000042, .cx = UPPER | 7 },
	  REASON_CPUID, 0x40000042, 7 },
};
KUNIT_ARRAY_PARAM_DESC(upper, upper_cases, name);

static struct kunit_case ve_msr_cases[] = {
	KUNIT_CASE_PARAM(msr_of_the_modules_is_read_without_ve, direct_gen_params),
	KUNIT_CASE_PARAM(msr_of_the_modules_is_written_without_ve, rewritten_gen_params),
	KUNIT_CASE_PARAM(msr_that_a_td_lacks_raises_gp_without_ve, lacking_gen_params),
	KUNIT_CASE_PARAM(msr_of_the_hosts_is_read_with_one_call, host_gen_params),
	KUNIT_CASE(efer_change_that_a_td_may_not_make_faults),
	KUNIT_CASE_PARAM(cpuid_of_the_modules_is_not_the_hosts_to_change, leaf_gen_params),
	KUNIT_CASE_PARAM(cpuid_at_the_edge_of_the_range_asks_the_host, edge_gen_params),
	KUNIT_CASE_PARAM(topology_is_the_modules, topology_gen_params),
	KUNIT_CASE_PARAM(upper_halves_of_inputs_are_ignored, upper_gen_params),
	{}
};

static void msr_of_the_modules_is_read_without_ve(struct kunit *test)
{
	const struct msr_case *c = test->param_value;
	struct coco_regs r = { .cx = c->msr };
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = ve_run_all(test, do_rdmsr, &r, NULL);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	expect_ve_costs(test, w, 0, 0);
}

static void msr_of_the_modules_is_written_without_ve(struct kunit *test)
{
	const struct msr_case *c = test->param_value;
	struct coco_regs r = { .cx = c->msr };
	struct coco_window *w;

	need_tdx_and_machine(test);
	do_rdmsr(&r);
	r.cx = c->msr;
	w = ve_run_all(test, do_wrmsr, &r, NULL);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	expect_ve_costs(test, w, 0, 0);
}

static void msr_that_a_td_lacks_raises_gp_without_ve(struct kunit *test)
{
	const struct msr_case *c = test->param_value;
	struct coco_regs r = { .cx = c->msr };
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = ve_run_all(test, do_rdmsr, &r, NULL);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_VECTOR_GP);
	expect_ve_costs(test, w, 0, 0);
}

static void msr_of_the_hosts_is_read_with_one_call(struct kunit *test)
{
	const struct msr_case *c = test->param_value;
	struct coco_regs r = { .cx = c->msr };
	const struct coco_event *call;
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = ve_run_all(test, do_rdmsr, &r,
		HOST_REPLIES(REASON_RDMSR, BIT(0) | BIT(1), STATUS_SUCCESS, 0x0123456789abcdefull));
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, r.ax, 0x89abcdeful);
	KUNIT_EXPECT_EQ(test, r.dx, 0x01234567ul);
	expect_ve_costs(test, w, 1, 1);
	call = coco_window_find(w, COCO_EV_TDVMCALL, REASON_RDMSR, 0);
	KUNIT_ASSERT_NOT_NULL(test, call);
	KUNIT_EXPECT_EQ(test, call->info1, (u64)c->msr);
}

/* The module leaves it to #VE; Linux passes it on, and this host refuses, as KVM does */
static void efer_change_that_a_td_may_not_make_faults(struct kunit *test)
{
	struct coco_regs r = { .cx = MSR_EFER };
	struct coco_window *w;
	unsigned long efer;

	need_tdx_and_machine(test);
	do_rdmsr(&r);
	efer = r.ax;
	r.ax ^= EFER_NXE;
	r.cx = MSR_EFER;
	w = ve_run_all(test, do_wrmsr, &r, NULL);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_VECTOR_VE);
	expect_ve_costs(test, w, 1, 1);
	r.cx = MSR_EFER;
	do_rdmsr(&r);
	KUNIT_EXPECT_EQ(test, r.ax, efer);
}

/* What a lying host would answer, if it were asked */
static void cpuid_of_the_modules_is_not_the_hosts_to_change(struct kunit *test)
{
	const struct leaf_case *c = test->param_value;
	struct coco_regs r = { .ax = c->leaf, .cx = c->subleaf }, honest = r;
	struct coco_window *w;

	need_tdx_and_machine(test);
	do_cpuid(&honest);
	w = ve_run_all(test, do_cpuid, &r,
		HOST_REPLIES(REASON_CPUID, 0x3d, STATUS_SUCCESS, 0, 0x11111111, 0x22222222,
			     0x33333333, 0x44444444));
	COCO_EXPECT_APPLIED(test, w, 0);
	expect_ve_costs(test, w, c->ve, 0);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_EQ(test, r.ax, honest.ax);
	KUNIT_EXPECT_EQ(test, r.bx, honest.bx);
	KUNIT_EXPECT_EQ(test, r.cx, honest.cx);
	KUNIT_EXPECT_EQ(test, r.dx, honest.dx);
	KUNIT_EXPECT_EQ(test, !(r.ax | r.bx | r.cx | r.dx), !!c->ve);
}

static void cpuid_at_the_edge_of_the_range_asks_the_host(struct kunit *test)
{
	const struct edge_case *c = test->param_value;
	struct coco_regs r = { .ax = c->leaf };
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = ve_run_all(test, do_cpuid, &r,
		HOST_REPLIES(REASON_CPUID, 0x3d, STATUS_SUCCESS, 0, 0x11111111, 0x22222222,
			     0x33333333, 0x44444444));
	expect_ve_costs(test, w, 1, 1);
	KUNIT_EXPECT_EQ(test, r.ax, 0x11111111ul);
}

/* TD_CTLS.ENUM_TOPOLOGY, which a kernel that knows of it asks for at boot */
static void topology_is_the_modules(struct kunit *test)
{
	const struct leaf_case *c = test->param_value;
	struct coco_regs r = { .ax = c->leaf, .cx = c->subleaf };
	struct coco_window *w;

	need_tdx_and_machine(test);
#ifndef CC_HAVE_TD_CTLS
	kunit_skip(test, "this kernel does not ask for the module's topology");
#endif
	w = ve_run_all(test, do_cpuid, &r, NULL);
	expect_ve_costs(test, w, 0, 0);
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	KUNIT_EXPECT_NE(test, r.bx, 0ul);
	/* CPUID 0xb and 0x1f, ECX[7:0]: the subleaf again */
	KUNIT_EXPECT_EQ(test, r.cx & 0xff, (unsigned long)c->subleaf);
}

static void upper_halves_of_inputs_are_ignored(struct kunit *test)
{
	const struct upper_case *c = test->param_value;
	const struct coco_event *call;
	struct coco_regs r = c->in;
	struct coco_window *w;

	need_tdx_and_machine(test);
	w = ve_run_all(test, c->insn, &r, HOST_REPLIES(c->reason, BIT(0), STATUS_SUCCESS));
	KUNIT_EXPECT_EQ(test, r.trap, (long)COCO_NO_TRAP);
	expect_ve_costs(test, w, 1, 1);
	call = coco_window_find(w, COCO_EV_TDVMCALL, c->reason, 0);
	KUNIT_ASSERT_NOT_NULL(test, call);
	KUNIT_EXPECT_EQ(test, call->info1, c->r12);
	KUNIT_EXPECT_EQ(test, call->info2, c->r13);
}

static struct kunit_suite ve_msr_suite = {
	.name = "ve_msr",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = ve_msr_cases,
};
kunit_test_suite(ve_msr_suite);

MODULE_DESCRIPTION("Which MSRs and CPUID leaves of a TD are the host's to answer");
MODULE_LICENSE("GPL");
