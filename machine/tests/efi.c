// SPDX-License-Identifier: GPL-2.0
/*
 * The hand-over of an EFI boot, as Linux's EFI stub leaves it.
 * UEFI specification 2.10: 4.2 (headers), 4.3 (system table), 4.5 (runtime services),
 * 4.6 (configuration tables), 7.2.3 (memory map), 23.4 (system resources)
 * zero-page.rst: efi_info; include/linux/efi.h: cc_blob, unaccepted memory
 *
 * Run with efi, with unaccepted=48-60, or with what else that has (case "pieces").
 */
#include "lib/efi.h"

#define PARAM_RSDP		0x070
#define PARAM_CC_BLOB		0x13c
#define PARAM_SETUP_DATA	0x250
#define SETUP_CC_BLOB		7

#define SYSTAB_SIGNATURE	0x5453595320494249ull
#define RUNTIME_SIGNATURE	0x56524553544e5552ull
#define GET_TIME		0
#define SET_VIRTUAL_ADDRESS_MAP	4
#define FROM			(48ull << 20)
#define TO			(60ull << 20)
#define UNITS			((TO - FROM) / SIZE_2M)
/* unit=64 table_at=4064 pieces=8 */
#define SMALL_UNIT		0x10000
#define TABLE_AT		4064
#define PIECES			8

struct unaccepted_table {
	u32 version, unit_size;
	u64 base, size;
	u8 bitmap[];
};

static const u64 guid_cc_blob[] = { 0x44c5cf26067b1f5f, 0x422d9177d7935485 };
static const u64 guid_unaccepted[] = { 0x44f9105cd5d1de3c, 0x31001298efbca99e };

static const u64 guid_resources[] = { 0x4f683661b122a263, 0x8021d6b0f8782999 };

static const struct efi_info *info;
static const struct system_table *systab;

static const struct descriptor *descriptor(u32 i)
{
	return (void *)((u64)info->memmap + i * info->desc_size);
}

static u32 descriptors(void)
{
	return info->memmap_size / info->desc_size;
}

/* The descriptor that has this address, or NULL */
static const struct descriptor *descriptor_of(u64 gpa)
{
	return efi_descriptor_of(info->memmap, info->memmap_size, info->desc_size, gpa);
}

static u32 type_of(u64 gpa)
{
	return efi_type_of(descriptor_of(gpa));
}

/* ---- what every EFI boot has ---- */

static void memory_map(void)
{
	const struct e820_entry *e;
	bool sorted = true, covered = true;
	u32 i;

	for (i = 1; i < descriptors(); i++)
		sorted &= descriptor(i)->physical >= descriptor(i - 1)->physical +
						     descriptor(i - 1)->pages * PAGE_SIZE;
	check("memory_map_is_sorted_and_without_overlap", sorted);
	for (i = 0, e = e820(); i < e820_entries(); i++, e++) {
		u64 gpa;

		for (gpa = e->base; e->type == E820_RAM && gpa + PAGE_SIZE <= e->base + e->length; gpa += PAGE_SIZE)
			covered &= type_of(gpa) != ~0u;
	}
	check("memory_map_covers_the_ram_of_e820", covered);
	check("descriptors_are_larger_than_their_first_version", info->desc_size > sizeof(struct descriptor));
	check_eq("code_of_the_payload_is_loader_code", type_of((u64)payload), 1);
}

static void runtime_services(void)
{
	const struct header *h = (void *)systab->runtime;
	const u64 *services = (void *)(h + 1);

	check_eq("runtime_services_are_signed", h->signature, RUNTIME_SIGNATURE);
	check_eq("runtime_services_have_their_crc", h->crc32, crc_of(h));
	check_eq("runtime_services_are_runtime_data", type_of(systab->runtime), RUNTIME_DATA);
	check_eq("their_code_is_runtime_code", type_of(services[GET_TIME]), RUNTIME_CODE);
	check("runtime_memory_is_marked", descriptor_of(services[GET_TIME])->attributes >> 63);
	check_eq("set_virtual_address_map_succeeds",
		 ((service)services[SET_VIRTUAL_ADDRESS_MAP])(0, 0, 0, 0, 0), 0);
	check_eq("get_time_is_unsupported", ((service)services[GET_TIME])(0, 0, 0, 0, 0), UNSUPPORTED);
}

