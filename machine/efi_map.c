// SPDX-License-Identifier: GPL-2.0
/*
 * The memory map of EFI (UEFI specification 2.10, 7.2.3): made from e820, and cut
 * up by what firmware and kernel take.
 */
#include "efi.h"

struct range {
	u64 start, end;
	u32 type;
};

static struct range ranges[EFI_MAX_DESCRIPTORS];
static u32 count;
static u64 version;

static void add_range(u64 start, u64 end, u32 type)
{
	if (start >= end)
		return;
	if (count == EFI_MAX_DESCRIPTORS)
		internal_error("the EFI memory map is full");
	ranges[count++] = (struct range) { start, end, type };
}

static void sort(void)
{
	u32 i, j;

	for (i = 1; i < count; i++) {
		struct range r = ranges[i];

		for (j = i; j && ranges[j - 1].start > r.start; j--)
			ranges[j] = ranges[j - 1];
		ranges[j] = r;
	}
}

/* Sorted, none empty, neighbours of one type joined */
static void tidy(void)
{
	u32 i, n = 0;

	sort();
	for (i = 0; i < count; i++) {
		if (ranges[i].start == ranges[i].end)
			continue;
		if (n && ranges[n - 1].type == ranges[i].type && ranges[n - 1].end == ranges[i].start)
			ranges[n - 1].end = ranges[i].end;
		else
			ranges[n++] = ranges[i];
	}
	count = n;
}

/* A range in the middle of another is two more */
bool efi_map_has_room(u32 changes)
{
	return count + 2 * changes <= EFI_MAX_DESCRIPTORS;
}

/* Cut it out of the ranges that were there before */
void efi_set_type(u64 start, u64 end, enum efi_memory_type type)
{
	u32 i, before = count;

	for (i = 0; i < before; i++) {
		struct range *r = &ranges[i];
		u64 old_end = r->end;

		if (r->end <= start || r->start >= end)
			continue;
		r->end = r->start < start ? start : r->start;
		add_range(end, old_end, r->type);
	}
	add_range(start, end, type);
	tidy();
	version++;
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
void efi_map_from_e820(struct boot *boot)
{
	u32 i, entries;
	const struct e820_entry *e = boot_e820(boot, &entries);

	count = 0;
	for (i = 0; i < entries; i++) {
		u64 start = e[i].base, end = e[i].base + e[i].length;

		if (e[i].type == E820_RAM)
			start += PAGE_SIZE - 1;
		else
			end += PAGE_SIZE - 1;
		add_range(start & PAGE_MASK, end & PAGE_MASK, type_of_e820(e[i].type));
	}
	tidy();
}

u64 efi_map_version(void)
{
	return version;
}

u32 efi_map_size(void)
{
	return count;
}

void efi_map_fill(struct efi_descriptor *map)
{
	u32 i;

	for (i = 0; i < count; i++) {
		const struct range *r = &ranges[i];
		bool runtime = r->type == EFI_RUNTIME_CODE || r->type == EFI_RUNTIME_DATA;

		map[i] = (struct efi_descriptor) {
			.type = r->type,
			.physical = r->start,
			.pages = (r->end - r->start) / PAGE_SIZE,
			.attributes = EFI_MEMORY_WB | (runtime ? EFI_MEMORY_RUNTIME : 0),
		};
	}
}

/* ---- what boot services give away ---- */

int efi_map_type(u64 start, u64 end)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (start >= ranges[i].start && end <= ranges[i].end && start < end)
			return ranges[i].type;
	return -1;
}

u64 efi_allocate(u64 pages, enum efi_memory_type type, u64 limit)
{
	u64 size = pages * PAGE_SIZE;
	u32 i;

	if (!pages || pages > config.ram / PAGE_SIZE || !efi_map_has_room(GIVE_AND_TAKE_BACK))
		return 0;
	for (i = count; i--;) {
		const struct range *r = &ranges[i];
		u64 end = min(r->end, limit & PAGE_MASK);

		if (r->type != EFI_CONVENTIONAL || end <= r->start || end - r->start < size || end == size)
			continue;
		efi_set_type(end - size, end, type);
		return end - size;
	}
	return 0;
}

u64 efi_take(u64 pages)
{
	u64 gpa = efi_allocate(pages, EFI_BOOT_SERVICES_DATA, config.ram);

	if (!gpa)
		internal_error("ram=%lu has no room for the firmware", config.ram >> 20);
	memset(ram_ptr(gpa, PRIVATE), 0, pages * PAGE_SIZE);
	return gpa;
}
