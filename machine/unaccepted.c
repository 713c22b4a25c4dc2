// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that the firmware left to the kernel to accept: EFI memory type 15
 * (UEFI specification 2.10, 7.2.1, EfiUnacceptedMemoryType), and, where no stub
 * runs, the table in which Linux's EFI stub notes it, a bit for each 2M
 * (include/linux/efi.h, struct efi_unaccepted_memory).
 *
 * Options of the machine's command line:
 *	unaccepted=<from>-<to>	MiB; sev-snp and tdx; all of it below 4 GiB, or above (option
 *				high).  Even, but for efi=stub: what is less than a unit the
 *				stub accepts itself
 *	unit=<KiB>		what a bit of the table stands for, 2048 if not given; not for
 *				a stub, which makes a table of its own.  With small units no
 *				acceptance covers for one that was forgotten beside it
 *	table_at=<bytes>	how far the table lies in its first page (pool memory has any
 *				place in a page, UEFI specification 2.10, 7.2.4)
 *	pieces=<number>		boot services used all memory above the range, and pages below
 *				it, each for itself: every one is something for the kernel to
 *				reserve, and what it allocates for itself comes from the range
 *
 * The pages are as the host leaves what the firmware did not touch:
 *
 *	sev-snp		not assigned: the guest asks for a page state change, then
 *			validates (APM vol. 2, 15.36.6)
 *	tdx		the host's to add when they are accepted (TDX module base
 *			specification 348549, "TDG.MEM.PAGE.ACCEPT")
 *
 * so the first touch of a page that was not accepted is a breach in sev-snp,
 * and the end of a tdx run.
 */
#include "efi.h"
#include "page.h"

#define MIB		20
#define TABLE_VERSION	1
#define UNIT		2048		/* KiB */

struct unaccepted_table {
	u32 version, unit_size;
	u64 base;
	u64 size;		/* bytes of the bitmap */
	u8 bitmap[];
} __packed;

static struct {
	u64 start, end;
	u64 unit;		/* bytes */
	u64 offset;		/* of the table in its first page */
	u64 pieces;
} range;

static void parse_range(void)
{
	char value[32];
	const char *s = value, *end;

	if (!option("unaccepted", value, sizeof(value)))
		return;
	range.start = strtou64(s, &end) << MIB;
	if (end == s || *end != '-')
		internal_error("option unaccepted: '%s' is not <MiB>-<MiB>", value);
	s = end + 1;
	range.end = strtou64(s, &end) << MIB;
	if (end == s || *end || range.start >= range.end)
		internal_error("option unaccepted: '%s' is not <MiB>-<MiB>", value);
	range.unit = option_number("unit", UNIT) << 10;
	range.pieces = option_number("pieces", 0);
	range.offset = option_number("table_at", 0);
	if (range.offset % 8 || range.offset >= PAGE_SIZE)
		internal_error("option table_at: %lu is no place in a page for numbers of 64 bits", range.offset);
	if (!range.unit || range.unit % PAGE_SIZE || range.unit & (range.unit - 1))
		internal_error("option unit: %lu KiB are not so many pages by powers of two", range.unit >> 10);
	if ((range.start | range.end) % range.unit && !efi_stub_wanted())
		internal_error("option unaccepted: '%s' has parts of units, which a stub has to accept", value);
}

/* Of pages that are used, each with a free one behind it */
static u64 pieces_start(void)
{
	return range.start - range.pieces * 2 * PAGE_SIZE;
}

static bool is_high(void)
{
	return range.start >= HIGH_BASE;
}

static void check_range(const struct boot *boot, u64 table)
{
	if (config.tech->id != COCO_SEV_SNP && config.tech->id != COCO_TDX)
		internal_error("option unaccepted: %s accepts no memory", config.tech->name);
	if (is_high()) {
		if (range.pieces || range.end > HIGH_BASE + config.high)
			internal_error("option unaccepted: high=%lu has no such memory, or pieces are asked for",
				       config.high >> MIB);
		return;
	}
	if (range.pieces > range.start / (2 * PAGE_SIZE) ||
	    pieces_start() < boot->kernel_gpa + boot->kernel_room)
		internal_error("option unaccepted: the kernel needs the memory below %llu MiB",
			       (boot->kernel_gpa + boot->kernel_room + SIZE_2M - 1) >> MIB);
	if (range.end > table)
		internal_error("option unaccepted: table and initramfs are at %lu MiB", table >> MIB);
}

static u64 units(void)
{
	return (range.end - range.start) / range.unit;
}

static u64 table_pages(void)
{
	u64 size = sizeof(struct unaccepted_table) + (units() + 7) / 8;

	return (range.offset + size + PAGE_SIZE - 1) / PAGE_SIZE;
}

/* Firmware keeps its pool for the operating system in memory of type ACPI reclaim */
static void make_table(struct boot *boot, u64 gpa)
{
	struct unaccepted_table *t = ram_ptr(gpa + range.offset, PRIVATE);
	u64 i;

	/* What is around the table is no part of it */
	memset(ram_ptr(gpa, PRIVATE), 0xff, table_pages() * PAGE_SIZE);
	t->version = TABLE_VERSION;
	t->unit_size = range.unit;
	t->base = range.start;
	t->size = (units() + 7) / 8;
	memset(t->bitmap, 0, t->size);
	for (i = 0; i < units(); i++)
		t->bitmap[i / 8] |= 1 << i % 8;
	boot_set_e820(boot, gpa, table_pages(), E820_ACPI);
	efi_add_table(&efi_guid_unaccepted, gpa + range.offset);
}

static u64 table_gpa(const struct boot *boot)
{
	return (boot->initrd_size ? boot->initrd_gpa : config.ram) - table_pages() * PAGE_SIZE;
}

void unaccepted_setup(struct boot *boot)
{
	u64 gpa;
	u8 flags = config.tech->id == COCO_TDX ? COCO_PAGE_PRIVATE : 0;

	parse_range();
	if (!range.end)
		return;
	check_range(boot, table_gpa(boot));
	for (gpa = range.start; gpa < range.end; gpa += PAGE_SIZE)
		page_set(gpa, flags);
}

void unaccepted_add_table(struct boot *boot)
{
	if (range.end)
		make_table(boot, table_gpa(boot));
}

void unaccepted_set_type(const struct boot *boot)
{
	u64 gpa;

	if (!range.end)
		return;
	efi_set_type(range.start, range.end, EFI_UNACCEPTED);
	if (range.pieces && range.end < table_gpa(boot))
		efi_set_type(range.end, table_gpa(boot), EFI_BOOT_SERVICES_DATA);
	for (gpa = pieces_start(); gpa < range.start; gpa += 2 * PAGE_SIZE)
		efi_set_type(gpa, gpa + PAGE_SIZE, EFI_BOOT_SERVICES_DATA);
}
