// SPDX-License-Identifier: GPL-2.0
/*
 * Payloads of guest messages: attestation reports and derived keys (SNP firmware
 * ABI 56860, chapter "Guest Messages", sections "Attestation" and "Key
 * Derivation").  The platform and the launch that they describe are made up, and
 * the same in every run.
 */
#include "crypt.h"
#include "machine.h"
#include "snp_firmware.h"

#define REPORT_VERSION	3
#define POLICY		0x30000		/* bit 17 reads one; SMT allowed */
#define ECDSA_P384_SHA384 1
#define GUEST_SVN	2
#define MAX_VMPL	3
#define CURRENT_TCB	0xd516000000000004ull	/* microcode, SNP, reserved, TEE, boot loader */
#define COMMITTED_TCB	0xd415000000000003ull
#define REPORTED_TCB	0xd314000000000003ull
#define LAUNCH_TCB	0xd415000000000003ull

/* "MSG_REPORT_REQ Message Structure" */
struct report_request {
	u8 report_data[64];
	u32 vmpl;
	u32 key_sel;		/* 0: VLEK if there is one, 1: VCEK, 2: VLEK */
	u8 reserved[24];
} __packed;

/* "ATTESTATION_REPORT Structure" */
struct report {
	u32 version, guest_svn;
	u64 policy;
	u8 family_id[16], image_id[16];
	u32 vmpl, signature_algo;
	u64 current_tcb, platform_info;
	u32 flags, reserved;
	u8 report_data[64];
	u8 measurement[48];
	u8 host_data[32];
	u8 id_key_digest[48], author_key_digest[48];
	u8 report_id[32], report_id_ma[32];
	u64 reported_tcb;
	u8 family, model, stepping, reserved2[21];	/* version 3 */
	u8 chip_id[64];
	u64 committed_tcb;
	u8 current_build, current_minor, current_major, reserved3;
	u8 committed_build, committed_minor, committed_major, reserved4;
	u64 launch_tcb;
	u8 reserved5[168];
	u8 r[72], s[72], reserved6[368];		/* little-endian */
} __packed;

/* "MSG_REPORT_RSP Message Structure" */
struct report_reply {
	u32 status, size;
	u8 reserved[24];
	struct report report;
} __packed;

/* "MSG_KEY_REQ Message Structure"; version 2 adds a mitigation vector */
struct key_request {
	u32 root_key, reserved;
	u64 fields;
	u32 vmpl, guest_svn;
	u64 tcb;
} __packed;

#define ROOT_KEY_BITS	7u	/* root, and which of VCEK and VLEK */
#define FIELD_POLICY	BIT(0)
#define FIELD_SVN	BIT(4)
#define FIELD_TCB	BIT(5)
#define FIELD_BITS	0x3full

struct key_reply {
	u32 status;
	u8 reserved[28];
	u8 key[32];
} __packed;

_Static_assert(sizeof(struct report_request) == 96, "MSG_REPORT_REQ");
_Static_assert(offsetof(struct report, report_data) == 0x50, "REPORT_DATA");
_Static_assert(offsetof(struct report, chip_id) == 0x1a0, "CHIP_ID");
_Static_assert(offsetof(struct report, r) == 0x2a0, "SIGNATURE");
_Static_assert(sizeof(struct report) == SNP_REPORT_SIZE, "ATTESTATION_REPORT");
_Static_assert(offsetof(struct report_reply, report) == SNP_REPORT_HEADER, "MSG_REPORT_RSP");
_Static_assert(sizeof(struct key_request) == 32, "MSG_KEY_REQ");
_Static_assert(sizeof(struct key_reply) == 64, "MSG_KEY_RSP");

static void pattern(u8 *out, size_t len, u8 first)
{
	size_t i;

	for (i = 0; i < len; i++)
		out[i] = first + i;
}

static bool zero(const void *p, size_t len)
{
	const u8 *byte = p;

	while (len && !*byte)
		byte++, len--;
	return !len;
}

/* Each TCB component of a is at most that of b ("TCB_VERSION") */
static bool tcb_within(u64 a, u64 b)
{
	for (; a | b; a >>= 8, b >>= 8)
		if ((a & 0xff) > (b & 0xff))
			return false;
	return true;
}

/* "Signature Format": R and S, 72 bytes each, little-endian; BearSSL's are big-endian */
static void sign(struct report *report)
{
	const br_ec_private_key key = { BR_EC_secp384r1, (u8 *)vcek_key, sizeof(vcek_key) };
	u8 digest[br_sha384_SIZE], raw[2 * VCEK_KEY_SIZE];
	br_sha384_context sha;
	u32 i;

	br_sha384_init(&sha);
	br_sha384_update(&sha, report, offsetof(struct report, r));
	br_sha384_out(&sha, digest);
	if (br_ecdsa_i31_sign_raw(&br_ec_prime_i31, &br_sha384_vtable, digest, &key, raw) !=
	    sizeof(raw))
		internal_error("a report cannot be signed");
	for (i = 0; i < VCEK_KEY_SIZE; i++) {
		report->r[i] = raw[VCEK_KEY_SIZE - 1 - i];
		report->s[i] = raw[2 * VCEK_KEY_SIZE - 1 - i];
	}
}

