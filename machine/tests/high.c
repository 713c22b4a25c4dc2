// SPDX-License-Identifier: GPL-2.0
/*
 * RAM above 4 GiB, behind the PCI hole: all that holds of RAM below holds there.
 * Linux, Documentation/arch/x86/boot.rst, zero-page.rst: e820
 * UEFI specification 2.10, 7.2.3: the memory map
 * GHCB specification (56421): page state change; GHCI (344426): TDG.VP.VMCALL<MapGPA>
 *
 * Run with efi, 64 MiB below and 64 above; case "unaccepted": with unaccepted=4102-4150.
 */
#include "lib/efi.h"
#include "lib/payload.h"

#define LOW_END		(64ull << 20)
#define START		(4096ull << 20)
#define END		(START + (64ull << 20))
#define FROM		(4102ull << 20)		/* unaccepted */
#define TO		(4150ull << 20)
#define PAGE_TABLES	0x4000			/* load.c */
#define CONVERTED	(START + 0x321000)

static u8 buf[PAGE_SIZE];

static u32 type_of(u64 gpa)
{
	const struct efi_info *info = (void *)(boot_params + PARAM_EFI);

	return efi_type_of(efi_descriptor_of(info->memmap, info->memmap_size, info->desc_size, gpa));
}

/* ---- what the loader tells ---- */

static void told(void)
{
	const struct e820_entry *e = e820();
	u32 i, found = 0;

	for (i = 0; i < e820_entries(); i++, e++)
		found += e->base == START && e->length == END - START && e->type == E820_RAM;
	check_eq("e820_has_the_ram_above_4_gib", found, 1);
	if (!case_is("unaccepted"))
		check_eq("and_so_has_the_memory_map", type_of(START), CONVENTIONAL);
	check_eq("to_its_last_page", type_of(END - PAGE_SIZE), CONVENTIONAL);
	check_eq("and_no_further", type_of(END), ~0u);
}

/* Those of the 64-bit entry: tables of 512 entries one behind the other, level 2 from the third on */
static void loaders_tables(void)
{
	const u64 *table = (void *)(PAGE_TABLES + (2 + START / SIZE_1G) * PAGE_SIZE);
	u64 entry = table[(END - SIZE_2M) / SIZE_2M % 512];

	check_eq("page_tables_of_the_entry_reach_it", entry, (END - SIZE_2M) | private_bit() | 0x83);
}

/* ---- what is there ---- */

static u8 *put(u32 slot, u64 gpa, u8 first)
{
	u8 *p = map_window(slot, gpa, PRIVATE_PAGE);
	u32 i;

	for (i = 0; i < PAGE_SIZE; i++)
		p[i] = first + i * 3;
	return p;
}

static bool kept(const u8 *p, u8 first)
{
	u32 i;

	for (i = 0; i < PAGE_SIZE; i++)
		if (p[i] != (u8)(first + i * 3))
			return false;
	return true;
}

static void contents(void)
{
	u8 *low = put(0, LOW_END - PAGE_SIZE, 1), *first = put(1, START, 2), *other = put(2, START + SIZE_2M, 3);
	u8 *last = put(3, END - PAGE_SIZE, 4);

	check("last_page_below_keeps_its_bytes", kept(low, 1));
	check("first_page_above_keeps_its_bytes", kept(first, 2));
	check("one_of_another_table_keeps_its_bytes", kept(other, 3));
	check("last_page_above_keeps_its_bytes", kept(last, 4));
	check_eq("host_reads_there", machine_call(COCO_CALL_HOST_READ, START, (u64)buf, PAGE_SIZE), 0);
	check_eq("plain_bytes_of_a_plain_machine_alone", kept(buf, 2), personality == COCO_NONE);
	check_eq("no_ram_lies_behind_it", page_state(END), -EINVAL);
	check_eq("nor_before", page_state(START - PAGE_SIZE), -EINVAL);
	check_eq("nor_behind_that_below", page_state(LOW_END), -EINVAL);
}

/* ---- page states ---- */

static u64 convert(u64 gpa, bool shared)
{
	u8 *p = map_window(4, gpa, PRIVATE_PAGE);

	if (is_tdx())
		return map_gpa(gpa | (shared ? cmask : 0), PAGE_SIZE);
	if (shared)
		pvalidate((u64)p, false, false, NULL);
	return ghcb_msr(0x014 | gpa | (shared ? 2ull : 1ull) << 52) >> 32;
}

/* QEMU, docs/specs/fw_cfg: DMA.  The first item is a signature */
#define FWCFG_DMA	0x514
#define DMA_READ	BIT(1)
#define DMA_SELECT	BIT(3)

struct fwcfg_dma {
	u32 control, length;
	u64 address;
} __packed;

