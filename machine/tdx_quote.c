// SPDX-License-Identifier: GPL-2.0
/*
 * The host's quoting service: TDG.VP.VMCALL<GetQuote> ([GHCI] 3.3).
 *
 * The guest shares a buffer with its TDREPORT in it.  The service verifies that
 * the report is of this platform, and signs its contents with the attestation
 * key; the quoting enclave's report, signed by the PCK, vouches for that key;
 * certificates vouch for the PCK (Intel TDX DCAP quoting library API, appendix
 * A.3, "Version 4 Quote Format").  Signatures are real, the keys are test keys,
 * and the enclave is made up.
 *
 * A real service takes a while: the call returns, with GET_QUOTE_IN_FLIGHT in
 * the buffer, which the host overwrites later.  Here the quote is there at once;
 * a test's rule writes what a slow or failing service would.
 */
#include "crypt.h"
#include "td_report.h"
#include "tdx.h"
#include "tdx_quote.h"

/* [GHCI] 3.3: the buffer's header, and the status in it */
#define BUFFER_VERSION		1
#define GET_QUOTE_SUCCESS	0ull
#define GET_QUOTE_ERROR		0x8000000000000000ull

struct buffer_header {
	u64 version, status;
	u32 in_len, out_len;
} __packed;

/* "TD Quote Header", "TD Quote Body Descriptor" of version 4 */
#define QUOTE_VERSION		4
#define ECDSA_P256		2
#define TEE_TDX			0x81

struct quote_header {
	u16 version, key_type;
	u32 tee_type, reserved;
	u8 vendor_id[16], user_data[20];
} __packed;

struct quote_body {
	u8 tcb_svn[16];
	u8 mrseam[48], mrsignerseam[48];
	u64 seam_attributes, td_attributes, xfam;
	u8 mrtd[48], mrconfigid[48], mrowner[48], mrownerconfig[48];
	u8 rtmr[4][48];
	u8 report_data[64];
} __packed;

/* "Enclave Report Body" */
struct enclave_report {
	u8 cpu_svn[16];
	u32 misc_select;
	u8 reserved[28], attributes[16], mrenclave[32], reserved2[32], mrsigner[32], reserved3[96];
	u16 product, svn;
	u8 reserved4[60], report_data[64];
} __packed;

#define CERTIFIED_BY_REPORT	6		/* "QE Report Certification Data" */
#define CERTIFIED_BY_CHAIN	5		/* "PCK Cert Chain" */
#define MAX_CHAIN		3072
#define AUTHENTICATION_SIZE	32

struct quote {
	struct quote_header header;
	struct quote_body body;
	u32 signature_size;			/* of all that follows */
	u8 signature[2 * P256_SIZE];
	u8 attestation_point[2 * P256_SIZE];
	u16 certification;
	u32 certification_size;			/* of all that follows */
	struct enclave_report enclave;
	u8 enclave_signature[2 * P256_SIZE];
	u16 authentication_size;
	u8 authentication[AUTHENTICATION_SIZE];
	u16 chain_type;
	u32 chain_size;
	u8 chain[MAX_CHAIN];
} __packed;

_Static_assert(sizeof(struct quote_header) == 48, "TD Quote Header");
_Static_assert(sizeof(struct quote_body) == 584, "TD Quote Body");
_Static_assert(sizeof(struct enclave_report) == 384, "Enclave Report Body");

/* 939a7233-f79c-4ca9-940a-0db3957f0607: Intel's quoting enclave */
static const u8 vendor_id[16] = {
	0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
	0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07,
};

static struct quote quote;		/* under the lock */
static struct td_report report;

static void sha256(u8 *hash, const void *data, size_t len, const void *more, size_t more_len)
{
	br_sha256_context context;

	br_sha256_init(&context);
	br_sha256_update(&context, data, len);
	br_sha256_update(&context, more, more_len);
	br_sha256_out(&context, hash);
}

static void sign(u8 *signature, const u8 key[P256_SIZE], const void *data, size_t len)
{
	const br_ec_private_key private = { BR_EC_secp256r1, (u8 *)key, P256_SIZE };
	u8 digest[br_sha256_SIZE];

	sha256(digest, data, len, NULL, 0);
	if (br_ecdsa_i31_sign_raw(&br_ec_prime_i31, &br_sha256_vtable, digest, &private,
				  signature) != 2 * P256_SIZE)
		internal_error("a quote cannot be signed");
}

