/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A test harness with the interface of the kernel's kselftest_harness.h, so
 * that a test's source compiles with either.  Ours serves every kernel alike:
 * the one in 5.4 passes failing tests, and up to 6.1 a skipped test loses its
 * name.  What it adds: no other output than KTAP, names without "global.",
 * and `-t <glob>`.
 *
 *	TEST(name) { ... }
 *	FIXTURE(f) { data }; FIXTURE_SETUP(f) { ... } FIXTURE_TEARDOWN(f) { ... }
 *	FIXTURE_VARIANT(f) { parameters }; FIXTURE_VARIANT_ADD(f, v) { values };
 *	TEST_F(f, name) { ... uses self->, variant-> }
 *	TEST_SIGNAL, TEST_F_SIGNAL(..., signal), TEST_F_TIMEOUT(..., seconds)
 *	EXPECT_x goes on, ASSERT_x ends the test; a block may follow either, run on failure
 *	SKIP(return, format, ...); TH_LOG(format, ...)
 *	TEST_HARNESS_MAIN
 *
 * Each test is a process of its own: a crash, a signal or a time-out is the
 * failure of that test and of no other.  A test of a fixture with variants is
 * run once a variant and called name.variant; names are unique in a program.
 *
 * COCO_PATIENCE=<factor> in the environment stretches every time-out.
 */
#ifndef COCO_HARNESS_H
#define COCO_HARNESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "compiler.h"

#define TEST_TIMEOUT_DEFAULT	30	/* seconds */

struct __test_metadata;

typedef void (*coco_body)(struct __test_metadata *_metadata, void *self, const void *variant);

struct coco_variant {
	const char *name;
	const void *data;
	struct coco_variant *next;
};

struct coco_fixture {
	size_t size;
	coco_body setup, teardown;
	struct coco_variant *variants;
};

/* What the test's process tells its parent: shared memory */
struct coco_outcome {
	bool completed;
	bool failed;
	bool skipped;
	char reason[400];
};

struct __test_metadata {
	const char *name;
	struct coco_fixture *fixture;
	coco_body body;
	int signal;			/* that must end the test; 0: none */
	int timeout;
	struct __test_metadata *next;
	char id[160];			/* name[.variant], of the run under way */
	struct coco_outcome *outcome;
	sigjmp_buf bail;
};

#include "coco_harness_run.h"

/* ---- tests ---- */
#define FIXTURE_DATA(f)		struct _test_data_##f
#define FIXTURE_VARIANT(f)	struct _fixture_variant_##f

#define TEST(t)			COCO_TEST(t, 0, TEST_TIMEOUT_DEFAULT)
#define TEST_SIGNAL(t, s)	COCO_TEST(t, s, TEST_TIMEOUT_DEFAULT)
#define TEST_F(f, t)		COCO_TEST_F(f, t, 0, TEST_TIMEOUT_DEFAULT)
#define TEST_F_SIGNAL(f, t, s)	COCO_TEST_F(f, t, s, TEST_TIMEOUT_DEFAULT)
#define TEST_F_TIMEOUT(f, t, n)	COCO_TEST_F(f, t, 0, n)

#define COCO_REGISTER(id, _name, _fixture, _signal, _timeout) \
	static void __constructor coco_add_##id(void) \
	{ \
		static struct __test_metadata test = { \
			.name = _name, .fixture = _fixture, .body = coco_body_##id, \
			.signal = _signal, .timeout = _timeout, \
		}; \
		coco_add_test(&test); \
	}

