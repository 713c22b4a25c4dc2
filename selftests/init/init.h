/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the guest's /init know of each other. */
#ifndef COCO_INIT_H
#define COCO_INIT_H

#include <stdbool.h>
#include <stddef.h>

#include "../lib/machine.h"

/*
 * Limits within the guest go by its clock, and that goes on while QEMU waits for
 * a CPU.  The host's watchdogs take that waiting off, so they are to be first: a
 * limit in here is so many times what it would be on a processor of its own.
 */
#define PATIENCE	8

/* Exit codes as shells give them */
#define RC_TIMEOUT	124
#define RC_NO_EXEC	127
#define RC_SIGNAL	128	/* + its number */

/* ---- out.c: the result stream, and the run's end ---- */
void out_open(void);
/* One line; longer than the machine takes in one piece: cut, and marked so */
void out_line(char channel, const char *text, size_t len);
void out(const char *fmt, ...) __printf(1, 2);	/* to channel i */
void end_of_run(int code) __noreturn;

/* ---- klog.c: the kernel's log ---- */
void klog_console(void);	/* the verb: coco.ko's console, or /dev/kmsg in its stead */
int klog_fd(void);		/* to poll, -1: none */
void klog_forward(void);	/* what is new */
void klog_settle(void);		/* everything so far has left the guest when this returns */

/* ---- runfile.c: where the verbs come from ---- */
const char *run_file(void);	/* read it (again); "" if there is none */

/* ---- child.c: everything that may crash or hang runs in a process of its own ---- */
struct child {
	const char *name;		/* for messages */
	char *const *argv;		/* program, or */
	int (*function)(const void *arg);	/* a function: 0 or -errno */
	const void *arg;
	int limit;			/* seconds */
};

/* A program's exit code, or RC_*; a function's -errno */
int child_run(const struct child *child);

#endif /* COCO_INIT_H */
