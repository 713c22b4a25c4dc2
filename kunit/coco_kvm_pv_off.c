// SPDX-License-Identifier: GPL-2.0
/*
 * A host that is KVM and offers no paravirtual clock: suspend writes no MSR of it.
 *
 * Path:        syscore_suspend() -> kvm_suspend() -> kvm_guest_cpu_offline() ->
 *              kvmclock_disable()
 * Upstream:    1c6d984f523f ("x86/kvm: Do not try to disable kvmclock if it was not enabled")
 * Without it:  the MSR of no clock is MSR 0, and that is written: in a TD by a call to the host.
 */
#include <linux/kvm_para.h>
#include <linux/stop_machine.h>
#include <linux/syscore_ops.h>
#include "lib/coco_kunit.h"
#include "lib/cpuid.h"

static void suspend_writes_no_msr_of_a_missing_clock(struct kunit *test);

static struct kunit_case kvm_pv_off_cases[] = {
	KUNIT_CASE(suspend_writes_no_msr_of_a_missing_clock),
	{}
};

/* Documentation/virt/kvm/x86/cpuid.rst: KVM_FEATURE_CLOCKSOURCE, KVM_FEATURE_CLOCKSOURCE2 */
#define LEAF_FEATURES	0x40000001
#define CLOCKS		(BIT(0) | BIT(3))
#define TDVMCALL_WRMSR	32		/* GHCI 344426: R12 is the MSR */
#define NO_MSR		0

#ifdef CONFIG_PM_SLEEP
static int suspend_and_resume(void *error)
{
	*(int *)error = syscore_suspend();
	if (!*(int *)error)
		syscore_resume();
	return 0;
}

static void suspend_writes_no_msr_of_a_missing_clock(struct kunit *test)
{
	/* Counts such calls, and changes none: a clock that lost ticks makes more events than are kept */
	static const struct coco_rule writes = {
		.kind = COCO_EV_TDVMCALL,
		.code = TDVMCALL_WRMSR,
		.info1 = NO_MSR,
		.info1_mask = ~0ull,
		.action = COCO_PATCH,
	};
	int error = 0;
	s64 rule;

	COCO_NEEDS(test, COCO_ONLY(COCO_TDX));
	COCO_NEEDS_MACHINE(test);
	if (!kvm_para_available())
		kunit_skip(test, "the host is not KVM");
	if (cpuid_eax(LEAF_FEATURES) & CLOCKS)
		kunit_skip(test, "the host has a clock");
	rule = coco_rule_add(&writes);
	KUNIT_ASSERT_GT(test, rule, (s64)0);
	KUNIT_ASSERT_EQ(test, stop_machine(suspend_and_resume, &error, cpumask_of(0)), 0);
	KUNIT_EXPECT_EQ(test, error, 0);
	KUNIT_EXPECT_EQ(test, coco_rule_del(rule), 0ull);
}
#else
static void suspend_writes_no_msr_of_a_missing_clock(struct kunit *test)
{
	kunit_skip(test, "this kernel cannot suspend");
}
#endif

static struct kunit_suite kvm_pv_off_suite = {
	.name = "kvm_pv_off",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = kvm_pv_off_cases,
};
kunit_test_suite(kvm_pv_off_suite);

MODULE_DESCRIPTION("A host that is KVM and offers no paravirtual clock");
MODULE_LICENSE("GPL");
