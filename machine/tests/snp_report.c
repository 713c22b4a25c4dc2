// SPDX-License-Identifier: GPL-2.0
/*
 * A guest request with the key: a report and the host's certificates, for openssl
 * on the host to verify (verify.py); and what the TSC is.
 * SNP firmware ABI (56860): "Message Header Format", MSG_REPORT_REQ, MSG_TSC_INFO_REQ,
 * secrets page
 * GHCB specification (56421): SNP Extended Guest Request
 */
#include <bearssl/bearssl_aead.h>

#include "lib/payload.h"

#define GUEST_REQUEST		0x80000011
#define EXT_GUEST_REQUEST	0x80000012
#define REQUEST_PAGE		8
#define REPLY_PAGE		9
#define CERTS_PAGE		10		/* and the next */
#define REPORT_REQ		5
#define REPORT_RSP		6
#define REPORT_SIZE		0x4a0
#define TSC_INFO_REQ		17
#define TSC_INFO_SIZE		128
#define INVALID_PARAM		0x16
#define SECURE_TSC		BIT(11)
#define EXIT_MSR		0x7c
#define MSR_TSC			0x10

struct header {
	u8 tag[32];
	u64 seqno;
	u8 reserved[8];
	u8 algo, version;
	u16 size;
	u8 type, message_version;
	u16 message_size;
	u32 reserved2;
	u8 vmpck, reserved3[35];
} __packed;

struct message {
	struct header header;
	u8 payload[4000];
} __packed;

struct report_request {
	u8 data[64];
	u32 vmpl, key;
	u8 reserved[24];
} __packed;

struct report_reply {
	u32 status, size;
	u8 reserved[24], report[REPORT_SIZE];
} __packed;

struct tsc_info {
	u32 status, reserved;
	u64 scale, offset;
	u32 factor;
	u8 reserved2[100];
} __packed;

static u8 key[32];
static u32 factor;		/* secrets page, TSC_FACTOR */

static bool find_key(void)
{
	const u8 *secrets = secrets_page();

	if (!secrets)
		return false;
	memcpy(key, secrets + SECRETS_VMPCK, sizeof(key));
	memcpy(&factor, secrets + SECRETS_TSC_FACTOR, sizeof(factor));
	return true;
}

static void crypt(struct message *m, bool encrypt, u8 tag[16])
{
	br_aes_ct64_ctr_keys aes;
	br_gcm_context gcm;
	u8 iv[12] = { 0 };

	memcpy(iv, &m->header.seqno, sizeof(m->header.seqno));
	br_aes_ct64_ctr_init(&aes, key, sizeof(key));
	br_gcm_init(&gcm, &aes.vtable, br_ghash_ctmul64);
	br_gcm_reset(&gcm, iv, sizeof(iv));
	br_gcm_aad_inject(&gcm, &m->header.algo, 0x30);
	br_gcm_flip(&gcm);
	br_gcm_run(&gcm, encrypt, m->payload, m->header.message_size);
	br_gcm_get_tag(&gcm, tag);
}

static void fill(struct message *m)
{
	struct report_request *request = (void *)m->payload;
	u32 i;

	m->header = (struct header){
		.seqno = 1, .algo = 1, .version = 1, .size = sizeof(m->header), .type = REPORT_REQ,
		.message_version = 1, .message_size = sizeof(*request),
	};
	for (i = 0; i < sizeof(request->data); i++)
		request->data[i] = i;
	crypt(m, true, m->header.tag);
}

