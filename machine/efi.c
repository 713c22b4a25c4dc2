// SPDX-License-Identifier: GPL-2.0
/*
 * What the EFI stub of Linux leaves for the kernel proper, without firmware:
 * boot services are over, and boot_params.efi_info points to
 *
 *	system table --> vendor
 *		    \--> runtime services --> code
 *		    \--> configuration tables: ACPI, confidential computing blob,
 *					       unaccepted memory, runtime properties,
 *					       system resources
 *	memory map		made from e820 and what efi_set_type() was told
 *
 * The only runtime service is SetVirtualAddressMap(), which every kernel calls;
 * it does nothing, so the addresses of services stay physical ones.  The runtime
 * properties table says that there is no other (UEFI specification 2.10, 4.6.2).
 * The table of system resources lies in memory of the boot services, as firmware
 * may have it (23.4): RAM, but for the kernel that keeps it.
 *
 * Options of the machine's command line:
 *	efi			hand over so; all personalities
 *	unaccepted=<range>	likewise, with unaccepted memory (unaccepted.c)
 *
 * Section numbers are those of the UEFI specification 2.10.
 */
#include "efi.h"

/* struct boot_params (zero-page.rst) */
#define PARAM_RSDP		0x070
#define PARAM_EFI_SIGNATURE	0x1c0
#define PARAM_EFI_SYSTAB	0x1c4
#define PARAM_EFI_DESC_SIZE	0x1c8
#define PARAM_EFI_DESC_VERSION	0x1cc
#define PARAM_EFI_MEMMAP	0x1d0
#define PARAM_EFI_MEMMAP_SIZE	0x1d4
#define EFI_LOADER_64		"EL64"

#define SYSTAB_SIGNATURE	0x5453595320494249ull	/* 4.3.1 */
#define RUNTIME_SIGNATURE	0x56524553544e5552ull	/* 4.5.1 */
#define EFI_REVISION		(2 << 16 | 100)
#define DESCRIPTOR_VERSION	1
#define MEMORY_WB		BIT_ULL(3)		/* 7.2.3 */
#define MEMORY_RUNTIME		BIT_ULL(63)

#define SERVICES		14
#define SET_VIRTUAL_ADDRESS_MAP	4
#define RT_SET_VIRTUAL_ADDRESS_MAP 0x80			/* 4.6.2 */
#define RSDP_REVISION		15			/* offset */

struct table_header {
	u64 signature;
	u32 revision, size, crc32, reserved;
} __packed;

struct config_table {
	struct efi_guid guid;
	u64 table;
} __packed;

struct system_table {
	struct table_header header;
	u64 vendor;
	u32 vendor_revision, pad;
	u64 consoles[6];
	u64 runtime, boot_services;
	u64 tables_count, tables;
} __packed;

struct runtime_services {
	struct table_header header;
	u64 service[SERVICES];
} __packed;

struct rt_properties {
	u16 version, length;
	u32 supported;
} __packed;

/* 7.2.3: kernels step by the size that they are told, so it is not the structure's own */
struct descriptor {
	u32 type, pad;
	u64 physical, virtual, pages, attributes;
	u64 later_versions;
} __packed;

struct resource_entry {
	struct efi_guid class;
	u32 type, version, lowest_version, flags, last_version, last_status;
} __packed;

/* 23.4, EFI_SYSTEM_RESOURCE_TABLE, with one */
struct resource_table {
	u32 count, max;
	u64 version;
	struct resource_entry entry;
} __packed;

#define RESOURCE_VERSION	1
#define RESOURCE_SYSTEM		1	/* ESRT_FW_TYPE_SYSTEMFIRMWARE */
#define FIRMWARE_VERSION	0xc0c0

#define MAX_TABLES	8
#define MAX_DESCRIPTORS	(PAGE_SIZE / sizeof(struct descriptor))

/* One page, EfiRuntimeServicesData */
struct efi_page {
	struct system_table system;
	struct runtime_services runtime;
	struct rt_properties properties;
	struct config_table tables[MAX_TABLES];
	u16 vendor[16];
} __packed;

struct range {
	u64 start, end;
	u32 type;
};

_Static_assert(sizeof(struct system_table) == 120, "EFI_SYSTEM_TABLE");
_Static_assert(sizeof(struct runtime_services) == 136, "EFI_RUNTIME_SERVICES");
_Static_assert(sizeof(struct efi_page) <= PAGE_SIZE, "one page");

static const struct efi_guid guid_acpi_1 = {
	0xeb9d2d30, 0x2d88, 0x11d3, { 0x9a, 0x16, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0x4d }
};

static const struct efi_guid guid_acpi_2 = {
	0x8868e871, 0xe4f1, 0x11d3, { 0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 }
};

static const struct efi_guid guid_rt_properties = {
	0xeb66918a, 0x7eef, 0x402a, { 0x84, 0x2e, 0x93, 0x1d, 0x21, 0xc3, 0x8a, 0xe9 }
};