static void fill_body(struct quote_body *body)
{
	const struct td_info *info = &report.td;

	memcpy(body->tcb_svn, report.tcb.tcb_svn, sizeof(body->tcb_svn));
	memcpy(body->mrseam, report.tcb.mrseam, sizeof(body->mrseam));
	memcpy(body->mrsignerseam, report.tcb.mrsignerseam, sizeof(body->mrsignerseam));
	body->seam_attributes = report.tcb.attributes;
	body->td_attributes = info->attributes;
	body->xfam = info->xfam;
	memcpy(body->mrtd, info->mrtd, sizeof(body->mrtd));
	memcpy(body->mrconfigid, info->mrconfigid, sizeof(body->mrconfigid));
	memcpy(body->mrowner, info->mrowner, sizeof(body->mrowner));
	memcpy(body->mrownerconfig, info->mrownerconfig, sizeof(body->mrownerconfig));
	memcpy(body->rtmr, info->rtmr, sizeof(body->rtmr));
	memcpy(body->report_data, report.mac.data, sizeof(body->report_data));
}

/* The enclave's report names the key that it signs with */
static void fill_certification(void)
{
	u32 i;

	quote.certification = CERTIFIED_BY_REPORT;
	quote.certification_size = offsetof(struct quote, chain) + pck_chain_size -
				   offsetof(struct quote, enclave);
	quote.authentication_size = AUTHENTICATION_SIZE;
	for (i = 0; i < AUTHENTICATION_SIZE; i++)
		quote.authentication[i] = i;
	quote.enclave.product = 1;
	quote.enclave.svn = 1;
	sha256(quote.enclave.report_data, attestation_point, sizeof(attestation_point),
	       quote.authentication, AUTHENTICATION_SIZE);
	sign(quote.enclave_signature, pck_key, &quote.enclave, sizeof(quote.enclave));
	quote.chain_type = CERTIFIED_BY_CHAIN;
	quote.chain_size = pck_chain_size;
	memcpy(quote.chain, pck_chain, pck_chain_size);
}

/* Its size; 0: the report is not of this platform */
static u32 make_quote(void)
{
	u32 size = offsetof(struct quote, chain) + pck_chain_size;

	if (pck_chain_size > MAX_CHAIN)
		internal_error("the PCK's certificates do not fit into a quote");
	if (!td_report_genuine(&report))
		return 0;
	memset(&quote, 0, sizeof(quote));
	quote.header.version = QUOTE_VERSION;
	quote.header.key_type = ECDSA_P256;
	quote.header.tee_type = TEE_TDX;
	memcpy(quote.header.vendor_id, vendor_id, sizeof(vendor_id));
	fill_body(&quote.body);
	quote.signature_size = size - offsetof(struct quote, signature);
	sign(quote.signature, attestation_key, &quote, offsetof(struct quote, signature_size));
	memcpy(quote.attestation_point, attestation_point, sizeof(attestation_point));
	fill_certification();
	return size;
}

static bool is_shared(struct vcpu *v, u64 gpa, u64 size)
{
	u64 page;

	for (page = gpa; page < gpa + size; page += PAGE_SIZE) {
		if (is_ram(strip(page)) &&
		    !(page_flags(strip(page)) & (COCO_PAGE_PRIVATE | COCO_PAGE_BLOCKED)))
			continue;
		breach(v, COCO_BREACH_PAGE, page, "GetQuote: page 0x%lx is not shared memory", page);
		return false;
	}
	return true;
}

u64 get_quote(struct vcpu *v, u64 gpa, u64 size)
{
	struct buffer_header header;
	u64 room = size - sizeof(header), data = strip(gpa) + sizeof(header);
	u32 len = 0;

	if (view_of(gpa) != SHARED || gpa >> (config.cbit + 1) || !size || size > SIZE_1G)
		return GHCI_INVALID_OPERAND;
	if ((gpa | size) & ~PAGE_MASK)
		return GHCI_ALIGN_ERROR;
	if (!is_shared(v, gpa, size))
		return GHCI_INVALID_OPERAND;
	guest_read_gpa(strip(gpa), SHARED, &header, sizeof(header));
	if (header.version != BUFFER_VERSION || header.in_len > room)
		return GHCI_INVALID_OPERAND;
	if (header.in_len == sizeof(report)) {
		guest_read_gpa(data, SHARED, &report, sizeof(report));
		crypt_begin();
		len = make_quote();
		crypt_end();
	}
	header.status = len && len <= room ? GET_QUOTE_SUCCESS : GET_QUOTE_ERROR;
	header.out_len = header.status ? 0 : len;
	guest_write_gpa(data, SHARED, &quote, header.out_len);
	guest_write_gpa(strip(gpa), SHARED, &header, sizeof(header));
	return GHCI_SUCCESS;
}
