/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the Intel TDX half know of each other.
 *
 *	tdx.c		technology_tdx; which exit is whose
 *	tdx_cpu.c	CPUID			\
 *	tdx_cr.c	CR0, CR4		 |
 *	tdx_msr.c	MSRs			 |  the TDX module
 *	ve.c, gla.c	#VE			 |
 *	tdcall.c	TDCALL leaves		 |
 *	td_fields.c	metadata		 |
 *	tdx_mr.c	reports and RTMRs	 |
 *	sept.c		private pages		/
 *	ghci.c		TDG.VP.VMCALL leaves	\
 *	mapgpa.c	page conversions	 |  the host VMM
 *	ghci_check.c	what it holds against	 |
 *			the guest's calls	 |
 *	tdx_quote.c	quotes			/
 *	acpi.c		tables that name the wakeup mailbox	\ the virtual
 *	mailbox.c	its other end				/ firmware
 *
 * Documents: [base] TDX module base architecture specification (348549),
 * [ABI] TDX module ABI specification (348551), [GHCI] guest-hypervisor
 * communication interface (344426), [SDM] Intel SDM volume 3.
 */
#ifndef TDX_H
#define TDX_H

#include "machine.h"

/* VMX basic exit reasons ([SDM] appendix C), as VE_INFO and the GHCI use them */
enum vmx_exit {
	VMX_EXIT_CPUID		= 10,
	VMX_EXIT_HLT		= 12,
	VMX_EXIT_INVD		= 13,
	VMX_EXIT_VMCALL		= 18,
	VMX_EXIT_CR_ACCESS	= 28,
	VMX_EXIT_IO		= 30,
	VMX_EXIT_RDMSR		= 31,
	VMX_EXIT_WRMSR		= 32,
	VMX_EXIT_MWAIT		= 36,
	VMX_EXIT_MONITOR	= 39,
	VMX_EXIT_EPT_VIOLATION	= 48,
	VMX_EXIT_WBINVD		= 54,
};

/* ATTRIBUTES, CONFIG_FLAGS, TD_CTLS ([ABI] "TD_PARAMS", "TD-scope metadata") */
#define TD_ATTR_DEBUG		BIT_ULL(0)
#define TD_ATTR_SEPT_VE_DISABLE	BIT_ULL(28)
#define TD_CONFIG_GPAW		BIT_ULL(0)
#define TD_CONFIG_FLEXIBLE_VE	BIT_ULL(1)
#define TD_CONFIG_NO_RBP_MOD	BIT_ULL(2)
#define TD_CTLS_PENDING_VE_DISABLE BIT_ULL(0)
#define TD_CTLS_ENUM_TOPOLOGY	BIT_ULL(1)
#define TD_CTLS_VIRT_CPUID2	BIT_ULL(2)
#define TD_CTLS_REDUCE_VE	BIT_ULL(3)
#define TD_CTLS_LOCK		BIT_ULL(63)

/* The crystal clock that virtual CPUID 0x15 names, which KVM gives a TD's APIC timer, too */
#define TD_CRYSTAL_HZ		25000000ull

/* TSC_FREQUENCY is a multiple of the crystal's: QEMU's TSC, rounded */
static inline u64 td_tsc_frequency(void)
{
	return (tsc_hz() + TD_CRYSTAL_HZ / 2) / TD_CRYSTAL_HZ;
}

/* TDCALL ([ABI] "guest-side interface functions"): RAX bits 15:0 */
enum tdcall_leaf {
	TDG_VP_VMCALL		= 0,
	TDG_VP_INFO		= 1,
	TDG_MR_RTMR_EXTEND	= 2,
	TDG_VP_VEINFO_GET	= 3,
	TDG_MR_REPORT		= 4,
	TDG_VP_CPUIDVE_SET	= 5,
	TDG_MEM_PAGE_ACCEPT	= 6,
	TDG_VM_RD		= 7,
	TDG_VM_WR		= 8,
	TDG_VP_RD		= 9,
	TDG_VP_WR		= 10,
	TDG_SYS_RD		= 11,
	TDG_SYS_RDALL		= 12,
	TDG_SERVTD_RD		= 18,
	TDG_SERVTD_WR		= 20,
	TDG_MR_VERIFYREPORT	= 22,
	TDG_MEM_PAGE_ATTR_RD	= 23,
	TDG_MEM_PAGE_ATTR_WR	= 24,
	TDG_VP_ENTER		= 25,
	TDG_VP_INVEPT		= 26,
	TDG_VP_INVGLA		= 27,
};

