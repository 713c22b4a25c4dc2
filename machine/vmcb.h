/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The virtual machine control block (AMD APM vol. 2, appendix B) and the exit
 * codes (appendix C).  The state save area has the layout of the first part of
 * the SEV-ES/SNP VMSA, which AP creation relies on.
 */
#ifndef VMCB_H
#define VMCB_H

#include "types.h"

struct vmcb_seg {
	u16 selector;
	u16 attrib;		/* descriptor bits 55:52 and 47:40, packed */
	u32 limit;
	u64 base;
} __packed;

struct vmcb_save {
	struct vmcb_seg es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	u8 reserved_a0[43];
	u8 cpl;
	u8 reserved_cc[4];
	u64 efer;
	u8 reserved_d8[112];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;
	u8 reserved_180[88];
	u64 rsp;
	u8 reserved_1e0[24];
	u64 rax;
	u64 star, lstar, cstar, sfmask, kernel_gs_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 cr2;
	u8 reserved_248[32];
	u64 g_pat;
	u8 reserved_270[0xc00 - 0x270];
} __packed;

struct vmcb {
	u16 intercept_cr_read, intercept_cr_write;
	u16 intercept_dr_read, intercept_dr_write;
	u32 intercept_exceptions;
	u64 intercepts;		/* offset 0xc and 0x10 as one: bit n + 32 is bit n of the second vector */
	u8 reserved_14[44];
	u64 iopm_base, msrpm_base;
	u64 tsc_offset;
	u32 asid;
	u8 tlb_control;
	u8 reserved_5d[3];
	u32 int_ctl;
	u32 int_vector;
	u32 int_shadow;
	u32 reserved_6c;
	u64 exit_code, exit_info1, exit_info2;
	u32 exit_int_info, exit_int_error;
	u64 nested_ctl;
	u8 reserved_98[16];
	u32 event_inj, event_inj_error;
	u64 nested_cr3;
	u64 lbr_ctl;
	u8 reserved_c0[832];
	struct vmcb_save save;
} __packed;

_Static_assert(sizeof(struct vmcb) == 4096, "VMCB is one page");
_Static_assert(__builtin_offsetof(struct vmcb, save) == 0x400, "save area");
_Static_assert(__builtin_offsetof(struct vmcb_save, efer) == 0xd0, "EFER");
_Static_assert(__builtin_offsetof(struct vmcb_save, cr4) == 0x148, "CR4");
_Static_assert(__builtin_offsetof(struct vmcb_save, rip) == 0x178, "RIP");
_Static_assert(__builtin_offsetof(struct vmcb_save, rsp) == 0x1d8, "RSP");
_Static_assert(__builtin_offsetof(struct vmcb_save, rax) == 0x1f8, "RAX");
_Static_assert(__builtin_offsetof(struct vmcb_save, g_pat) == 0x268, "G_PAT");

/* Exit codes, APM vol. 2 appendix C; the same numbers serve #VC and the GHCB */
enum svm_exit {
	SVM_EXIT_CR0_READ	= 0x000,
	SVM_EXIT_CR3_READ	= 0x003,
	SVM_EXIT_CR0_WRITE	= 0x010,
	SVM_EXIT_CR3_WRITE	= 0x013,
	SVM_EXIT_CR4_WRITE	= 0x014,
	SVM_EXIT_DR0_READ	= 0x020,
	SVM_EXIT_DR7_READ	= 0x027,
	SVM_EXIT_DR0_WRITE	= 0x030,
	SVM_EXIT_DR7_WRITE	= 0x037,
	SVM_EXIT_EXCP		= 0x040,	/* + vector */
	SVM_EXIT_INTR		= 0x060,
	SVM_EXIT_NMI		= 0x061,
	SVM_EXIT_INIT		= 0x063,
	SVM_EXIT_VINTR		= 0x064,
	SVM_EXIT_CR0_SEL_WRITE	= 0x065,
	SVM_EXIT_RDTSC		= 0x06e,
	SVM_EXIT_RDPMC		= 0x06f,
	SVM_EXIT_IRET		= 0x074,
	SVM_EXIT_CPUID		= 0x072,
	SVM_EXIT_INVD		= 0x076,
	SVM_EXIT_HLT		= 0x078,
	SVM_EXIT_INVLPGA	= 0x07a,
	SVM_EXIT_IOIO		= 0x07b,
	SVM_EXIT_MSR		= 0x07c,
	SVM_EXIT_SHUTDOWN	= 0x07f,
	SVM_EXIT_VMRUN		= 0x080,
	SVM_EXIT_VMMCALL	= 0x081,
	SVM_EXIT_VMLOAD		= 0x082,
	SVM_EXIT_VMSAVE		= 0x083,
	SVM_EXIT_STGI		= 0x084,
	SVM_EXIT_CLGI		= 0x085,
	SVM_EXIT_SKINIT		= 0x086,
	SVM_EXIT_RDTSCP		= 0x087,
	SVM_EXIT_WBINVD		= 0x089,
	SVM_EXIT_MONITOR	= 0x08a,
	SVM_EXIT_MWAIT		= 0x08b,
	SVM_EXIT_XSETBV		= 0x08d,
	SVM_EXIT_NPF		= 0x400,
	SVM_EXIT_NPF_NOT_VALIDATED = 0x404,	/* PAGE_NOT_VALIDATED, #VC only */
	SVM_EXIT_INVALID	= 0xffffffff,	/* -1, as QEMU stores it */
};

/* vmcb.intercepts: bit = exit code - 0x60 */
#define INTERCEPT(code)	(1ull << ((code) - 0x60))

/* vmcb.exit_info1 of a nested page fault (APM vol. 2, 15.25.6) */
#define NPF_PRESENT	(1ull << 0)
#define NPF_WRITE	(1ull << 1)
#define NPF_USER	(1ull << 2)
#define NPF_FETCH	(1ull << 4)
#define NPF_FINAL	(1ull << 32)	/* on the guest's final address */
#define NPF_WALK	(1ull << 33)	/* on a page of the guest's tables */

/* vmcb.int_ctl */
#define V_IRQ		(1u << 8)
#define V_IGN_TPR	(1u << 20)
#define V_INTR_MASKING	(1u << 24)

/* vmcb.event_inj */
#define EVENT_VALID	(1u << 31)
#define EVENT_ERROR	(1u << 11)
#define EVENT_TYPE	(7u << 8)
#define EVENT_INTR	(0u << 8)
#define EVENT_NMI	(2u << 8)
#define EVENT_EXCEPTION	(3u << 8)

#endif /* VMCB_H */
