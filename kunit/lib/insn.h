/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One instruction under test, its registers, and where it went on.
 *
 *	COCO_INSN(do_cpuid, "cpuid")		defines do_cpuid()
 *
 *	struct coco_insn i = { .ax = leaf };
 *	do_cpuid(&i);
 *
 *	        1: the instruction		i.address
 *	           stosb	one byte each:	i.landed of them ran, so that an
 *	           stosb	handler which	RIP one too far or too short shows
 *	           stosb	moves RIP wrong
 *	           stosb	runs fewer
 *	        3: fault: the vector		i.trap, else COCO_NO_TRAP
 *
 * A fault is caught by the exception table: #GP, #UD and #PF, and whatever the
 * kernel's #VC and #VE handlers turn into one.  RAX is lost then.
 */
#ifndef COCO_LIB_INSN_H
#define COCO_LIB_INSN_H

#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/asm.h>

/* Vectors; not all are in the headers of every kernel */
#define COCO_VECTOR_NMI	2
#define COCO_VECTOR_UD	6
#define COCO_VECTOR_GP	13
#define COCO_VECTOR_PF	14
#define COCO_VECTOR_VE	20
#define COCO_VECTOR_VC	29

/*
 * In registers that instructions must leave alone, or overwrite: its lower half and its lowest word
 * are like no other, so that one in the place of another shows.
 */
#define JUNK		0xa5a4a5a4a5a4a4a4ull

/* Of no processor: in no range of SVM's permission map (APM vol. 2, 15.11), nor the TDX module's */
#define SOME_MSR	0x4b5649ff
/* Decodes to no device of the machine, if ever it gets there */
#define SOME_PORT	0x3e4

#define COCO_NO_TRAP	(-1)
#define COCO_LANDING	4

struct coco_insn {
	unsigned long ax, bx, cx, dx;		/* in and out */
	unsigned long address;			/* out */
	bool only_address;			/* in: do not run it, e.g. to inject at it */
	int trap;
	unsigned int landed;
};

#define COCO_INSN(name, text) \
static noinline void name(struct coco_insn *i) \
{ \
	unsigned long ax = i->ax, bx = i->bx, cx = i->cx, dx = i->dx, address; \
	u8 landing[COCO_LANDING]; \
	void *di = landing; \
	long skip = i->only_address, trap = COCO_NO_TRAP; \
	\
	asm volatile("lea 1f(%%rip), %[address]\n\t" \
		     "test %[skip], %[skip]\n\t" \
		     "jnz 3f\n\t" \
		     "1: " text "\n\t" \
		     "stosb; stosb; stosb; stosb\n\t" \
		     "jmp 3f\n\t" \
		     "2: mov %%rax, %[trap]\n\t" \
		     "3:\n\t" \
		     _ASM_EXTABLE_FAULT(1b, 2b) \
		     : "+a"(ax), "+b"(bx), "+c"(cx), "+d"(dx), "+D"(di), \
		       [address] "=&r"(address), [trap] "+r"(trap) \
		     : [skip] "r"(skip) \
		     : "memory", "cc"); \
	i->ax = ax; \
	i->bx = bx; \
	i->cx = cx; \
	i->dx = dx; \
	i->address = address; \
	i->trap = (int)trap; \
	i->landed = di - (void *)landing; \
}

#endif /* COCO_LIB_INSN_H */