/* TDG.MEM.PAGE.ACCEPT, RCX: level of the page, 0: 4K, 1: 2M */
#define PAGE_INFO_LEVEL		7ull

struct td {
	u64 attributes, config_flags, td_ctls;
	u64 xfam;
	u64 notify_enables;
	bool topology_configured;	/* the host gave every vCPU an x2APIC ID */
	bool ve_reduction;		/* TDX_FEATURES0.VE_REDUCTION */
	bool large_pages;		/* the host maps 2M where it can */
	u64 map_gpa_chunk;		/* bytes that the host converts in one MapGPA; 0: any */
};

extern struct td td;

/* What TDG.VP.VEINFO.GET returns ([ABI]) */
struct ve_info {
	bool valid;
	u32 reason;
	u32 length;
	u32 instruction_info;
	u64 qualification, gla, gpa;
};

/* What the TDX module keeps for a vCPU beside struct vcpu */
struct tdx_vcpu {
	struct ve_info ve;
	bool nmi_held;			/* an NMI waits for VEINFO.GET */
	bool cpuid_supervisor_ve, cpuid_user_ve;
	u8 notify_vector;		/* SetupEventNotifyInterrupt; 0: none */
	u64 spec_ctrl, debugctl, ds_area, misc_enable, smi_count;
};

static inline struct tdx_vcpu *tdx_vcpu(struct vcpu *v) { return v->technology; }
static inline bool td_reduces_ve(void) { return td.td_ctls & TD_CTLS_REDUCE_VE; }

/* Completion status ([ABI] "completion status codes"); the low half names an operand or a level */
#define TDX_SUCCESS			0ull
#define TDX_OPERAND_INVALID		0xc000010000000000ull
#define TDX_NO_VALID_VE_INFO		0xc000070400000000ull
#define TDX_PAGE_ALREADY_ACCEPTED	0x00000b0a00000000ull
#define TDX_PAGE_SIZE_MISMATCH		0xc0000b0b00000000ull
#define TDX_METADATA_FIELD_ID_INCORRECT	0xc0000c0000000000ull
#define TDX_METADATA_FIELD_NOT_WRITABLE	0xc0000c0100000000ull
#define TDX_METADATA_FIELD_NOT_READABLE	0xc0000c0200000000ull
#define TDX_METADATA_FIELD_VALUE_NOT_VALID 0xc0000c0300000000ull

#define TDCALL_LENGTH	4		/* 66 0f 01 cc */

/* ---- ve.c ---- */
/* Raise #VE, or #DF if the last one's information was not fetched; info->valid is set here */
void ve_raise(struct vcpu *v, const struct ve_info *info);
void ve_instruction(struct vcpu *v, enum vmx_exit reason, u64 qualification, u32 length);
void ve_io(struct vcpu *v);
/* An EPT violation: gpa as the guest has it, with the shared bit; error: exit_info1 of the fault */
void ve_ept_violation(struct vcpu *v, u64 gpa, u64 error);
void ve_info_taken(struct vcpu *v);	/* VE_INFO.VALID is 0 again */

/* ---- gla.c ---- */
/* The linear address behind a nested page fault; false: the instruction is of no known form */
bool fault_linear_address(struct vcpu *v, u64 gpa, u64 error, u64 *gla);
/* Code bytes at RIP, as many as there are (15 at most) */
u32 fetch_code(struct vcpu *v, u8 code[15]);

/* ---- tdx_cpu.c ---- */
void tdx_cpuid_exit(struct vcpu *v);
void tdx_cpuid(struct vcpu *v, u32 leaf, u32 subleaf, u32 out[4]);
u64 tdx_xfam(void);

