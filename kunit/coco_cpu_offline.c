// SPDX-License-Identifier: GPL-2.0
/*
 * A CPU that goes offline comes back, as often as one likes.
 *
 * Path:        cpu_down() -> sev_es_play_dead() -> sev_es_ap_hlt_loop(), which has taken the
 *              GHCB; cpu_up() -> SIPI, and the loop ends;
 *              SEV-SNP: cpu_up() -> wakeup_cpu_via_vmgexit() -> a new VMSA, and the loop never ends
 * Upstream:    094794f59720 ("x86/sev-es: Support CPU offline/online"),
 *              0afb6b660a6b ("x86/sev: Use SEV-SNP AP creation to start secondary CPUs")
 * Without it:  the first #VC of a CPU that came back finds no GHCB that is free: panic.
 *
 * The guest ends with it, so that what it leaves behind hurts no other case.
 */
#include <linux/reboot.h>
#include <linux/smp.h>
#include "lib/coco_kunit.h"
#include "lib/hotplug.h"

static void cpu_comes_back_each_time(struct kunit *test);

static struct kunit_case cpu_offline_cases[] = {
	KUNIT_CASE(cpu_comes_back_each_time),
	{}
};

#define TIMES	4

static void tell_where(void *cpu)
{
	*(unsigned int *)cpu = smp_processor_id();
}

static void cpu_comes_back_each_time(struct kunit *test)
{
	unsigned int cpu, ran_on, i;

	COCO_NEEDS_MACHINE(test);
	COCO_NEEDS_TWO_CPUS(test);
	cpu = cpumask_next(0, cpu_online_mask);
	for (i = 0; i < TIMES; i++) {
		KUNIT_ASSERT_EQ(test, coco_cpu_down(cpu), 0);
		KUNIT_ASSERT_FALSE(test, cpu_online(cpu));
		KUNIT_ASSERT_EQ(test, coco_cpu_up(cpu), 0);
		ran_on = 0;
		KUNIT_ASSERT_EQ(test, smp_call_function_single(cpu, tell_where, &ran_on, 1), 0);
		KUNIT_ASSERT_EQ(test, ran_on, cpu);
	}
	KUNIT_ASSERT_EQ(test, coco_expect(COCO_END_RESET, 0, 0), (s64)0);
	emergency_restart();
}

static struct kunit_suite cpu_offline_suite = {
	.name = "cpu_offline",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = cpu_offline_cases,
};
kunit_test_suite(cpu_offline_suite);

MODULE_DESCRIPTION("A CPU that goes offline comes back, as often as one likes");
MODULE_LICENSE("GPL");