#define COCO_TEST(t, _signal, _timeout) \
	static void t(struct __test_metadata *_metadata); \
	static void coco_body_##t(struct __test_metadata *_metadata, void *self __maybe_unused, \
				  const void *variant __maybe_unused) \
	{ \
		t(_metadata); \
	} \
	COCO_REGISTER(t, #t, NULL, _signal, _timeout) \
	static void t(struct __test_metadata *_metadata __maybe_unused)

#define COCO_FIXTURE_ARGS(f) \
	struct __test_metadata *_metadata __maybe_unused, struct _test_data_##f *self __maybe_unused, \
	const struct _fixture_variant_##f *variant __maybe_unused

#define COCO_TEST_F(f, t, _signal, _timeout) \
	static void f##_##t(COCO_FIXTURE_ARGS(f)); \
	static void coco_body_##f##_##t(struct __test_metadata *_metadata, void *self, \
					const void *variant) \
	{ \
		f##_##t(_metadata, self, variant); \
	} \
	COCO_REGISTER(f##_##t, #t, &coco_fixture_##f, _signal, _timeout) \
	static void f##_##t(COCO_FIXTURE_ARGS(f))

#define FIXTURE(f) \
	FIXTURE_DATA(f); \
	FIXTURE_VARIANT(f); \
	static struct coco_fixture coco_fixture_##f; \
	FIXTURE_DATA(f)

#define FIXTURE_SETUP(f) \
	static void f##_setup(COCO_FIXTURE_ARGS(f)); \
	static void coco_setup_##f(struct __test_metadata *_metadata, void *self, const void *variant) \
	{ \
		f##_setup(_metadata, self, variant); \
	} \
	static void __constructor coco_add_setup_##f(void) \
	{ \
		coco_fixture_##f.size = sizeof(FIXTURE_DATA(f)); \
		coco_fixture_##f.setup = coco_setup_##f; \
	} \
	static void f##_setup(COCO_FIXTURE_ARGS(f))

#define FIXTURE_TEARDOWN(f) \
	static void f##_teardown(COCO_FIXTURE_ARGS(f)); \
	static void coco_teardown_##f(struct __test_metadata *_metadata, void *self, const void *variant) \
	{ \
		f##_teardown(_metadata, self, variant); \
	} \
	static void __constructor coco_add_teardown_##f(void) \
	{ \
		coco_fixture_##f.teardown = coco_teardown_##f; \
	} \
	static void f##_teardown(COCO_FIXTURE_ARGS(f))

#define FIXTURE_VARIANT_ADD(f, v) \
	static const FIXTURE_VARIANT(f) coco_data_##f##_##v; \
	static void __constructor coco_add_variant_##f##_##v(void) \
	{ \
		static struct coco_variant variant = { .name = #v, .data = &coco_data_##f##_##v }; \
		coco_add_variant(&coco_fixture_##f, &variant); \
	} \
	static const FIXTURE_VARIANT(f) coco_data_##f##_##v =

#define TEST_HARNESS_MAIN \
	int main(int argc, char **argv) \
	{ \
		return coco_harness_main(argc, argv); \
	}

/* ---- inside a test ---- */
#define TH_LOG(fmt, ...)	coco_log(_metadata, __FILE__, __LINE__, fmt, ##__VA_ARGS__)

#define SKIP(statement, fmt, ...) do { \
	coco_skip(_metadata, fmt, ##__VA_ARGS__); \
	statement; \
} while (0)

/*
 * The loop runs its body - nothing, or the block that follows the macro - when
 * the check failed, then coco_after() ends the test or the loop.
 */
#define COCO_CHECK(holds, assert) \
	for (bool _bad = !(holds); _bad; _bad = coco_after(_metadata, assert))

#define COCO_SIGNED(x)		(((__typeof__(x))-1) < (__typeof__(x))1)
#define COCO_VALUE(x) \
	((struct coco_value){ (uintptr_t)(intptr_t)(x), COCO_SIGNED(x) })

#define COCO_COMPARE(a, a_text, op, b, b_text, assert) COCO_CHECK(({ \
	__typeof__(a) _a = (a); \
	__typeof__(b) _b = (b); \
	bool _holds = _a op _b; \
	if (!_holds) \
		coco_log_compare(_metadata, __FILE__, __LINE__, a_text, COCO_VALUE(_a), #op, b_text, \
				 COCO_VALUE(_b)); \
	_holds; }), assert)

#define COCO_STRING(a, a_text, op, b, b_text, assert) COCO_CHECK(({ \
	const char *_a = (a), *_b = (b); \
	bool _holds = _a && _b && strcmp(_a, _b) op 0; \
	if (!_holds) \
		TH_LOG("expected %s (\"%s\") %s %s (\"%s\")", a_text, _a ? _a : "(null)", #op, b_text, \
		       _b ? _b : "(null)"); \
	_holds; }), assert)

#define EXPECT_EQ(a, b)		COCO_COMPARE(a, #a, ==, b, #b, false)
#define EXPECT_NE(a, b)		COCO_COMPARE(a, #a, !=, b, #b, false)
#define EXPECT_LT(a, b)		COCO_COMPARE(a, #a, <, b, #b, false)
#define EXPECT_LE(a, b)		COCO_COMPARE(a, #a, <=, b, #b, false)
#define EXPECT_GT(a, b)		COCO_COMPARE(a, #a, >, b, #b, false)
#define EXPECT_GE(a, b)		COCO_COMPARE(a, #a, >=, b, #b, false)
#define EXPECT_NULL(x)		COCO_COMPARE(NULL, "NULL", ==, x, #x, false)
#define EXPECT_TRUE(x)		COCO_COMPARE(0, "0", !=, x, #x, false)
#define EXPECT_FALSE(x)		COCO_COMPARE(0, "0", ==, x, #x, false)
#define EXPECT_STREQ(a, b)	COCO_STRING(a, #a, ==, b, #b, false)
#define EXPECT_STRNE(a, b)	COCO_STRING(a, #a, !=, b, #b, false)
#define ASSERT_EQ(a, b)		COCO_COMPARE(a, #a, ==, b, #b, true)
#define ASSERT_NE(a, b)		COCO_COMPARE(a, #a, !=, b, #b, true)
#define ASSERT_LT(a, b)		COCO_COMPARE(a, #a, <, b, #b, true)
#define ASSERT_LE(a, b)		COCO_COMPARE(a, #a, <=, b, #b, true)
#define ASSERT_GT(a, b)		COCO_COMPARE(a, #a, >, b, #b, true)
#define ASSERT_GE(a, b)		COCO_COMPARE(a, #a, >=, b, #b, true)
#define ASSERT_NULL(x)		COCO_COMPARE(NULL, "NULL", ==, x, #x, true)
#define ASSERT_TRUE(x)		COCO_COMPARE(0, "0", !=, x, #x, true)
#define ASSERT_FALSE(x)		COCO_COMPARE(0, "0", ==, x, #x, true)
#define ASSERT_STREQ(a, b)	COCO_STRING(a, #a, ==, b, #b, true)
#define ASSERT_STRNE(a, b)	COCO_STRING(a, #a, !=, b, #b, true)

#endif /* COCO_HARNESS_H */
