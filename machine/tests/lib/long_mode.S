/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The way from real mode to long mode, for code that lies where its author says:
 * AT(label), defined before this is included, is the address that a label will have.
 */

/* Real mode, DS or CS as in the operand of LGDT: to the label in 32-bit protected mode */
	.macro	to_protected_mode gdtr, label
	lgdtl	\gdtr
	mov	%cr0, %eax
	or	$1, %eax
	mov	%eax, %cr0
	ljmpl	$0x08, $\label
	.endm

	.macro	load_flat_segments
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	.endm

/* Protected mode, paging off: to the label in long mode, with these page tables */
	.macro	to_long_mode root, label
	mov	%cr4, %eax
	or	$0x620, %eax		/* PAE, OSFXSR, OSXMMEXCPT */
	mov	%eax, %cr4
	mov	\root, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx	/* EFER: LME */
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	%cr0, %eax
	or	$0x80000001, %eax	/* PG, PE */
	mov	%eax, %cr0
	ljmpl	$0x18, $\label
	.endm

/* 0x08 code and 0x10 data of 32 bits, 0x18 code of 64 bits; gdtr is what LGDT takes */
	.macro	flat_segments
	.balign	8
gdt:	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
gdtr:	.word	31
	.long	AT(gdt)
	.endm
