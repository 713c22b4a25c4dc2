// SPDX-License-Identifier: GPL-2.0
/*
 * What an EFI program finds, as which the machine starts a kernel.
 * UEFI specification 2.10: 4.4 (boot services), 7.2 to 7.5, 9.1 (loaded image), 12.4 (console),
 * 13.2 (load file 2), 37.5 (random numbers)
 *
 * Run with efi=stub, and with the payload as initramfs, too.
 */
#include "lib/efi.h"

#define BOOT_SIGNATURE		0x56524553544f4f42ull
#define MOST			1000	/* ranges */

enum { GET_VARIABLE = 6, GET_NEXT_VARIABLE_NAME };		/* 4.5.1 */
enum { ANY_PAGES, MAX_ADDRESS, AT_ADDRESS, NO_SUCH_WAY };

static const u64 guid_load_file2[] = { 0x403efcb34006c0c1, 0x6de024876c4a6d99 };
static const u64 guid_rng[] = { 0x433deade3152bca5, 0x441f29dc1cc02e86 };
static const u64 guid_nobody[] = { 1, 2 };
static const struct vendor_path initrd_path = {
	4, 3, 20, { 0x4f3d68fc5568e427, 0x68cc315255ca74ac }, { 0x7f, 0xff, 4, 0 }
};

static const struct system_table *systab;
static struct descriptor map[256];
static u64 map_size, map_key, desc_size;

static u64 boot(u32 nr, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	return efi_boot(systab, nr, a, b, c, d, e, 0);
}

static u64 runtime(u32 nr, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	return ((service *)(systab->runtime + sizeof(struct header)))[nr](a, b, c, d, e);
}

/* ---- memory ---- */

static u64 read_map(void)
{
	u32 version;

	map_size = sizeof(map);
	return boot(GET_MEMORY_MAP, (u64)&map_size, (u64)map, (u64)&map_key, (u64)&desc_size, (u64)&version);
}

static u32 type_at(u64 gpa)
{
	return efi_type_of(efi_descriptor_of((u64)map, map_size, desc_size, gpa));
}

static u32 type_now(u64 gpa)
{
	read_map();
	return type_at(gpa);
}

static void memory_map(void)
{
	u64 small = 1, key = 0, step, start = (u64)payload;
	u32 version = 0;

	check_eq("room_too_small_is_refused",
		 boot(GET_MEMORY_MAP, (u64)&small, (u64)map, (u64)&key, (u64)&step, (u64)&version),
		 BUFFER_TOO_SMALL);
	check_eq("memory_map_is_given", read_map(), 0);
	check("and_the_room_is_told", small >= map_size && small < sizeof(map));
	check("descriptors_are_larger_than_their_first_version", desc_size > sizeof(struct descriptor));
	check_eq("program_is_loader_code", type_at(start), LOADER_CODE);
	check_eq("system_table_is_runtime_data", type_at((u64)systab), RUNTIME_DATA);
	check_eq("boot_services_are_boot_data", type_at(systab->boot_services), BOOT_DATA);
	check_eq("firmwares_page_tables_are_too", type_at(0x4000), BOOT_DATA);
}