static void reply(struct message *m)
{
	const struct report_reply *r = (void *)m->payload;
	u8 tag[16];
	u32 i, echoed = 0;

	check_eq("reply_is_the_next_message", m->header.seqno, 2);
	check_eq("reply_is_a_report", m->header.type, REPORT_RSP);
	check_eq("reply_has_a_reports_size", m->header.message_size, sizeof(*r));
	crypt(m, false, tag);
	check("reply_has_its_tag", !memcmp(tag, m->header.tag, sizeof(tag)));
	check_eq("report_is_made", r->status, 0);
	check_eq("report_has_its_size", r->size, REPORT_SIZE);
	for (i = 0; i < 64; i++)
		echoed += r->report[0x50 + i] == i;
	check_eq("report_echoes_the_data", echoed, 64);
	dump("report", r->report, REPORT_SIZE);
}

static const struct tsc_info *ask_for_tsc(struct message *m, u64 seqno, u8 first)
{
	u8 tag[16];

	m->header = (struct header){
		.seqno = seqno, .algo = 1, .version = 1, .size = sizeof(m->header),
		.type = TSC_INFO_REQ, .message_version = 1, .message_size = TSC_INFO_SIZE,
	};
	memset(m->payload, 0, TSC_INFO_SIZE);
	m->payload[0] = first;
	crypt(m, true, m->header.tag);
	memcpy(arena(REQUEST_PAGE), m, sizeof(*m));
	ghcb_clear();
	ghcb_exit(GUEST_REQUEST, (u64)arena(REQUEST_PAGE), (u64)arena(REPLY_PAGE));
	memcpy(m, arena(REPLY_PAGE), sizeof(*m));
	crypt(m, false, tag);
	return (const void *)m->payload;
}

/* Without Secure TSC there is nothing to say, with it the secrets page says the same */
static void tsc(struct message *m)
{
	bool secure = rdmsr(MSR_SEV_STATUS) & SECURE_TSC;
	const struct tsc_info *info = ask_for_tsc(m, 3, 0);
	u64 before;

	check_eq("tsc_info_is_the_next_type", m->header.type, TSC_INFO_REQ + 1);
	check_eq("tsc_info_has_its_size", m->header.message_size, sizeof(*info));
	check_eq("tsc_info_is_given", info->status, 0);
	check_eq("tsc_has_the_scale_of_the_processor", info->scale, secure ? 1ull << 32 : 0);
	check("offset_is_secure_tscs_alone", !info->offset == !secure);
	check_eq("factor_is_the_secrets_pages", info->factor, factor);
	check("factor_is_secure_tscs_alone", !factor == !secure);
	check("tsc_has_the_offset", !secure || rdtsc() > info->offset);
	info = ask_for_tsc(m, 5, 1);
	check_eq("tsc_request_is_all_zeros", info->status, INVALID_PARAM);
	before = rdtsc();
	ghcb_clear();
	ghcb_put(F_RCX, MSR_TSC);
	ghcb_put(F_RAX, 0);
	ghcb_put(F_RDX, 0);
	check_eq("tsc_is_written_by_the_host", ghcb_exit(EXIT_MSR, 1, 0), 0);
	check("which_moves_none_that_is_secure", (rdtsc() < before) == !secure);
}

void payload(void)
{
	static struct message message;

	ghcb_init();
	crypt_init();
	make_shared(REQUEST_PAGE);
	make_shared(REPLY_PAGE);
	make_shared(CERTS_PAGE);
	make_shared(CERTS_PAGE + 1);
	check("secrets_page_is_found", find_key());
	fill(&message);
	memcpy(arena(REQUEST_PAGE), &message, sizeof(message));
	ghcb_clear();
	ghcb_put(F_RAX, (u64)arena(CERTS_PAGE));
	ghcb_put(F_RBX, 2);
	check_eq("request_succeeds",
		 ghcb_exit(EXT_GUEST_REQUEST, (u64)arena(REQUEST_PAGE), (u64)arena(REPLY_PAGE)), 0);
	check_eq("firmware_is_content", ghcb_get(F_EXITINFO2), 0);
	memcpy(&message, arena(REPLY_PAGE), sizeof(message));
	reply(&message);
	tsc(&message);
	dump("certificates", arena(CERTS_PAGE), 2 * PAGE_SIZE);
}
