// SPDX-License-Identifier: GPL-2.0
/*
 * The guest at its first instruction, as a boot loader leaves it (Linux,
 * Documentation/arch/x86/boot.rst): kernel, initramfs, boot_params, and the
 * page tables of the 64-bit entry; or a flat test payload.
 *
 *	0x001000  GDT		0x002000  boot_params	0x003000  command line
 *	0x004000  page tables (4 GiB by 2M pages, and RAM above that), to 0x00e000
 *	0x00f000  top of the first stack
 *	0x010000  setup_data entries, a page each (e820: RAM, as boot loaders have
 *		  them: the kernel maps reserved memory without C-bit to show them)
 *	0x040000  LOW_START: kept by the firmware, to 0x080000 (e820: reserved)
 *	0x09fc00  SeaBIOS's EBDA and BIOS, as it left them
 *	0x100000  payload; kernels load where they prefer to be
 *	end of RAM: the table of unaccepted memory (unaccepted.c), the initramfs
 */
#include "core.h"
#include "efi.h"

#define GDT_GPA		0x1000
#define PARAMS_GPA	0x2000
#define CMDLINE_GPA	0x3000
#define PAGE_TABLES	0x4000
#define STACK_TOP	0xf000
#define SETUP_DATA	0x10000
#define LOW_START	0x40000
#define LOW_END		0x80000
#define EBDA_START	0x9fc00
#define BIOS_END	0x100000
#define PAYLOAD_GPA	0x100000

/* Linux's selectors at its 32-bit and 64-bit entries */
#define BOOT_CS		0x10
#define BOOT_DS		0x18
#define DESC_CODE64	0x00af9b000000ffffull
#define DESC_CODE32	0x00cf9b000000ffffull
#define DESC_DATA	0x00cf93000000ffffull

/* struct boot_params (boot.rst, zero-page.rst) */
#define PARAM_E820_COUNT	0x1e8
#define PARAM_HEADER		0x1f1
#define PARAM_E820		0x2d0
#define E820_MAX		128
#define HDR_SETUP_SECTS		0x1f1
#define HDR_JUMP		0x201
#define HDR_MAGIC		0x202
#define HDR_LOADER		0x210
#define HDR_LOADFLAGS		0x211
#define HDR_CODE32_START	0x214
#define HDR_RAMDISK		0x218
#define HDR_RAMDISK_SIZE	0x21c
#define HDR_HEAP_END		0x224
#define HDR_CMDLINE		0x228
#define HDR_CMDLINE_SIZE	0x238
#define HDR_XLOADFLAGS		0x236
#define HDR_SETUP_DATA		0x250
#define HDR_PREF_ADDRESS	0x258
#define HDR_INIT_SIZE		0x260
#define LOADED_HIGH		BIT(0)
#define CAN_USE_HEAP		BIT(7)
#define XLF_KERNEL_64		BIT(0)
#define ENTRY_64		0x200
#define SECTOR			512

struct setup_data {
	u64 next;
	u32 type, len;
	u8 data[];
} __packed;

static u8 *guest(u64 gpa)
{
	u8 *p = ram_ptr(gpa, PRIVATE);

	if (!p)
		internal_error("0x%lx is no guest RAM to load to", gpa);
	return p;
}

static void load(u64 gpa, const void *data, u64 size)
{
	if (gpa < BIOS_END || gpa > config.ram || size > config.ram - gpa)
		internal_error("%lu bytes at 0x%lx do not fit into ram=%lu", size, gpa, config.ram >> 20);
	memcpy(guest(gpa), data, size);
}

static u64 field(const u8 *p, u32 offset, u32 size)
{
	u64 v = 0;

	memcpy(&v, p + offset, size);
	return v;
}

static void set_field(u8 *p, u32 offset, u32 size, u64 v)
{
	memcpy(p + offset, &v, size);
}

/* ---- what the firmware leaves ---- */

