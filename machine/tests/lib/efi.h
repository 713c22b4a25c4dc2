/* SPDX-License-Identifier: GPL-2.0 */
/* EFI as a payload finds it; UEFI specification 2.10: 4.2 to 4.6, 7.2.3 */
#ifndef PAYLOAD_EFI_H
#define PAYLOAD_EFI_H

#include "payload.h"

/* zero-page.rst */
#define PARAM_EFI		0x1c0		/* efi_info */
#define PARAM_E820_COUNT	0x1e8
#define PARAM_E820		0x2d0

struct e820_entry {
	u64 base, length;
	u32 type;
} __packed;

#define E820_RAM		1

static inline u32 e820_entries(void) { return *(u8 *)(boot_params + PARAM_E820_COUNT); }
static inline const struct e820_entry *e820(void) { return (void *)(boot_params + PARAM_E820); }

/* Memory types */
enum {
	LOADER_CODE	= 1,
	LOADER_DATA	= 2,
	BOOT_DATA	= 4,
	RUNTIME_CODE	= 5,
	RUNTIME_DATA	= 6,
	CONVENTIONAL	= 7,
	ACPI_RECLAIM	= 9,
	ACPI_NVS	= 10,
	PERSISTENT	= 14,
	UNACCEPTED	= 15,
	OEM_TYPE	= 0x70000000,
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

/* 9.1 */
struct loaded_image {
	u32 revision, pad;
	u64 parent, system_table, device, path, reserved;
	u32 options_size, pad2;
	u64 options, base, size;
};

/* 10.3.5.3, with the end of the path behind it (10.3.1) */
struct vendor_path {
	u8 type, subtype;
	u16 length;
	u64 guid[2];
	u8 end[4];
} __packed;

/* Appendix D */
#define ERROR(n)		(1ull << 63 | (n))
#define LOAD_ERROR		ERROR(1)
#define INVALID_PARAMETER	ERROR(2)
#define UNSUPPORTED		ERROR(3)
#define BUFFER_TOO_SMALL	ERROR(5)
#define OUT_OF_RESOURCES	ERROR(9)
#define NOT_FOUND		ERROR(14)

/* Their places in the table: 4.4.1 */
enum boot_service {
	ALLOCATE_PAGES		= 2,
	FREE_PAGES		= 3,
	GET_MEMORY_MAP		= 4,
	ALLOCATE_POOL		= 5,
	FREE_POOL		= 6,
	INSTALL_PROTOCOL	= 13,
	UNINSTALL_PROTOCOL	= 15,
	HANDLE_PROTOCOL		= 16,
	LOCATE_HANDLE		= 19,
	LOCATE_DEVICE_PATH	= 20,
	INSTALL_TABLE		= 21,
	LOAD_IMAGE		= 22,
	START_IMAGE		= 23,
	EXIT			= 24,
	UNLOAD_IMAGE		= 25,
	EXIT_BOOT_SERVICES	= 26,
	STALL			= 28,
	OPEN_PROTOCOL		= 32,
	LOCATE_HANDLE_BUFFER	= 36,
	LOCATE_PROTOCOL		= 37,
	INSTALL_PROTOCOLS	= 38,
	UNINSTALL_PROTOCOLS	= 39,
	COPY_MEM		= 41,
	SET_MEM			= 42,
};

enum { BY_PROTOCOL = 2 };	/* 7.3.6 */

static const u64 guid_loaded_image[2] __attribute__((unused)) = {
	0x11d295625b1b31a1, 0x3b7269c9a0003f8e
};

typedef u64 (*service)(u64 a, u64 b, u64 c, u64 d, u64 e) __attribute__((ms_abi));
typedef u64 (*long_service)(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f, u64 g, u64 h) __attribute__((ms_abi));

/* With zeros behind the arguments, as where a list of them has to end */
static inline u64 efi_boot(const struct system_table *systab, enum boot_service nr, u64 a, u64 b, u64 c,
			   u64 d, u64 e, u64 f)
{
	return ((long_service *)(systab->boot_services + sizeof(struct header)))[nr](a, b, c, d, e, f, 0, 0);
}

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
