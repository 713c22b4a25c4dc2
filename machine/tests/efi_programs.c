// SPDX-License-Identifier: GPL-2.0
/*
 * A boot loader: what it installs for the kernel that it starts, and how it loads that, starts
 * it, and goes on when it ends.
 * UEFI specification 2.10: 7.3 (protocols), 7.4 (images), 2.3.4 (calling convention);
 * Microsoft, PE Format
 *
 * Run with efi=stub.
 */
#include "lib/efi.h"

#define MANY	1000		/* handles */

static const u64 guid_device_path[] = { 0x11d26d3f09576e91, 0x3b7269c9a000398e };
static const u64 guid_ours[] = { 0x1111, 0x2222 };
static const u64 guid_other[] = { 0x3333, 0x4444 };

static const struct system_table *systab;

static u64 boot(enum boot_service nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	return efi_boot(systab, nr, a, b, c, d, e, f);
}

static u64 interface_of(u64 handle, const u64 *guid)
{
	u64 interface = 0;

	return boot(HANDLE_PROTOCOL, handle, (u64)guid, (u64)&interface, 0, 0, 0) ?: interface;
}

static u64 located(const u64 *guid)
{
	u64 interface = 0;

	return boot(LOCATE_PROTOCOL, (u64)guid, 0, (u64)&interface, 0, 0, 0) ?: interface;
}

/* ---- protocols ---- */

static void one_protocol(void)
{
	u64 handle = 0, again, p = 0;

	check_eq("protocol_is_installed", boot(INSTALL_PROTOCOL, (u64)&handle, (u64)guid_ours, 0, 0x1000, 0, 0),
		 0);
	check("on_a_new_handle", handle != 0);
	check_eq("where_it_is_found", interface_of(handle, guid_ours), 0x1000);
	check_eq("and_opened", boot(OPEN_PROTOCOL, handle, (u64)guid_ours, (u64)&p, 0, 0, 0) ?: p, 0x1000);
	check_eq("and_located", located(guid_ours), 0x1000);
	check_eq("but_not_for_nobody", boot(LOCATE_PROTOCOL, (u64)guid_ours, 0, 0, 0, 0, 0),
		 INVALID_PARAMETER);
	again = handle;
	check_eq("but_installed_once",
		 boot(INSTALL_PROTOCOL, (u64)&again, (u64)guid_ours, 0, 0x2000, 0, 0), INVALID_PARAMETER);
	check_eq("another_is_installed_beside_it",
		 boot(INSTALL_PROTOCOL, (u64)&again, (u64)guid_other, 0, 0x3000, 0, 0), 0);
	check_eq("on_the_same_handle", again, handle);
	again = handle + 999;
	check_eq("none_is_on_what_is_no_handle",
		 boot(INSTALL_PROTOCOL, (u64)&again, (u64)guid_other, 0, 0x3000, 0, 0), INVALID_PARAMETER);
	check_eq("interface_of_another_is_not_uninstalled",
		 boot(UNINSTALL_PROTOCOL, handle, (u64)guid_ours, 0x3000, 0, 0, 0), NOT_FOUND);
	check_eq("its_own_is", boot(UNINSTALL_PROTOCOL, handle, (u64)guid_ours, 0x1000, 0, 0, 0), 0);
	check_eq("and_gone", located(guid_ours), NOT_FOUND);
	check_eq("the_other_stays", interface_of(handle, guid_other), 0x3000);
	boot(UNINSTALL_PROTOCOL, handle, (u64)guid_other, 0x3000, 0, 0, 0);
	check_eq("handle_without_protocol_is_none", interface_of(handle, guid_other), INVALID_PARAMETER);
}

