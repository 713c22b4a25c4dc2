/* SPDX-License-Identifier: GPL-2.0 */
/* EFI as a payload finds it; UEFI specification 2.10: 4.2 to 4.6, 7.2.3 */
#ifndef PAYLOAD_EFI_H
#define PAYLOAD_EFI_H

#include "payload.h"

#define PARAM_EFI		0x1c0		/* zero-page.rst: efi_info */

/* Memory types */
enum {
	LOADER_CODE	= 1,
	LOADER_DATA	= 2,
	BOOT_DATA	= 4,
	RUNTIME_CODE	= 5,
	RUNTIME_DATA	= 6,
	CONVENTIONAL	= 7,
	ACPI_RECLAIM	= 9,
	UNACCEPTED	= 15,
};

struct efi_info {
	u32 signature, systab, desc_size, desc_version, memmap, memmap_size, systab_hi, memmap_hi;
};

struct header {
	u64 signature;
	u32 revision, size, crc32, reserved;
};

struct system_table {
	struct header header;
	u64 vendor, vendor_revision, consoles[6], runtime, boot_services, count, tables;
};

struct config_table {
	u64 guid[2], table;
};

struct descriptor {
	u32 type, pad;
	u64 physical, virtual, pages, attributes;
};

typedef u64 (*service)(u64 a, u64 b, u64 c, u64 d, u64 e) __attribute__((ms_abi));

/* Of the table with its field zero */
static inline u32 crc_of(const struct header *h)
{
	const u8 *p = (const void *)h;
	u32 crc = ~0u, i, bit;

	for (i = 0; i < h->size; i++) {
		crc ^= i >= 16 && i < 20 ? 0 : p[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return ~crc;
}

static inline u64 efi_table(const struct system_table *systab, const u64 guid[2])
{
	const struct config_table *t = (void *)systab->tables;
	u64 i;

	for (i = 0; i < systab->count; i++)
		if (t[i].guid[0] == guid[0] && t[i].guid[1] == guid[1])
			return t[i].table;
	return 0;
}

/* What a memory map of so many bytes has for an address; NULL: nothing */
static inline const struct descriptor *efi_descriptor_of(u64 map, u64 size, u64 step, u64 gpa)
{
	u64 at;

	for (at = map; at < map + size; at += step) {
		const struct descriptor *d = (void *)at;

		if (gpa >= d->physical && gpa < d->physical + d->pages * PAGE_SIZE)
			return d;
	}
	return NULL;
}

static inline u32 efi_type_of(const struct descriptor *d)
{
	return d ? d->type : ~0u;
}

#endif /* PAYLOAD_EFI_H */
