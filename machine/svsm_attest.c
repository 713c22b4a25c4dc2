// SPDX-License-Identifier: GPL-2.0
/*
 * The SVSM's attestation protocol: a report of VMPL 0 that binds the caller's nonce to a manifest
 * of the services that the module has, of which there are none (AMD 58019, "Attestation
 * Protocol").
 */
#include "core.h"
#include "crypt.h"
#include "efi.h"
#include "snp_firmware.h"
#include "svsm.h"

enum { ATTEST_SERVICES, ATTEST_SINGLE_SERVICE };

/* SVSM_ATTEST_SERVICES; SVSM_ATTEST_SINGLE_SERVICE has the service behind it */
struct location {
	u64 gpa;
	u32 size;
	u32 reserved;
} __packed;

struct attest_request {
	struct location report, nonce, manifest, certificates;
	u8 service[16];
	u32 version, reserved;
} __packed;

#define SERVICES_SIZE	offsetof(struct attest_request, service)
#define NONCE_SIZE	0xffffu		/* a word; what is above it is reserved */

/* The manifest of all services: a table, of none (58019, "Attestation Protocol") */
struct manifest {
	struct efi_guid guid;
	u32 size, count;
} __packed;

static const struct manifest manifest = {
	{ 0x63849ebb, 0x3d92, 0x4670, { 0xa1, 0xff, 0x58, 0xf9, 0xc9, 0x4b, 0x87, 0xbb } },
	sizeof(struct manifest), 0,
};

_Static_assert(SERVICES_SIZE == 64, "attest services operation");
_Static_assert(sizeof(struct attest_request) == 88, "attest single service operation");
_Static_assert(sizeof(struct manifest) == 24, "services manifest");

/* REPORT_DATA is a digest of nonce and manifest; the report is one of VMPL 0 */
static void make_report(const void *nonce, u32 nonce_size, u8 *out)
{
	static u8 reply[PAGE_SIZE];
	u8 request[96] = { 0 };		/* 56860, "MSG_REPORT_REQ Message Structure" */
	br_sha512_context sha;
	u32 size;

	crypt_begin();
	br_sha512_init(&sha);
	br_sha512_update(&sha, nonce, nonce_size);
	br_sha512_update(&sha, &manifest, sizeof(manifest));
	br_sha512_out(&sha, request);
	if (snp_report(0, request, sizeof(request), reply, &size))
		internal_error("the firmware makes no report for the SVSM");
	crypt_end();
	memcpy(out, reply + SNP_REPORT_HEADER, SNP_REPORT_SIZE);
}

static void check_reserved(struct vcpu *v, const struct attest_request *request)
{
	u64 reserved = request->report.reserved | request->nonce.reserved |
		       (request->nonce.size & ~NONCE_SIZE) | request->manifest.reserved |
		       request->certificates.reserved;

	if (reserved)
		breach(v, COCO_BREACH_RESERVED, reserved,
		       "SVSM attestation: reserved fields 0x%lx", reserved);
}

static void *buffer(const struct location *location)
{
	return location->gpa & ~PAGE_MASK ? NULL : svsm_memory(location->gpa, location->size);
}

static void hand_out_certificates(u8 *out)
{
	u64 i;

	for (i = 0; i < snp_certificate_pages(); i++)
		snp_certificate_page(i, out + i * PAGE_SIZE);
}

/* RCX, RDX, R8: what is in the buffers for manifest, certificates and report, or what they need */
static u64 attest_services(struct vcpu *v, struct svsm_call *call)
{
	u64 certificates_size = snp_certificate_pages() * PAGE_SIZE;
	struct attest_request request;
	u8 *report, *out_manifest, *certificates;
	const void *nonce, *from;

	if (!svsm_in_one_page(call->rcx, SERVICES_SIZE))
		return SVSM_INVALID_PARAMETER;
	from = svsm_memory(call->rcx, SERVICES_SIZE);
	if (!from)
		return SVSM_INVALID_ADDRESS;
	/* What is checked is what is used: other vCPUs may write to it meanwhile */
	memcpy(&request, from, SERVICES_SIZE);
	check_reserved(v, &request);
	nonce = svsm_memory(request.nonce.gpa, request.nonce.size & NONCE_SIZE);
	report = buffer(&request.report);
	out_manifest = buffer(&request.manifest);
	/* The one buffer that may be left out */
	certificates = request.certificates.gpa ? buffer(&request.certificates) : NULL;
	if (!nonce || !report || !out_manifest || (request.certificates.gpa && !certificates))
		return SVSM_INVALID_PARAMETER;
	call->rcx = sizeof(manifest);
	call->rdx = certificates_size;
	call->r8 = SNP_REPORT_SIZE;
	if (request.report.size < SNP_REPORT_SIZE || request.manifest.size < sizeof(manifest) ||
	    (certificates && request.certificates.size < certificates_size))
		return SVSM_INVALID_PARAMETER;
	make_report(nonce, request.nonce.size & NONCE_SIZE, report);
	memcpy(out_manifest, &manifest, sizeof(manifest));
	if (certificates)
		hand_out_certificates(certificates);
	else
		call->rdx = 0;
	return SVSM_SUCCESS;
}

u64 svsm_attest(struct vcpu *v, struct svsm_call *call)
{
	switch ((u32)call->rax) {
	case ATTEST_SERVICES:
		return attest_services(v, call);
	case ATTEST_SINGLE_SERVICE:	/* of none */
		return SVSM_INVALID_PARAMETER;
	default:
		return SVSM_UNSUPPORTED_CALL;
	}
}
