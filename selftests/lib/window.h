/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Event windows: which exits the instructions of a test caused, exactly.
 *
 * The machine logs what every context does, and a timer may tick in a window.
 * Hence the two filters:
 *
 *	#VC, #VE (user)		CPL 3 and a RIP inside the section coco_insn
 *	   |   nested ones of the kernel have CPL 0
 *	host call (kernel)	its code is that of the exception (GHCB exit codes are the
 *				#VC's but for MMIO, TDVMCALL leaves the #VE's), and of the
 *				exceptions with that code on that CPU the latest before it was
 *				ours
 */
#ifndef COCO_WINDOW_H
#define COCO_WINDOW_H

#include "machine.h"

#define WINDOW_EVENTS	512

#define EXIT_NPF	0x400			/* APM vol. 2, appendix C */
#define CALL_MMIO_READ	0x80000001ull		/* GHCB specification 56421, table 6 */
#define CALL_MMIO_WRITE	0x80000002ull

struct window {
	uint64_t first;
	int error;			/* events that could not be read: nothing below counts */
	int n;
	struct coco_event events[WINDOW_EVENTS];
};

static __maybe_unused void window_open(struct window *w)
{
	w->n = 0;
	w->error = 0;
	w->first = machine_event_next();
}

static __maybe_unused void window_close(struct window *w)
{
	uint64_t end = machine_event_next(), seq;

	for (seq = w->first; seq != end && !w->error; seq++) {
		if (w->n == WINDOW_EVENTS)
			w->error = -ENOSPC;
		else
			w->error = machine_event(seq, &w->events[w->n]);
		if (!w->error)
			w->n++;
	}
}

static inline bool event_is_exception(const struct coco_event *e)
{
	return e->kind == COCO_EV_VC || e->kind == COCO_EV_VE;
}

static inline bool event_is_our_exception(const struct coco_event *e)
{
	return event_is_exception(e) && e->cpl == 3 && rip_is_ours(e->rip);
}

/* Of the exception that this call is made for */
static inline uint64_t event_cause(const struct coco_event *e)
{
	bool mmio = e->code == CALL_MMIO_READ || e->code == CALL_MMIO_WRITE;

	return e->kind == COCO_EV_GHCB && mmio ? EXIT_NPF : e->code;
}

static inline bool event_is_our_call(const struct window *w, int i)
{
	const struct coco_event *e = &w->events[i];

	if (e->kind != COCO_EV_GHCB && e->kind != COCO_EV_TDVMCALL)
		return false;
	while (i--) {
		const struct coco_event *before = &w->events[i];

		if (event_is_exception(before) && before->cpu == e->cpu &&
		    before->code == event_cause(e))
			return event_is_our_exception(before);
	}
	return false;
}

/* The nth #VC or #VE of ours from 0, NULL: there are fewer */
static __maybe_unused
const struct coco_event *window_exception(const struct window *w, int nth)
{
	int i;

	for (i = 0; i < w->n; i++)
		if (event_is_our_exception(&w->events[i]) && !nth--)
			return &w->events[i];
	return NULL;
}

/* The nth GHCB exit or TDVMCALL that the kernel made for one of ours */
static __maybe_unused const struct coco_event *window_call(const struct window *w, int nth)
{
	int i;

	for (i = 0; i < w->n; i++)
		if (event_is_our_call(w, i) && !nth--)
			return &w->events[i];
	return NULL;
}

static __maybe_unused int window_exceptions(const struct window *w)
{
	int n = 0;

	while (window_exception(w, n))
		n++;
	return n;
}

static __maybe_unused int window_calls(const struct window *w)
{
	int n = 0;

	while (window_call(w, n))
		n++;
	return n;
}

/* Elsewhere than in the machine the behaviour is tested and the exits are not counted */
#define EXPECT_EXITS(w, exceptions, calls) do { \
	if (!machine_present()) \
		break; \
	EXPECT_EQ(0, (w)->error); \
	EXPECT_EQ(exceptions, window_exceptions(w)); \
	EXPECT_EQ(calls, window_calls(w)); \
} while (0)

#endif /* COCO_WINDOW_H */
