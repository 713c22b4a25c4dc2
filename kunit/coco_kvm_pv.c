// SPDX-License-Identifier: GPL-2.0
/*
 * Words that KVM writes into guest memory: kvmclock, steal time, asynchronous
 * page faults, PV EOI.  Shared while the host has the address, and taken back
 * before the memory gets another use.
 *
 * Path:        kvm_guest_cpu_init(), kvmclock_setup_percpu() -> MSRs with an address;
 *              kvm_guest_cpu_offline(), kvmclock_disable() -> MSRs with 0
 * Upstream:    8b79feffeca2 ("x86/kvm: Teardown PV features on boot CPU as well")
 *              CVE-2021-47112,
 *              c02027b5742b ("x86/kvm: Disable kvmclock on all CPUs on shutdown")
 *              CVE-2021-47110
 * Without it:  the host goes on writing into memory of the next kernel, or of
 *              whoever has it after resume.
 *
 * A TD is offered none of it.  The addresses are read back from the MSRs
 * (Documentation/virt/kvm/x86/msr.rst).  Some lie in .bss..decrypted, the others in per-CPU
 * memory that early_set_memory_decrypted() shares.
 */
#include <linux/mm.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <linux/stop_machine.h>
#include <linux/syscore_ops.h>
#include <asm/msr.h>
#include <asm/x86_init.h>
#include "lib/coco_kunit.h"
#include "lib/hotplug.h"
#include "lib/pages.h"
#include "lib/symbol.h"

/* One row an MSR */
static void page_for_the_host_is_shared(struct kunit *test);
static void host_finds_what_the_guest_reads(struct kunit *test);
static void suspend_takes_it_back_on_the_boot_cpu(struct kunit *test);
/* Two CPUs */
static void host_writes_no_time_for_a_cpu_that_is_offline(struct kunit *test);
/* All of it */
static void restart_takes_it_back_on_all_cpus(struct kunit *test);

struct msr_case {
	const char *name;
	u32 msr;
	u64 address;			/* these bits of it */
	size_t size;
};

static const struct msr_case msr_cases[] = {
	{ "system_time", 0x4b564d01, ~0x3ull, 32 },
	{ "async_pf", 0x4b564d02, ~0x3full, 64 },
	{ "steal_time", 0x4b564d03, ~0x3full, 64 },
	{ "pv_eoi", 0x4b564d04, ~0x3ull, 4 },
};
KUNIT_ARRAY_PARAM_DESC(msr, msr_cases, name);

static struct kunit_case kvm_pv_cases[] = {
	KUNIT_CASE_PARAM(page_for_the_host_is_shared, msr_gen_params),
	KUNIT_CASE_PARAM(host_finds_what_the_guest_reads, msr_gen_params),
	KUNIT_CASE_PARAM(suspend_takes_it_back_on_the_boot_cpu, msr_gen_params),
	KUNIT_CASE(host_writes_no_time_for_a_cpu_that_is_offline),
	KUNIT_CASE(restart_takes_it_back_on_all_cpus),
	{}
};

#define ENABLED		BIT_ULL(0)
#define LARGEST		64
#define CLOCK		(&msr_cases[0])
#define NSEC_PER_STEP	1000000ull

struct reading {
	u32 msr;
	u64 value;
	int error;
};

static void read_it(void *argument)
{
	struct reading *r = argument;
	u32 low, high;

	r->error = rdmsr_safe(r->msr, &low, &high);
	r->value = r->error ? 0 : (u64)high << 32 | low;
}

static u64 value_on(unsigned int cpu, u32 msr)
{
	struct reading r = { .msr = msr };

	smp_call_function_single(cpu, read_it, &r, 1);
	return r.value;
}

static void need_use(struct kunit *test, const struct msr_case *c)
{
	COCO_NEEDS_MACHINE(test);
	if (!(value_on(0, c->msr) & ENABLED))
		kunit_skip(test, "this kernel does not use it here");
}

/* Where the kernel uses that memory: its own image, or the direct map */
static void *mapping_of(u64 gpa)
{
	unsigned long image = (unsigned long)coco_symbol("_text"), at;

	at = image + gpa - (coco_translate((void *)image) & ~COCO_GPA_PRIVATE);
	if (at >= image && at < (unsigned long)coco_symbol("_end"))
		return (void *)at;
	return __va(gpa);
}

static void page_for_the_host_is_shared(struct kunit *test)
{
	const struct msr_case *c = test->param_value;
	unsigned int cpu;

	COCO_NEEDS(test, COCO_ANY_SEV);
	need_use(test, c);
	for_each_online_cpu(cpu) {
		u64 value = value_on(cpu, c->msr), gpa = value & c->address;

		KUNIT_EXPECT_TRUE_MSG(test, value & ENABLED, "CPU %u", cpu);
		KUNIT_EXPECT_TRUE_MSG(test, coco_maps_shared(mapping_of(gpa)),
				      "CPU %u, GPA 0x%llx", cpu, gpa);
		/* SEV and SEV-ES: private or shared as the guest last used it */
		KUNIT_EXPECT_EQ_MSG(test, coco_page_state(gpa) & COCO_PAGE_PRIVATE, (s64)0,
				    "CPU %u, GPA 0x%llx", cpu, gpa);
	}
}

