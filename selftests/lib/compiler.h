/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's names for what compilers offer, where the kernel's harness has not defined them already. */
#ifndef COCO_COMPILER_H
#define COCO_COMPILER_H

#ifndef __maybe_unused
#define __maybe_unused	__attribute__((__unused__))
#endif
#ifndef __noreturn
#define __noreturn	__attribute__((__noreturn__))
#endif
#ifndef __printf
#define __printf(a, b)	__attribute__((format(printf, a, b)))
#endif
#ifndef __constructor
#define __constructor	__attribute__((constructor))
#endif
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif
#ifndef __stringify
#define __stringify_1(x...)	#x
#define __stringify(x...)	__stringify_1(x)
#endif

#endif /* COCO_COMPILER_H */
