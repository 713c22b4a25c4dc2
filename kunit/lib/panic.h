/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A panic that is a pass.  What the kernel says decides, and what it did before: an end by any
 * other panic fails the case.
 */
#ifndef COCO_PANIC_H
#define COCO_PANIC_H

#include <linux/kernel.h>
#include <linux/notifier.h>
#include <linux/string.h>
#include "machine.h"

#ifdef CC_HAVE_PANIC_NOTIFIER
#include <linux/panic_notifier.h>
#endif

static bool (*coco_panic_passes)(const char *message);

static int coco_at_panic(struct notifier_block *block, unsigned long action, void *message)
{
	if (coco_panic_passes(message))
		coco_expect(COCO_END_RESET, 0, 0);
	return NOTIFY_DONE;
}

static struct notifier_block coco_panic_block = { .notifier_call = coco_at_panic };

/* The guest may end by a panic whose message passes; asked in the panic itself */
static inline void coco_panic_begin(bool (*passes)(const char *message))
{
	coco_panic_passes = passes;
	atomic_notifier_chain_register(&panic_notifier_list, &coco_panic_block);
}

static inline void coco_panic_end(void)
{
	atomic_notifier_chain_unregister(&panic_notifier_list, &coco_panic_block);
}

#endif /* COCO_PANIC_H */