u64 boot_reserve(struct boot *boot, u32 pages)
{
	u64 gpa = boot->low;

	boot->low += pages * PAGE_SIZE;
	if (boot->low > LOW_END)
		internal_error("the firmware's low memory is used up");
	memset(guest(gpa), 0, pages * PAGE_SIZE);
	return gpa;
}

void boot_setup_data(struct boot *boot, u32 type, const void *data, u32 len)
{
	static u64 free = SETUP_DATA;
	struct setup_data *entry;
	u64 gpa = free;

	free += (sizeof(*entry) + len + PAGE_SIZE - 1) & PAGE_MASK;
	if (free > LOW_START)
		internal_error("no room for setup_data");
	entry = (void *)guest(gpa);
	entry->next = boot->setup_data;
	entry->type = type;
	entry->len = len;
	memcpy(entry->data, data, len);
	boot->setup_data = gpa;
	if (boot->params)
		set_field(boot->params, HDR_SETUP_DATA, 8, gpa);
}

static void add_e820(struct boot *boot, u64 base, u64 end, u32 type)
{
	struct e820_entry entry = { base, end - base, type };
	u32 count = boot->params[PARAM_E820_COUNT];

	if (count == E820_MAX)
		internal_error("too many memory ranges");
	memcpy(boot->params + PARAM_E820 + count * sizeof(entry), &entry, sizeof(entry));
	boot->params[PARAM_E820_COUNT]++;
}

struct e820_entry *boot_e820(struct boot *boot, u32 *count)
{
	*count = boot->params[PARAM_E820_COUNT];
	return (struct e820_entry *)(boot->params + PARAM_E820);
}

void boot_set_e820(struct boot *boot, u64 base, u32 pages, u32 type)
{
	u64 end = base + pages * PAGE_SIZE;
	u32 i, count;
	struct e820_entry *e = boot_e820(boot, &count), rest;

	for (i = 0; i < count; i++)
		if (base >= e[i].base && end <= e[i].base + e[i].length)
			break;
	if (i == count)
		internal_error("0x%lx is in no memory range", base);
	rest = e[i];
	e[i].length = base - e[i].base;
	add_e820(boot, base, end, type);
	if (rest.base + rest.length > end)
		add_e820(boot, end, rest.base + rest.length, rest.type);
}

static void fill_e820(struct boot *boot, const u32 *multiboot)
{
	const struct multiboot_mmap *m;

	add_e820(boot, 0, LOW_START, E820_RAM);
	add_e820(boot, LOW_START, LOW_END, E820_RESERVED);
	add_e820(boot, LOW_END, EBDA_START, E820_RAM);
	add_e820(boot, EBDA_START, BIOS_END, E820_RESERVED);
	add_e820(boot, BIOS_END, config.ram, E820_RAM);
	if (config.high)
		add_e820(boot, HIGH_BASE, HIGH_BASE + config.high, E820_RAM);
	multiboot_for_each_range(m, multiboot) {
		if (m->type != E820_RAM && m->base >= BIOS_END)
			add_e820(boot, m->base, m->base + m->length, m->type);
	}
}

/* ACPI 6.5, 5.2.5.1: on a 16-byte boundary between 0xe0000 and 0xfffff */
static u64 find_rsdp(void)
{
	u64 gpa;

	for (gpa = 0xe0000; gpa < BIOS_END; gpa += 16)
		if (!memcmp(guest(gpa), "RSD PTR ", 8))
			return gpa;
	return 0;
}

/* ---- entry states ---- */

static void flat_segments(struct vmcb_save *s, u16 code_attrib)
{
	s->cs = (struct vmcb_seg) { .selector = BOOT_CS, .attrib = code_attrib, .limit = 0xffffffff };
	s->ds = (struct vmcb_seg) { .selector = BOOT_DS, .attrib = 0xc93, .limit = 0xffffffff };
	s->es = s->ss = s->fs = s->gs = s->ds;
	s->tr = (struct vmcb_seg) { .attrib = 0x8b, .limit = 0x67 };
	s->gdtr = (struct vmcb_seg) { .base = GDT_GPA, .limit = 4 * 8 - 1 };
}

