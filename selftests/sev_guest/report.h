/* SPDX-License-Identifier: GPL-2.0 */
/* What the SNP firmware replies (firmware ABI 56860, chapter "Guest Messages"). */
#ifndef COCO_REPORT_H
#define COCO_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define STATUS_INVALID_PARAM	0x16
#define POLICY_RESERVED_ONE	(1ull << 17)
#define ECDSA_P384_SHA384	1

/* ATTESTATION_REPORT, the fields of every version */
struct report {
	uint32_t version, guest_svn;
	uint64_t policy;
	uint8_t family_id[16], image_id[16];
	uint32_t vmpl, signature_algo;
	uint64_t current_tcb, platform_info;
	uint32_t flags, reserved;
	uint8_t report_data[64];
	uint8_t measurement[48];
	uint8_t host_data[32];
	uint8_t id_key_digest[48], author_key_digest[48];
	uint8_t report_id[32], report_id_ma[32];
	uint64_t reported_tcb;
	uint8_t reserved2[24];
	uint8_t chip_id[64];
	uint64_t committed_tcb;
	uint8_t firmware[8];
	uint64_t launch_tcb;
	uint8_t reserved3[168];
	uint8_t r[72], s[72], reserved4[368];
};

/* MSG_REPORT_RSP */
struct report_reply {
	uint32_t status, size;
	uint8_t reserved[24];
	struct report report;
};

/* MSG_KEY_RSP */
struct key_reply {
	uint32_t status;
	uint8_t reserved[28];
	uint8_t key[32];
};

/* MSG_KEY_REQ: what is mixed in */
#define KEY_OF_POLICY	(1ull << 0)
#define KEY_OF_SVN	(1ull << 4)
#define KEY_OF_TCB	(1ull << 5)

/* GHCB specification, SNP Extended Guest Request: the table that the host hands out */
struct cert_entry {
	uint8_t guid[16];
	uint32_t offset, length;
};

/* 63da758d-e664-4564-adc5-f4b93be8accd, the VCEK's certificate */
static const uint8_t vcek_guid[16] = {
	0x8d, 0x75, 0xda, 0x63, 0x64, 0xe6, 0x64, 0x45, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd,
};

_Static_assert(sizeof(struct report) == 0x4a0, "ATTESTATION_REPORT");
_Static_assert(sizeof(struct key_reply) == 64, "MSG_KEY_RSP");

/* NULL: the table, which ends with an entry of zeros, has none */
static inline const struct cert_entry *find_cert(const void *table, const uint8_t guid[16])
{
	static const struct cert_entry last;
	const struct cert_entry *entry;

	for (entry = table; memcmp(entry, &last, sizeof(last)); entry++)
		if (!memcmp(entry->guid, guid, sizeof(entry->guid)))
			return entry;
	return NULL;
}

/* Each component of a is at most that of b */
static inline bool tcb_within(uint64_t a, uint64_t b)
{
	for (; a | b; a >>= 8, b >>= 8)
		if ((a & 0xff) > (b & 0xff))
			return false;
	return true;
}

#endif /* COCO_REPORT_H */