/* Families above 15 and models are split in two (APM vol. 3, CPUID Fn0000_0001 EAX) */
static void set_cpuid(struct report *report)
{
	u32 out[4], family;

	cpuid_guest(&vcpus[0], 1, 0, out);
	family = out[0] >> 8 & 15;
	report->family = family == 15 ? family + (out[0] >> 20 & 0xff) : family;
	report->model = (out[0] >> 4 & 15) | (out[0] >> 12 & 0xf0);
	report->stepping = out[0] & 15;
}

static void fill_report(struct report *report, const struct report_request *request)
{
	*report = (struct report) {
		.version = REPORT_VERSION,
		.guest_svn = GUEST_SVN,
		.policy = POLICY,
		.vmpl = request->vmpl,
		.signature_algo = ECDSA_P384_SHA384,
		.current_tcb = CURRENT_TCB,
		.platform_info = 1,			/* SMT */
		.reported_tcb = REPORTED_TCB,
		.committed_tcb = COMMITTED_TCB,
		.current_build = 2, .current_minor = 56, .current_major = 1,
		.committed_build = 1, .committed_minor = 56, .committed_major = 1,
		.launch_tcb = LAUNCH_TCB,
	};
	memcpy(report->report_data, request->report_data, sizeof(report->report_data));
	pattern(report->measurement, sizeof(report->measurement), 0x10);
	pattern(report->host_data, sizeof(report->host_data), 0x40);
	pattern(report->report_id, sizeof(report->report_id), 0x80);
	memset(report->report_id_ma, 0xff, sizeof(report->report_id_ma));	/* no migration agent */
	pattern(report->chip_id, sizeof(report->chip_id), 0xa0);
	set_cpuid(report);
	sign(report);
}

/* A VMPL may ask for itself and for lesser ones; this platform has no VLEK */
enum snp_status snp_report(u32 vmpl, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	const struct report_request *request = (const void *)in;
	struct report_reply *reply = (void *)out;

	if (len != sizeof(*request))
		return SNP_INVALID_PARAM;
	*out_len = sizeof(*reply);
	memset(reply, 0, sizeof(*reply));
	if (request->vmpl > MAX_VMPL || request->vmpl < vmpl || request->key_sel & ~3u ||
	    !zero(request->reserved, sizeof(request->reserved))) {
		reply->status = SNP_INVALID_PARAM;
	} else if (request->key_sel > 1) {
		reply->status = SNP_INVALID_KEY;
	} else {
		reply->size = sizeof(reply->report);
		fill_report(&reply->report, request);
	}
	return SNP_SUCCESS;
}

static bool key_request_valid(u32 vmpl, const struct key_request *request)
{
	return !(request->root_key & ~ROOT_KEY_BITS) && !request->reserved &&
	       !(request->fields & ~FIELD_BITS) && request->vmpl <= MAX_VMPL &&
	       request->vmpl >= vmpl && request->guest_svn <= GUEST_SVN &&
	       tcb_within(request->tcb, COMMITTED_TCB);
}

/* What the guest asked to mix in: all of it counts only where its bit is set */
static void derive(const struct key_request *request, u8 key[32])
{
	struct key_request mixed = *request;
	br_hmac_key_context root;
	br_hmac_context hmac;
	u64 policy = POLICY;

	if (!(mixed.fields & FIELD_SVN))
		mixed.guest_svn = 0;
	if (!(mixed.fields & FIELD_TCB))
		mixed.tcb = 0;
	br_hmac_key_init(&root, &br_sha256_vtable, vcek_key, sizeof(vcek_key));
	br_hmac_init(&hmac, &root, 0);
	br_hmac_update(&hmac, &mixed, sizeof(mixed));
	if (mixed.fields & FIELD_POLICY)
		br_hmac_update(&hmac, &policy, sizeof(policy));
	br_hmac_out(&hmac, key);
}

enum snp_status snp_derived_key(u32 vmpl, u8 version, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	const struct key_request *request = (const void *)in;
	struct key_reply *reply = (void *)out;

	if (version != 1 || len != sizeof(*request))
		return SNP_INVALID_PARAM;
	*out_len = sizeof(*reply);
	memset(reply, 0, sizeof(*reply));
	if (key_request_valid(vmpl, request))
		derive(request, reply->key);
	else
		reply->status = SNP_INVALID_PARAM;
	return SNP_SUCCESS;
}
