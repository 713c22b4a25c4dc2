// SPDX-License-Identifier: GPL-2.0
/* A function of the kernel that fails on demand. */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/string.h>
#include "override.h"

#ifdef CONFIG_KPROBES
/* Runs instead: entered as the function was, it returns to that one's caller */
static noinline int refuse(void)
{
	return -EIO;
}

static void hold_pages(unsigned long address, unsigned long count)
{
	for (; count; count--, address += PAGE_SIZE)
		get_page(virt_to_page((void *)address));
}

static int entered(struct kprobe *probe, struct pt_regs *regs)
{
	struct coco_override *o = container_of(probe, struct coco_override, probe);
	unsigned int n = o->ncalls++;

	if (n < COCO_OVERRIDE_CALLS) {
		o->calls[n].arg[0] = regs->di;
		o->calls[n].arg[1] = regs->si;
	}
	if (o->hold)
		hold_pages(regs->di, regs->si);
	if (o->watch)
		return 0;
	regs->ip = (unsigned long)refuse;
	return 1;
}

/* A probe with one of these is not optimised to a jump, which could not leave the function */
static void stepped(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

int coco_override_begin(struct coco_override *o)
{
	o->ncalls = 0;
	memset(&o->probe, 0, sizeof(o->probe));
	o->probe.symbol_name = o->function;
	o->probe.pre_handler = entered;
	o->probe.post_handler = stepped;
	return register_kprobe(&o->probe);
}
EXPORT_SYMBOL_GPL(coco_override_begin);

void coco_override_end(struct coco_override *o)
{
	unregister_kprobe(&o->probe);
}
EXPORT_SYMBOL_GPL(coco_override_end);
#else
int coco_override_begin(struct coco_override *o)
{
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_GPL(coco_override_begin);

void coco_override_end(struct coco_override *o)
{
}
EXPORT_SYMBOL_GPL(coco_override_end);
#endif
