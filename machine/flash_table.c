// SPDX-License-Identifier: GPL-2.0
/*
 * What a firmware's file says about itself, behind the code and before the reset
 * vector (edk2, OvmfPkg/ResetVector; QEMU, hw/i386/pc_sysfw_ovmf.c): entries that
 * are read from the end, each data, length of the entry, GUID.  The last one spans all.
 *
 *	      ... data, u16 length, GUID, data, u16 length, GUID, u16 length, GUID | 32 bytes
 *
 * Entries for sev-snp and tdx hold how far from the file's end a list of sections is.
 */
#include "flash.h"

#define TABLE_END	32		/* from the file's end */

struct entry_end {
	u16 length;
	struct efi_guid guid;
} __packed;

/* Both lists begin alike: SEV's ("ASEV", edk2) and TDX's ("TDVF", TDVF design guide, 11.1) */
struct list {
	u8 signature[4];
	u32 length, version, count;
	u8 sections[];
} __packed;

static const struct efi_guid guid_table = {
	0x96b582de, 0x1fb2, 0x45f7, { 0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d }
};

static const u8 *file;
static u64 file_size;

void flash_table_init(const u8 *image, u64 size)
{
	file = image;
	file_size = size;
}

/* The end of the entry that ends here; NULL: nothing that could be one */
static const struct entry_end *entry_at(u64 end, u64 start)
{
	const struct entry_end *e;

	if (end < start + sizeof(*e))
		return NULL;
	e = (void *)(file + end - sizeof(*e));
	return e->length >= sizeof(*e) && e->length <= end - start ? e : NULL;
}

static const struct entry_end *find(const struct efi_guid *guid)
{
	const struct entry_end *table, *e;
	u64 end = file_size - TABLE_END, start;

	if (file_size < TABLE_END)
		return NULL;
	table = entry_at(end, 0);
	if (!table || !efi_same_guid(&table->guid, &guid_table))
		return NULL;
	start = end - table->length;
	for (end -= sizeof(*table); (e = entry_at(end, start)); end -= e->length)
		if (efi_same_guid(&e->guid, guid))
			return e;
	return NULL;
}

const void *flash_sections(const struct efi_guid *guid, const char *signature, u32 size, u32 *count)
{
	const struct entry_end *e = find(guid);
	const struct list *list;
	u32 distance;

	if (!e || e->length != sizeof(*e) + sizeof(distance))
		internal_error("this firmware is none for %s: it has no list %s", config.tech->name, signature);
	memcpy(&distance, (const u8 *)e - sizeof(distance), sizeof(distance));
	if (distance > file_size || distance < sizeof(*list))
		internal_error("firmware: the list %s is not in the file", signature);
	list = (void *)(file + file_size - distance);
	if (memcmp(list->signature, signature, sizeof(list->signature)) || list->version != 1 ||
	    list->count > (distance - sizeof(*list)) / size)
		internal_error("firmware: the list %s is of another form", signature);
	*count = list->count;
	return list->sections;
}

void flash_add(u64 gpa, u64 size)
{
	u64 end = gpa + size;

	if ((gpa | size) & ~PAGE_MASK || end > config.ram)
		internal_error("firmware: 0x%lx bytes at 0x%lx are no pages of ram=%lu", size, gpa,
			       config.ram >> 20);
	for (; gpa < end; gpa += PAGE_SIZE) {
		memset(ram_ptr(gpa, PRIVATE), 0, PAGE_SIZE);
		page_set(gpa, COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED);
	}
}
