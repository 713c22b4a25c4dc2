/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The way into 64-bit mode with 5-level paging, the switch to the guest and
 * back, and the host side's interrupt entries.
 */
#define STACK_SHIFT	14		/* core.h: STACK_SIZE */
#define AP_TRAMPOLINE	0x8000
#define VCPU_REGS	8192		/* struct vcpu: checked in vcpu.c */
#define APIC_ID		0xfee00020

#define CR4_MACHINE	0x1620		/* PAE, OSFXSR, OSXMMEXCPT, LA57 */
#define CR0_MACHINE	0x80010033	/* PG, WP, NE, ET, MP, PE; WP as guests have it: QEMU flushes when it changes */
#define EFER		0xc0000080
#define EFER_MACHINE	0x1900		/* SVME, NXE, LME */

#define SEL_CODE64	8
#define SEL_DATA	16
#define SEL_CODE32	24

	.section .multiboot, "a"
	.balign 4
	.long	0x1badb002, 3, -(0x1badb002 + 3)

	.text

/* %edi, %esi are kept.  Nested tables have the host's number of levels: 5 give bit 51 an entry */
	.macro enter_long_mode
	movl	$machine_pml5, %eax
	movl	%eax, %cr3
	movl	$CR4_MACHINE, %eax
	movl	%eax, %cr4
	movl	$EFER, %ecx
	rdmsr
	orl	$EFER_MACHINE, %eax
	wrmsr
	movl	$CR0_MACHINE, %eax
	movl	%eax, %cr0
	.endm

	.code32
	.globl	_start
_start:
	cli
	cld
	movl	%eax, %edi		/* multiboot magic, information */
	movl	%ebx, %esi
	enter_long_mode
	lgdt	gdt_pointer
	ljmp	$SEL_CODE64, $1f

	.code64
1:	movl	$SEL_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$(stacks + (1 << STACK_SHIFT)), %esp
	call	machine_main
2:	hlt
	jmp	2b

/* Copied to AP_TRAMPOLINE, entered in real mode at its first byte */
	.code16
	.globl	ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	cld
	xorl	%eax, %eax
	movw	%ax, %ds
	lgdtl	AP_TRAMPOLINE + (ap_gdt_pointer - ap_trampoline)
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$SEL_CODE32, $(AP_TRAMPOLINE + (ap_32 - ap_trampoline))

	.code32
ap_32:	movl	$SEL_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	enter_long_mode
	ljmpl	$SEL_CODE64, $ap_64

	.balign 4
ap_gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	AP_TRAMPOLINE + (ap_gdt - ap_trampoline)
	.balign 8
ap_gdt:	.quad	0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
ap_trampoline_end:

	.code64
ap_64:	lgdt	gdt_pointer
	movl	$APIC_ID, %edi
	movl	(%rdi), %edi
	shrl	$24, %edi
	leal	1(%rdi), %esp
	shll	$STACK_SHIFT, %esp
	addl	$stacks, %esp
	call	ap_main

/* void stack_restart(struct vcpu *v, u32 index) */
	.globl	stack_restart
stack_restart:
	leal	1(%rsi), %esp
	shll	$STACK_SHIFT, %esp
	addl	$stacks, %esp
	call	vcpu_run_forever

/* void vcpu_enter(struct vcpu *v): the VMCB is the vCPU's first page */
	.globl	vcpu_enter
vcpu_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rdi, %rax
	vmload	%rax
	mov	VCPU_REGS + 8(%rax), %rcx
	mov	VCPU_REGS + 16(%rax), %rdx
	mov	VCPU_REGS + 24(%rax), %rbx
	mov	VCPU_REGS + 40(%rax), %rbp
	mov	VCPU_REGS + 48(%rax), %rsi
	mov	VCPU_REGS + 56(%rax), %rdi
	mov	VCPU_REGS + 64(%rax), %r8
	mov	VCPU_REGS + 72(%rax), %r9
	mov	VCPU_REGS + 80(%rax), %r10
	mov	VCPU_REGS + 88(%rax), %r11
	mov	VCPU_REGS + 96(%rax), %r12
	mov	VCPU_REGS + 104(%rax), %r13
	mov	VCPU_REGS + 112(%rax), %r14
	mov	VCPU_REGS + 120(%rax), %r15
	vmrun	%rax			/* the machine's %rax and %rsp are back after it */
	vmsave	%rax
	mov	%rcx, VCPU_REGS + 8(%rax)
	mov	%rdx, VCPU_REGS + 16(%rax)
	mov	%rbx, VCPU_REGS + 24(%rax)
	mov	%rbp, VCPU_REGS + 40(%rax)
	mov	%rsi, VCPU_REGS + 48(%rax)
	mov	%rdi, VCPU_REGS + 56(%rax)
	mov	%r8, VCPU_REGS + 64(%rax)
	mov	%r9, VCPU_REGS + 72(%rax)
	mov	%r10, VCPU_REGS + 80(%rax)
	mov	%r11, VCPU_REGS + 88(%rax)
	mov	%r12, VCPU_REGS + 96(%rax)
	mov	%r13, VCPU_REGS + 104(%rax)
	mov	%r14, VCPU_REGS + 112(%rax)
	mov	%r15, VCPU_REGS + 120(%rax)
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	cld
	ret

