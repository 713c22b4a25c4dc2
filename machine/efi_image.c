// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel as an EFI program: its file is a PE32+ image (Microsoft, PE Format), which the
 * firmware lays out in memory of type EfiLoaderCode (UEFI specification 2.10, 2.1.1).
 * Kernels run wherever they are put: there are no relocations to be done.
 */
#include "efi.h"

#define DOS_PE_OFFSET		0x3c
#define PE_SIGNATURE		0x4550		/* "PE\0\0" */
#define MACHINE_X64		0x8664
#define PE32_PLUS		0x20b

struct coff_header {
	u32 signature;
	u16 machine, sections;
	u32 time, symbols, symbols_count;
	u16 optional_size, characteristics;
} __packed;

struct optional_header {
	u16 magic;
	u8 linker_major, linker_minor;
	u32 code_size, data_size, bss_size;
	u32 entry, code_base;
	u64 image_base;
	u32 section_alignment, file_alignment;
	u16 versions[6];
	u32 reserved;
	u32 image_size, headers_size;
} __packed;

struct section {
	char name[8];
	u32 size, address;		/* in memory */
	u32 file_size, file_offset;
	u32 relocations, lines;
	u16 relocations_count, lines_count;
	u32 characteristics;
} __packed;

_Static_assert(sizeof(struct coff_header) == 24, "COFF file header, with the signature");
_Static_assert(offsetof(struct optional_header, headers_size) == 60, "optional header");
_Static_assert(sizeof(struct section) == 40, "section header");

/* The bytes from offset on, if the file has so many */
static const void *part(const u8 *file, u64 size, u64 offset, u64 length)
{
	if (offset > size || length > size - offset)
		internal_error("the kernel's file is cut off: no 0x%lx bytes at 0x%lx", length, offset);
	return file + offset;
}

u64 efi_load_image(const u8 *file, u64 size, u64 *entry, u64 *image_size)
{
	u32 offset = *(const u32 *)part(file, size, DOS_PE_OFFSET, sizeof(u32)), i;
	const struct coff_header *coff = part(file, size, offset, sizeof(*coff));
	const struct optional_header *optional;
	u64 base, at;
	u8 *memory;

	if (coff->signature != PE_SIGNATURE || coff->machine != MACHINE_X64)
		internal_error("the kernel is no EFI program: it has no stub (CONFIG_EFI_STUB)");
	optional = part(file, size, offset + sizeof(*coff), sizeof(*optional));
	if (optional->magic != PE32_PLUS || optional->headers_size > optional->image_size)
		internal_error("the kernel's optional header is not of PE32+");
	base = efi_allocate((optional->image_size + PAGE_SIZE - 1) / PAGE_SIZE, EFI_LOADER_CODE, config.ram);
	if (!base)
		internal_error("ram=%lu has no room for an image of %u bytes", config.ram >> 20,
			       optional->image_size);
	memory = ram_ptr(base, PRIVATE);
	memset(memory, 0, optional->image_size);
	memcpy(memory, part(file, size, 0, optional->headers_size), optional->headers_size);
	at = offset + sizeof(*coff) + coff->optional_size;
	for (i = 0; i < coff->sections; i++, at += sizeof(struct section)) {
		const struct section *s = part(file, size, at, sizeof(*s));
		u32 bytes = min(s->file_size, s->size);

		if (s->address > optional->image_size || bytes > optional->image_size - s->address)
			internal_error("a section of the kernel's image lies outside of it");
		memcpy(memory + s->address, part(file, size, s->file_offset, bytes), bytes);
	}
	*entry = base + optional->entry;
	*image_size = optional->image_size;
	return base;
}
