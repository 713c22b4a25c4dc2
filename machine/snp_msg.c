// SPDX-License-Identifier: GPL-2.0
/*
 * Guest requests: the firmware that decrypts, answers and encrypts (SNP firmware
 * ABI 56860, SNP_GUEST_REQUEST), the host that carries the pages (GHCB
 * specification 56421, "SNP Guest Request", "SNP Extended Guest Request"), and
 * the judge of what the guest lets the host see.
 *
 * AES-GCM falls with its first repeated IV, and the IV is the sequence number.
 * The host sees every message that is handed to it, whether or not it lets the
 * firmware see it too: so each is judged before a test's rule answers.
 */
#include "crypt.h"
#include "ghcb.h"
#include "snp_firmware.h"

#define AES_256_GCM	1
#define HEADER_VERSION	1
#define TAG_SIZE	16
#define IV_SIZE		12
#define REMEMBERED	1024u		/* messages a key */

/* "Message Header Format"; what is authenticated beside the payload begins at algo */
struct header {
	u8 tag[32];
	u64 seqno;
	u8 reserved[8];
	u8 algo, version;
	u16 size;
	u8 type, message_version;
	u16 message_size;
	u32 reserved2;
	u8 vmpck;
	u8 reserved3[35];
} __packed;

#define AAD_SIZE	(sizeof(struct header) - offsetof(struct header, algo))

struct message {
	struct header header;
	u8 payload[MESSAGE_MAX];
} __packed;

_Static_assert(offsetof(struct header, algo) == 0x30, "message header");
_Static_assert(sizeof(struct header) == 0x60, "message header");
_Static_assert(sizeof(struct message) == PAGE_SIZE, "message");

/* SW_EXITINFO2 of the reply: the host's error above, the firmware's below */
enum { HOST_INVALID_LEN = 1 };
#define HOST_ERROR(error)	((u64)(error) << 32)

static struct message request, reply;		/* out of the guest's reach */
static u8 plain[MESSAGE_MAX];
static u64 counts[VMPCKS] = { [3] = VMPCK3_MESSAGES };	/* messages of each key, replies included */

static struct sent {
	bool used;
	u64 seqno;
	u8 digest[br_sha256_SIZE];
} sent[VMPCKS][REMEMBERED];

/* ---- the judge ---- */

static u32 payload_size(const struct message *m)
{
	return min(m->header.message_size, MESSAGE_MAX);
}

/* Under this key and IV only ever this message; the firmware answers none with number 0 */
static void judge_message(struct vcpu *v, const struct message *m)
{
	u64 seqno = m->header.seqno;
	u8 digest[br_sha256_SIZE];
	br_sha256_context sha;
	struct sent *s;

	if (m->header.vmpck >= VMPCKS)
		return;
	br_sha256_init(&sha);
	br_sha256_update(&sha, m, sizeof(m->header) + payload_size(m));
	br_sha256_out(&sha, digest);
	s = &sent[m->header.vmpck][seqno % REMEMBERED];
	if (s->used && s->seqno == seqno && memcmp(s->digest, digest, sizeof(digest)))
		breach(v, COCO_BREACH_IV, seqno,
		       "guest request: VMPCK%u encrypts another message with sequence number %lu",
		       m->header.vmpck, seqno);
	s->used = true;
	s->seqno = seqno;
	memcpy(s->digest, digest, sizeof(digest));
}

/* ---- the firmware ---- */

static void gcm_start(br_gcm_context *gcm, br_aes_ct64_ctr_keys *aes, const struct header *header)
{
	u8 key[VMPCK_SIZE], iv[IV_SIZE] = { 0 };

	snp_vmpck(header->vmpck, key);
	memcpy(iv, &header->seqno, sizeof(header->seqno));
	br_aes_ct64_ctr_init(aes, key, sizeof(key));
	br_gcm_init(gcm, &aes->vtable, br_ghash_ctmul64);
	br_gcm_reset(gcm, iv, sizeof(iv));
	br_gcm_aad_inject(gcm, &header->algo, AAD_SIZE);
	br_gcm_flip(gcm);
}

static bool decrypt(const struct message *m, u8 *out)
{
	br_aes_ct64_ctr_keys aes;
	br_gcm_context gcm;

	gcm_start(&gcm, &aes, &m->header);
	memcpy(out, m->payload, payload_size(m));
	br_gcm_run(&gcm, 0, out, payload_size(m));
	return br_gcm_check_tag(&gcm, m->header.tag);
}

static void encrypt(struct message *m)
{
	br_aes_ct64_ctr_keys aes;
	br_gcm_context gcm;

	gcm_start(&gcm, &aes, &m->header);
	br_gcm_run(&gcm, 1, m->payload, payload_size(m));
	br_gcm_get_tag(&gcm, m->header.tag);
}

