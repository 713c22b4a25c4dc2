/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small KUnit for kernels built without it: the API that suites use, the
 * text that mainline's KUnit prints.
 *
 * Each case runs in a kernel thread of its own, so that an ASSERT or a skip
 * ends it from any depth, and an oops takes only that thread.  kunit_run.c runs
 * cases and prints results, kunit_check.c words what a check found.
 */
#ifndef COCO_OWN_KUNIT_H
#define COCO_OWN_KUNIT_H

#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/types.h>

#define KUNIT_PARAM_DESC_SIZE		128
#define KUNIT_STATUS_COMMENT_SIZE	256

enum kunit_status {
	KUNIT_SUCCESS,
	KUNIT_FAILURE,
	KUNIT_SKIPPED,
};

struct kunit;
struct coco_kunit_attempt;

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
	const void *(*generate_params)(struct kunit *test, const void *prev, char *desc);

	/* private */
	enum kunit_status status;
};

struct kunit_suite {
	const char name[256];
	int (*suite_init)(struct kunit_suite *suite);
	void (*suite_exit)(struct kunit_suite *suite);
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
};

struct kunit {
	void *priv;

	/* private, but for what KUnit's own users read as well */
	const char *name;
	const void *param_value;
	int param_index;
	enum kunit_status status;
	char status_comment[KUNIT_STATUS_COMMENT_SIZE];
	struct coco_kunit_attempt *attempt;
	spinlock_t lock;		/* guards allocations */
	struct list_head allocations;
};

