// SPDX-License-Identifier: GPL-2.0
/*
 * set_memory_decrypted() and set_memory_encrypted() on two CPUs.
 *
 * Path:        __set_memory_enc_pgtable() -> cpa_flush(): TLBs of all CPUs
 * Upstream:    dc3f3d2474b8 ("x86/mm: Validate memory when changing the C-bit"),
 *              7dbde7631629 ("x86/mm/cpa: Add support for TDX shared memory")
 * Without it:  another CPU goes on with the old entry, or two that split one large page
 *              undo what the other one did.
 *
 * In the machine the old entry does not show: QEMU forgets a CPU's translations at each exit,
 * and the call that makes the other CPU write again is one.  A kernel without any flush passes
 * there; real guests tell.
 */
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/workqueue.h>
#include <asm/set_memory.h>
#include "lib/block.h"
#include "lib/coco_kunit.h"
#include "lib/pages.h"

static void other_cpu_sees_the_change(struct kunit *test);
static void neighbours_may_change_at_once(struct kunit *test);

static struct kunit_case set_memory_cpus_cases[] = {
	KUNIT_CASE(other_cpu_sees_the_change),
	KUNIT_CASE(neighbours_may_change_at_once),
	{}
};

#define DATA		0xda7aull

static unsigned int other_cpu(struct kunit *test)
{
	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	return cpumask_any_but(cpu_online_mask, get_cpu());
}

static void fill_page(void *p)
{
	coco_fill_page(p, DATA);
}

static void other_cpu_sees_the_change(struct kunit *test)
{
	unsigned int cpu;

	COCO_NEEDS_MACHINE(test);
	coco_block_get(test, COCO_CONFIDENTIAL);
	cpu = other_cpu(test);
	put_cpu();
	/* It has the old entry in its TLB, on hardware */
	smp_call_function_single(cpu, fill_page, coco_page(5), 1);
	coco_decrypt(test, 5, 1);
	smp_call_function_single(cpu, fill_page, coco_page(5), 1);
	KUNIT_EXPECT_EQ(test, coco_host_filled(coco_gpa(coco_page(5)), DATA), (int)COCO_WORDS);
	coco_encrypt(test, 5, 1);
	smp_call_function_single(cpu, fill_page, coco_page(5), 1);
	KUNIT_EXPECT_EQ(test, coco_page_filled(coco_page(5), DATA), (unsigned int)COCO_WORDS);
	KUNIT_EXPECT_EQ(test, coco_host_filled(coco_gpa(coco_page(5)), DATA), 0);
}

struct converter {
	struct work_struct work;
	unsigned int first;
	int errors;
};

#define ROUNDS	24

/* Every second page */
static void convert_every_second(struct work_struct *work)
{
	struct converter *c = container_of(work, struct converter, work);
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		c->errors += !!set_memory_decrypted(coco_address(c->first + 2 * i), 1);
		if (i & 1)
			c->errors += !!set_memory_encrypted(coco_address(c->first + 2 * i), 1);
	}
}

static void neighbours_may_change_at_once(struct kunit *test)
{
	struct converter even = { .first = 0 }, odd = { .first = 1 };
	unsigned int i, wrong = 0, cpu;

	coco_block_get(test, COCO_CONFIDENTIAL);
	cpu = other_cpu(test);
	INIT_WORK_ONSTACK(&even.work, convert_every_second);
	INIT_WORK_ONSTACK(&odd.work, convert_every_second);
	schedule_work_on(cpu, &even.work);
	schedule_work_on(smp_processor_id(), &odd.work);
	put_cpu();
	flush_work(&even.work);
	flush_work(&odd.work);
	destroy_work_on_stack(&even.work);
	destroy_work_on_stack(&odd.work);
	KUNIT_EXPECT_EQ(test, even.errors + odd.errors, 0);
	for (i = 0; i < 2 * ROUNDS; i++) {
		bool private = i / 2 & 1;
		const u8 *p = coco_page(i);

		wrong += private ? !coco_maps_private(p) : !coco_maps_shared(p);
		wrong += coco_has_states() && !coco_state_is(p, private);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0u);
}

static struct kunit_suite set_memory_cpus_suite = {
	.name = "set_memory_cpus",
	.init = coco_case_begin,
	.exit = coco_block_end,
	.test_cases = set_memory_cpus_cases,
};
kunit_test_suite(set_memory_cpus_suite);

MODULE_DESCRIPTION("set_memory_decrypted(), set_memory_encrypted(): two CPUs");
MODULE_LICENSE("GPL");
