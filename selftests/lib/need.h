/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a test needs, at its beginning, and the reason of the SKIP where that is
 * missing.  In the test and not in FIXTURE_SETUP: kselftest harnesses up to 5.15
 * run a test whose set-up was skipped.
 */
#ifndef COCO_NEED_H
#define COCO_NEED_H

#include <errno.h>
#include <string.h>
#include <sys/io.h>
#include <unistd.h>

#include "machine.h"
#include "technology.h"

#ifdef COCO_HARNESS_H
static void __constructor forget_after_death(void)
{
	coco_after_death = machine_forget;
}
#endif

/* One of the technologies in the mask */
#define NEED_TECHNOLOGY(mask) do { \
	int _active = technology_active(); \
	if (_active < 0 || !((mask) & 1u << _active)) \
		SKIP(return, "is about %s, this guest is %s", technologies(mask), \
		     personality_name(_active)); \
} while (0)
/* ... which has #VC, or #VE */
#define NEED_VC()	NEED_TECHNOLOGY(1u << COCO_SEV_ES | 1u << COCO_SEV_SNP)
#define NEED_VE()	NEED_TECHNOLOGY(1u << COCO_TDX)

#define NEED_MACHINE() do { \
	if (!machine_present()) \
		SKIP(return, "needs the software machine, to say what the host does"); \
} while (0)

#define NEED_TWO_CPUS() do { \
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) \
		SKIP(return, "needs two CPUs"); \
} while (0)

#define NEED_PORTS(first, count) do { \
	if (ioperm(first, count, 1)) \
		SKIP(return, "ioperm: %s", strerror(errno)); \
} while (0)

/* The kernel's log, for the test to free */
#define NEED_KERNEL_LOG(log) do { \
	(log) = kernel_log(); \
	if (!(log)) \
		SKIP(return, "the kernel's log cannot be read"); \
} while (0)

#endif /* COCO_NEED_H */