/*
 * GIF is clear in the machine but for the two places below, so interrupts and
 * NMIs come nowhere else, and their handlers find struct wakeup in %rdi.
 *
 * void cpu_sleep(struct wakeup *w, bool interrupts)
 *
 * An NMI between STGI and HLT must not be slept over: its handler continues
 * behind the HLT.
 */
	.globl	cpu_sleep
cpu_sleep:
	stgi
	testb	%sil, %sil
	jz	sleep
	sti
sleep:	hlt
awake:	cli
	clgi
	ret

/* void cpu_open(struct wakeup *w) */
	.globl	cpu_open
cpu_open:
	stgi
	nop
	nop
	clgi
	ret

nmi_entry:				/* rip, cs, rflags, rsp, ss */
	movl	$1, 4(%rdi)
	cmpq	$cpu_sleep, (%rsp)
	jb	1f
	cmpq	$awake, (%rsp)
	jae	1f
	movq	$awake, (%rsp)
	andl	$~0x200, 16(%rsp)
1:	iretq

interrupt_entry:			/* vector, rip, cs, rflags, rsp, ss */
	push	%rax
	movl	8(%rsp), %eax
	movl	%eax, (%rdi)
	pop	%rax
	addq	$8, %rsp
	andl	$~0x200, 16(%rsp)	/* one interrupt a sleep */
	iretq

/*
 * Vectors from 16 up may be an interrupt's, too (SDM vol. 3, "Valid Interrupt Vectors").  These
 * come behind the HLT only, where nothing faults, and no error code with them.
 */
trap_entry:				/* vector, error, rip, cs, rflags, rsp, ss */
	cmpq	$awake, 8(%rsp)		/* the exception has an error code: rip is in its place */
	je	interrupt_entry
	cmpq	$awake, 16(%rsp)
	jne	1f
	popq	(%rsp)			/* over the 0 that stands for an error code */
	jmp	interrupt_entry
1:	cld
	mov	%rsp, %rdi
	andq	$-16, %rsp
	call	machine_trap

/* One entry point of 16 bytes a vector */
	.balign 16
	.globl	vector_stubs
vector_stubs:
	.set	vector, 0
	.rept	256
	.balign	16
	.if	vector == 2
	jmp	nmi_entry
	.elseif	vector >= 31	/* no exception has 31 */
	pushq	$vector
	jmp	interrupt_entry
	.else
	.ifeq	(1 << vector) & 0x60227d00	/* the CPU pushes an error code: 8, 10-14, 17, 21, 29, 30 */
	pushq	$0
	.endif
	pushq	$vector
	jmp	trap_entry
	.endif
	.set	vector, vector + 1
	.endr
	.balign 16

	.section .data
	.balign 8
gdt:	.quad	0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt

/* Identity map of the first 4 GiB by 1 GiB pages, twice: mem.c, PAGE_0_ALIAS */
	.balign 4096
machine_pml5:
	.quad	machine_pml4 + 3
	.fill	511, 8, 0
machine_pml4:
	.quad	machine_pdpt + 3
	.fill	510, 8, 0
	.quad	machine_pdpt + 3
machine_pdpt:
	.set	address, 0
	.rept	512
	.quad	address + 0x83
	.set	address, address + 0x40000000
	.endr

	.section .bss
	.balign 4096
stacks:	.skip	8 << STACK_SHIFT	/* MAX_VCPUS */

	.section .note.GNU-stack, "", @progbits