/* ---- tdx_cr.c ---- */
bool tdx_cr_write_exit(struct vcpu *v);

/* ---- tdx_msr.c ---- */
void tdx_msr_setup(struct vcpu *v);
void tdx_msr_exit(struct vcpu *v);
/* The host's answers to TDG.VP.VMCALL<Instruction.RDMSR, WRMSR>; false: invalid operand */
bool tdx_host_rdmsr(struct vcpu *v, u32 msr, u64 *value);
bool tdx_host_wrmsr(struct vcpu *v, u32 msr, u64 value);

/* ---- tdcall.c, td_fields.c ---- */
void tdcall(struct vcpu *v);
/* TDG.VM.RD, TDG.VM.WR of one element: a completion status; *old: its value before */
u64 td_field_read(struct vcpu *v, u64 id, u64 *value);
u64 td_field_write(struct vcpu *v, u64 id, u64 value, u64 mask, u64 *old);

/* ---- tdx_mr.c: TDG.MR.REPORT, TDG.MR.RTMR.EXTEND; completion statuses ---- */
u64 td_report(struct vcpu *v);
u64 td_rtmr_extend(struct vcpu *v);

/* ---- sept.c ---- */
/* An EPT violation that the module passes to the host, who can do nothing for the guest */
void td_exit(struct vcpu *v, u64 gpa, const char *what) __noreturn;
bool sept_npf(struct vcpu *v, u64 gpa, enum view view, u64 error);
u64 sept_accept(struct vcpu *v, u64 page_info);	/* TDG.MEM.PAGE.ACCEPT's completion status */

/* ---- ghci.c, mapgpa.c, ghci_check.c ---- */
/* What the host sees of a TDG.VP.VMCALL, and answers */
struct tdvmcall {
	u64 in[16];			/* as exposed; others are 0 */
	u64 out[16];
	u32 mask;			/* RCX: bit n exposes GPR n, bit 16 + n exposes XMM n */
	u32 answered;			/* bit n: out[n] is an output */
};

#define GHCI_SUCCESS		0ull
#define GHCI_RETRY		1ull
#define GHCI_INVALID_OPERAND	0x8000000000000000ull
#define GHCI_ALIGN_ERROR	0x8000000000000002ull
#define GHCI_UNSUPPORTED	0x8000000000000003ull

enum ghci_leaf {
	GHCI_GET_INFO		= 0x10000,
	GHCI_MAP_GPA		= 0x10001,
	GHCI_GET_QUOTE		= 0x10002,
	GHCI_FATAL_ERROR	= 0x10003,
	GHCI_SETUP_EVENT	= 0x10004,
	GHCI_SERVICE		= 0x10005,
};

static inline void tdvmcall_answer(struct tdvmcall *call, enum reg r, u64 value)
{
	call->out[r] = value;
	call->answered |= BIT(r);
}

/* False: the module refuses RCX, and the host sees nothing */
bool tdvmcall(struct vcpu *v);
void map_gpa(struct vcpu *v, struct tdvmcall *call);
void ghci_check(struct vcpu *v, const struct tdvmcall *call);
bool ghci_dirty(const struct tdvmcall *call);

/* ---- tdx_quote.c: TDG.VP.VMCALL<GetQuote>; a GHCI status ---- */
u64 get_quote(struct vcpu *v, u64 gpa, u64 size);

/* ---- acpi.c, mailbox.c ---- */
void acpi_add_wakeup(struct boot *boot, u64 mailbox);	/* MADT and what leads to it */
/* ---- tdx.c ---- */
void tdx_fixed_registers(struct vmcb_save *s);		/* bits that are set in a TD's from the start */

/* ---- td_launch.c ---- */
void tdx_launch(struct vcpu *bsp);

u64 mailbox_setup(struct boot *boot);			/* GPA of the mailbox */
u64 mailbox_reset_vector(void);
bool mailbox_npf(struct vcpu *v, u64 gpa, u64 error);	/* true: it, or the reset vector: done */

#endif /* TDX_H */
