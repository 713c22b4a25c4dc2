/* SPDX-License-Identifier: GPL-2.0 */
/* The module that runs at VMPL 0 of an SEV-SNP guest, if there is one (option svsm=). */
#ifndef SVSM_H
#define SVSM_H

#include "machine.h"

/* Of the secrets page (58019, "SVSM Discovery") */
struct svsm_secrets {
	u64 base, size, calling_area;
	u32 max_version;
	u8 guest_vmpl, reserved[3];
} __packed;

void svsm_setup(void);
void svsm_boot_data(struct boot *boot);
struct svsm_secrets svsm_secrets(void);

u32 svsm_guest_vmpl(void);		/* 0: there is no SVSM */
u64 svsm_calling_area(const struct vcpu *v);
bool svsm_run(struct vcpu *v, u32 vmpl);	/* false: nothing to run at this VMPL */
void svsm_vcpu_starts(const struct vcpu *target, u64 vmsa);

/* ---- between its parts ---- */
/* 58019, "Result Codes" */
enum svsm_result {
	SVSM_SUCCESS			= 0,
	SVSM_UNSUPPORTED_PROTOCOL	= 0x80000001,
	SVSM_UNSUPPORTED_CALL		= 0x80000002,
	SVSM_INVALID_ADDRESS		= 0x80000003,
	SVSM_INVALID_PARAMETER		= 0x80000005,
	SVSM_INVALID_REQUEST		= 0x80000006,
};

/* RAX: protocol and call, then the result */
struct svsm_call {		/* in the order of a rule's words */
	u64 rax, rcx, rdx, r8, r9;
};

void *svsm_memory(u64 gpa, u64 size);	/* private memory of the guest; NULL: not all of it is */
bool svsm_in_one_page(u64 gpa, u64 size);

/* ---- svsm_attest.c ---- */
u64 svsm_attest(struct vcpu *v, struct svsm_call *call);

#endif /* SVSM_H */
