/* SPDX-License-Identifier: GPL-2.0 */
/* A payload's first instruction: long mode, identity mapped, interrupts off. */
	.section .start, "ax"
	.globl _start
_start:
	cli
	cld
	lea	boot_stack_top(%rip), %rsp
	lea	__bss_start(%rip), %rdi
	lea	__bss_end(%rip), %rcx
	sub	%rdi, %rcx
	xor	%eax, %eax
	rep stosb
	mov	%rsi, %rdi		/* boot_params, as for a kernel */
	call	payload_start
1:	jmp	1b

	.text
/* Exception and interrupt entries, 16 bytes each: an error code where the CPU pushes none */
	.globl	trap_entries
	.balign	16
trap_entries:
	.set	vector, 0
	.rept	256
	.balign	16
	.if (vector != 8) && (vector != 10) && (vector != 11) && (vector != 12) && (vector != 13) && \
	    (vector != 14) && (vector != 17) && (vector != 21) && (vector != 29) && (vector != 30)
	push	$0
	.endif
	push	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

trap_common:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rbx
	push	%rbp
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, %rdi
	cld
	call	trap_handler
trap_return:
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rbp
	pop	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
	add	$16, %rsp
	iretq

/* run_user(fn): IRET to user mode; the return address there is an INT $0x80, whose hook comes back here */
	.globl	run_user
run_user:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, user_saved_rsp(%rip)
	lea	user_stack_top(%rip), %rax
	lea	user_return(%rip), %rcx
	mov	%rcx, -8(%rax)
	sub	$8, %rax
	push	$0x2b			/* SS, RPL 3 */
	push	%rax
	push	$2			/* RFLAGS */
	push	$0x23			/* CS, RPL 3 */
	push	%rdi
	iretq
user_return:
	int	$0x80
	ud2

	.globl	user_back
user_back:
	mov	user_saved_rsp(%rip), %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

/* tdcall(struct tdregs *): every register of the structure in and out */
	.globl	tdcall
tdcall:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi
	mov	%rdi, %rax
	mov	8(%rax), %rcx
	mov	16(%rax), %rdx
	mov	24(%rax), %rbx
	mov	32(%rax), %rsi
	mov	40(%rax), %rdi
	mov	48(%rax), %rbp
	mov	56(%rax), %r8
	mov	64(%rax), %r9
	mov	72(%rax), %r10
	mov	80(%rax), %r11
	mov	88(%rax), %r12
	mov	96(%rax), %r13
	mov	104(%rax), %r14
	mov	112(%rax), %r15
	mov	(%rax), %rax
	.byte	0x66, 0x0f, 0x01, 0xcc
	push	%rax
	mov	8(%rsp), %rax
	mov	%rcx, 8(%rax)
	mov	%rdx, 16(%rax)
	mov	%rbx, 24(%rax)
	mov	%rsi, 32(%rax)
	mov	%rdi, 40(%rax)
	mov	%rbp, 48(%rax)
	mov	%r8, 56(%rax)
	mov	%r9, 64(%rax)
	mov	%r10, 72(%rax)
	mov	%r11, 80(%rax)
	mov	%r12, 88(%rax)
	mov	%r13, 96(%rax)
	mov	%r14, 104(%rax)
	mov	%r15, 112(%rax)
	pop	(%rax)
	pop	%rdi
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	.bss
	.balign	4096
	.skip	32768
boot_stack_top:
	.skip	16384
	.globl	ist_stack_top
ist_stack_top:
	.skip	16384
	.globl	ap_ist_stack_top
ap_ist_stack_top:
	.skip	16384
	.globl	rsp0_stack_top
rsp0_stack_top:
	.skip	16384
	.globl	user_stack_top
user_stack_top:
user_saved_rsp:
	.skip	8
	.section .note.GNU-stack, "", @progbits