static void load_gdt(u64 code)
{
	u64 gdt[] = { 0, 0, code, DESC_DATA };

	memcpy(guest(GDT_GPA), gdt, sizeof(gdt));
}

/* Identity map of 4 GiB and of the RAM above; every entry private */
static void load_page_tables(void)
{
	u64 private = config.tech->bit_is_private ? config.cmask : 0, i;
	u64 *level4 = (u64 *)guest(PAGE_TABLES), *level3 = level4 + 512, *level2 = level3 + 512;
	u64 gigabytes = (HIGH_BASE + config.high + SIZE_1G - 1) / SIZE_1G;

	memset(level4, 0, 2 * PAGE_SIZE);
	level4[0] = (PAGE_TABLES + PAGE_SIZE) | private | PTE_PRESENT | PTE_WRITE;
	for (i = 0; i < gigabytes; i++)
		level3[i] = (PAGE_TABLES + (2 + i) * PAGE_SIZE) | private | PTE_PRESENT | PTE_WRITE;
	for (i = 0; i < gigabytes * 512; i++)
		level2[i] = i * SIZE_2M | private | PTE_PRESENT | PTE_WRITE | PTE_LARGE;
}

static void enter_64(struct vcpu *v, u64 rip)
{
	struct vmcb_save *s = &v->vmcb.save;

	load_gdt(DESC_CODE64);
	load_page_tables();
	flat_segments(s, 0xa9b);
	s->cr0 = CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE;
	s->cr3 = PAGE_TABLES | (config.tech->bit_is_private ? config.cmask : 0);
	s->cr4 = CR4_PAE;
	s->efer = EFER_LME | EFER_LMA;
	s->rsp = STACK_TOP;
	s->rip = rip;
}

static void enter_32(struct vcpu *v, u64 rip)
{
	struct vmcb_save *s = &v->vmcb.save;

	load_gdt(DESC_CODE32);
	flat_segments(s, 0xc9b);
	s->cr0 = CR0_ET | CR0_PE;
	s->rsp = STACK_TOP;
	s->rip = rip;
}

/* ---- kernel and payload ---- */

static void load_initramfs(struct boot *boot, const struct multiboot_module *m)
{
	boot->initrd_size = m->end - m->start;
	boot->initrd_gpa = (config.ram - boot->initrd_size) & PAGE_MASK;
	load(boot->initrd_gpa, (void *)(u64)m->start, boot->initrd_size);
	set_field(boot->params, HDR_RAMDISK, 4, boot->initrd_gpa);
	set_field(boot->params, HDR_RAMDISK_SIZE, 4, boot->initrd_size);
}

/* What follows the file's name in the module's string */
const char *module_words(const struct multiboot_module *m)
{
	const char *s = (const char *)(u64)m->cmdline;

	while (*s && *s != ' ')
		s++;
	return *s ? s + 1 : s;
}

static void fill_params(struct boot *boot, const u8 *image, const char *cmdline)
{
	u8 *p = boot->params;

	memset(p, 0, PAGE_SIZE);
	memcpy(p + PARAM_HEADER, image + PARAM_HEADER, HDR_MAGIC + image[HDR_JUMP] - PARAM_HEADER);
	p[HDR_LOADER] = 0xff;
	p[HDR_LOADFLAGS] |= LOADED_HIGH | CAN_USE_HEAP;
	set_field(p, HDR_HEAP_END, 2, 0xfe00 - 0x200);
	set_field(p, HDR_CODE32_START, 4, boot->kernel_gpa);
	set_field(p, HDR_CMDLINE, 4, CMDLINE_GPA);
	set_field(p, HDR_SETUP_DATA, 8, 0);
	set_field(p, PARAM_RSDP, 8, find_rsdp());
	if (strlen(cmdline) > field(image, HDR_CMDLINE_SIZE, 4) || strlen(cmdline) >= PAGE_SIZE)
		internal_error("the kernel's command line is too long");
	memcpy(guest(CMDLINE_GPA), cmdline, strlen(cmdline) + 1);
}