static void system_resources(void)
{
	u64 gpa = efi_table(systab, guid_resources);
	const u32 *t = (void *)gpa;		/* count, its limit, version: 64 bits */

	check("system_resources_have_a_table", gpa);
	check_eq("it_is_in_memory_of_the_boot_services", type_of(gpa), BOOT_DATA);
	check_eq("it_has_one_resource", t[0], 1);
	check_eq("its_version_is_1", *(u64 *)(t + 2), 1);
}

static bool setup_data_has(u32 type)
{
	u64 gpa = *(u64 *)(boot_params + PARAM_SETUP_DATA);

	for (; gpa; gpa = *(u64 *)gpa)
		if (*(u32 *)(gpa + 8) == type)
			return true;
	return false;
}

static void hand_over(void)
{
	check("info_is_signed_for_64_bits", !memcmp(info, "EL64", 4));
	check_eq("system_table_is_signed", systab->header.signature, SYSTAB_SIGNATURE);
	check_eq("system_table_has_its_crc", systab->header.crc32, crc_of(&systab->header));
	check_eq("boot_services_are_over", systab->boot_services, 0);
	check_eq("rsdp_is_left_to_the_tables", *(u64 *)(boot_params + PARAM_RSDP), 0);
	memory_map();
	runtime_services();
	system_resources();
	if (!is_snp())
		return;
	check("cc_blob_is_a_table", efi_table(systab, guid_cc_blob) &&
				    !memcmp((void *)efi_table(systab, guid_cc_blob), "AMDE", 4));
	check("cc_blob_is_no_setup_data", !setup_data_has(SETUP_CC_BLOB));
}

/* ---- unaccepted memory ---- */

static void table(void)
{
	u64 gpa = efi_table(systab, guid_unaccepted), i;
	const struct unaccepted_table *t = (void *)gpa;
	bool set = true;

	check("unaccepted_memory_has_a_table", gpa);
	check_eq("table_is_in_acpi_memory", type_of(gpa), ACPI_RECLAIM);
	check_eq("version_is_1", t->version, 1);
	check_eq("unit_is_2m", t->unit_size, SIZE_2M);
	check_eq("bitmap_starts_with_the_range", t->base, FROM);
	check_eq("bitmap_has_a_bit_a_unit", t->size, (UNITS + 7) / 8);
	for (i = 0; i < UNITS; i++)
		set &= t->bitmap[i / 8] >> i % 8;
	check("every_unit_is_marked", set);
	check_eq("no_bit_beyond_the_range_is", t->bitmap[UNITS / 8] >> UNITS % 8, 0);
}

static void range_and_border(void)
{
	u8 before = COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED, inside = is_tdx() ? COCO_PAGE_PRIVATE : 0;

	check_eq("range_is_unaccepted_memory", type_of(FROM), UNACCEPTED);
	check_eq("all_of_it", descriptor_of(FROM)->pages, (TO - FROM) / PAGE_SIZE);
	check_eq("below_is_conventional", type_of(FROM - 1), CONVENTIONAL);
	check_eq("above_is_conventional", type_of(TO), CONVENTIONAL);
	check_eq("page_below_is_accepted", page_state(FROM - PAGE_SIZE) & ~COCO_PAGE_2M, before);
	check_eq("first_page_is_not", page_state(FROM), inside);
	check_eq("last_page_is_not", page_state(TO - PAGE_SIZE), inside);
	check_eq("page_above_is_accepted", page_state(TO) & ~COCO_PAGE_2M, before);
}

