// SPDX-License-Identifier: GPL-2.0
/*
 * Our own KUnit core, part one: running cases and printing their results as
 * mainline's KUnit prints them.
 *
 *	KTAP version 1
 *	1..1
 *	    KTAP version 1
 *	    # Subtest: example
 *	    # module: coco_example
 *	    1..2
 *	    ok 1 a_case
 *	    not ok 2 another_case
 *	# example: pass:1 fail:1 skip:0 total:2
 *	# Totals: pass:1 fail:1 skip:0 total:2
 *	not ok 1 example
 */
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>
#include "own_kunit.h"

#define CASE_TIMEOUT	(300 * HZ)	/* KUnit's own */
#define INDENT		"    "

/* How a thread that ran something for a case ended */
enum outcome {
	DIED,				/* an oops took it, if it says nothing else */
	RETURNED,
	ABORTED,
	TIMED_OUT,
	NOT_STARTED,
};

struct coco_kunit_attempt {
	struct kunit *test;
	struct kunit_suite *suite;
	struct kunit_case *test_case;
	void (*body)(struct coco_kunit_attempt *attempt);
	enum outcome outcome;
};

struct allocation {
	struct list_head list;
	u8 memory[] __aligned(ARCH_KMALLOC_MINALIGN);
};

struct tally {
	unsigned long pass, fail, skip, total;
};

static void tally_add(struct tally *tally, enum kunit_status status)
{
	tally->pass += status == KUNIT_SUCCESS;
	tally->fail += status == KUNIT_FAILURE;
	tally->skip += status == KUNIT_SKIPPED;
	tally->total++;
}

static void tally_sum(struct tally *sum, const struct tally *part)
{
	sum->pass += part->pass;
	sum->fail += part->fail;
	sum->skip += part->skip;
	sum->total += part->total;
}

/* As KUnit by default: only where there was more than one */
static void tally_print(const struct tally *tally, const char *indent, const char *name)
{
	if (tally->total > 1)
		pr_info("%s# %s: pass:%lu fail:%lu skip:%lu total:%lu\n", indent, name, tally->pass,
			tally->fail, tally->skip, tally->total);
}

static void print_result(const char *indent, enum kunit_status status, size_t number,
			 const char *name, const char *comment)
{
	bool skipped = status == KUNIT_SKIPPED;

	pr_info("%s%s %zu %s%s%s\n", indent, status == KUNIT_FAILURE ? "not ok" : "ok", number,
		name, skipped ? " # SKIP " : "", skipped ? comment : "");
}

void *coco_kunit_alloc(struct kunit *test, size_t n, size_t size, gfp_t gfp)
{
	struct allocation *a;

	if (size && n > (SIZE_MAX - sizeof(*a)) / size)
		return NULL;
	a = kmalloc(sizeof(*a) + n * size, gfp);
	if (!a)
		return NULL;
	spin_lock(&test->lock);
	list_add(&a->list, &test->allocations);
	spin_unlock(&test->lock);
	return a->memory;
}
EXPORT_SYMBOL_GPL(coco_kunit_alloc);

void coco_kunit_free(struct kunit *test, const void *memory)
{
	struct allocation *a;

	if (!memory)
		return;
	a = container_of(memory, struct allocation, memory[0]);
	spin_lock(&test->lock);
	list_del(&a->list);
	spin_unlock(&test->lock);
	kfree(a);
}
EXPORT_SYMBOL_GPL(coco_kunit_free);

static void free_allocations(struct kunit *test)
{
	struct allocation *a, *next;

	list_for_each_entry_safe(a, next, &test->allocations, list)
		kfree(a);
	INIT_LIST_HEAD(&test->allocations);
}

void coco_kunit_throw(struct kunit *test)
{
	test->attempt->outcome = ABORTED;
#ifdef CC_HAVE_KTHREAD_COMPLETE_AND_EXIT
	kthread_complete_and_exit(NULL, 0);
#else
	complete_and_exit(NULL, 0);
#endif
}
EXPORT_SYMBOL_GPL(coco_kunit_throw);

static int attempt_thread(void *data)
{
	struct coco_kunit_attempt *attempt = data;

	attempt->body(attempt);
	attempt->outcome = RETURNED;
	return 0;
}

/*
 * The thread's own completion is the task's vfork_done, which do_exit() of a
 * kernel thread completes, whatever ended it.
 */
static enum outcome attempt_run(struct coco_kunit_attempt *attempt)
{
	struct completion *exited;
	struct task_struct *task;

	attempt->outcome = DIED;
	attempt->test->attempt = attempt;
	task = kthread_create(attempt_thread, attempt, "coco_kunit_case");
	if (IS_ERR(task)) {
		kunit_err(attempt->test, "no thread to run in: %ld\n", PTR_ERR(task));
		return NOT_STARTED;
	}
	get_task_struct(task);
	exited = task->vfork_done;
	wake_up_process(task);
	if (!wait_for_completion_timeout(exited, CASE_TIMEOUT)) {
		kunit_err(attempt->test, "try timed out\n");
		return TIMED_OUT;	/* and keeps its task: it may still run */
	}
	put_task_struct(task);
	if (attempt->outcome == DIED)
		kunit_err(attempt->test, "try faulted\n");
	return attempt->outcome;
}

static void body_of_case(struct coco_kunit_attempt *attempt)
{
	struct kunit *test = attempt->test;
	int error = attempt->suite->init ? attempt->suite->init(test) : 0;

	if (error) {
		kunit_err(test, "failed to initialize: %d\n", error);
		WRITE_ONCE(test->status, KUNIT_FAILURE);
		return;
	}
	attempt->test_case->run_case(test);
}