static void host_finds_what_the_guest_reads(struct kunit *test)
{
	const struct msr_case *c = test->param_value;
	u8 host[LARGEST], guest[LARGEST];
	unsigned int cpu;

	need_use(test, c);
	for_each_online_cpu(cpu) {
		u64 gpa = value_on(cpu, c->msr) & c->address;

		memcpy(guest, mapping_of(gpa), c->size);
		KUNIT_ASSERT_EQ(test, coco_host_read(gpa, host, c->size), (s64)0);
		KUNIT_EXPECT_MEMEQ(test, host, guest, c->size);
	}
}

#ifdef CONFIG_PM_SLEEP
struct suspend {
	struct reading meanwhile;
	int error;
};

/* The last steps of suspend and the first of resume, without the sleep */
static int suspend_and_resume(void *argument)
{
	struct suspend *s = argument;

	s->error = syscore_suspend();
	if (s->error)
		return 0;
	read_it(&s->meanwhile);
	x86_platform.save_sched_clock_state();
	x86_platform.restore_sched_clock_state();
	syscore_resume();
	return 0;
}

/* Other CPUs stand still meanwhile, which is as good as offline to this one */
static void suspend_takes_it_back_on_the_boot_cpu(struct kunit *test)
{
	const struct msr_case *c = test->param_value;
	struct suspend s = { .meanwhile.msr = c->msr };

	need_use(test, c);
	KUNIT_ASSERT_EQ(test, stop_machine(suspend_and_resume, &s, cpumask_of(0)), 0);
	KUNIT_ASSERT_EQ(test, s.error, 0);
	KUNIT_EXPECT_EQ(test, s.meanwhile.value & ENABLED, 0ull);
	KUNIT_EXPECT_EQ(test, value_on(0, c->msr) & ENABLED, ENABLED);
}
#else
static void suspend_takes_it_back_on_the_boot_cpu(struct kunit *test)
{
	kunit_skip(test, "this kernel cannot suspend");
}
#endif

/* ---- two CPUs ---- */

/* Time that jumps is what a host tells each CPU at once: whether it still does */
static bool host_writes(struct kunit *test, u64 clock)
{
	u8 before[LARGEST], after[LARGEST];

	KUNIT_ASSERT_EQ(test, coco_host_read(clock, before, CLOCK->size), (s64)0);
	coco_warp(NSEC_PER_STEP);
	KUNIT_ASSERT_EQ(test, coco_host_read(clock, after, CLOCK->size), (s64)0);
	return memcmp(before, after, CLOCK->size) != 0;
}

/* The guest ends there: see the suite cpu_offline */
static void host_writes_no_time_for_a_cpu_that_is_offline(struct kunit *test)
{
	unsigned int cpu;
	u64 clock;

	need_use(test, CLOCK);
	COCO_NEEDS_TWO_CPUS(test);
	cpu = cpumask_next(0, cpu_online_mask);
	clock = value_on(cpu, CLOCK->msr) & CLOCK->address;
	KUNIT_ASSERT_TRUE_MSG(test, host_writes(test, clock),
			      "the host writes no time while the CPU is online");
	KUNIT_ASSERT_EQ(test, coco_cpu_down(cpu), 0);
	KUNIT_ASSERT_FALSE_MSG(test, host_writes(test, clock), "the host writes on");
	KUNIT_ASSERT_EQ(test, coco_expect(COCO_END_RESET, 0, 0), (s64)0);
	emergency_restart();
}

/* ---- restart ---- */

static unsigned int still_enabled(void)
{
	unsigned int cpu, i, n = 0;

	for_each_online_cpu(cpu)
		for (i = 0; i < ARRAY_SIZE(msr_cases); i++)
			if (value_on(cpu, msr_cases[i].msr) & ENABLED) {
				pr_info("    # %s is enabled on CPU %u\n", msr_cases[i].name, cpu);
				n++;
			}
	return n;
}

static struct kunit *restarting;

/* After all other notifiers; then the machine is reset, which passes the case, or does not */
static int last_notifier(struct notifier_block *block, unsigned long code, void *unused)
{
	KUNIT_EXPECT_EQ(restarting, still_enabled(), 0u);
	if (still_enabled())
		coco_expect(0, 0, 0);
	return NOTIFY_DONE;
}

static struct notifier_block notifier = {
	.notifier_call = last_notifier,
	.priority = INT_MIN,
};

/* What kexec does, too, before it jumps */
static void restart_takes_it_back_on_all_cpus(struct kunit *test)
{
	COCO_NEEDS_MACHINE(test);
	if (!still_enabled())
		kunit_skip(test, "this kernel uses none of it here");
	restarting = test;
	KUNIT_ASSERT_EQ(test, register_reboot_notifier(&notifier), 0);
	KUNIT_ASSERT_EQ(test, coco_expect(COCO_END_RESET, 0, 0), (s64)0);
	kernel_restart(NULL);
}

static struct kunit_suite kvm_pv_suite = {
	.name = "kvm_pv",
	.init = coco_case_begin,
	.exit = coco_case_end,
	.test_cases = kvm_pv_cases,
};
kunit_test_suite(kvm_pv_suite);

MODULE_DESCRIPTION("Words that KVM writes into guest memory: shared, and taken back");
MODULE_LICENSE("GPL");