static void several_protocols(void)
{
	u64 handle = 0, second = 0, handles[4], size = sizeof(handles), buffer = 0, count = 0;

	check_eq("two_are_installed_at_once",
		 boot(INSTALL_PROTOCOLS, (u64)&handle, (u64)guid_ours, 0x1000, (u64)guid_other, 0x2000, 0), 0);
	check_eq("the_first", interface_of(handle, guid_ours), 0x1000);
	check_eq("and_the_second", interface_of(handle, guid_other), 0x2000);
	boot(INSTALL_PROTOCOL, (u64)&second, (u64)guid_ours, 0, 0x5000, 0, 0);
	check_eq("if_one_cannot_be_none_is",
		 boot(INSTALL_PROTOCOLS, (u64)&second, (u64)guid_other, 0x6000, (u64)guid_ours, 0x7000, 0),
		 INVALID_PARAMETER);
	check_eq("none", interface_of(second, guid_other), UNSUPPORTED);
	check_eq("all_handles_are_told",
		 boot(LOCATE_HANDLE, BY_PROTOCOL, (u64)guid_ours, 0, (u64)&size, (u64)handles, 0), 0);
	check_eq("how_many", size, 2 * sizeof(handles[0]));
	check("which", handles[0] == handle && handles[1] == second);
	check_eq("in_a_buffer_too",
		 boot(LOCATE_HANDLE_BUFFER, BY_PROTOCOL, (u64)guid_ours, 0, (u64)&count, (u64)&buffer, 0), 0);
	check("the_same", count == 2 && buffer && !memcmp((void *)buffer, handles, size));
	check_eq("which_is_from_the_pool", boot(FREE_POOL, buffer, 0, 0, 0, 0, 0), 0);
	check_eq("if_one_is_not_there_none_is_uninstalled",
		 boot(UNINSTALL_PROTOCOLS, handle, (u64)guid_ours, 0x1000, (u64)guid_other, 0x9999, 0),
		 INVALID_PARAMETER);
	check_eq("they_stay", interface_of(handle, guid_ours), 0x1000);
	check_eq("both_are_uninstalled",
		 boot(UNINSTALL_PROTOCOLS, handle, (u64)guid_ours, 0x1000, (u64)guid_other, 0x2000, 0), 0);
	boot(UNINSTALL_PROTOCOL, second, (u64)guid_ours, 0x5000, 0, 0, 0);
	check_eq("nothing_is_left", located(guid_ours), NOT_FOUND);
}

/* As the stub of an image offers the initramfs */
static void device_path(void)
{
	static const struct vendor_path path = { 4, 3, 20, { 0xaaaa, 0xbbbb }, { 0x7f, 0xff, 4, 0 } };
	struct {
		u8 nodes[20], more[8], end[4];
	} longer = { .more = { 4, 4, 8 }, .end = { 0x7f, 0xff, 4 } };
	u64 handle = 0, found = 0, at = (u64)&path;

	memcpy(longer.nodes, &path, sizeof(longer.nodes));
	boot(INSTALL_PROTOCOLS, (u64)&handle, (u64)guid_device_path, (u64)&path, (u64)guid_ours, 0x1000, 0);
	check_eq("handle_is_found_by_its_path",
		 boot(LOCATE_DEVICE_PATH, (u64)guid_ours, (u64)&at, (u64)&found, 0, 0, 0), 0);
	check_eq("that_one", found, handle);
	check_eq("of_the_path_its_end_is_left", at, (u64)path.end);
	at = (u64)&longer;
	check_eq("by_a_longer_one_too",
		 boot(LOCATE_DEVICE_PATH, (u64)guid_ours, (u64)&at, (u64)&found, 0, 0, 0), 0);
	check_eq("of_which_the_rest_is_left", at, (u64)longer.more);
	at = (u64)&path;
	check_eq("but_not_for_a_protocol_that_it_has_not",
		 boot(LOCATE_DEVICE_PATH, (u64)guid_other, (u64)&at, (u64)&found, 0, 0, 0), NOT_FOUND);
	longer.nodes[4]++;
	at = (u64)&longer;
	check_eq("nor_by_the_path_of_another",
		 boot(LOCATE_DEVICE_PATH, (u64)guid_ours, (u64)&at, (u64)&found, 0, 0, 0), NOT_FOUND);
	longer.more[2] = 3;
	longer.nodes[4]--;
	check_eq("nor_by_what_is_none",
		 boot(LOCATE_DEVICE_PATH, (u64)guid_ours, (u64)&at, (u64)&found, 0, 0, 0), INVALID_PARAMETER);
	boot(UNINSTALL_PROTOCOLS, handle, (u64)guid_device_path, (u64)&path, (u64)guid_ours, 0x1000, 0);
}

/* ---- memory: 7.5.3, 7.5.4; larger than what the machine moves at a time ---- */

#define MOVED	0x1800

static u8 pattern(u32 i)
{
	return i ^ i >> 8;
}

static bool moved_to(const u8 *p)
{
	u32 i;

	for (i = 0; i < MOVED; i++)
		if (p[i] != pattern(i))
			return false;
	return true;
}

static void memory(void)
{
	static u8 buffer[2 * MOVED];
	u8 *middle = buffer + MOVED / 2, *end = buffer + MOVED;
	u32 i;

	for (i = 0; i < MOVED; i++)
		buffer[i] = pattern(i);
	boot(COPY_MEM, (u64)middle, (u64)buffer, MOVED, 0, 0, 0);
	check("memory_is_copied_upwards_over_itself", moved_to(middle));
	check_eq("and_no_more_of_it", middle[MOVED], 0);
	boot(COPY_MEM, (u64)buffer, (u64)middle, MOVED, 0, 0, 0);
	check("and_downwards", moved_to(buffer));
	boot(SET_MEM, (u64)buffer, MOVED, 0x1a5, 0, 0, 0);
	for (i = 0; i < MOVED && buffer[i] == 0xa5; i++)
		;
	check_eq("memory_is_set", i, MOVED);
	check("up_to_its_end", *end != 0xa5);
}

