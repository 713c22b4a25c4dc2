/* SPDX-License-Identifier: GPL-2.0 */
/* The GHCB page (GHCB specification 56421, section 2.6, layout) and one call through it. */
#ifndef GHCB_H
#define GHCB_H

#include "sev.h"

/* Offsets; the save area's are the VMSA's */
#define GHCB_CPL		0x0cb
#define GHCB_XSS		0x140
#define GHCB_DR7		0x160
#define GHCB_RAX		0x1f8
#define GHCB_RCX		0x308
#define GHCB_RDX		0x310
#define GHCB_RBX		0x318
#define GHCB_RSI		0x330
#define GHCB_R8			0x340
#define GHCB_R15		0x378
#define GHCB_SW_EXITCODE	0x390
#define GHCB_SW_EXITINFO1	0x398
#define GHCB_SW_EXITINFO2	0x3a0
#define GHCB_SW_SCRATCH		0x3a8
#define GHCB_XCR0		0x3e8
#define GHCB_VALID_BITMAP	0x3f0
#define GHCB_SHARED_BUFFER	0x800
#define GHCB_SHARED_BUFFER_END	0xff0
#define GHCB_PROTOCOL_VERSION	0xffa
#define GHCB_USAGE		0xffc

/* SW_EXITCODEs beside those of SVM (4.1, supported non-automatic events) */
enum {
	NAE_MMIO_READ		= 0x80000001,
	NAE_MMIO_WRITE		= 0x80000002,
	NAE_NMI_COMPLETE	= 0x80000003,
	NAE_AP_RESET_HOLD	= 0x80000004,
	NAE_AP_JUMP_TABLE	= 0x80000005,
	NAE_PSC			= 0x80000010,
	NAE_GUEST_REQUEST	= 0x80000011,
	NAE_EXT_GUEST_REQUEST	= 0x80000012,
	NAE_AP_CREATION		= 0x80000013,
	NAE_HV_DOORBELL		= 0x80000014,
	NAE_HV_IPI		= 0x80000015,
	NAE_HV_TIMER		= 0x80000016,
	NAE_APIC_ID_LIST	= 0x80000017,
	NAE_RUN_VMPL		= 0x80000018,
	NAE_HV_FEATURES		= 0x8000fffd,
	NAE_TERMINATE		= 0x8000fffe,
	NAE_UNSUPPORTED		= 0x8000ffff,
};

/* Low half of SW_EXITINFO1 on return (4.1) */
enum { RESULT_OK, RESULT_EXCEPTION, RESULT_MALFORMED };

/* SW_EXITINFO2 with RESULT_MALFORMED */
enum ghcb_error {
	GHCB_OK,
	GHCB_ERR_NOT_REGISTERED,
	GHCB_ERR_USAGE,
	GHCB_ERR_SCRATCH,
	GHCB_ERR_MISSING,
	GHCB_ERR_INPUT,
	GHCB_ERR_EVENT,
};

/* What a host may return, in coco_rule.reply's order */
enum ghcb_word { OUT_INFO1, OUT_INFO2, OUT_RAX, OUT_RBX, OUT_RCX, OUT_RDX, OUT_WORDS };

struct ghcb {
	struct vcpu *v;
	u64 gpa;
	u8 *page;		/* in the shared view */
	/* the guest's side, read once */
	u16 version;
	u32 usage;
	u32 valid;		/* COCO_GHCB_* */
	u64 code, info1, info2;
	u64 rax, rbx, rcx, rdx, rsi, scratch;
	u8 cpl;
	/* the host's side */
	u64 out[OUT_WORDS];
	u32 out_mask;		/* BIT(enum ghcb_word) */
};

static inline void ghcb_out(struct ghcb *g, enum ghcb_word word, u64 value)
{
	g->out[word] = value;
	g->out_mask |= BIT(word);
}

static inline void ghcb_malformed(struct ghcb *g, enum ghcb_error error)
{
	ghcb_out(g, OUT_INFO1, RESULT_MALFORMED);
	ghcb_out(g, OUT_INFO2, error);
}

/* ---- sev_ap.c ---- */
enum ghcb_error ap_set_jump_table(struct vcpu *v, u64 gpa);
enum ghcb_error ap_creation(struct vcpu *v, u64 info1, u64 vmsa, u64 features);

/* ---- snp_msg.c ---- */
void snp_judge_request(struct ghcb *g);		/* every message that the host gets to see */
void snp_guest_request(struct ghcb *g);

/* ---- ghcb_check.c ---- */
/* The page itself; false: no call can be read from it */
bool ghcb_check_page(struct vcpu *v, u64 gpa);
/* The call; every fault of it is a breach.  What a host answers to a faulty one */
enum ghcb_error ghcb_check(struct ghcb *g);
/* Scratch area of this length; NULL: it is not where it may be, a breach */
u8 *ghcb_scratch(struct ghcb *g, u64 len, u64 *available);

#endif /* GHCB_H */
