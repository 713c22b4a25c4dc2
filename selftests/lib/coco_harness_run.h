/* SPDX-License-Identifier: GPL-2.0 */
/* The harness's engine: a process a test, KTAP on stdout.  Included by coco_harness.h only. */
#ifndef COCO_HARNESS_RUN_H
#define COCO_HARNESS_RUN_H

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COCO_EXIT_PASS	0
#define COCO_EXIT_FAIL	1
#define COCO_EXIT_USAGE	2
#define COCO_EXIT_SKIP	4	/* as in kselftest: every test was skipped */

#define COCO_MAX_GLOBS	64

static struct __test_metadata *coco_tests;
static const char *coco_globs[COCO_MAX_GLOBS];
static int coco_nglobs;

/* The process of the test that runs, and its group; 0: none */
static volatile sig_atomic_t coco_running;

/* Undoes what outlives the process of a test that died before its teardown, if anything does */
static void (*coco_after_death)(void);

struct coco_value {
	uint64_t bits;
	bool is_signed;
};

static __maybe_unused void coco_add_test(struct __test_metadata *test)
{
	struct __test_metadata **end = &coco_tests;

	while (*end)
		end = &(*end)->next;
	*end = test;
}

static __maybe_unused void coco_add_variant(struct coco_fixture *fixture, struct coco_variant *variant)
{
	struct coco_variant **end = &fixture->variants;

	while (*end)
		end = &(*end)->next;
	*end = variant;
}

/* ---- in the test's process ---- */

/* "# id: file:line: text"; a newline in the text starts another such line */
static __maybe_unused __printf(4, 5)
void coco_log(const struct __test_metadata *test, const char *file, int line, const char *fmt, ...)
{
	char text[800], *next, *part = text;
	const char *base = strrchr(file, '/');
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	while ((next = strsep(&part, "\n")))
		if (*next || !part)
			printf("# %s: %s:%d: %s\n", test->id, base ? base + 1 : file, line, next);
}

static __maybe_unused __printf(2, 3)
void coco_skip(struct __test_metadata *test, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(test->outcome->reason, sizeof(test->outcome->reason), fmt, ap);
	va_end(ap);
	test->outcome->skipped = true;
}

static void coco_value_text(char *text, size_t size, struct coco_value v)
{
	if (v.is_signed)
		snprintf(text, size, "%lld", (long long)v.bits);
	else if (v.bits < 10)
		snprintf(text, size, "%llu", (unsigned long long)v.bits);
	else
		snprintf(text, size, "%llu = 0x%llx", (unsigned long long)v.bits, (unsigned long long)v.bits);
}

static __maybe_unused
void coco_log_compare(struct __test_metadata *test, const char *file, int line, const char *a,
		      struct coco_value av, const char *op, const char *b, struct coco_value bv)
{
	char at[64], bt[64];

	coco_value_text(at, sizeof(at), av);
	coco_value_text(bt, sizeof(bt), bv);
	coco_log(test, file, line, "expected %s (%s) %s %s (%s)", a, at, op, b, bt);
}

static __maybe_unused bool coco_after(struct __test_metadata *test, bool assert)
{
	test->outcome->failed = true;
	if (assert)
		siglongjmp(test->bail, 1);
	return false;
}

static void coco_test_process(struct __test_metadata *test, const void *variant)
{
	struct coco_fixture *fixture = test->fixture;
	struct coco_outcome *outcome = test->outcome;
	void *self = fixture ? calloc(1, fixture->size + 1) : NULL;
	volatile bool set_up = !fixture;

	if (!sigsetjmp(test->bail, 1)) {
		if (fixture)
			fixture->setup(test, self, variant);
		set_up = true;
		if (!outcome->failed && !outcome->skipped)
			test->body(test, self, variant);
	}
	if (fixture && set_up && !sigsetjmp(test->bail, 1))
		fixture->teardown(test, self, variant);
	outcome->completed = true;
	fflush(NULL);
	_exit(0);
}

/* ---- in the parent ---- */

