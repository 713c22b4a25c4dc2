/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A second vCPU's way from real mode to ap_main(), copied to AP_TRAMPOLINE.
 * On the way, with paging off, it leaves a mark in memory.
 */
#include "ap.h"

#define AT(label)	(AP_TRAMPOLINE + (label) - ap_trampoline)

	.text
	.globl	ap_trampoline, ap_trampoline_end
	.code16
ap_trampoline:
	cli
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	table - ap_trampoline
	mov	%cr0, %eax
	or	$1, %eax
	mov	%eax, %cr0
	ljmpl	$0x08, $AT(protected)

	.code32
protected:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	movl	$AP_MARK, AP_MARK_AT
	mov	%cr4, %eax
	or	$0x620, %eax		/* PAE, OSFXSR, OSXMMEXCPT */
	mov	%eax, %cr4
	mov	AT(ap_root), %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx	/* EFER: LME */
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	%cr0, %eax
	or	$0x80000001, %eax
	mov	%eax, %cr0
	ljmpl	$0x18, $AT(long_mode)

	.code64
long_mode:
	mov	$ap_start_64, %rax
	jmp	*%rax

	.balign	8
gdt:	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
table:	.word	31
	.long	AT(gdt)
	.globl	ap_root
ap_root:
	.long	0			/* filled in: low half of CR3 */
ap_trampoline_end:

	.globl	ap_start_64
ap_start_64:
	lea	ap_stack_top(%rip), %rsp
	call	ap_main
1:	jmp	1b

	.bss
	.balign	16
	.skip	16384
ap_stack_top:
	.section .note.GNU-stack, "", @progbits