static void pages(void)
{
	u64 any = 0, low = 0x1ffffff, at, key = map_key;

	check_eq("pages_are_given", boot(ALLOCATE_PAGES, ANY_PAGES, LOADER_DATA, 3, (u64)&any, 0), 0);
	check_eq("of_the_type_asked_for", type_now(any), LOADER_DATA);
	check_eq("all_of_them", type_now(any + 2 * PAGE_SIZE), LOADER_DATA);
	check("and_the_map_has_another_key", map_key != key);
	check_eq("pages_below_a_limit_are_given",
		 boot(ALLOCATE_PAGES, MAX_ADDRESS, LOADER_DATA, 2, (u64)&low, 0), 0);
	check("below_it", low + 2 * PAGE_SIZE <= 0x2000000);
	at = low - 16 * PAGE_SIZE;
	check_eq("pages_at_an_address_are_given",
		 boot(ALLOCATE_PAGES, AT_ADDRESS, LOADER_CODE, 1, (u64)&at, 0), 0);
	check_eq("there", type_now(low - 16 * PAGE_SIZE), LOADER_CODE);
	check_eq("once", boot(ALLOCATE_PAGES, AT_ADDRESS, LOADER_CODE, 1, (u64)&at, 0), NOT_FOUND);
	check_eq("page_before_it_stays_free", type_now(at - 1), CONVENTIONAL);
	at = 1ull << 40;
	check_eq("no_pages_where_no_ram_is",
		 boot(ALLOCATE_PAGES, AT_ADDRESS, LOADER_CODE, 1, (u64)&at, 0), NOT_FOUND);
	check_eq("no_more_pages_than_there_are",
		 boot(ALLOCATE_PAGES, ANY_PAGES, LOADER_DATA, 1ull << 52, (u64)&at, 0), OUT_OF_RESOURCES);
	check_eq("none_in_another_way", boot(ALLOCATE_PAGES, NO_SUCH_WAY, LOADER_DATA, 1, (u64)&at, 0),
		 INVALID_PARAMETER);
	check_eq("pages_are_taken_back", boot(FREE_PAGES, any, 3, 0, 0, 0), 0);
	check_eq("and_free_again", type_now(any), CONVENTIONAL);
	check_eq("but_once", boot(FREE_PAGES, any, 3, 0, 0, 0), NOT_FOUND);
}

static u64 give(u32 type, u64 *at)
{
	return boot(ALLOCATE_PAGES, ANY_PAGES, type, 1, (u64)at, 0);
}

/* UEFI 2.10, 7.2.1, 7.2.2, 7.2.4 */
static void wrong_pages(void)
{
	u64 at = 0, zero = 0, runtime_code = ((u64 *)(systab->runtime + sizeof(struct header)))[0];

	check_eq("free_memory_is_no_type_to_ask_for", give(CONVENTIONAL, &at), INVALID_PARAMETER);
	check_eq("nor_is_persistent_memory", give(PERSISTENT, &at), INVALID_PARAMETER);
	check_eq("nor_unaccepted", give(UNACCEPTED, &at), INVALID_PARAMETER);
	check_eq("nor_one_that_nobody_defined", give(OEM_TYPE - 1, &at), INVALID_PARAMETER);
	check_eq("nor_for_a_pool", boot(ALLOCATE_POOL, CONVENTIONAL, 8, (u64)&at, 0, 0), INVALID_PARAMETER);
	check_eq("type_of_a_platform_is", give(OEM_TYPE, &at), 0);
	check_eq("its_pages_are_taken_back", boot(FREE_PAGES, at, 1, 0, 0, 0), 0);
	check_eq("pages_for_nobody_are_refused", give(LOADER_DATA, NULL), INVALID_PARAMETER);
	check_eq("and_a_pool", boot(ALLOCATE_POOL, LOADER_DATA, 8, 0, 0, 0), INVALID_PARAMETER);
	check_eq("page_0_is_given", boot(ALLOCATE_PAGES, AT_ADDRESS, LOADER_DATA, 1, (u64)&zero, 0), 0);
	check_eq("and_taken_back", boot(FREE_PAGES, 0, 1, 0, 0, 0), 0);
	check_eq("pages_start_on_a_page", boot(FREE_PAGES, at + 8, 1, 0, 0, 0), INVALID_PARAMETER);
	check_eq("none_are_not_taken_back", boot(FREE_PAGES, at, 0, 0, 0, 0), INVALID_PARAMETER);
	check_eq("nor_more_than_there_are", boot(FREE_PAGES, at, 1ull << 52, 0, 0, 0), INVALID_PARAMETER);
	check_eq("nor_the_code_of_the_firmware",
		 boot(FREE_PAGES, runtime_code & PAGE_MASK, 1, 0, 0, 0), NOT_FOUND);
}