/* ---- images ---- */

#define IMAGE_BASE	0x400000ull	/* where it would like to be */
#define CODE		0x1000
#define RELOCATIONS	0x2000
#define IMAGE_SIZE	0x3000
#define RELOCATED	2		/* offset of the address in the code */

/*
 * A program in a file: its code clobbers what a callee may, and ends as the code says: either
 * it returns an address of its own, which has to be relocated, or it calls Exit().
 */
struct program {
	u8 dos[0x40];
	struct {
		u32 signature;
		u16 machine, sections;
		u32 time, symbols, symbols_count;
		u16 optional_size, characteristics;
	} __packed coff;
	struct {
		u16 magic;
		u8 linker[2];
		u32 sizes[3], entry, code_base;
		u64 base;
		u32 section_alignment, file_alignment;
		u16 versions[6];
		u32 reserved, image_size, headers_size, checksum;
		u16 subsystem, characteristics;
		u64 stack_heap[4];
		u32 flags, directories;
		struct {
			u32 address, size;
		} directory[6];
	} __packed optional;
	struct {
		char name[8];
		u32 size, address, file_size, file_offset, other[3], characteristics;
	} __packed section[2];
	u8 code[64];
	struct {
		u32 page, size;
		u16 entry[4];
	} __packed relocations;
} __packed;

static const u8 returns[] = {
	0x48, 0xb8, 0x20, 0x10, 0x40, 0, 0, 0, 0, 0,	/* movabs $IMAGE_BASE + CODE + 0x20, %rax */
	0xc3,						/* ret */
};

/* Exit(handle, status 7) by way of the system table, with registers that are not kept */
static const u8 exits[] = {
	0x48, 0x8b, 0x42, 0x60,				/* mov 0x60(%rdx), %rax: boot services */
	0x31, 0xdb, 0x31, 0xed, 0x45, 0x31, 0xe4,	/* xor %ebx, %ebx; %ebp; %r12d */
	0xba, 7, 0, 0, 0,				/* mov $7, %edx */
	0x48, 0x83, 0xec, 0x28,				/* sub $40, %rsp */
	0xff, 0x90, 0xd8, 0, 0, 0,			/* call *0xd8(%rax): the 24th behind the header */
};

static struct program program;

static void make_program(const u8 *code, u32 size)
{
	memset(&program, 0, sizeof(program));
	program.dos[0x3c] = sizeof(program.dos);
	program.coff.signature = 0x4550;
	program.coff.machine = 0x8664;
	program.coff.sections = 2;
	program.coff.optional_size = sizeof(program.optional);
	program.optional.magic = 0x20b;
	program.optional.entry = CODE;
	program.optional.base = IMAGE_BASE;
	program.optional.image_size = IMAGE_SIZE;
	program.optional.headers_size = offsetof(struct program, code);
	program.optional.directories = 6;
	program.optional.directory[5].address = RELOCATIONS;
	program.optional.directory[5].size = sizeof(program.relocations);
	program.section[0].size = program.section[0].file_size = sizeof(program.code);
	program.section[0].address = CODE;
	program.section[0].file_offset = offsetof(struct program, code);
	program.section[1].size = program.section[1].file_size = sizeof(program.relocations);
	program.section[1].address = RELOCATIONS;
	program.section[1].file_offset = offsetof(struct program, relocations);
	memcpy(program.code, code, size);
	program.relocations.page = CODE;
	program.relocations.size = sizeof(program.relocations);
	if (code == returns)
		program.relocations.entry[0] = 10 << 12 | RELOCATED;
}

static u64 load(u64 parent, u64 *handle)
{
	return boot(LOAD_IMAGE, 0, parent, 0, (u64)&program, sizeof(program), (u64)handle);
}

/* Registers that StartImage() has to bring back: the program that exits clears them */
static u64 start_and_keep(u64 handle, bool *kept)
{
	register u64 r12 asm("r12") = 0x1212;
	u64 status;

	asm volatile("" : "+r"(r12));
	status = boot(START_IMAGE, handle, 0, 0, 0, 0, 0);
	asm volatile("" : "+r"(r12));
	*kept = r12 == 0x1212;
	return status;
}

