/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit, whatever the kernel:
 *
 *	kernel has KUnit (CONFIG_KUNIT, new enough)	its own <kunit/test.h>
 *	else						own_kunit.h, the same names
 *
 * Kbuild.probe decides what is new enough; what such a KUnit may still lack is
 * added here.
 */
#ifndef COCO_KUNIT_CHOICE_H
#define COCO_KUNIT_CHOICE_H

/*
 * Included first, the kernel's header would win: on CONFIG_KUNIT=n it builds a
 * module that loads, returns 0 and tests nothing.
 */
#if defined(_KUNIT_TEST_H) && !defined(CC_HAVE_KUNIT)
#error "<kunit/test.h> without a KUnit that runs: include lib/coco_kunit.h instead"
#endif
#if defined(COCO_KUNIT_KERNEL) && !defined(CC_HAVE_KUNIT)
#error "COCO_KUNIT=kernel, but CONFIG_KUNIT is off, or this KUnit too old: leave COCO_KUNIT out"
#endif

#ifdef CC_HAVE_KUNIT
#include <kunit/test.h>

/* KUnit of 6.1 has no comparison of memory yet */
#ifndef KUNIT_EXPECT_MEMEQ
#define KUNIT_EXPECT_MEMEQ(test, left, right, size) \
	KUNIT_EXPECT_EQ_MSG(test, memcmp(left, right, size), 0, #left " and " #right " differ")
#define KUNIT_ASSERT_MEMEQ(test, left, right, size) \
	KUNIT_ASSERT_EQ_MSG(test, memcmp(left, right, size), 0, #left " and " #right " differ")
#define KUNIT_EXPECT_MEMEQ_MSG(test, left, right, size, fmt, ...) \
	KUNIT_EXPECT_EQ_MSG(test, memcmp(left, right, size), 0, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_MEMEQ_MSG(test, left, right, size, fmt, ...) \
	KUNIT_ASSERT_EQ_MSG(test, memcmp(left, right, size), 0, fmt, ##__VA_ARGS__)
#endif
#ifndef KUNIT_ARRAY_PARAM_DESC
#define KUNIT_ARRAY_PARAM_DESC(name, array, member) \
	static void name##_describe(typeof(&(array)[0]) row, char *text) \
	{ \
		strscpy(text, row->member, KUNIT_PARAM_DESC_SIZE); \
	} \
	KUNIT_ARRAY_PARAM(name, array, name##_describe)
#endif
#else
#include "own_kunit.h"
#endif

#endif /* COCO_KUNIT_CHOICE_H */
