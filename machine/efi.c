// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that EFI started: the system table, and the two ways to go on from there.
 *
 *	system table --> vendor
 *		    \--> runtime services --> code (efi_services.c)
 *		    \--> configuration tables: ACPI, confidential computing blob,
 *					       unaccepted memory, runtime properties,
 *					       system resources
 *	memory map		made from e820 and what efi_set_type() was told
 *
 * Hand-over: what the EFI stub of Linux leaves for the kernel proper.  Boot services
 * are over, and boot_params.efi_info points to system table and memory map.
 *
 * Stub: the kernel is an EFI program that is started with the boot services at work, and
 * its own stub does all that.  There is no other firmware code than efi_services.c's.
 *
 * SetVirtualAddressMap(), which every kernel calls, does nothing, so the addresses of
 * services stay physical ones.  The runtime properties table names the services that
 * there are (4.6.2).  The table of system resources lies in memory of the boot services,
 * as firmware may have it (23.4): RAM, but for the kernel that keeps it.
 *
 * Options of the machine's command line, in all personalities:
 *	efi			hand over
 *	efi=stub		start the stub
 *	unaccepted=<range>	with unaccepted memory (unaccepted.c); implies efi
 *
 * Section numbers are those of the UEFI specification 2.10.
 */
#include "core.h"
#include "efi_services.h"

/* struct boot_params (zero-page.rst) */
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
#define SERVICES		14
#define RT_GET_VARIABLE		BIT(4)			/* 4.6.2 */
#define RT_GET_NEXT_VARIABLE	BIT(5)
#define RT_SET_VIRTUAL_ADDRESS_MAP BIT(7)
#define STACK_PAGES		32			/* 2.3.4: 128 KiB or more */
#define MAP_PAGES		((EFI_MAX_DESCRIPTORS * sizeof(struct efi_descriptor) + PAGE_SIZE - 1) / PAGE_SIZE)
#define RSDP_REVISION		15			/* offset */

struct config_table {
	struct efi_guid guid;
	u64 table;
} __packed;

struct system_table {
	struct efi_table_header header;
	u64 vendor;
	u32 vendor_revision, pad;
	u64 console_in[2], console_out[2], console_error[2];	/* handle, protocol */
	u64 runtime, boot_services;
	u64 tables_count, tables;
} __packed;

struct runtime_services {
	struct efi_table_header header;
	u64 service[SERVICES];
} __packed;

