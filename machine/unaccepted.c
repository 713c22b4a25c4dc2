// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that the firmware left to the kernel to accept: EFI memory type 15
 * (UEFI specification 2.10, 7.2.1, EfiUnacceptedMemoryType), and, where no stub
 * runs, the table in which Linux's EFI stub notes it, a bit for each 2M
 * (include/linux/efi.h, struct efi_unaccepted_memory).
 *
 * Option of the machine's command line:
 *	unaccepted=<from>-<to>	MiB; sev-snp and tdx.  Even, but for efi=stub: what is
 *				less than a unit the stub accepts itself
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
#define UNIT		SIZE_2M

struct unaccepted_table {
	u32 version, unit_size;
	u64 base;
	u64 size;		/* bytes of the bitmap */
	u8 bitmap[];
} __packed;

static struct {
	u64 start, end;
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
	if ((range.start | range.end) % UNIT && !efi_stub_wanted())
		internal_error("option unaccepted: '%s' has parts of units, which a stub has to accept", value);
}

static void check_range(const struct boot *boot, u64 table)
{
	if (config.tech->id != COCO_SEV_SNP && config.tech->id != COCO_TDX)
		internal_error("option unaccepted: %s accepts no memory", config.tech->name);
	if (range.start < boot->kernel_gpa + boot->kernel_room)
		internal_error("option unaccepted: the kernel needs the memory below %llu MiB",
			       (boot->kernel_gpa + boot->kernel_room + UNIT - 1) >> MIB);
	if (range.end > table)
		internal_error("option unaccepted: table and initramfs are at %lu MiB", table >> MIB);
}

/* Firmware keeps its pool for the operating system in memory of type ACPI reclaim */
static void make_table(struct boot *boot, u64 gpa)
{
	struct unaccepted_table *t = ram_ptr(gpa, PRIVATE);
	u64 i, units = (range.end - range.start) / UNIT;

	_Static_assert(sizeof(*t) + MACHINE_BASE / UNIT / 8 <= PAGE_SIZE, "one page");
	memset(t, 0xff, PAGE_SIZE);	/* what is behind the bitmap is no part of it */
	t->version = TABLE_VERSION;
	t->unit_size = UNIT;
	t->base = range.start;
	t->size = (units + 7) / 8;
	memset(t->bitmap, 0, t->size);
	for (i = 0; i < units; i++)
		t->bitmap[i / 8] |= 1 << i % 8;
	boot_set_e820(boot, gpa, 1, E820_ACPI);
	efi_add_table(&efi_guid_unaccepted, gpa);
}

static u64 table_gpa(const struct boot *boot)
{
	return (boot->initrd_size ? boot->initrd_gpa : config.ram) - PAGE_SIZE;
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

void unaccepted_set_type(void)
{
	if (range.end)
		efi_set_type(range.start, range.end, EFI_UNACCEPTED);
}