static void body_of_exit(struct coco_kunit_attempt *attempt)
{
	attempt->suite->exit(attempt->test);
}

static bool ended_by_itself(enum outcome outcome)
{
	return outcome == RETURNED || outcome == ABORTED;
}

/* Once for each case, or for each parameter of it */
static void run_once(struct kunit_suite *suite, struct kunit_case *c, struct kunit *test)
{
	/* Not on the stack: a thread that timed out goes on using it */
	struct coco_kunit_attempt *attempt = kzalloc(sizeof(*attempt), GFP_KERNEL);
	enum outcome outcome;

	spin_lock_init(&test->lock);
	INIT_LIST_HEAD(&test->allocations);
	test->name = c->name;
	test->status = KUNIT_SUCCESS;
	test->status_comment[0] = '\0';
	if (!attempt) {
		test->status = KUNIT_FAILURE;
		return;
	}
	*attempt = (struct coco_kunit_attempt){ .test = test, .suite = suite, .test_case = c,
						.body = body_of_case };
	outcome = attempt_run(attempt);
	if (ended_by_itself(outcome) && suite->exit) {
		attempt->body = body_of_exit;
		outcome = attempt_run(attempt);
	}
	if (!ended_by_itself(outcome))
		test->status = KUNIT_FAILURE;
	if (outcome == TIMED_OUT)
		return;
	free_allocations(test);
	test->attempt = NULL;
	kfree(attempt);
}

/* The case's status is the worst of its parameters', and SKIP if all were skipped */
static void merge_status(struct kunit_case *c, enum kunit_status status)
{
	if (status == KUNIT_FAILURE || (status == KUNIT_SUCCESS && c->status == KUNIT_SKIPPED))
		c->status = status;
}

static void run_params(struct kunit_suite *suite, struct kunit_case *c, struct kunit *test,
		       struct tally *tally)
{
	char desc[KUNIT_PARAM_DESC_SIZE] = "";

	pr_info(INDENT INDENT "KTAP version 1\n");
	pr_info(INDENT INDENT "# Subtest: %s\n", c->name);
	test->param_value = c->generate_params(test, NULL, desc);
	while (test->param_value) {
		test->param_index++;
		run_once(suite, c, test);
		if (!desc[0])
			snprintf(desc, sizeof(desc), "param-%d", test->param_index);
		print_result(INDENT INDENT, test->status, test->param_index, desc,
			     test->status_comment);
		tally_add(tally, test->status);
		merge_status(c, test->status);
		/* A thread that timed out may still use all that is in it: no other row may have it */
		if (test->attempt)
			break;
		desc[0] = '\0';
		test->param_value = c->generate_params(test, test->param_value, desc);
	}
	test->status_comment[0] = '\0';
}

static void run_case(struct kunit_suite *suite, struct kunit_case *c, size_t number,
		     struct tally *cases, struct tally *total)
{
	struct kunit *test = kzalloc(sizeof(*test), GFP_KERNEL);
	struct tally params = {};

	c->status = KUNIT_SKIPPED;
	if (!test) {
		c->status = KUNIT_FAILURE;
		print_result(INDENT, c->status, number, c->name, "");
	} else {
		if (c->generate_params) {
			run_params(suite, c, test, &params);
		} else {
			run_once(suite, c, test);
			tally_add(&params, test->status);
			merge_status(c, test->status);
		}
		tally_print(&params, INDENT, c->name);
		print_result(INDENT, c->status, number, c->name, test->status_comment);
	}
	tally_add(cases, c->status);
	tally_sum(total, &params);
	/* The thread of an attempt that timed out may still use it */
	if (test && !test->attempt)
		kfree(test);
}

static enum kunit_status suite_status(const struct tally *tally)
{
	if (tally->fail)
		return KUNIT_FAILURE;
	return tally->pass ? KUNIT_SUCCESS : KUNIT_SKIPPED;
}

static void run_suite(struct kunit_suite *suite, size_t number, const char *module)
{
	struct tally cases = {}, total = {};
	struct kunit_case *c;
	int error = suite->suite_init ? suite->suite_init(suite) : 0;
	size_t count = 0;

	if (error) {
		pr_err(INDENT "# failed to initialize (%d)\n", error);
		print_result("", KUNIT_FAILURE, number, suite->name, "");
		return;
	}
	for (c = suite->test_cases; c->run_case; c++)
		count++;
	pr_info(INDENT "KTAP version 1\n");
	pr_info(INDENT "# Subtest: %s\n", suite->name);
	pr_info(INDENT "# module: %s\n", module);
	pr_info(INDENT "1..%zu\n", count);
	count = 0;
	for (c = suite->test_cases; c->run_case; c++)
		run_case(suite, c, ++count, &cases, &total);
	if (suite->suite_exit)
		suite->suite_exit(suite);
	tally_print(&cases, "", suite->name);
	tally_print(&total, "", "Totals");
	print_result("", suite_status(&cases), number, suite->name, "");
}

int coco_kunit_run_suites(struct kunit_suite *const *suites, size_t count, const char *module)
{
	size_t i;

	pr_info("KTAP version 1\n");
	pr_info("1..%zu\n", count);
	for (i = 0; i < count; i++)
		run_suite(suites[i], i + 1, module);
	return 0;
}
EXPORT_SYMBOL_GPL(coco_kunit_run_suites);
