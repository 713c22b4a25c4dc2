// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that started at the reset vector of its own firmware (lib/firmware.S),
 * which has read this payload from fw_cfg: that it runs at all says that real mode,
 * the way to long mode and INS work.
 *
 * QEMU, docs/specs/fw_cfg: 510h selector, 511h data, 514h DMA address (big endian)
 */
#include "lib/payload.h"

#define FLASH_LAST_PAGE	0xfffff000ull
#define RESET_VECTOR	0xfffffff0ull
#define JMP_NEAR	0xe9
#define PAYLOAD		0x100000ull
#define EBDA		0x9fc00ull
#define UNUSED		(FLASH_LAST_PAGE + 0x800)
#define NO_RAM		0x30000000ull

enum {
	SIGNATURE, KERNEL_SIZE = 0x08, INITRD_SIZE = 0x0b, KERNEL_DATA = 0x11, INITRD_DATA = 0x12,
	CMDLINE_SIZE = 0x14, CMDLINE_DATA = 0x15, SETUP_SIZE = 0x17, FILE_DIR = 0x19,
};
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };

struct file {
	u32 size;
	u16 select, reserved;
	char name[56];
} __attribute__((packed));

static const char words[] = "words for the kernel";	/* harness.py */

static void select(u16 item)
{
	outw(0x510, item);
}

static void get(void *buf, u32 n)
{
	u8 *p = buf;

	while (n--)
		*p++ = inb(0x511);
}

static u64 item(u16 number, u32 size)
{
	u64 value = 0;

	select(number);
	get(&value, size);
	return value;
}

static u8 cmos(u8 index)
{
	outb(0x70, index);
	return inb(0x71);
}

/* Bytes from 4 GiB on: case "high" */
static u64 ram_above(void)
{
	if (case_is("high"))
		return 64ull << 20;
	return 0;
}

static void memory(void)
{
	u64 first = 1, below, above;
	u8 *byte = (u8 *)UNUSED;

	memcpy(&first, (void *)EBDA, sizeof(first));
	check_eq("nothing_of_another_bios_is_in_low_memory", first, 0);
	check("flash_ends_with_the_reset_vector", *(u8 *)RESET_VECTOR == JMP_NEAR);
	*byte = 0x5a;
	check_eq("flash_is_plain_memory", *byte, 0x5a);
	below = cmos(0x34) | cmos(0x35) << 8;
	check_eq("cmos_tells_the_memory_above_16_mib", below << 16, 48ull << 20);
	above = cmos(0x5b) | cmos(0x5c) << 8 | cmos(0x5d) << 16;
	check_eq("cmos_tells_what_is_above_4_gib", above << 16, ram_above());
}

static void items(void)
{
	static u8 start[64];
	char text[sizeof(words) + 4];
	u32 size = item(KERNEL_SIZE, 4);

	check_eq("signature_is_the_device_s", item(SIGNATURE, 4), 0x554d4551);
	check("kernel_has_a_size", size > 0x1000 && size < 0x100000);
	select(KERNEL_DATA);
	get(start, sizeof(start));
	check("kernel_is_the_second_file", !memcmp(start, (void *)PAYLOAD, sizeof(start)));
	check_eq("it_is_in_one_piece", item(SETUP_SIZE, 4), 0);
	check_eq("initramfs_is_the_third_file", item(INITRD_SIZE, 4), size);
	select(INITRD_DATA);
	get(start, sizeof(start));
	check("with_its_contents", !memcmp(start, (void *)PAYLOAD, sizeof(start)));
	check_eq("words_have_a_size", item(CMDLINE_SIZE, 4), sizeof(words));
	memset(text, 0xff, sizeof(text));
	select(CMDLINE_DATA);
	get(text, sizeof(text));
	check("words_are_the_kernel_s", !memcmp(text, words, sizeof(words)));
	check_eq("zeros_are_behind_an_item", text[sizeof(words)] | text[sizeof(words) + 3], 0);
}

static bool find(const char *name, struct file *file)
{
	u32 n;

	select(FILE_DIR);
	get(&n, sizeof(n));
	for (n = __builtin_bswap32(n); n; n--) {
		get(file, sizeof(*file));
		if (!memcmp(file->name, name, strlen(name) + 1))
			return true;
	}
	return false;
}

static void memory_map(void)
{
	struct {
		u64 base, length;
		u32 type;
	} __attribute__((packed)) entry;
	struct file file = { 0 };
	u64 ram = 0;
	u32 n;

	check("there_is_a_memory_map", find("etc/e820", &file));
	select(__builtin_bswap16(file.select));
	for (n = __builtin_bswap32(file.size) / sizeof(entry); n; n--) {
		get(&entry, sizeof(entry));
		if (entry.type == 1)
			ram += entry.base < 1ull << 32 ? entry.length : entry.length << 8;
	}
	check_eq("it_has_the_guest_s_memory", ram, (64ull << 20) + (ram_above() << 8));
}

static u32 dma(u32 control, u32 length, u64 address)
{
	static volatile struct {
		u32 control, length;
		u64 address;
	} __attribute__((packed)) access;
	u64 at = (u64)&access;

	access.control = __builtin_bswap32(control);
	access.length = __builtin_bswap32(length);
	access.address = __builtin_bswap64(address);
	outl(0x514, __builtin_bswap32(at >> 32));
	outl(0x518, __builtin_bswap32(at));
	return __builtin_bswap32(access.control);
}

static void transfers(void)
{
	u8 *page = arena(0) + PAGE_SIZE - 3;		/* over a page's end */

	check_eq("dma_has_a_signature", __builtin_bswap32(inl(0x514)), 0x51454d55);
	check_eq("of_two_words", __builtin_bswap32(inl(0x518)), 0x20434647);
	memset(page, 0, 16);
	check_eq("dma_reads", dma(CMDLINE_DATA << 16 | DMA_SELECT | DMA_READ, 5, (u64)page), 0);
	check("to_where_it_was_told", !memcmp(page, words, 5) && !page[5]);
	check_eq("dma_skips", dma(DMA_SKIP, 5, 0), 0);
	check_eq("and_reads_on", dma(DMA_READ, 3, (u64)page), 0);
	check("from_there", !memcmp(page, words + 10, 3));
	check_eq("port_reads_on_behind_dma", inb(0x511), words[13]);
	memset(page, 0xee, 16);
	check_eq("dma_skips_what_is_not_there", dma(FILE_DIR << 16 | DMA_SELECT | DMA_SKIP, ~0u, 0), 0);
	dma(DMA_READ, sizeof(u64), (u64)page);
	check_eq("zeros_are_behind_it", *(u64 *)page, 0);
	check_eq("nothing_can_be_written", dma(DMA_WRITE, 1, (u64)page), DMA_ERROR);
	check_eq("nothing_is_read_to_no_memory", dma(DMA_READ, 1, NO_RAM), DMA_ERROR);
}

void payload(void)
{
	memory();
	items();
	memory_map();
	transfers();
}
