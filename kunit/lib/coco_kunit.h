/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every suite includes: KUnit, whatever the kernel, and our helpers.
 *
 * A suite is written as any KUnit suite, with two hooks of ours in it:
 *
 *	static struct kunit_suite example_suite = {
 *		.name = "example",
 *		.init = coco_case_begin,
 *		.exit = coco_case_end,
 *		.test_cases = example_cases,
 *	};
 *	kunit_test_suite(example_suite);
 *
 * A suite with an init of its own calls coco_case_begin() there first.
 */
#ifndef COCO_KUNIT_H
#define COCO_KUNIT_H

#include <linux/module.h>
#include <linux/moduleparam.h>
#include "kunit_choice.h"
#include "machine.h"
#include "select.h"
#include "technology.h"

/*
 * In a suite that could harm a real guest: it overrides functions of the kernel (lib/override.h),
 * which works without the machine, too; or its cases end the guest, or run what could end it, and
 * nothing but COCO_NEEDS_MACHINE() keeps them from it.  When in doubt, marked.  Rules and
 * injections are no reason: there are none without the machine.  The runner for real guests
 * (guest/run-guest) reads the mark in the module and refuses to load it.
 */
#define COCO_INJECTS_FAULTS	MODULE_INFO(coco, "injects-faults")

static char *coco_suite_filter;
module_param_named(filter, coco_suite_filter, charp, 0444);
MODULE_PARM_DESC(filter, "run only the cases whose <suite>.<case> matches this glob");

static inline int coco_case_begin(struct kunit *test)
{
	return coco_case_begin_in(test, KBUILD_MODNAME, coco_suite_filter);
}

#endif /* COCO_KUNIT_H */
