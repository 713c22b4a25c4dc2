/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A page of firmware: from the reset vector to long mode, then it reads the
 * "kernel" from fw_cfg, which is a payload, and jumps to it.  For guests without
 * a C-bit.
 */
#define BASE		0xfffff000	/* of this page */
#define AT(label)	(BASE + (label) - image)
#include "long_mode.S"
#define TABLES		0x8000		/* level 4, level 3, four of level 2 */
#define SCRATCH		0x7000
#define PAYLOAD		0x100000	/* PAYLOAD_BASE in the Makefile */
#define KERNEL_SIZE	0x08		/* items of fw_cfg */
#define KERNEL_DATA	0x11

/* A call without a stack: the way back is in RBX */
	.macro	fast_call label
	lea	9f(%rip), %rbx
	jmp	\label
9:
	.endm

	.text
	.globl	image
image:
	.code16
real:
	cli
	to_protected_mode "%cs:(gdtr - image + 0xf000)", AT(protected)

	.code32
protected:
	load_flat_segments
	cld
	xor	%eax, %eax
	mov	$TABLES, %edi
	mov	$(2 * 4096 / 4), %ecx
	rep stosl
	movl	$(TABLES + 0x1003), TABLES
	mov	$(TABLES + 0x2003), %eax
	xor	%ecx, %ecx
1:	mov	%eax, TABLES + 0x1000(, %ecx, 8)
	add	$0x1000, %eax
	inc	%ecx
	cmp	$4, %ecx
	jb	1b
	mov	$0x83, %eax		/* 2M, writable */
	xor	%ecx, %ecx
2:	mov	%eax, TABLES + 0x2000(, %ecx, 8)
	movl	$0, TABLES + 0x2004(, %ecx, 8)
	add	$0x200000, %eax
	inc	%ecx
	cmp	$2048, %ecx
	jb	2b
	to_long_mode $TABLES, AT(long_mode)

	.code64
long_mode:
	mov	$KERNEL_SIZE, %eax
	mov	$SCRATCH, %edi
	mov	$4, %ecx
	fast_call read_item
	mov	SCRATCH, %ecx
	mov	$KERNEL_DATA, %eax
	mov	$PAYLOAD, %edi
	fast_call read_item
	xor	%esi, %esi		/* no boot_params */
	mov	$PAYLOAD, %eax
	jmp	*%rax

/* Item EAX, ECX bytes to RDI */
read_item:
	mov	$0x510, %edx
	out	%ax, %dx
	inc	%edx
	rep insb
	jmp	*%rbx

	flat_segments

	.org	0xff0
	.code16
	jmp	real
	.org	0x1000, 0
	.section .note.GNU-stack, "", @progbits