const struct efi_guid efi_guid_cc_blob = {
	0x067b1f5f, 0xcf26, 0x44c5, { 0x85, 0x54, 0x93, 0xd7, 0x77, 0x91, 0x2d, 0x42 }
};

const struct efi_guid efi_guid_unaccepted = {
	0xd5d1de3c, 0x105c, 0x44f9, { 0x9e, 0xa9, 0xbc, 0xef, 0x98, 0x12, 0x00, 0x31 }
};

static const struct efi_guid guid_resources = {
	0xb122a263, 0x3661, 0x4f68, { 0x99, 0x29, 0x78, 0xf8, 0xb0, 0xd6, 0x21, 0x80 }
};

/* This firmware: any that nobody else has */
static const struct efi_guid guid_machine = {
	0x4b8e6f0a, 0x5d1c, 0x4f1e, { 0x9c, 0x0c, 0x0c, 0x0a, 0x63, 0x6f, 0x63, 0x6f }
};

static const u8 set_virtual_address_map[] = {
	0x31, 0xc0,						/* xor	%eax, %eax */
	0xc3,							/* ret */
};

static const u8 no_such_service[] = {
	0x48, 0xb8, 0x03, 0, 0, 0, 0, 0, 0, 0x80,		/* mov	$EFI_UNSUPPORTED, %rax */
	0xc3,							/* ret */
};

static struct config_table tables[MAX_TABLES];
static u32 tables_count;
static struct range ranges[MAX_DESCRIPTORS];
static u32 ranges_count;

bool efi_wanted(void)
{
	return option_flag("efi") || option_flag("unaccepted");
}

void efi_add_table(const struct efi_guid *guid, u64 gpa)
{
	if (tables_count == MAX_TABLES)
		internal_error("too many EFI configuration tables");
	tables[tables_count++] = (struct config_table) { *guid, gpa };
}

/* ---- the memory map ---- */

static void add_range(u64 start, u64 end, u32 type)
{
	if (start >= end)
		return;
	if (ranges_count == MAX_DESCRIPTORS)
		internal_error("the EFI memory map is full");
	ranges[ranges_count++] = (struct range) { start, end, type };
}

/* Cut it out of the ranges that were there before */
void efi_set_type(u64 start, u64 end, enum efi_memory_type type)
{
	u32 i, count = ranges_count;

	for (i = 0; i < count; i++) {
		struct range *r = &ranges[i];
		u64 old_end = r->end;

		if (r->end <= start || r->start >= end)
			continue;
		r->end = r->start < start ? start : r->start;
		add_range(end, old_end, r->type);
	}
	add_range(start, end, type);
}

static u32 type_of_e820(u32 type)
{
	switch (type) {
	case E820_RAM:
		return EFI_CONVENTIONAL;
	case E820_ACPI:
		return EFI_ACPI_RECLAIM;
	case E820_NVS:
		return EFI_ACPI_NVS;
	default:
		return EFI_RESERVED;
	}
}

/* Descriptors have whole pages; where two share one, the less usable keeps it */
static void ranges_from_e820(struct boot *boot)
{
	u32 i, count;
	const struct e820_entry *e = boot_e820(boot, &count);

	for (i = 0; i < count; i++) {
		u64 start = e[i].base, end = e[i].base + e[i].length;

		if (e[i].type == E820_RAM)
			start += PAGE_SIZE - 1;
		else
			end += PAGE_SIZE - 1;
		add_range(start & PAGE_MASK, end & PAGE_MASK, type_of_e820(e[i].type));
	}
}

static void sort_ranges(void)
{
	u32 i, j;

	for (i = 1; i < ranges_count; i++) {
		struct range r = ranges[i];

		for (j = i; j && ranges[j - 1].start > r.start; j--)
			ranges[j] = ranges[j - 1];
		ranges[j] = r;
	}
}

static u32 fill_map(struct descriptor *map)
{
	u32 i, n = 0;

	sort_ranges();
	for (i = 0; i < ranges_count; i++) {
		const struct range *r = &ranges[i];
		bool runtime = r->type == EFI_RUNTIME_CODE || r->type == EFI_RUNTIME_DATA;

		if (r->start == r->end)
			continue;
		map[n++] = (struct descriptor) {
			.type = r->type,
			.physical = r->start,
			.pages = (r->end - r->start) / PAGE_SIZE,
			.attributes = MEMORY_WB | (runtime ? MEMORY_RUNTIME : 0),
		};
	}
	return n;
}

/* ---- tables ---- */