static void load_kernel(struct boot *boot, struct vcpu *v, const struct multiboot_module *m, u32 modules)
{
	const u8 *image = (const u8 *)(u64)m[0].start;
	u32 sectors = image[HDR_SETUP_SECTS] ? image[HDR_SETUP_SECTS] : 4;
	u64 setup = (sectors + 1) * SECTOR;

	if (field(image, HDR_MAGIC, 4) != 0x53726448)
		internal_error("module 0 is not a bzImage");
	if (!(field(image, HDR_XLOADFLAGS, 2) & XLF_KERNEL_64))
		internal_error("the kernel has no 64-bit entry");
	boot->kernel_gpa = field(image, HDR_PREF_ADDRESS, 8);
	boot->kernel_size = m[0].end - m[0].start - setup;
	boot->kernel_room = field(image, HDR_INIT_SIZE, 4);
	load(boot->kernel_gpa, image + setup, boot->kernel_size);
	boot->params_gpa = PARAMS_GPA;
	boot->params = guest(PARAMS_GPA);
	fill_params(boot, image, module_words(&m[0]));
	if (modules > 1) {
		load_initramfs(boot, &m[1]);
		if (boot->initrd_gpa < boot->kernel_gpa + boot->kernel_room)
			internal_error("kernel and initramfs do not fit into ram=%lu", config.ram >> 20);
	}
	if (config.entry32)
		enter_32(v, boot->kernel_gpa);
	else
		enter_64(v, boot->kernel_gpa + ENTRY_64);
	set_reg(v, RSI, PARAMS_GPA);
}

/* An EFI program, which efi.c loads: the parameters tell of the firmware alone */
static void prepare_program(struct boot *boot, struct vcpu *v)
{
	boot->params_gpa = PARAMS_GPA;
	boot->params = guest(PARAMS_GPA);
	memset(boot->params, 0, PAGE_SIZE);
	set_field(boot->params, PARAM_RSDP, 8, find_rsdp());
	enter_64(v, 0);
}

static void load_payload(struct boot *boot, struct vcpu *v, const struct multiboot_module *m)
{
	boot->kernel_gpa = PAYLOAD_GPA;
	boot->kernel_size = boot->kernel_room = m->end - m->start;
	load(PAYLOAD_GPA, (void *)(u64)m->start, boot->kernel_size);
	boot->params_gpa = PARAMS_GPA;
	boot->params = guest(PARAMS_GPA);
	memset(boot->params, 0, PAGE_SIZE);
	enter_64(v, PAYLOAD_GPA);
	set_reg(v, RSI, PARAMS_GPA);
}

void load_guest(struct vcpu *bsp, const u32 *multiboot)
{
	const struct multiboot_module *m = (void *)(u64)multiboot[MULTIBOOT_MODS_ADDR];
	u32 modules = multiboot[MULTIBOOT_MODS_COUNT];
	struct boot boot = { .low = LOW_START, .loader_end = SETUP_DATA };

	if (!modules)
		internal_error("no kernel: -initrd \"bzImage command line,initramfs\"");
	if (config.flash) {
		flash_load(bsp, multiboot);
		return;
	}
	if (config.payload)
		load_payload(&boot, bsp, &m[0]);
	else if (efi_stub_wanted())
		prepare_program(&boot, bsp);
	else
		load_kernel(&boot, bsp, m, modules);
	fill_e820(&boot, multiboot);
	if (config.tech->boot_data)
		config.tech->boot_data(&boot);
	boot_leftovers(&boot);
	if (efi_stub_wanted())
		efi_start_stub(&boot, bsp, (void *)(u64)m[0].start, m[0].end - m[0].start,
			       module_words(&m[0]));
	else if (efi_wanted())
		efi_hand_over(&boot);
	paging_load(bsp);
}