/* Two types in turn, so that each page is a range of the map */
static void map_is_full(void)
{
	static u64 at[MOST];
	u64 status = 0;
	u32 n;

	for (n = 0; n < MOST && !status; n++)
		status = give(n & 1 ? LOADER_DATA : LOADER_CODE, &at[n]);
	check_eq("no_pages_when_the_map_is_full", status, OUT_OF_RESOURCES);
	for (n--; n--;)
		status = boot(FREE_PAGES, at[n], 1, 0, 0, 0);
	check_eq("pages_are_given_again_then", give(LOADER_DATA, &at[0]), 0);
	boot(FREE_PAGES, at[0], 1, 0, 0, 0);
}

static void pool(void)
{
	u64 p = 0, q = 0;

	check_eq("pool_is_given", boot(ALLOCATE_POOL, ACPI_RECLAIM, 5000, (u64)&p, 0, 0), 0);
	check_eq("of_its_type", type_now(p + 4999), ACPI_RECLAIM);
	check_eq("on_8_bytes", p % 8, 0);
	check_eq("no_pool_larger_than_ram", boot(ALLOCATE_POOL, LOADER_DATA, 1ull << 40, (u64)&q, 0, 0),
		 OUT_OF_RESOURCES);
	memset((void *)p, 0x5a, 5000);
	check_eq("pool_is_taken_back", boot(FREE_POOL, p, 0, 0, 0, 0), 0);
	check_eq("pool_is_free_again", type_now(p + 4999), CONVENTIONAL);
	check_eq("what_is_no_pool_is_not", boot(FREE_POOL, p + 8, 0, 0, 0, 0), INVALID_PARAMETER);
}

/* ---- protocols ---- */

static void image(u64 handle)
{
	const struct loaded_image *image = NULL;

	check_eq("image_has_its_protocol",
		 boot(HANDLE_PROTOCOL, handle, (u64)guid_loaded_image, (u64)&image, 0, 0), 0);
	check_eq("its_system_table_is_the_one", image->system_table, (u64)systab);
	check("it_is_where_the_program_is", (u64)payload >= image->base &&
					    (u64)payload < image->base + image->size);
	/* The payload has no command line: the end of the string is left */
	check_eq("its_options_are_a_string", image->options_size, 2);
	check_eq("which_ends", *(u16 *)image->options, 0);
	check_eq("it_has_no_other", boot(HANDLE_PROTOCOL, handle, (u64)guid_rng, (u64)&image, 0, 0), UNSUPPORTED);
	check_eq("what_is_no_handle_has_none",
		 boot(HANDLE_PROTOCOL, handle + 999, (u64)guid_loaded_image, (u64)&image, 0, 0),
		 INVALID_PARAMETER);
}

static void random_numbers(void)
{
	u64 *rng = NULL, a[2] = { 0 }, b = 0;

	check_eq("random_numbers_have_a_protocol", boot(LOCATE_PROTOCOL, (u64)guid_rng, 0, (u64)&rng, 0, 0), 0);
	check_eq("it_gives_them", ((service)rng[1])((u64)rng, 0, 12, (u64)a, 0), 0);
	check("as_many_as_asked_for", a[0] && a[1] && !(a[1] >> 32));
	((service)rng[1])((u64)rng, 0, 8, (u64)&b, 0);
	check("others_each_time", a[0] != b);
	check_eq("by_no_algorithm_of_a_name", ((service)rng[1])((u64)rng, (u64)guid_nobody, 8, (u64)&b, 0),
		 UNSUPPORTED);
}

static void no_protocol(void)
{
	u64 p = 1, size = 8;

	check_eq("unknown_protocol_is_not_found", boot(LOCATE_PROTOCOL, (u64)guid_nobody, 0, (u64)&p, 0, 0),
		 NOT_FOUND);
	check_eq("and_leaves_null", p, 0);
	check_eq("no_handle_has_it",
		 boot(LOCATE_HANDLE, BY_PROTOCOL, (u64)guid_nobody, 0, (u64)&size, (u64)&p), NOT_FOUND);
	check_eq("nor_a_buffer_of_them",
		 boot(LOCATE_HANDLE_BUFFER, BY_PROTOCOL, (u64)guid_nobody, 0, (u64)&size, (u64)&p), NOT_FOUND);
	size = 4;
	check_eq("handles_need_room",
		 boot(LOCATE_HANDLE, BY_PROTOCOL, (u64)guid_rng, 0, (u64)&size, (u64)&p), BUFFER_TOO_SMALL);
	check_eq("which_is_told", size, 8);
	check_eq("handles_of_a_protocol_are_given",
		 boot(LOCATE_HANDLE, BY_PROTOCOL, (u64)guid_rng, 0, (u64)&size, (u64)&p), 0);
}

