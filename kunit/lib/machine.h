/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The software machine, from the kernel's side: every machine call, and what
 * suites build from them.  coco_abi.h says what each call means.
 *
 * On anything but the machine each call gives -ENODEV and touches nothing, so
 * that a suite loaded on real hardware does no harm.
 */
#ifndef COCO_LIB_MACHINE_H
#define COCO_LIB_MACHINE_H

#include <linux/cpumask.h>
#include <linux/types.h>
#include "../../machine/include/coco_abi.h"

struct kunit;

/* Looks for the machine, once, before any other call; -EPROTO: it speaks another version */
int coco_machine_probe(void);
bool coco_machine(void);
enum coco_personality coco_machine_personality(void);
unsigned int coco_machine_cbit(void);		/* position of the C-bit or shared bit */

/* A case that scripts the host, or asks what it saw */
#define COCO_NEEDS_MACHINE(test) \
	do { \
		if (!coco_machine()) \
			kunit_skip(test, "needs the software machine"); \
	} while (0)

#define COCO_NEEDS_TWO_CPUS(test) \
	do { \
		if (num_online_cpus() < 2) \
			kunit_skip(test, "needs two CPUs"); \
	} while (0)

/* Behind what the guest must not come back from, as coco_expect() has it */
#define COCO_FAIL_AS_IT_GOES_ON(test) \
	do { \
		coco_expect(0, 0, 0); \
		KUNIT_FAIL(test, "the guest goes on"); \
	} while (0)

/* ---- the host side ---- */
s64 coco_put(char channel, const char *text, size_t len);

/* ---- what the machine saw ---- */
u64 coco_count(enum coco_event_kind kind, u64 code);
u64 coco_event_next(void);
s64 coco_event(u64 seq, struct coco_event *event);
u64 coco_breaches(void);

/*
 * ---- scripting the host; coco_case_end() takes all rules and expectations out ----
 *
 * A rule answers whoever comes first: a tick that reprograms its timer, as well
 * as the instruction under test.  So it belongs into a window, in most cases
 * by coco_window_begin_scripted().
 */
s64 coco_rule_add(const struct coco_rule *rule);
u64 coco_rule_hits(s64 id);
u64 coco_rule_del(s64 id);			/* 0: all */
s64 coco_inject(const struct coco_inject *inject);
s64 coco_expect(enum coco_end end, u64 value, u64 mask);
s64 coco_expect_breach(enum coco_breach breach, u64 count);
s64 coco_warp(u64 nanoseconds);

/* ---- memory as the host sees it ---- */
s64 coco_translate(const void *address);	/* GPA | COCO_GPA_PRIVATE */
s64 coco_page_state(u64 gpa);
s64 coco_page_set(u64 gpa, u32 flags);
s64 coco_page_find(u64 gpa, u32 mask, u32 flags);	/* first page from there on; -ENOENT */
s64 coco_page_used(u64 gpa);		/* by the guest, since its state was set */
s64 coco_host_read(u64 gpa, void *buf, size_t len);
s64 coco_host_write(u64 gpa, const void *buf, size_t len);
/* Events that change the state of these pages tell how they are mapped then; len 0: no more */
s64 coco_watch(const void *address, size_t len);

/*
 * A window: what this CPU made the machine do between two points.
 *
 *	coco_window_begin(w);
 *	one instruction under test
 *	coco_window_end(w);
 *	COCO_EXPECT_EXITS(test, w, COCO_EV_VC, SVM_EXIT_CPUID, 1);
 *
 * Interrupts are off in a window and other CPUs stand still: a tick's own exits
 * are not the test's, and a rule must not answer them.  So no check, nor
 * anything else that may sleep or wait for a CPU, between begin and end.
 *
 * An open window stops nothing, and sees what all CPUs do: for functions that
 * sleep.  Ask it for codes that nothing else makes.  One that is opened here
 * stops nothing either, but sees this CPU only: preemption must be off.
 */
#define COCO_WINDOW_EVENTS	256
#define COCO_ALL_CPUS		(~0u)

struct coco_window {
	u64 first;
	unsigned long flags;
	bool open;
	u32 cpu;			/* whose events it sees */
	u32 nevents;
	u32 lost;			/* more events than fit, or overwritten by the machine */
	s64 rule;			/* id, 0: none, or an error */
	u64 applied;			/* times that the rule was used */
	struct coco_event events[COCO_WINDOW_EVENTS];
};

struct coco_window *coco_window(struct kunit *test);	/* freed with the case; asserts memory */
void coco_window_begin(struct coco_window *w);
/* ... and until the window's end this rule is in force; NULL: none */
void coco_window_begin_scripted(struct coco_window *w, const struct coco_rule *rule);
void coco_window_begin_open(struct coco_window *w);
void coco_window_begin_here(struct coco_window *w);
/* What came so far, without its end: for a kernel that will not get there */
void coco_window_read(struct coco_window *w);
void coco_window_end(struct coco_window *w);
unsigned int coco_window_count(const struct coco_window *w, enum coco_event_kind kind, u64 code);
/* The nth (from 0) of this kind and code, or NULL */
const struct coco_event *coco_window_find(const struct coco_window *w, enum coco_event_kind kind,
					  u64 code, unsigned int nth);
void coco_window_show(const struct coco_window *w);

/* Exactly so many exits; shows the window if not */
#define COCO_EXPECT_EXITS(test, w, kind, code, n) \
	do { \
		if (coco_window_count(w, kind, code) != (n) || (w)->lost) \
			coco_window_show(w); \
		KUNIT_EXPECT_EQ(test, coco_window_count(w, kind, code), (unsigned int)(n)); \
		KUNIT_EXPECT_EQ_MSG(test, (w)->lost, 0u, "events were lost"); \
	} while (0)

/* The rule of the window was used exactly so often */
#define COCO_EXPECT_APPLIED(test, w, n) \
	do { \
		KUNIT_EXPECT_GT_MSG(test, (w)->rule, (s64)0, "the machine refuses the rule"); \
		KUNIT_EXPECT_EQ_MSG(test, (w)->applied, (u64)(n), "uses of the rule"); \
	} while (0)

#endif /* COCO_LIB_MACHINE_H */
