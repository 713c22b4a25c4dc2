// SPDX-License-Identifier: GPL-2.0
/*
 * An EFI program: its file is a PE32+ image (Microsoft, PE Format), which the firmware lays
 * out in memory of type EfiLoaderCode (UEFI specification 2.10, 2.1.1).  Kernels run wherever
 * they are put and have no relocations; boot loaders may.
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
	u32 checksum;
	u16 subsystem, dll_characteristics;
	u64 stack_reserve, stack_commit, heap_reserve, heap_commit;
	u32 loader_flags, directories;
} __packed;

/* After the optional header: as many as it says */
struct directory {
	u32 address, size;		/* in memory */
} __packed;

#define DIRECTORY_RELOCATIONS	5

/* The relocations of a page: a type in the upper 4 bits, an offset in the lower 12 */
struct relocation_block {
	u32 page, size;
	u16 entry[];
} __packed;

#define RELOCATION_NONE		0
#define RELOCATION_DIR64	10

struct section {
	char name[8];
	u32 size, address;		/* in memory */
	u32 file_size, file_offset;
	u32 relocations, lines;
	u16 relocations_count, lines_count;
	u32 characteristics;
} __packed;

_Static_assert(sizeof(struct coff_header) == 24, "COFF file header, with the signature");
_Static_assert(sizeof(struct optional_header) == 112, "optional header of PE32+");
_Static_assert(sizeof(struct section) == 40, "section header");

/* The bytes from offset on, if the file has so many */
static const void *part(const u8 *file, u64 size, u64 offset, u64 length)
{
	if (offset > size || length > size - offset)
		return NULL;
	return file + offset;
}

static const char *copy_sections(u8 *memory, const struct optional_header *optional,
				 const struct section *s, u32 count, const u8 *file, u64 size)
{
	for (; count--; s++) {
		u32 bytes = min(s->file_size, s->size);
		const void *data = part(file, size, s->file_offset, bytes);

		if (!data)
			return "a section's bytes are not in the file";
		if (s->address > optional->image_size || bytes > optional->image_size - s->address)
			return "a section lies outside of the image";
		memcpy(memory + s->address, data, bytes);
	}
	return NULL;
}

static const char *relocate_page(u8 *memory, u32 image_size, const struct relocation_block *block,
				 u32 size, u64 by)
{
	u32 i, count = (size - sizeof(*block)) / sizeof(block->entry[0]);

	for (i = 0; i < count; i++) {
		u32 type = block->entry[i] >> 12, at = block->page + (block->entry[i] & 0xfff);
		u64 value;

		if (type == RELOCATION_NONE)
			continue;
		if (type != RELOCATION_DIR64)
			return "a relocation is of a type that x64 has not";
		if (at < block->page || at > image_size - sizeof(value))
			return "a relocation lies outside of the image";
		memcpy(&value, memory + at, sizeof(value));
		value += by;
		memcpy(memory + at, &value, sizeof(value));
	}
	return NULL;
}

static const char *relocate(u8 *memory, u32 image_size, struct directory table, u64 by)
{
	const char *flaw = NULL;
	u32 at;

	if (table.address > image_size || table.size > image_size - table.address)
		return "the relocations lie outside of the image";
	for (at = 0; !flaw && table.size - at >= sizeof(struct relocation_block);) {
		const struct relocation_block *block = (void *)(memory + table.address + at);
		u32 size = block->size;		/* before its relocations, which may lie in it, change it */

		if (size < sizeof(*block) || size > table.size - at)
			return "a block of relocations is of no possible size";
		flaw = relocate_page(memory, image_size, block, size, by);
		at += size;
	}
	return flaw;
}

const char *efi_load_image(const u8 *file, u64 size, struct efi_program *program)
{
	const u32 *offset = part(file, size, DOS_PE_OFFSET, sizeof(*offset));
	const struct coff_header *coff = offset ? part(file, size, *offset, sizeof(*coff)) : NULL;
	const struct optional_header *optional = (void *)(coff + 1);
	const struct section *sections;
	struct directory relocations = { 0 };
	const char *flaw;
	u64 pages;
	u8 *memory;

	if (!coff || coff->signature != PE_SIGNATURE || coff->machine != MACHINE_X64)
		return "it is no program for EFI on x64";
	if (coff->optional_size < sizeof(*optional) ||
	    !part(file, size, *offset + sizeof(*coff), coff->optional_size) ||
	    optional->magic != PE32_PLUS || optional->headers_size > optional->image_size ||
	    optional->image_size < sizeof(u64) || !part(file, size, 0, optional->headers_size))
		return "its optional header is not of PE32+";
	sections = part(file, size, *offset + sizeof(*coff) + coff->optional_size,
			coff->sections * sizeof(*sections));
	if (!sections)
		return "its table of sections is cut off";
	if (optional->directories > DIRECTORY_RELOCATIONS &&
	    coff->optional_size >= sizeof(*optional) + (DIRECTORY_RELOCATIONS + 1) * sizeof(relocations))
		relocations = ((const struct directory *)(optional + 1))[DIRECTORY_RELOCATIONS];

	pages = efi_pages(optional->image_size);
	program->base = efi_allocate(pages, EFI_LOADER_CODE, config.ram);
	if (!program->base)
		return "there is no room for the image";
	program->size = optional->image_size;
	program->entry = program->base + optional->entry;
	memory = ram_ptr(program->base, PRIVATE);
	memset(memory, 0, pages * PAGE_SIZE);
	memcpy(memory, file, optional->headers_size);
	flaw = copy_sections(memory, optional, sections, coff->sections, file, size) ?:
	       relocate(memory, optional->image_size, relocations, program->base - optional->image_base);
	if (flaw)
		efi_set_type(program->base, program->base + pages * PAGE_SIZE, EFI_CONVENTIONAL);
	return flaw;
}