static u8 file[1 << 20], same[4096];

static void initramfs(void)
{
	struct vendor_path other = initrd_path;
	const void *path = &initrd_path;
	u64 *protocol = NULL, handle = 0, size = 16, whole;

	check_eq("initramfs_has_a_handle",
		 boot(LOCATE_DEVICE_PATH, (u64)guid_load_file2, (u64)&path, (u64)&handle, 0, 0), 0);
	check_eq("rest_of_its_path_is_the_end", (u64)path, (u64)&initrd_path.end);
	check_eq("handle_has_the_protocol",
		 boot(HANDLE_PROTOCOL, handle, (u64)guid_load_file2, (u64)&protocol, 0, 0), 0);
	check_eq("file_needs_room", ((service)protocol[0])((u64)protocol, (u64)path, 0, (u64)&size, (u64)file),
		 BUFFER_TOO_SMALL);
	whole = size;
	check("whose_size_is_told", whole > 16 && whole <= sizeof(file));
	check_eq("file_is_not_for_booting", ((service)protocol[0])((u64)protocol, (u64)path, 1, (u64)&size,
								  (u64)file), UNSUPPORTED);
	memset(file, 0xee, sizeof(file));
	check_eq("file_is_loaded", ((service)protocol[0])((u64)protocol, (u64)path, 0, (u64)&size, (u64)file), 0);
	machine_call(COCO_CALL_INITRAMFS, (u64)same, sizeof(same), 0);
	check("from_its_first_byte", !memcmp(file, same, sizeof(same)));
	machine_call(COCO_CALL_INITRAMFS, (u64)same, 16, whole - 16);
	check("to_its_last", !memcmp(file + whole - 16, same, 16));
	other.guid[0]++;
	path = &other;
	check_eq("other_paths_lead_nowhere",
		 boot(LOCATE_DEVICE_PATH, (u64)guid_load_file2, (u64)&path, (u64)&handle, 0, 0), NOT_FOUND);
}

static void no_initramfs(void)
{
	const void *path = &initrd_path;
	u64 handle;

	check_eq("without_initramfs_its_path_leads_nowhere",
		 boot(LOCATE_DEVICE_PATH, (u64)guid_load_file2, (u64)&path, (u64)&handle, 0, 0), NOT_FOUND);
}

static void tables(void)
{
	u64 before = systab->count, guid[2] = { 0 }, status = 0;

	check_eq("table_is_installed", boot(INSTALL_TABLE, (u64)guid_nobody, 0x1234, 0, 0, 0), 0);
	check_eq("and_found", efi_table(systab, guid_nobody), 0x1234);
	check_eq("another_takes_its_place", boot(INSTALL_TABLE, (u64)guid_nobody, 0x5678, 0, 0, 0), 0);
	check_eq("which_is_found", efi_table(systab, guid_nobody), 0x5678);
	check_eq("there_is_one_more", systab->count, before + 1);
	check_eq("crc_is_that_of_now", systab->header.crc32, crc_of(&systab->header));
	check_eq("table_is_removed", boot(INSTALL_TABLE, (u64)guid_nobody, 0, 0, 0, 0), 0);
	check_eq("and_gone", efi_table(systab, guid_nobody), 0);
	check_eq("others_are_left", systab->count, before);
	check_eq("what_is_not_there_is_not_removed", boot(INSTALL_TABLE, (u64)guid_nobody, 0, 0, 0, 0),
		 NOT_FOUND);
	for (guid[0] = 1; guid[0] < MOST && !status; guid[0]++)
		status = boot(INSTALL_TABLE, (u64)guid, 0x1234, 0, 0, 0);
	check_eq("no_more_tables_than_there_is_room_for", status, OUT_OF_RESOURCES);
	for (guid[0] -= 2; guid[0]; guid[0]--)
		boot(INSTALL_TABLE, (u64)guid, 0, 0, 0, 0);
	check_eq("which_are_removed_again", systab->count, before);
}