/* The child's wait status; false: it was killed after its time */
static bool coco_wait(pid_t pid, int seconds, int *status)
{
	struct timespec now, end, left;
	sigset_t chld, before;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &before);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	while (waitpid(pid, status, WNOHANG) != pid) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		left.tv_sec = end.tv_sec - now.tv_sec;
		left.tv_nsec = end.tv_nsec - now.tv_nsec;
		if (left.tv_nsec < 0) {
			left.tv_sec--;
			left.tv_nsec += 1000000000;
		}
		if (left.tv_sec < 0) {
			kill(-pid, SIGKILL);
			waitpid(pid, status, 0);
			sigprocmask(SIG_SETMASK, &before, NULL);
			return false;
		}
		sigtimedwait(&chld, NULL, &left);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	kill(-pid, SIGKILL);	/* what it may have left behind */
	return true;
}

/* Seconds that a test may take here */
static int coco_limit(const struct __test_metadata *test)
{
	const char *factor = getenv("COCO_PATIENCE");

	return test->timeout * (factor && atoi(factor) > 0 ? atoi(factor) : 1);
}

/* Why the test's end itself is a failure, or NULL */
static const char *coco_bad_end(struct __test_metadata *test, bool in_time, int status)
{
	static char why[120];

	if (!in_time)
		snprintf(why, sizeof(why), "still running after %d seconds: killed", coco_limit(test));
	else if (WIFSIGNALED(status) && WTERMSIG(status) == test->signal)
		return NULL;
	else if (WIFSIGNALED(status))
		snprintf(why, sizeof(why), "killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else if (test->signal && !test->outcome->skipped)
		snprintf(why, sizeof(why), "not killed by signal %d (%s)", test->signal,
			 strsignal(test->signal));
	else if (!test->outcome->completed)
		snprintf(why, sizeof(why), "its process left with code %d before the end", WEXITSTATUS(status));
	else
		return NULL;
	return why;
}

/*
 * Says in the kernel's log, too, which test begins: what that log says next
 * belongs to it, however late our own output is read.  Writers are limited in
 * rate, each open file for itself; who may not write has no part in that log.
 */
static void coco_mark(const struct __test_metadata *test)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char line[sizeof(test->id) + 32];

	if (fd < 0)
		return;
	/* dprintf() would ask for the position first, and this file has none */
	snprintf(line, sizeof(line), "<6>coco: running %s\n", test->id);
	if (write(fd, line, strlen(line)) < 0)
		printf("# /dev/kmsg: %s\n", strerror(errno));
	close(fd);
}

/* A test is in a group of its own: whoever ends us does not reach it */
static void coco_end_with_test(int sig)
{
	if (coco_running > 0)
		kill(-coco_running, SIGKILL);
	raise(sig);		/* now the default, and held back until we return */
}

static const int coco_end_signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };

static void coco_handle_ends(void)
{
	struct sigaction end = { .sa_handler = coco_end_with_test, .sa_flags = SA_RESETHAND };
	struct sigaction before;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(coco_end_signals); i++)
		if (!sigaction(coco_end_signals[i], NULL, &before) && before.sa_handler != SIG_IGN)
			sigaction(coco_end_signals[i], &end, NULL);
}