#define KUNIT_CASE(function) \
	{ .run_case = function, .name = #function }
#define KUNIT_CASE_PARAM(function, gen) \
	{ .run_case = function, .name = #function, .generate_params = gen }

#define OWN_KUNIT_GENERATOR(gen, array, describe) \
	static const void *gen##_gen_params(struct kunit *test, const void *prev, char *desc) \
	{ \
		typeof(&(array)[0]) row = (void *)prev; \
		\
		row = row ? row + 1 : (array); \
		if (row == (array) + ARRAY_SIZE(array)) \
			return NULL; \
		describe; \
		return row; \
	}
#define KUNIT_ARRAY_PARAM(gen, array, get_desc) \
	static void (*const gen##_describe)(typeof(&(array)[0]), char *) = get_desc; \
	OWN_KUNIT_GENERATOR(gen, array, if (gen##_describe) gen##_describe(row, desc))
#define KUNIT_ARRAY_PARAM_DESC(gen, array, member) \
	OWN_KUNIT_GENERATOR(gen, array, strscpy(desc, row->member, KUNIT_PARAM_DESC_SIZE))

/* ---- kunit_run.c ---- */
int coco_kunit_run_suites(struct kunit_suite *const *suites, size_t count, const char *module);
void coco_kunit_throw(struct kunit *test);
void *coco_kunit_alloc(struct kunit *test, size_t n, size_t size, gfp_t gfp);
void coco_kunit_free(struct kunit *test, const void *memory);

/* objtool knows by name which functions of modules do not return: not ours, hence the BUG() */
static inline void __noreturn coco_kunit_abort(struct kunit *test)
{
	coco_kunit_throw(test);
	BUG();
}

#define kunit_test_suites(...) \
	static struct kunit_suite *coco_kunit_suites[] = { __VA_ARGS__ }; \
	static int __init coco_kunit_module_init(void) \
	{ \
		return coco_kunit_run_suites(coco_kunit_suites, ARRAY_SIZE(coco_kunit_suites), \
					     KBUILD_MODNAME); \
	} \
	module_init(coco_kunit_module_init); \
	static void __exit coco_kunit_module_exit(void) \
	{ \
	} \
	module_exit(coco_kunit_module_exit)
#define kunit_test_suite(suite)			kunit_test_suites(&suite)

#define kunit_kmalloc_array(test, n, size, gfp)	coco_kunit_alloc(test, n, size, gfp)
#define kunit_kmalloc(test, size, gfp)		coco_kunit_alloc(test, 1, size, gfp)
#define kunit_kzalloc(test, size, gfp)		coco_kunit_alloc(test, 1, size, (gfp) | __GFP_ZERO)
#define kunit_kcalloc(test, n, size, gfp)	coco_kunit_alloc(test, n, size, (gfp) | __GFP_ZERO)
#define kunit_kfree(test, memory)		coco_kunit_free(test, memory)

#define kunit_printk(level, test, fmt, ...) \
	printk(level "    # %s: " fmt, (test)->name, ##__VA_ARGS__)
#define kunit_info(test, fmt, ...)		kunit_printk(KERN_INFO, test, fmt, ##__VA_ARGS__)
#define kunit_warn(test, fmt, ...)		kunit_printk(KERN_WARNING, test, fmt, ##__VA_ARGS__)
#define kunit_err(test, fmt, ...)		kunit_printk(KERN_ERR, test, fmt, ##__VA_ARGS__)

#define kunit_mark_skipped(test, fmt, ...) \
	do { \
		WRITE_ONCE((test)->status, KUNIT_SKIPPED); \
		scnprintf((test)->status_comment, KUNIT_STATUS_COMMENT_SIZE, fmt, ##__VA_ARGS__); \
	} while (0)
#define kunit_skip(test, fmt, ...) \
	do { \
		kunit_mark_skipped(test, fmt, ##__VA_ARGS__); \
		coco_kunit_abort(test); \
	} while (0)

/* ---- kunit_check.c ---- */
enum coco_kunit_form {
	COCO_KUNIT_FAIL,		/* only the message */
	COCO_KUNIT_UNARY,		/* left: 0 or 1, was to be right */
	COCO_KUNIT_INT,
	COCO_KUNIT_POINTER,
	COCO_KUNIT_STRING,
	COCO_KUNIT_MEMORY,
	COCO_KUNIT_NOT_ERR,
};

struct coco_kunit_value {
	const char *text;		/* as the source has it */
	long long number;
	const void *pointer;
};

struct coco_kunit_check {
	enum coco_kunit_form form;
	bool assertion;
	const char *file;
	int line;
	const char *op;
	size_t size;
	struct coco_kunit_value left, right;
};

/* Marks the case failed and says why; fmt may be NULL */
__printf(3, 4) void coco_kunit_failed(struct kunit *test, const struct coco_kunit_check *check,
				      const char *fmt, ...);

#define OWN_KUNIT_FAILED(test_, form_, assertion_, op_, size_, left_, right_, fmt, ...) \
	do { \
		const struct coco_kunit_check check_ = { \
			.form = form_, .assertion = assertion_, .op = op_, .size = size_, \
			.file = __FILE__, .line = __LINE__, .left = left_, .right = right_, \
		}; \
		\
		coco_kunit_failed(test_, &check_, fmt, ##__VA_ARGS__); \
		if (assertion_) \
			coco_kunit_abort(test_); \
	} while (0)
#define OWN_KUNIT_NUMBER(text_, value) \
	((struct coco_kunit_value){ .text = text_, .number = value })
#define OWN_KUNIT_POINTER(text_, value) \
	((struct coco_kunit_value){ .text = text_, .pointer = value })

#define OWN_KUNIT_UNARY(test, assertion, condition, wanted, fmt, ...) \
	do { \
		if (likely(!!(condition) == !!(wanted))) \
			break; \
		OWN_KUNIT_FAILED(test, COCO_KUNIT_UNARY, assertion, "", 0, \
				 OWN_KUNIT_NUMBER(#condition, !(wanted)), \
				 OWN_KUNIT_NUMBER("", wanted), fmt, ##__VA_ARGS__); \
	} while (0)
#define OWN_KUNIT_BINARY(test, form, value, assertion, l, op, r, fmt, ...) \
	do { \
		const typeof(l) left_ = (l); \
		const typeof(r) right_ = (r); \
		\
		if (likely(left_ op right_)) \
			break; \
		OWN_KUNIT_FAILED(test, form, assertion, #op, 0, value(#l, left_), \
				 value(#r, right_), fmt, ##__VA_ARGS__); \
	} while (0)
#define OWN_KUNIT_INT(test, assertion, l, op, r, ...) \
	OWN_KUNIT_BINARY(test, COCO_KUNIT_INT, OWN_KUNIT_NUMBER, assertion, l, op, r, __VA_ARGS__)
#define OWN_KUNIT_PTR(test, assertion, l, op, r, ...) \
	OWN_KUNIT_BINARY(test, COCO_KUNIT_POINTER, OWN_KUNIT_POINTER, assertion, l, op, r, \
			 __VA_ARGS__)
#define OWN_KUNIT_STR(test, assertion, l, op, r, fmt, ...) \
	do { \
		const char *left_ = (l); \
		const char *right_ = (r); \
		\
		if (!IS_ERR_OR_NULL(left_) && !IS_ERR_OR_NULL(right_) && \
		    strcmp(left_, right_) op 0) \
			break; \
		OWN_KUNIT_FAILED(test, COCO_KUNIT_STRING, assertion, #op, 0, \
				 OWN_KUNIT_POINTER(#l, left_), OWN_KUNIT_POINTER(#r, right_), \
				 fmt, ##__VA_ARGS__); \
	} while (0)
#define OWN_KUNIT_MEM(test, assertion, l, op, r, n, fmt, ...) \
	do { \
		const void *left_ = (l); \
		const void *right_ = (r); \
		const size_t size_bytes_ = (n); \
		\
		if (likely(left_ && right_ && memcmp(left_, right_, size_bytes_) op 0)) \
			break; \
		OWN_KUNIT_FAILED(test, COCO_KUNIT_MEMORY, assertion, #op, size_bytes_, \
				 OWN_KUNIT_POINTER(#l, left_), OWN_KUNIT_POINTER(#r, right_), \
				 fmt, ##__VA_ARGS__); \
	} while (0)
#define OWN_KUNIT_NOT_ERR(test, assertion, p, fmt, ...) \
	do { \
		const void *pointer_ = (p); \
		\
		if (!IS_ERR_OR_NULL(pointer_)) \
			break; \
		OWN_KUNIT_FAILED(test, COCO_KUNIT_NOT_ERR, assertion, "", 0, \
				 OWN_KUNIT_POINTER(#p, pointer_), OWN_KUNIT_POINTER("", NULL), \
				 fmt, ##__VA_ARGS__); \
	} while (0)

#define KUNIT_SUCCEED(test)		((void)(test))
#define KUNIT_FAIL(test, fmt, ...) \
	OWN_KUNIT_FAILED(test, COCO_KUNIT_FAIL, false, "", 0, OWN_KUNIT_NUMBER("", 0), \
			 OWN_KUNIT_NUMBER("", 0), fmt, ##__VA_ARGS__)

#include "own_kunit_names.h"

#endif /* COCO_OWN_KUNIT_H */
