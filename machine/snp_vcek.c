// SPDX-License-Identifier: GPL-2.0
/*
 * The certificates that hosts hand out with an extended guest request (GHCB
 * specification 56421, "SNP Extended Guest Request"): a page with the table,
 * entries of GUID, offset and length, the last one zero; then a page with what
 * they point to.
 */
#include "machine.h"
#include "snp_firmware.h"

#define TABLE_PAGES	2

struct entry {
	u8 guid[16];
	u32 offset, length;
} __packed;

_Static_assert(sizeof(struct entry) == 24, "certificate table entry");

static const u8 guids[SNP_CERTIFICATES][16] = {
	/* c0b406a4-a803-4952-9743-3fb6014cd0ae: ARK */
	{ 0xa4, 0x06, 0xb4, 0xc0, 0x03, 0xa8, 0x52, 0x49,
	  0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae },
	/* 4ab7b379-bbac-4fe4-a02f-05aef327c782: ASK */
	{ 0x79, 0xb3, 0xb7, 0x4a, 0xac, 0xbb, 0xe4, 0x4f,
	  0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82 },
	/* 63da758d-e664-4564-adc5-f4b93be8accd: VCEK */
	{ 0x8d, 0x75, 0xda, 0x63, 0x64, 0xe6, 0x64, 0x45,
	  0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd },
};

u64 snp_certificate_pages(void)
{
	return TABLE_PAGES;
}

/* One behind the other; where this one begins in their page */
static u32 start_of(u32 number)
{
	u32 i, start = 0;

	for (i = 0; i < number; i++)
		start += snp_certificates[i].length;
	return start;
}

void snp_certificate_page(u64 page, u8 *out)
{
	struct entry *table = (void *)out;
	u32 i;

	if (start_of(SNP_CERTIFICATES) > PAGE_SIZE)
		internal_error("the certificates do not fit into a page");
	memset(out, 0, PAGE_SIZE);
	for (i = 0; i < SNP_CERTIFICATES; i++) {
		const struct snp_certificate *one = &snp_certificates[i];

		if (page) {
			memcpy(out + start_of(i), one->der, one->length);
			continue;
		}
		memcpy(table[i].guid, guids[i], sizeof(table[i].guid));
		table[i].offset = PAGE_SIZE + start_of(i);
		table[i].length = one->length;
	}
}