static void coco_run_one(struct __test_metadata *test, const void *variant)
{
	sigset_t blocked, before;
	const char *why;
	bool in_time;
	int status = 0;
	size_t i;
	pid_t pid;

	memset(test->outcome, 0, sizeof(*test->outcome));
	coco_mark(test);
	printf("# RUN           %s ...\n", test->id);
	fflush(NULL);
	sigemptyset(&blocked);
	for (i = 0; i < ARRAY_SIZE(coco_end_signals); i++)
		sigaddset(&blocked, coco_end_signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	pid = fork();
	if (!pid) {
		coco_running = 0;
		sigprocmask(SIG_SETMASK, &before, NULL);
		setpgid(0, 0);
		coco_test_process(test, variant);
	}
	if (pid < 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		printf("# %s: fork: %s\n", test->id, strerror(errno));
		test->outcome->failed = true;
		return;
	}
	setpgid(pid, pid);
	coco_running = pid;
	sigprocmask(SIG_SETMASK, &before, NULL);
	in_time = coco_wait(pid, coco_limit(test), &status);
	coco_running = 0;
	if (!test->outcome->completed && coco_after_death)
		coco_after_death();
	why = coco_bad_end(test, in_time, status);
	if (!why)
		return;
	printf("# %s: %s\n", test->id, why);
	test->outcome->failed = true;
}

static bool coco_wanted(const struct __test_metadata *test)
{
	int i;

	for (i = 0; i < coco_nglobs; i++)
		if (!fnmatch(coco_globs[i], test->id, 0) || !fnmatch(coco_globs[i], test->name, 0))
			return true;
	return !coco_nglobs;
}

/* Calls do_one for every test and variant that was asked for; returns how many those are */
static int coco_for_each(void (*do_one)(struct __test_metadata *test, const void *variant, int number))
{
	static struct coco_variant none;
	struct __test_metadata *test;
	struct coco_variant *variant;
	int number = 0;

	for (test = coco_tests; test; test = test->next) {
		variant = test->fixture ? test->fixture->variants : NULL;
		for (variant = variant ? variant : &none; variant; variant = variant->next) {
			snprintf(test->id, sizeof(test->id), "%s%s%s", test->name, variant->name ? "." : "",
				 variant->name ? variant->name : "");
			if (!coco_wanted(test))
				continue;
			number++;
			if (do_one)
				do_one(test, variant->data, number);
		}
	}
	return number;
}

static int coco_passed, coco_failed, coco_skipped;

static void coco_run_and_report(struct __test_metadata *test, const void *variant, int number)
{
	struct coco_outcome *outcome = test->outcome;

	coco_run_one(test, variant);
	outcome->reason[strcspn(outcome->reason, "\n")] = '\0';
	if (outcome->failed) {
		coco_failed++;
		printf("not ok %d %s\n", number, test->id);
	} else if (outcome->skipped) {
		coco_skipped++;
		printf("ok %d %s # SKIP %s\n", number, test->id, outcome->reason);
	} else {
		coco_passed++;
		printf("ok %d %s\n", number, test->id);
	}
}

static void coco_print_id(struct __test_metadata *test, const void *variant __maybe_unused,
			  int number __maybe_unused)
{
	puts(test->id);
}

static const char *coco_double_name(void)
{
	const struct __test_metadata *a, *b;

	for (a = coco_tests; a; a = a->next)
		for (b = a->next; b; b = b->next)
			if (!strcmp(a->name, b->name))
				return a->name;
	return NULL;
}

static int coco_run_all(void)
{
	struct coco_outcome *outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *twice = coco_double_name();
	struct __test_metadata *test;
	int count = coco_for_each(NULL);

	puts("KTAP version 1");
	if (outcome == MAP_FAILED || twice) {
		printf("Bail out! %s%s\n", twice ? "two tests are called " : strerror(errno), twice ? twice : "");
		return COCO_EXIT_FAIL;
	}
	for (test = coco_tests; test; test = test->next)
		test->outcome = outcome;
	printf(count ? "1..%d\n" : "1..%d # SKIP no test of that name\n", count);
	coco_handle_ends();
	coco_for_each(coco_run_and_report);
	printf("# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:%d error:0\n", coco_passed, coco_failed,
	       coco_skipped);
	if (coco_failed)
		return COCO_EXIT_FAIL;
	return coco_passed ? COCO_EXIT_PASS : COCO_EXIT_SKIP;
}

static __maybe_unused int coco_harness_main(int argc, char **argv)
{
	bool list = false;
	int c;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((c = getopt(argc, argv, "t:lh")) != -1) {
		if (c == 't' && coco_nglobs < COCO_MAX_GLOBS) {
			coco_globs[coco_nglobs++] = optarg;
		} else if (c == 'l') {
			list = true;
		} else {
			fprintf(c == 'h' ? stdout : stderr,
				"usage: %s [-l] [-t <glob>]...\n"
				"  -t <glob>  only tests whose name, or name.variant, matches; up to %d\n"
				"  -l         list them and do nothing\n", argv[0], COCO_MAX_GLOBS);
			return c == 'h' ? COCO_EXIT_PASS : COCO_EXIT_USAGE;
		}
	}
	if (!list)
		return coco_run_all();
	coco_for_each(coco_print_id);
	return COCO_EXIT_PASS;
}

#endif /* COCO_HARNESS_RUN_H */