/* The next of its key, and in the one format that there is ("SNP_GUEST_REQUEST", actions) */
static enum snp_status check_header(const struct header *h)
{
	if (h->algo != AES_256_GCM || h->version != HEADER_VERSION || h->size != sizeof(*h) ||
	    h->reserved2 || h->vmpck >= VMPCKS || h->message_size > MESSAGE_MAX)
		return SNP_INVALID_PARAM;
	if (counts[h->vmpck] >= ~0ull - 1)
		return SNP_AEAD_OFLOW;
	return h->seqno == counts[h->vmpck] + 1 ? SNP_SUCCESS : SNP_INVALID_PARAM;
}

/* The sender's VMPL is that of its key */
static enum snp_status answer(const struct header *h, u32 *len)
{
	switch (h->type) {
	case MSG_REPORT_REQ:
		if (h->message_version != 1)
			return SNP_INVALID_PARAM;
		return snp_report(h->vmpck, plain, h->message_size, reply.payload, len);
	case MSG_KEY_REQ:
		return snp_derived_key(h->vmpck, h->message_version, plain, h->message_size,
				       reply.payload, len);
	case MSG_TSC_INFO_REQ:
		if (h->message_version != 1)
			return SNP_INVALID_PARAM;
		return snp_tsc_info(plain, h->message_size, reply.payload, len);
	default:
		return SNP_INVALID_PARAM;
	}
}

/* Only a message that was answered counts */
static enum snp_status firmware(void)
{
	const struct header *h = &request.header;
	enum snp_status status = check_header(h);
	u32 len;

	if (status)
		return status;
	if (!decrypt(&request, plain))
		return SNP_BAD_MEASUREMENT;
	memset(&reply, 0, sizeof(reply));
	status = answer(h, &len);
	if (status)
		return status;
	reply.header = (struct header) {
		.seqno = h->seqno + 1,
		.algo = AES_256_GCM,
		.version = HEADER_VERSION,
		.size = sizeof(struct header),
		.type = h->type + 1,
		.message_version = h->message_version,
		.message_size = len,
		.vmpck = h->vmpck,
	};
	encrypt(&reply);
	counts[h->vmpck] += 2;
	return SNP_SUCCESS;
}

/* ---- the host ---- */

static bool is_shared(u64 gpa)
{
	return is_ram(gpa) && !(page_flags(gpa) & (COCO_PAGE_PRIVATE | COCO_PAGE_BLOCKED));
}

static u8 *shared_page(struct ghcb *g, u64 gpa, const char *what)
{
	if (is_shared(gpa))
		return ram_ptr(gpa, SHARED);
	breach(g->v, COCO_BREACH_PAGE, gpa, "guest request: the %s page 0x%lx is not shared memory",
	       what, gpa);
	return NULL;
}

void snp_judge_request(struct ghcb *g)
{
	u8 *page = shared_page(g, g->info1, "request");

	if (!page)
		return;
	memcpy(&request, page, sizeof(request));
	crypt_begin();
	judge_message(g->v, &request);
	crypt_end();
}

/* The certificates' pages, all shared; false: the call is answered */
static bool hand_out_certificates(struct ghcb *g)
{
	u64 pages = snp_certificate_pages(), i;

	if (g->rbx < pages) {
		ghcb_out(g, OUT_RBX, pages);
		ghcb_out(g, OUT_INFO2, HOST_ERROR(HOST_INVALID_LEN));
		return false;
	}
	if (g->rax & ~PAGE_MASK) {
		breach(g->v, COCO_BREACH_RESERVED, g->rax,
		       "guest request: the certificates' pages at 0x%lx are not aligned", g->rax);
		ghcb_malformed(g, GHCB_ERR_INPUT);
		return false;
	}
	for (i = 0; i < pages; i++) {
		u8 *page = shared_page(g, g->rax + i * PAGE_SIZE, "certificate");

		if (!page) {
			ghcb_malformed(g, GHCB_ERR_INPUT);
			return false;
		}
		snp_certificate_page(i, page);
	}
	return true;
}

/* snp_judge_request() has read the request */
void snp_guest_request(struct ghcb *g)
{
	u8 *page = shared_page(g, g->info2, "response");
	enum snp_status status;

	if (!page || !is_shared(g->info1)) {
		ghcb_malformed(g, GHCB_ERR_INPUT);
		return;
	}
	if (g->code == NAE_EXT_GUEST_REQUEST && !hand_out_certificates(g))
		return;
	crypt_begin();
	status = firmware();
	if (status == SNP_SUCCESS)
		judge_message(g->v, &reply);
	crypt_end();
	if (status == SNP_SUCCESS)
		memcpy(page, &reply, sizeof(reply.header) + reply.header.message_size);
	ghcb_out(g, OUT_INFO2, status);
}
