/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Instructions that a confidential guest may or may not run by itself, each in
 * a function of one section, so that the machine's events can be told to be a
 * test's own by their RIP; and what came of one that was refused.
 */
#ifndef COCO_INSN_H
#define COCO_INSN_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include "compiler.h"

#define __insn	__attribute__((__noinline__, __unused__, __section__("coco_insn")))

extern const char __start_coco_insn[], __stop_coco_insn[];

/* Base of a code segment that is not flat, which RIP is an offset to */
static uint64_t code_base;

static inline bool rip_is_ours(uint64_t rip)
{
	rip += code_base;
	return rip >= (uintptr_t)__start_coco_insn && rip < (uintptr_t)__stop_coco_insn;
}

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

/* The whole of RAX, RBX, RCX, RDX after it */
static __insn void cpuid_registers(uint32_t leaf, uint32_t subleaf, uint64_t r[4])
{
	asm volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(subleaf));
}

static __maybe_unused struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	uint64_t r[4];

	cpuid_registers(leaf, subleaf, r);
	return (struct cpuid){ r[0], r[1], r[2], r[3] };
}

static __insn uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return lo | (uint64_t)hi << 32;
}

static __insn uint64_t rdtscp(uint32_t *aux)
{
	uint32_t lo, hi, c;

	asm volatile("rdtscp" : "=a"(lo), "=d"(hi), "=c"(c) : : "memory");
	*aux = c;
	return lo | (uint64_t)hi << 32;
}

/* IN and OUT of 1, 2 or 4 bytes; the whole RAX goes in and comes back */
static __insn uint64_t io_in(uint16_t port, unsigned int size, uint64_t rax)
{
	if (size == 1)
		asm volatile("inb %%dx, %%al" : "+a"(rax) : "d"(port));
	else if (size == 2)
		asm volatile("inw %%dx, %%ax" : "+a"(rax) : "d"(port));
	else
		asm volatile("inl %%dx, %%eax" : "+a"(rax) : "d"(port));
	return rax;
}

static __insn void io_out(uint16_t port, unsigned int size, uint64_t rax)
{
	if (size == 1)
		asm volatile("outb %%al, %%dx" : : "a"(rax), "d"(port));
	else if (size == 2)
		asm volatile("outw %%ax, %%dx" : : "a"(rax), "d"(port));
	else
		asm volatile("outl %%eax, %%dx" : : "a"(rax), "d"(port));
}

/* ---- instructions that user space must not run: no operand matters ---- */
#define INSN_REFUSED(name, text) \
	static __insn void name(void) \
	{ \
		asm volatile(text : : "a"(0), "b"(0), "c"(0), "d"(0) : "memory"); \
	}

INSN_REFUSED(insn_hlt, "hlt")
INSN_REFUSED(insn_cli, "cli")
INSN_REFUSED(insn_invd, "invd")
INSN_REFUSED(insn_wbinvd, "wbinvd")
INSN_REFUSED(insn_read_cr3, "mov %%cr3, %%rax")
INSN_REFUSED(insn_write_dr7, "mov %%rax, %%dr7")
INSN_REFUSED(insn_monitor, ".byte 0x0f, 0x01, 0xc8")
INSN_REFUSED(insn_mwait, ".byte 0x0f, 0x01, 0xc9")
INSN_REFUSED(insn_pvalidate, ".byte 0xf2, 0x0f, 0x01, 0xff")
INSN_REFUSED(insn_tdcall, ".byte 0x66, 0x0f, 0x01, 0xcc")

static __insn void insn_rdmsr(void)		/* any MSR would do: the TSC exists everywhere */
{
	asm volatile("rdmsr" : : "c"(0x10) : "rax", "rdx");
}

static __insn void insn_wrmsr(void)
{
	asm volatile("wrmsr" : : "a"(0), "d"(0), "c"(0x10) : "memory");
}

static __insn void insn_in_byte(void)
{
	asm volatile("inb $0x80, %%al" : : : "rax");
}

static __insn void insn_out_byte(void)
{
	asm volatile("outb %%al, $0x80" : : "a"(0));
}

/* ---- refusals ---- */
struct fault {
	int signal;		/* 0: none came */
	int si_code;
	unsigned int trapno;	/* exception vector that the kernel reports */
	unsigned int error;	/* its error code */
	uint64_t address;	/* si_addr */
	uint64_t rip;
};

static sigjmp_buf fault_back;
static struct fault fault_seen;

static void fault_handler(int signal, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;

	fault_seen = (struct fault){
		.signal = signal,
		.si_code = info->si_code,
		.trapno = uc->uc_mcontext.gregs[REG_TRAPNO],
		.error = uc->uc_mcontext.gregs[REG_ERR],
		.address = (uintptr_t)info->si_addr,
		.rip = uc->uc_mcontext.gregs[REG_RIP],
	};
	siglongjmp(fault_back, 1);
}

/* Run it and say which signal it got */
static __maybe_unused struct fault fault_of(void (*insn)(void))
{
	static const int signals[] = { SIGSEGV, SIGILL, SIGBUS, SIGTRAP, SIGFPE };
	struct sigaction action = { .sa_sigaction = fault_handler, .sa_flags = SA_SIGINFO };
	struct sigaction before[ARRAY_SIZE(signals)];
	size_t i;

	memset(&fault_seen, 0, sizeof(fault_seen));
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, &before[i]);
	if (!sigsetjmp(fault_back, 1))
		insn();
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &before[i], NULL);
	return fault_seen;
}

#endif /* COCO_INSN_H */
