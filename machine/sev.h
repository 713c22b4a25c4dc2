/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the SEV technologies know of each other. */
#ifndef SEV_H
#define SEV_H

#include "machine.h"
#include "page.h"

/* A vCPU of SEV-ES or SEV-SNP, beside struct vcpu; vcpu->technology */
struct es_vcpu {
	u64 ghcb_msr;		/* MSR c001_0130 */
	u64 ghcb_registered;	/* SNP: GPA, or ~0 */
	u64 dr7;		/* as the guest last told */
	u64 xss;
	bool held;		/* in AP reset hold: a SIPI lets it go on behind its VMGEXIT */
	bool held_by_msr;	/* ... and asked for it through the GHCB MSR */
	u64 hold_ghcb;		/* ... or through this GHCB */
};

static inline struct es_vcpu *es_vcpu(struct vcpu *v)
{
	return v->technology;
}

/* GHCB specification 56421, hypervisor feature bitmap: bits */
enum hv_feature {
	FEATURE_SNP,
	FEATURE_AP_CREATION,
	FEATURE_RESTRICTED_INJECTION,
	FEATURE_RESTRICTED_INJECTION_TIMER,
	FEATURE_APIC_ID_LIST,
	FEATURE_VMPLS,
};

/* ---- sev.c ---- */
extern struct sev_options {
	u32 ghcb_version;	/* highest that the host offers */
	u64 features;		/* hypervisor feature bitmap */
	u64 status;		/* features of SNP in SEV_STATUS; without a model, but for Secure TSC */
} sev_options;

static inline bool offered(enum hv_feature feature)
{
	return sev_options.features & BIT_ULL(feature);
}

/* Bits that the guest may set in XSS, and CPUID leaf 0xd has: state of shadow stacks, U and S */
#define SNP_XSS			(BIT(11) | BIT(12))

static inline bool is_snp(void)
{
	return config.tech->id == COCO_SEV_SNP;
}

/* SEV-SNP has all of SEV-ES */
static inline bool is_es(void)
{
	return config.tech->id == COCO_SEV_ES || is_snp();
}

u64 sev_status(void);			/* the MSR */
void raise_vc(struct vcpu *v, u64 code);

/* ---- ghcb_msr.c ---- */
#define GHCB_VERSION_MIN	1
u64 ghcb_msr_reset_value(void);
void ghcb_msr_protocol(struct vcpu *v);
void __noreturn ghcb_terminate(struct vcpu *v, u32 set, u32 reason);

/* ---- ghcb.c ---- */
void ghcb_page(struct vcpu *v);
void ghcb_reset_hold_over(struct vcpu *v);

/* ---- rmp.c ---- */
bool rmp_instruction(struct vcpu *v);	/* at #UD; true if it was one of PVALIDATE, RMPADJUST */
bool rmp_npf(struct vcpu *v, u64 gpa, enum view view, u64 error);
/*
 * PVALIDATE of one page, whoever executes it.  inputs: as the event's info1; eax: known to fail so.
 * EAX, and in bit 32 whether the entry was in this state already.
 */
u64 rmp_pvalidate(struct vcpu *v, u64 gpa, u64 inputs, u32 eax);
void rmp_set_vmsa(u64 gpa, bool on);	/* by RMPADJUST of 4K */
void rmp_reset(void);

/* ---- psc.c ---- */
enum psc_op { PSC_PRIVATE = 1, PSC_SHARED = 2, PSC_PSMASH = 3, PSC_UNSMASH = 4 };

/* One page or 2M block; 0, or what a host gives as error */
#define PSC_ERROR_HEADER	(1ull << 32 | 1)
#define PSC_ERROR_ENTRY		(1ull << 32 | 2)
#define PSC_ERROR_GENERIC	(0x100ull << 32)
u64 psc_one(struct vcpu *v, u64 gpa, u32 op, bool huge, u64 generic);
u64 psc_list(struct vcpu *v, u8 *list, u64 size);

/* ---- snp_boot.c ---- */
void snp_boot_data(struct boot *boot);
/* Pages of zeros become what SNP_LAUNCH_UPDATE makes of them */
void snp_fill_cpuid(u64 gpa);
void snp_fill_secrets(u64 gpa);

/* ---- snp_launch.c ---- */
void snp_launch(struct vcpu *bsp);

/* ---- sev_ap.c ---- */
void ap_boot_data(struct boot *boot);
u64 ap_jump_table(void);
/* What of its contents keeps a vCPU from running from it, and the value; NULL: nothing */
const char *ap_vmsa_flaw(u64 gpa, u64 *value);
bool ap_icr_write(struct vcpu *v, u32 icr);	/* true: INIT or SIPI, dealt with */
void ap_hold(struct vcpu *v, bool by_msr);

#endif /* SEV_H */