/* A device writes where it is told to, but for memory that is the guest's */
static void device(u8 *shared)
{
	volatile struct fwcfg_dma *access = (void *)shared;
	u8 *private = put(6, START, 5);
	u64 target, gpa = CONVERTED;
	u32 i;

	for (i = 0; i < 2; i++) {
		target = i ? START : CONVERTED + PAGE_SIZE / 2;
		access->length = __builtin_bswap32(4);
		access->address = __builtin_bswap64(target);
		access->control = __builtin_bswap32(DMA_READ | DMA_SELECT);
		port_out(FWCFG_DMA, 4, __builtin_bswap32(gpa >> 32));
		port_out(FWCFG_DMA + 4, 4, __builtin_bswap32(gpa));
	}
	check("device_writes_to_a_shared_page", !memcmp(shared + PAGE_SIZE / 2, "QEMU", 4));
	check("and_no_private_page", kept(private, 5));
}

static void conversion(void)
{
	u64 low = CONVERTED - START + LOW_END;	/* no RAM, but numbers of pages go on from there */
	u8 *p;

	check_eq("ram_above_begins_private_and_validated", page_state(CONVERTED) & ~COCO_PAGE_2M,
		 COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED);
	check_eq("page_is_made_shared", convert(CONVERTED, true), 0);
	check_eq("and_is", page_state(CONVERTED), 0);
	check_eq("alone", page_state(CONVERTED + PAGE_SIZE) & ~COCO_PAGE_2M, COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED);
	check_eq("change_is_counted_for_the_page", count(COCO_EV_PSC, CONVERTED), 1);
	check_eq("and_for_no_other", count(COCO_EV_PSC, low), 0);
	p = map_window(5, CONVERTED, SHARED_PAGE);
	memset(p, 0x5a, PAGE_SIZE);
	machine_call(COCO_CALL_HOST_READ, CONVERTED, (u64)buf, 1);
	check_eq("host_sees_its_bytes", buf[0], 0x5a);
	device(p);
	check_eq("it_is_found", machine_call(COCO_CALL_PAGE_FIND, LOW_END - PAGE_SIZE, COCO_PAGE_PRIVATE, 0),
		 CONVERTED);
	check_eq("page_is_made_private", convert(CONVERTED, false), 0);
	if (is_tdx())
		check_eq("and_accepted", page_accept(CONVERTED, 0), 0);
	else
		check_eq("and_validated", pvalidate((u64)map_window(4, CONVERTED, PRIVATE_PAGE), false, true, NULL), 0);
	check_eq("no_other_is_found", machine_call(COCO_CALL_PAGE_FIND, LOW_END, COCO_PAGE_PRIVATE, 0), -ENOENT);
}

/* One call over the end of one range, the hole, and the start of the other */
static void over_the_hole(void)
{
	u64 since = event_next();

	check_eq("mapgpa_over_the_hole_succeeds",
		 map_gpa((LOW_END - SIZE_2M) | cmask, START + SIZE_2M - (LOW_END - SIZE_2M)), 0);
	/* The call itself, 2M on either side, and the hole in one piece */
	check_eq("hole_is_one_piece", event_next() - since, 4);
	check_eq("last_page_below_is_shared", page_state(LOW_END - PAGE_SIZE), 0);
	check_eq("first_page_above_is_shared", page_state(START), 0);
	check_eq("first_page_not_asked_for_is_not", page_state(START + SIZE_2M) & ~COCO_PAGE_2M,
		 COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED);
	check("no_part_of_the_hole_becomes_private", map_gpa(LOW_END, PAGE_SIZE));
}

/* ---- case "unaccepted" ---- */

static void unaccepted(void)
{
	u64 accepted = COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED, not = is_tdx() ? COCO_PAGE_PRIVATE : 0;

	check_eq("range_above_is_unaccepted_memory", type_of(FROM), UNACCEPTED);
	check_eq("to_its_end", type_of(TO - PAGE_SIZE), UNACCEPTED);
	check_eq("below_it_is_not", type_of(FROM - PAGE_SIZE), CONVENTIONAL);
	check_eq("page_below_is_accepted", page_state(FROM - PAGE_SIZE) & ~COCO_PAGE_2M, accepted);
	check_eq("first_page_is_not", page_state(FROM), not);
	check_eq("last_page_is_not", page_state(TO - PAGE_SIZE), not);
	check_eq("page_above_is_accepted", page_state(TO) & ~COCO_PAGE_2M, accepted);
}

void payload(void)
{
	told();
	loaders_tables();
	if (case_is("unaccepted")) {
		unaccepted();
		return;
	}
	contents();
	if (is_snp())
		ghcb_init();
	if (is_snp() || is_tdx())
		conversion();
	if (is_tdx())
		over_the_hole();
}