static void started(u64 parent)
{
	const struct loaded_image *image;
	u64 handle = 0, base;
	bool kept;

	make_program(returns, sizeof(returns));
	check_eq("program_is_loaded", load(parent, &handle), 0);
	image = (void *)interface_of(handle, guid_loaded_image);
	check_eq("it_has_its_parent", image->parent, parent);
	check_eq("its_system_table", image->system_table, (u64)systab);
	check_eq("its_size", image->size, IMAGE_SIZE);
	check_eq("and_no_options", image->options_size, 0);
	base = image->base;
	check("it_is_not_where_it_would_like_to_be", base != IMAGE_BASE);
	check("its_code_is", !memcmp((void *)(base + CODE), returns, RELOCATED));
	check_eq("it_starts_and_returns_an_address_of_its_own", start_and_keep(handle, &kept), base + CODE + 0x20);
	check("registers_are_kept", kept);
	check_eq("it_is_gone_then", interface_of(handle, guid_loaded_image), INVALID_PARAMETER);
	check_eq("and_is_not_started_again", boot(START_IMAGE, handle, 0, 0, 0, 0, 0), INVALID_PARAMETER);

	make_program(exits, sizeof(exits));
	check_eq("another_is_loaded", load(parent, &handle), 0);
	check_eq("it_exits", start_and_keep(handle, &kept), 7);
	check("registers_are_kept_then", kept);
	check_eq("who_runs_is_not_started", boot(START_IMAGE, parent, 0, 0, 0, 0, 0), INVALID_PARAMETER);

	check_eq("a_third_is_loaded", load(parent, &handle), 0);
	check_eq("and_unloaded", boot(UNLOAD_IMAGE, handle, 0, 0, 0, 0, 0), 0);
	check_eq("so_it_is_not_started", boot(START_IMAGE, handle, 0, 0, 0, 0, 0), INVALID_PARAMETER);
}

static void no_room(u64 parent)
{
	static u64 handles[MANY];
	u64 loaded = 0, status = 0;
	u32 n;

	for (n = 0; n < MANY && !status; n++)
		status = boot(INSTALL_PROTOCOL, (u64)&handles[n], (u64)guid_ours, 0, 0x1000, 0, 0);
	check_eq("protocols_need_room", status, OUT_OF_RESOURCES);
	make_program(returns, sizeof(returns));
	check_eq("program_needs_room_for_its_own", load(parent, &loaded), OUT_OF_RESOURCES);
	check_eq("and_has_no_handle_without", loaded, 0);
	for (n--; n--;)
		boot(UNINSTALL_PROTOCOL, handles[n], (u64)guid_ours, 0x1000, 0, 0, 0);
	check_eq("program_is_loaded_when_there_is", load(parent, &loaded), 0);
	boot(UNLOAD_IMAGE, loaded, 0, 0, 0, 0, 0);
}

static void refused(u64 parent)
{
	u64 handle = 0;

	make_program(returns, sizeof(returns));
	check_eq("parent_that_is_no_image_is_refused", load(parent + 999, &handle), INVALID_PARAMETER);
	check_eq("there_are_no_files",
		 boot(LOAD_IMAGE, 0, parent, (u64)&program, 0, 0, (u64)&handle), NOT_FOUND);
	program.coff.machine = 0xaa64;
	check_eq("program_of_another_machine_is_refused", load(parent, &handle), LOAD_ERROR);
	make_program(returns, sizeof(returns));
	program.section[1].address = IMAGE_SIZE;
	check_eq("section_outside_of_the_image_is_refused", load(parent, &handle), LOAD_ERROR);
	make_program(returns, sizeof(returns));
	program.relocations.entry[1] = 3 << 12;
	check_eq("unknown_relocation_is_refused", load(parent, &handle), LOAD_ERROR);
	make_program(returns, sizeof(returns));
	program.relocations.size = sizeof(program.relocations) + 1;
	check_eq("relocations_without_end_are_refused", load(parent, &handle), LOAD_ERROR);
	make_program(returns, sizeof(returns));
	program.relocations.page = IMAGE_SIZE - 4;
	check_eq("relocation_outside_of_the_image_is_refused", load(parent, &handle), LOAD_ERROR);
	make_program(returns, sizeof(returns));
	program.section[0].file_offset = 1 << 20;
	check_eq("file_that_is_cut_off_is_refused", load(parent, &handle), LOAD_ERROR);
	make_program(returns, sizeof(returns));
	program.relocations.page = RELOCATIONS;
	program.relocations.entry[1] = 10 << 12 | offsetof(typeof(program.relocations), size);
	program.relocations.entry[0] = 0;
	check_eq("block_may_change_its_own_size", load(parent, &handle), 0);
	boot(UNLOAD_IMAGE, handle, 0, 0, 0, 0, 0);
}

void payload(void)
{
	const struct efi_info *info = (void *)(boot_params + PARAM_EFI);
	u64 self = 0, size = sizeof(self);

	systab = (void *)(u64)info->systab;
	boot(LOCATE_HANDLE, BY_PROTOCOL, (u64)guid_loaded_image, 0, (u64)&size, (u64)&self, 0);
	one_protocol();
	several_protocols();
	device_path();
	memory();
	started(self);
	no_room(self);
	refused(self);
}
