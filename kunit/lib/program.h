/* SPDX-License-Identifier: GPL-2.0 */
/* A program of the selftests that a case runs: for what user space alone can ask of a driver */
#ifndef COCO_LIB_PROGRAM_H
#define COCO_LIB_PROGRAM_H

#include <linux/kmod.h>

#define COCO_PROGRAM_SKIPS	(4 << 8)	/* KSFT_SKIP, as wait(2) has it */

/* One of its cases; the status that wait(2) has, negative: there is no such program */
static inline int coco_run_program(char *program, char *name)
{
	char *argv[4] = { program, "-t", name, NULL }, *envp[1] = { NULL };

	return call_usermodehelper(program, argv, envp, UMH_WAIT_PROC);
}

#endif /* COCO_LIB_PROGRAM_H */