/* 4.2: CRC-32 with the polynomial 0x04c11db7, of the table with its field zero */
static u32 crc32(const void *data, u32 size)
{
	const u8 *p = data;
	u32 crc = ~0u, bit;

	while (size--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void seal(struct table_header *header, u64 signature, u32 size)
{
	header->signature = signature;
	header->revision = EFI_REVISION;
	header->size = size;
	header->crc32 = crc32(header, size);
}

static void add_acpi(const u8 *params)
{
	u64 rsdp;

	memcpy(&rsdp, params + PARAM_RSDP, sizeof(rsdp));
	if (!rsdp)
		return;		/* a payload, which has none */
	efi_add_table(((u8 *)ram_ptr(rsdp, PRIVATE))[RSDP_REVISION] >= 2 ? &guid_acpi_2 : &guid_acpi_1,
		      rsdp);
}

static void fill_runtime(struct runtime_services *runtime, u64 code_gpa)
{
	u8 *code = ram_ptr(code_gpa, PRIVATE);
	u32 i;

	memcpy(code, set_virtual_address_map, sizeof(set_virtual_address_map));
	memcpy(code + sizeof(set_virtual_address_map), no_such_service, sizeof(no_such_service));
	for (i = 0; i < SERVICES; i++)
		runtime->service[i] = code_gpa + sizeof(set_virtual_address_map);
	runtime->service[SET_VIRTUAL_ADDRESS_MAP] = code_gpa;
	seal(&runtime->header, RUNTIME_SIGNATURE, sizeof(*runtime));
}

static void fill_system(struct efi_page *page, u64 gpa)
{
	static const char vendor[] = "coco machine";
	u32 i;

	for (i = 0; i < sizeof(vendor); i++)
		page->vendor[i] = vendor[i];
	memcpy(page->tables, tables, sizeof(tables));
	page->system.vendor = gpa + offsetof(struct efi_page, vendor);
	page->system.vendor_revision = 1;
	page->system.runtime = gpa + offsetof(struct efi_page, runtime);
	page->system.tables_count = tables_count;
	page->system.tables = gpa + offsetof(struct efi_page, tables);
	seal(&page->system.header, SYSTAB_SIGNATURE, sizeof(page->system));
}

static void add_resources(u64 gpa)
{
	struct resource_table *t = ram_ptr(gpa, PRIVATE);

	*t = (struct resource_table) {
		.count = 1,
		.max = 1,
		.version = RESOURCE_VERSION,
		.entry = {
			.class = guid_machine,
			.type = RESOURCE_SYSTEM,
			.version = FIRMWARE_VERSION,
			.lowest_version = FIRMWARE_VERSION,
		},
	};
	efi_add_table(&guid_resources, gpa);
}

static void set_info(u8 *params, u32 systab, u32 map, u32 map_size)
{
	static const u32 desc_size = sizeof(struct descriptor), version = DESCRIPTOR_VERSION;

	memcpy(params + PARAM_EFI_SIGNATURE, EFI_LOADER_64, 4);
	memcpy(params + PARAM_EFI_SYSTAB, &systab, 4);
	memcpy(params + PARAM_EFI_DESC_SIZE, &desc_size, 4);
	memcpy(params + PARAM_EFI_DESC_VERSION, &version, 4);
	memcpy(params + PARAM_EFI_MEMMAP, &map, 4);
	memcpy(params + PARAM_EFI_MEMMAP_SIZE, &map_size, 4);
	memset(params + PARAM_RSDP, 0, 8);	/* the stub leaves it to the tables */
}

void efi_hand_over(struct boot *boot)
{
	u64 page_gpa = boot_reserve(boot, 1), code_gpa = boot_reserve(boot, 1);
	u64 map_gpa = boot_reserve(boot, 1), resources_gpa = boot_reserve(boot, 1);
	struct efi_page *page = ram_ptr(page_gpa, PRIVATE);
	u32 map_size;

	ranges_count = 0;
	unaccepted_setup(boot);
	boot_set_e820(boot, resources_gpa, 1, E820_RAM);
	ranges_from_e820(boot);
	efi_set_type(boot->kernel_gpa, (boot->kernel_gpa + boot->kernel_size + PAGE_SIZE - 1) & PAGE_MASK,
		     EFI_LOADER_CODE);
	if (boot->initrd_size)
		efi_set_type(boot->initrd_gpa, config.ram, EFI_LOADER_DATA);
	efi_set_type(page_gpa, page_gpa + PAGE_SIZE, EFI_RUNTIME_DATA);
	efi_set_type(code_gpa, code_gpa + PAGE_SIZE, EFI_RUNTIME_CODE);
	efi_set_type(map_gpa, map_gpa + PAGE_SIZE, EFI_LOADER_DATA);
	efi_set_type(resources_gpa, resources_gpa + PAGE_SIZE, EFI_BOOT_SERVICES_DATA);
	unaccepted_set_type();
	map_size = fill_map(ram_ptr(map_gpa, PRIVATE)) * sizeof(struct descriptor);

	page->properties = (struct rt_properties) {
		.version = 1,
		.length = sizeof(page->properties),
		.supported = RT_SET_VIRTUAL_ADDRESS_MAP,
	};
	efi_add_table(&guid_rt_properties, page_gpa + offsetof(struct efi_page, properties));
	add_acpi(boot->params);
	add_resources(resources_gpa);
	fill_runtime(&page->runtime, code_gpa);
	fill_system(page, page_gpa);
	set_info(boot->params, page_gpa, map_gpa, map_size);
}
