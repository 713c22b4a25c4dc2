/* SPDX-License-Identifier: GPL-2.0 */
#ifndef COCO_LIB_SYMBOL_H
#define COCO_LIB_SYMBOL_H

#include <linux/compiler.h>

/* For who calls such a symbol: its address has no type that the compiler's check knows */
#ifndef __nocfi
#define __nocfi
#endif

struct kunit;

/*
 * The address of a symbol that the kernel does not export, or NULL: only to
 * look at what no interface shows, and said so by the test that does.
 */
void *coco_symbol(const char *name);
/* ... for a case that cannot do without */
void *coco_need_symbol(struct kunit *test, const char *name);

#endif /* COCO_LIB_SYMBOL_H */