struct rt_properties {
	u16 version, length;
	u32 supported;
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

#define MAX_TABLES	16

/* One page, EfiRuntimeServicesData */
struct efi_page {
	struct system_table system;
	struct runtime_services runtime;
	struct rt_properties properties;
	struct config_table tables[MAX_TABLES];
	u16 vendor[16];
} __packed;

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

static struct config_table tables[MAX_TABLES];
static u32 tables_count;
static struct efi_page *page;
static u64 page_gpa;

bool efi_wanted(void)
{
	return option_flag("efi") || option_flag("unaccepted");
}

bool efi_stub_wanted(void)
{
	char how[8];

	if (!option("efi", how, sizeof(how)))
		return false;
	if (strcmp(how, "stub"))
		internal_error("option efi: nothing, or stub");
	return true;
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

void efi_seal(struct efi_table_header *header, u64 signature, u32 size)
{
	header->signature = signature;
	header->revision = EFI_REVISION;
	header->size = size;
	header->crc32 = 0;
	header->crc32 = crc32(header, size);
}

static void seal_system(void)
{
	memcpy(page->tables, tables, sizeof(tables));
	page->system.tables_count = tables_count;
	efi_seal(&page->system.header, SYSTAB_SIGNATURE, sizeof(page->system));
}

static struct config_table *find_table(const struct efi_guid *guid)
{
	u32 i;

	for (i = 0; i < tables_count; i++)
		if (efi_same_guid(&tables[i].guid, guid))
			return &tables[i];
	return NULL;
}

void efi_add_table(const struct efi_guid *guid, u64 gpa)
{
	if (tables_count == MAX_TABLES)
		internal_error("too many EFI configuration tables");
	tables[tables_count++] = (struct config_table) { *guid, gpa };
}

u64 efi_install_table(const struct efi_guid *guid, u64 gpa)
{
	struct config_table *t = find_table(guid);

	if (!t && !gpa)
		return EFI_NOT_FOUND;
	if (!t && tables_count == MAX_TABLES)
		return EFI_OUT_OF_RESOURCES;
	if (!t)
		efi_add_table(guid, gpa);
	else if (gpa)
		t->table = gpa;
	else
		*t = tables[--tables_count];
	seal_system();
	return EFI_SUCCESS;
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

static void fill_runtime(u64 code_gpa)
{
	u64 service[SERVICES];

	page->properties = (struct rt_properties) {
		.version = 1,
		.length = sizeof(page->properties),
		.supported = RT_GET_VARIABLE | RT_GET_NEXT_VARIABLE | RT_SET_VIRTUAL_ADDRESS_MAP,
	};
	efi_add_table(&guid_rt_properties, page_gpa + offsetof(struct efi_page, properties));
	efi_services_runtime(code_gpa, service, SERVICES);
	memcpy(page->runtime.service, service, sizeof(service));
	efi_seal(&page->runtime.header, RUNTIME_SIGNATURE, sizeof(page->runtime));
}

static void fill_system(void)
{
	static const char vendor[] = "coco machine";
	u32 i;

	for (i = 0; i < sizeof(vendor); i++)
		page->vendor[i] = vendor[i];
	page->system.vendor = page_gpa + offsetof(struct efi_page, vendor);
	page->system.vendor_revision = 1;
	page->system.runtime = page_gpa + offsetof(struct efi_page, runtime);
	page->system.tables = page_gpa + offsetof(struct efi_page, tables);
	seal_system();
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

/* What the firmware keeps while a kernel runs, and the tables that say so */
static void fill_tables(struct boot *boot)
{
	u64 code_gpa = boot_reserve(boot, 1), resources_gpa = boot_reserve(boot, 1);

	page_gpa = boot_reserve(boot, 1);
	page = ram_ptr(page_gpa, PRIVATE);
	boot_set_e820(boot, resources_gpa, 1, E820_RAM);
	efi_map_from_e820(boot);
	efi_set_type(page_gpa, page_gpa + PAGE_SIZE, EFI_RUNTIME_DATA);
	efi_set_type(code_gpa, code_gpa + PAGE_SIZE, EFI_RUNTIME_CODE);
	efi_set_type(resources_gpa, resources_gpa + PAGE_SIZE, EFI_BOOT_SERVICES_DATA);
	unaccepted_set_type(boot);
	add_acpi(boot->params);
	add_resources(resources_gpa);
	fill_runtime(code_gpa);
	fill_system();
}

/* Of a kernel, or a payload, that load.c has put in its place */
static void set_type_of_kernel(const struct boot *boot)
{
	efi_set_type(boot->kernel_gpa, (boot->kernel_gpa + boot->kernel_size + PAGE_SIZE - 1) & PAGE_MASK,
		     EFI_LOADER_CODE);
}

/* ---- hand-over ---- */

static void set_info(u8 *params, u32 systab, u32 map, u32 map_size)
{
	static const u32 desc_size = sizeof(struct efi_descriptor), version = EFI_DESCRIPTOR_VERSION;

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
	u64 map_gpa;

	unaccepted_setup(boot);
	unaccepted_add_table(boot);
	map_gpa = boot_reserve(boot, MAP_PAGES);
	fill_tables(boot);
	set_type_of_kernel(boot);
	if (boot->initrd_size)
		efi_set_type(boot->initrd_gpa, config.ram, EFI_LOADER_DATA);
	efi_set_type(map_gpa, map_gpa + MAP_PAGES * PAGE_SIZE, EFI_LOADER_DATA);
	efi_map_fill(ram_ptr(map_gpa, PRIVATE));
	set_info(boot->params, page_gpa, map_gpa, efi_map_size() * sizeof(struct efi_descriptor));
}

/* ---- the stub ---- */

void efi_end_boot_services(void)
{
	memset(page->system.console_in, 0, sizeof(page->system.console_in));
	memset(page->system.console_out, 0, sizeof(page->system.console_out));
	memset(page->system.console_error, 0, sizeof(page->system.console_error));
	page->system.boot_services = 0;
	seal_system();
}

/* A test payload is where it is, and finds the system table as after a hand-over */
static void start_payload(struct boot *boot, const struct vcpu *v, struct efi_program *program)
{
	set_info(boot->params, page_gpa, 0, 0);
	set_type_of_kernel(boot);
	*program = (struct efi_program) { boot->kernel_gpa, boot->kernel_size, v->vmcb.save.rip };
}

/* 2.3.4, "x64 platforms": interrupts, SSE, and the calling convention */
void efi_start_stub(struct boot *boot, struct vcpu *v, const void *file, u64 file_size, const char *cmdline)
{
	struct efi_boot_services services;
	struct efi_program program;
	const char *flaw = NULL;
	u64 stack;

	unaccepted_setup(boot);
	fill_tables(boot);
	/* GDT and page tables of the firmware (load.c) */
	efi_set_type(PAGE_SIZE, boot->loader_end, EFI_BOOT_SERVICES_DATA);
	if (config.payload)
		start_payload(boot, v, &program);
	else
		flaw = efi_load_image(file, file_size, &program);
	if (flaw)
		internal_error("the file to be started (efi=stub, ram=%lu): %s", config.ram >> 20, flaw);
	services = efi_services_boot(page_gpa, &program, cmdline);
	page->system.boot_services = services.services;
	page->system.console_out[0] = page->system.console_error[0] = services.console;
	page->system.console_out[1] = page->system.console_error[1] = services.console;
	seal_system();

	stack = efi_take(STACK_PAGES) + STACK_PAGES * PAGE_SIZE - EFI_CALL_FRAME;
	memcpy(ram_ptr(stack, PRIVATE), &services.exit, sizeof(services.exit));
	v->vmcb.save.idtr = (struct vmcb_seg) { .base = services.idt, .limit = PAGE_SIZE - 1 };
	v->vmcb.save.cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
	v->vmcb.save.rip = program.entry;
	v->vmcb.save.rsp = stack;
	set_reg(v, RCX, services.image);
	set_reg(v, RDX, page_gpa);
}
