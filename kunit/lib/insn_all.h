/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One instruction under test with all registers but RSP and RBP, for the forms
 * that insn.h has no room for: string instructions, extended registers.
 *
 *	COCO_INSN_ALL(do_outs, "rep outsb")	defines do_outs() and do_outs_down(),
 *						the latter with the direction flag set
 *	struct coco_regs r = { .si = (unsigned long)buffer, .cx = 3, .dx = port };
 *	do_outs(&r);
 *
 * Behind the instruction all registers are stored at once: a handler that moves
 * RIP wrong leaves a register's first value, or runs the instruction twice,
 * which the count of exits shows.  A fault is caught as in insn.h; RAX is lost
 * then.  Not reentrant: run it in a window, which keeps interrupts out.
 */
#ifndef COCO_LIB_INSN_ALL_H
#define COCO_LIB_INSN_ALL_H

#include "insn.h"

/* The assembly below counts on this order */
struct coco_regs {
	unsigned long ax, bx, cx, dx, si, di;		/* in and out */
	unsigned long r8, r9, r10, r11, r12, r13, r14, r15;
	unsigned long address;				/* out */
	long trap;					/* out: a vector, or COCO_NO_TRAP */
	long only_address;				/* in: do not run it, e.g. to inject at it */
};

#define COCO_MOVE_IN(n, reg)	"mov " #n "*8+%c[file](%%rip), %%" reg "\n\t"
#define COCO_MOVE_OUT(n, reg)	"mov %%" reg ", " #n "*8+%c[file](%%rip)\n\t"
#define COCO_ALL_BUT_AX(move) \
	move(1, "rbx") move(2, "rcx") move(3, "rdx") move(4, "rsi") move(5, "rdi") \
	move(6, "r8") move(7, "r9") move(8, "r10") move(9, "r11") move(10, "r12") \
	move(11, "r13") move(12, "r14") move(13, "r15")

#define COCO_INSN_DIRECTION(name, text, before, after) \
static noinline void name(struct coco_regs *regs) \
{ \
	static struct coco_regs file; \
	\
	file = *regs; \
	asm volatile("lea 1f(%%rip), %%rax\n\t" \
		     COCO_MOVE_OUT(14, "rax") \
		     "cmpq $0, 16*8+%c[file](%%rip)\n\t" \
		     "jne 5f\n\t" \
		     COCO_MOVE_IN(0, "rax") \
		     COCO_ALL_BUT_AX(COCO_MOVE_IN) \
		     before \
		     "1: " text "\n\t" \
		     COCO_MOVE_OUT(0, "rax") \
		     "mov $-1, %%rax\n\t" \
		     "3: " COCO_MOVE_OUT(15, "rax") \
		     COCO_ALL_BUT_AX(COCO_MOVE_OUT) \
		     after \
		     "5:\n\t" \
		     _ASM_EXTABLE_FAULT(1b, 3b) \
		     : : [file] "i"(&file) \
		     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", \
		       "r13", "r14", "r15", "memory", "cc"); \
	*regs = file; \
}

#define COCO_INSN_UP(name, text)	COCO_INSN_DIRECTION(name, text, "", "")
#define COCO_INSN_ALL(name, text) \
	COCO_INSN_UP(name, text) \
	COCO_INSN_DIRECTION(name##_down, text, "std\n\t", "cld\n\t")

#endif /* COCO_LIB_INSN_ALL_H */