static void console(void)
{
	static const char line[] = "a line of the console\r\n";
	u16 wide[sizeof(line)];
	u64 *output = (u64 *)systab->consoles[3], i;

	for (i = 0; i < sizeof(line); i++)
		wide[i] = line[i];
	check_eq("console_takes_a_line", ((service)output[1])((u64)output, (u64)wide, 0, 0, 0), 0);
}

/* ---- runtime services ---- */

/* In the payload all RAM is private: the GHCB is not where its MSR says */
static void variables(void)
{
	u64 size = 2, rax;

	check_eq("there_is_no_variable", runtime(GET_VARIABLE, (u64)L"x", (u64)guid_nobody, 0, (u64)&size, 0),
		 NOT_FOUND);
	check_eq("and_no_first_one", runtime(GET_NEXT_VARIABLE_NAME, (u64)&size, (u64)L"", (u64)guid_nobody, 0, 0),
		 NOT_FOUND);
	if (!is_es())
		return;
	ghcb_init();
	wrmsr(GHCB_MSR, ghcb_gpa);
	check_eq("there_is_none_with_a_ghcb", runtime(GET_VARIABLE, (u64)L"x", (u64)guid_nobody, 0, (u64)&size, 0),
		 NOT_FOUND);
	map_arena(GHCB_PAGE, PRIVATE_PAGE);
	/* Its machine call alone, behind a MOV to RAX: an exception leaves no address on the stack */
	memcpy(&rax, ((void **)(systab->runtime + sizeof(struct header)))[GET_VARIABLE] + 2, sizeof(rax));
	TRY("vmmcall", : "+a"(rax) : : "memory");
	check_eq("ghcb_that_is_not_mapped_shared_faults", trap.vector, PF);
	check_eq("where_it_should_be", trap.cr2, ghcb_gpa);
}

/* ---- the end of boot services ---- */

static void end_boot_services(u64 handle)
{
	read_map();
	check_eq("old_key_does_not_end_boot_services", boot(EXIT_BOOT_SERVICES, handle, map_key - 1, 0, 0, 0),
		 INVALID_PARAMETER);
	check_eq("key_of_the_map_does", boot(EXIT_BOOT_SERVICES, handle, map_key, 0, 0, 0), 0);
	check_eq("system_table_has_none_then", systab->boot_services, 0);
	check_eq("and_no_console", systab->consoles[3], 0);
	check_eq("its_crc_is_that_of_now", systab->header.crc32, crc_of(&systab->header));
}

void payload(void)
{
	const struct efi_info *info = (void *)(boot_params + PARAM_EFI);
	const struct header *services;
	u64 handle = 0, size = sizeof(handle), at;

	systab = (void *)(u64)info->systab;
	services = (void *)systab->boot_services;
	at = systab->boot_services;
	check_eq("boot_services_are_signed", services->signature, BOOT_SIGNATURE);
	check_eq("boot_services_have_their_crc", services->crc32, crc_of(services));
	check_eq("handle_of_the_image_is_found",
		 boot(LOCATE_HANDLE, BY_PROTOCOL, (u64)guid_loaded_image, 0, (u64)&size, (u64)&handle), 0);
	if (case_is("other"))
		boot(STALL, 1, 0, 0, 0, 0);
	if (case_is("ends"))
		boot(EXIT, handle, UNSUPPORTED, 0, 0, 0);
	if (case_is("no_initramfs")) {
		no_initramfs();
		return;
	}
	memory_map();
	if (case_is("late") || case_is("late_exit")) {
		service *services = (service *)(at + sizeof(struct header));
		bool exit = case_is("late_exit");

		boot(EXIT_BOOT_SERVICES, handle, map_key, 0, 0, 0);
		services[exit ? EXIT : ALLOCATE_PAGES](handle, 0, 0, 0, 0);
	}
	pages();
	wrong_pages();
	map_is_full();
	pool();
	image(handle);
	random_numbers();
	no_protocol();
	initramfs();
	tables();
	console();
	variables();
	end_boot_services(handle);
}
