/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A function of the kernel that fails on demand, by a kprobe on its entry: for
 * failures that no host can cause on this technology or on this kernel, since
 * SNP ends a guest whose page state change is refused, SEV asks nobody, and old
 * kernels have no way to hear a refusal.  A case that uses it says so.
 *
 *	static struct coco_override decrypt = { .function = "set_memory_decrypted" };
 *	KUNIT_ASSERT_EQ(test, coco_override_begin(&decrypt), 0);
 *	the call under test
 *	coco_override_end(&decrypt);
 *	decrypt.ncalls, decrypt.calls[0].arg[0]
 */
#ifndef COCO_LIB_OVERRIDE_H
#define COCO_LIB_OVERRIDE_H

#include <linux/kprobes.h>
#include <linux/types.h>

#define COCO_OVERRIDE_CALLS	16

struct coco_override {
	const char *function;
	bool watch;			/* only look on; else it returns -EIO and does nothing */
	/*
	 * For (address, pages): one more user of these pages, for good.  Where they are freed
	 * nobody gets them, and nobody is stopped by the state that they are in.
	 */
	bool hold;
	unsigned int ncalls;
	struct {
		unsigned long arg[2];
	} calls[COCO_OVERRIDE_CALLS];	/* the first ones */

	/* private */
	struct kprobe probe;
};

int coco_override_begin(struct coco_override *o);
void coco_override_end(struct coco_override *o);

#endif /* COCO_LIB_OVERRIDE_H */
