/* SPDX-License-Identifier: GPL-2.0 */
/* The SNP firmware's guest messages (firmware ABI 56860, chapter "Guest Messages"). */
#ifndef SNP_FIRMWARE_H
#define SNP_FIRMWARE_H

#include "types.h"

struct vcpu;

#define VMPCK_SIZE	32
#define VMPCKS		4
#define MESSAGE_MAX	(4096 - 0x60)	/* payload: a page less the header */

/* Status codes of firmware commands, and of replies (56860, "Status Codes") */
enum snp_status {
	SNP_SUCCESS		= 0,
	SNP_BAD_MEASUREMENT	= 0x0a,
	SNP_INVALID_PARAM	= 0x16,
	SNP_AEAD_OFLOW		= 0x1d,
	SNP_INVALID_KEY		= 0x27,
};

/* Types of messages; a reply's is that of the request and one (56860, "Message Type Encodings") */
enum snp_message {
	MSG_KEY_REQ	= 3,
	MSG_REPORT_REQ	= 5,
	MSG_TSC_INFO_REQ = 17,
};

/*
 * Messages under VMPCK3 before the kernel came: as if what ran before it had sent
 * nearly all that the 32 bits which it keeps of the number allow, but two.
 */
#define VMPCK3_MESSAGES	0xfffffffaul

/* How much less than nominal a secure TSC counts, in hundred-thousandths (secrets page) */
#define SNP_TSC_FACTOR	200

/* ---- snp_boot.c ---- */
/* The firmware's own copy of a key: the guest may wipe the secrets page */
void snp_vmpck(u32 key, u8 out[VMPCK_SIZE]);

/* ---- snp_report.c: payloads, between crypt_begin() and crypt_end() ---- */
#define SNP_REPORT_SIZE		0x4a0
#define SNP_REPORT_HEADER	0x20	/* in front of it, in the reply */

/* The reply's payload and its length.  vmpl: the sender's */
enum snp_status snp_report(u32 vmpl, const u8 *in, u32 len, u8 *out, u32 *out_len);
enum snp_status snp_derived_key(u32 vmpl, u8 version, const u8 *in, u32 len, u8 *out, u32 *out_len);

/* ---- snp_tsc.c: Secure TSC ---- */
bool snp_secure_tsc(void);
u64 snp_nominal_tsc_mhz(void);
void snp_secure_tsc_start(struct vcpu *v);
void snp_secure_tsc_enter(struct vcpu *v, const u8 *vmsa);
enum snp_status snp_tsc_info(const u8 *in, u32 len, u8 *out, u32 *out_len);

/* ---- snp_certs.c: test keys, made by certs/generate ---- */
#define VCEK_KEY_SIZE		48
#define SNP_CERTIFICATES	3		/* ARK, ASK, VCEK */

struct snp_certificate {
	const u8 *der;
	u32 length;
};

extern const u8 vcek_key[VCEK_KEY_SIZE];
extern const struct snp_certificate snp_certificates[SNP_CERTIFICATES];

/* ---- snp_vcek.c: the table of certificates that hosts hand out ---- */
u64 snp_certificate_pages(void);
/* One page of it */
void snp_certificate_page(u64 page, u8 *out);

#endif /* SNP_FIRMWARE_H */
