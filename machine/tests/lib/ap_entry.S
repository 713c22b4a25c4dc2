/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A second vCPU's way from real mode to ap_main(), copied to AP_TRAMPOLINE.
 * On the way, with paging off, it leaves a mark in memory.
 */
#include "ap.h"

#define AT(label)	(AP_TRAMPOLINE + (label) - ap_trampoline)
#include "long_mode.S"

	.text
	.globl	ap_trampoline, ap_trampoline_end
	.code16
ap_trampoline:
	cli
	mov	%cs, %ax
	mov	%ax, %ds
	to_protected_mode "gdtr - ap_trampoline", AT(protected)

	.code32
protected:
	load_flat_segments
	movl	$AP_MARK, AP_MARK_AT
	to_long_mode AT(ap_root), AT(long_mode)

	.code64
long_mode:
	mov	$ap_start_64, %rax
	jmp	*%rax

	flat_segments
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