static void pieces(void)
{
	u64 gpa = efi_table(systab, guid_unaccepted), piece = FROM - PIECES * 2 * PAGE_SIZE, end;
	const struct unaccepted_table *t = (void *)gpa;
	u32 i, used = 0, free = 0;

	check_eq("unit_is_as_asked_for", t->unit_size, SMALL_UNIT);
	check_eq("bitmap_has_a_bit_a_small_unit", t->size, (TO - FROM) / SMALL_UNIT / 8);
	end = gpa + sizeof(*t) + t->size;
	check_eq("last_small_unit_is_marked", *(u8 *)(end - 1), 0xff);
	check_eq("table_starts_in_its_page_as_asked_for", gpa % PAGE_SIZE, TABLE_AT);
	check_eq("it_starts_in_acpi_memory", type_of(gpa), ACPI_RECLAIM);
	check_eq("and_ends_in_the_next_page_of_it", type_of(end - 1), ACPI_RECLAIM);
	for (i = 0; i < PIECES; i++, piece += 2 * PAGE_SIZE) {
		used += type_of(piece) == BOOT_DATA;
		free += type_of(piece + PAGE_SIZE) == CONVENTIONAL;
	}
	check_eq("boot_services_used_so_many_pages", used, PIECES);
	check_eq("with_a_free_one_behind_each", free, PIECES);
	check_eq("and_what_is_above_the_range", type_of(TO), BOOT_DATA);
	check_eq("up_to_the_table", type_of((gpa & PAGE_MASK) - 1), BOOT_DATA);
}

static void touch(u64 gpa)
{
	TRY("movb (%0), %%al", : : "r"(gpa) : "rax", "memory");
}

/* The first touch in TDX is the end of the run: case "touch" */
static void accepting(void)
{
	if (is_tdx()) {
		check_eq("unit_can_be_accepted_whole", page_accept(FROM, 1), 0);
		check_eq("unit_can_be_accepted_by_pages", page_accept(FROM + SIZE_2M, 0), 0);
		check_eq("first_page_of_it_is_accepted", page_state(FROM + SIZE_2M),
			 COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED);
	} else {
		ghcb_init();
		expect_breach(COCO_BREACH_PAGE, 1);
		touch(FROM);
		check("first_touch_is_a_breach", breached(COCO_BREACH_PAGE));
		ghcb_msr(0x014 | FROM | SIZE_2M | 1ull << 52);
		check_eq("validation_after_a_page_state_change_succeeds",
			 pvalidate(FROM + SIZE_2M, false, true, NULL), 0);
	}
	touch(FROM + SIZE_2M);
	check("accepted_page_is_there", !trap.hit);
	check_eq("next_page_is_still_not_accepted", page_state(FROM + SIZE_2M + PAGE_SIZE),
		 is_tdx() ? COCO_PAGE_PRIVATE : 0);
}

/* cc_blob=table and max_extended=0x80000008; cc_blob=params */
static void leftovers(void)
{
	u32 max[4];

	if (case_is("table")) {
		check("blob_that_is_none_is_a_table", efi_table(systab, guid_cc_blob));
		check_eq("and_has_no_signature", *(u32 *)efi_table(systab, guid_cc_blob), 0);
		cpuid(0x80000000, 0, max);
		check_eq("processor_has_fewer_leaves", max[0], 0x80000008);
	}
	check_eq("field_holds_something_if_asked_for", *(u32 *)(boot_params + PARAM_CC_BLOB) != 0,
		 case_is("params"));
}

void payload(void)
{
	info = (void *)(boot_params + PARAM_EFI);
	systab = (void *)(u64)info->systab;
	if (case_is("touch"))
		*(volatile u8 *)FROM;
	hand_over();
	leftovers();
	if (case_is("unaccepted")) {
		table();
		range_and_border();
		accepting();
	} else if (case_is("pieces")) {
		pieces();
	} else {
		check("no_unaccepted_memory_no_table", !efi_table(systab, guid_unaccepted));
	}
}
