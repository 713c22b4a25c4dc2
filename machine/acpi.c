// SPDX-License-Identifier: GPL-2.0
/*
 * ACPI tables of a TD: SeaBIOS's, but for the MADT, which names the wakeup
 * mailbox (ACPI 6.5, 5.2.12.19, multiprocessor wakeup structure).
 *
 *	boot_params --> RSDP --> XSDT --> SeaBIOS's tables
 *				      \-> MADT: SeaBIOS's, and the structure
 *
 * They lie in memory of type ACPI, the mailbox in ACPI NVS: a TD maps both as
 * private, as it would not map what is only "reserved".
 */
#include "core.h"
#include "tdx.h"

#define RSDP_FIRST		0xe0000ull
#define RSDP_LAST		0xffff0ull
#define MAX_TABLES		32
#define MADT_WAKEUP		0x10

struct rsdp {
	char signature[8];
	u8 checksum;
	char oem[6];
	u8 revision;
	u32 rsdt;
	u32 length;			/* from here on: revision 2 */
	u64 xsdt;
	u8 extended_checksum;
	u8 reserved[3];
} __packed;

struct header {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem[6], oem_table[8];
	u32 oem_revision;
	char creator[4];
	u32 creator_revision;
} __packed;

struct mp_wakeup {
	u8 type, length;
	u16 mailbox_version;
	u32 reserved;
	u64 mailbox;
	u64 reset_vector;
} __packed;

/* The page that the tables are made in */
struct page {
	struct rsdp rsdp;
	u8 align[28];
	struct header xsdt;
	u64 tables[MAX_TABLES];
	struct header madt;		/* and what follows it */
} __packed;

static u8 checksum(const void *table, u32 length)
{
	const u8 *p = table;
	u8 sum = 0;

	while (length--)
		sum -= *p++;
	return sum;
}

static void seal(struct header *table, u32 length)
{
	table->length = length;
	table->checksum = 0;
	table->checksum = checksum(table, length);
}

/* A table of the firmware's, whole; NULL: none there */
static const struct header *table_at(u64 gpa)
{
	return (const struct header *)firmware_ptr(gpa);
}

static const struct rsdp *find_rsdp(void)
{
	u64 gpa;

	for (gpa = RSDP_FIRST; gpa <= RSDP_LAST; gpa += 16) {
		const void *p = ram_ptr(gpa, PRIVATE);

		if (!memcmp(p, "RSD PTR ", 8))
			return p;
	}
	return NULL;
}

/* SeaBIOS's MADT and the structure behind its last one */
static void make_madt(struct page *page, const struct header *original, u64 mailbox)
{
	struct mp_wakeup wakeup = {
		.type = MADT_WAKEUP,
		.length = sizeof(wakeup),
		.mailbox_version = 1,
		.mailbox = mailbox,
		.reset_vector = mailbox_reset_vector(),
	};
	u8 *madt = (u8 *)&page->madt;

	if (offsetof(struct page, madt) + original->length + sizeof(wakeup) > PAGE_SIZE)
		internal_error("the MADT is too long");
	memcpy(madt, original, original->length);
	memcpy(madt + original->length, &wakeup, sizeof(wakeup));
	seal(&page->madt, original->length + sizeof(wakeup));
}

/* RSDT entries have 32 bits, XSDT entries 64 (ACPI 6.5, 5.2.7 and 5.2.8) */
static u32 make_xsdt(struct page *page, u64 gpa, const struct rsdp *rsdp, u64 mailbox)
{
	bool wide = rsdp->revision >= 2 && rsdp->xsdt;
	const struct header *root = table_at(wide ? rsdp->xsdt : rsdp->rsdt), *table;
	u32 size = wide ? 8 : 4, count, i, found = 0;

	if (!root)
		internal_error("the firmware has no ACPI root table");
	count = (root->length - sizeof(*root)) / size;
	if (count > MAX_TABLES)
		internal_error("%u ACPI tables are too many", count);
	memcpy(&page->xsdt, root, sizeof(*root));
	memcpy(page->xsdt.signature, "XSDT", 4);
	page->xsdt.revision = 1;
	for (i = 0; i < count; i++) {
		memcpy(&page->tables[i], (const u8 *)(root + 1) + i * size, size);
		table = table_at(page->tables[i]);
		if (!table || memcmp(table->signature, "APIC", 4))
			continue;
		make_madt(page, table, mailbox);
		page->tables[i] = gpa + offsetof(struct page, madt);
		found++;
	}
	seal(&page->xsdt, sizeof(page->xsdt) + count * sizeof(page->tables[0]));
	return found;
}

static void make_rsdp(struct page *page, u64 gpa, const struct rsdp *original)
{
	struct rsdp *r = &page->rsdp;

	memcpy(r, original, offsetof(struct rsdp, length));
	r->revision = 2;
	r->rsdt = 0;
	r->length = sizeof(*r);
	r->xsdt = gpa + offsetof(struct page, xsdt);
	r->checksum = 0;
	r->checksum = checksum(r, offsetof(struct rsdp, length));
	r->extended_checksum = checksum(r, sizeof(*r));
}

void acpi_add_wakeup(struct boot *boot, u64 mailbox)
{
	const struct rsdp *original = find_rsdp();
	u64 gpa = boot_reserve(boot, 1);
	struct page *page = ram_ptr(gpa, PRIVATE);

	_Static_assert(offsetof(struct page, xsdt) % 64 == 0, "alignment of tables");
	if (!original || !make_xsdt(page, gpa, original, mailbox))
		internal_error("the firmware left no ACPI tables with a MADT");
	make_rsdp(page, gpa, original);
	boot_set_e820(boot, gpa, 1, E820_ACPI);
	memcpy(boot->params + PARAM_RSDP, &gpa, sizeof(gpa));
}
