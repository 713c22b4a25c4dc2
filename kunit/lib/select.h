/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which cases run, and what brackets each of them.
 *
 * "filter=<glob>" is matched against "<suite>.<case>"; what it does not match is
 * skipped as "not selected".  It is a parameter of coco.ko, which may be changed
 * between suites, and of each suite's own module, which then wins.  A third
 * part, "<suite>.<case>.<param>", selects the whole case: KUnit tells a
 * parameter's name to nobody.
 */
#ifndef COCO_LIB_SELECT_H
#define COCO_LIB_SELECT_H

#include <linux/types.h>

struct kunit;

bool coco_selected(const char *filter, const char *suite, const char *name);
/* What a suite's .init and .exit do (coco_kunit.h); filter NULL: coco.ko's */
int coco_case_begin_in(struct kunit *test, const char *module, const char *filter);
void coco_case_end(struct kunit *test);

#endif /* COCO_LIB_SELECT_H */
