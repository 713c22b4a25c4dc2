// SPDX-License-Identifier: GPL-2.0
/*
 * fw_cfg (docs/specs/fw_cfg) as the firmware of a guest sees it: QEMU's items,
 * but the kernel that is to be started is this guest's and not the machine, and
 * RAM ends where the guest's does.  DMA goes to shared pages, as a device's does.
 */
#include "control.h"
#include "core.h"

#define SELECTOR	0x510
#define DATA		0x511
#define DMA_HIGH	0x514
#define DMA_LOW		0x518
#define PORTS_END	0x51c

/* Items (QEMU, include/standard-headers/linux/qemu_fw_cfg.h) */
enum {
	KERNEL_ADDR = 0x07, KERNEL_SIZE = 0x08, INITRD_ADDR = 0x0a, INITRD_SIZE = 0x0b, KERNEL_ENTRY = 0x10,
	KERNEL_DATA = 0x11, INITRD_DATA = 0x12, CMDLINE_ADDR = 0x13, CMDLINE_SIZE = 0x14, CMDLINE_DATA = 0x15,
	SETUP_ADDR = 0x16, SETUP_SIZE = 0x17, SETUP_DATA = 0x18,
};

#define DMA_SIGNATURE	0x51454d5520434647ull		/* "QEMU CFG", big endian */
#define DMA_ERROR	BIT(0)
#define DMA_READ	BIT(1)
#define DMA_SKIP	BIT(2)
#define DMA_SELECT	BIT(3)

/* Big endian */
struct dma {
	u32 control, length;
	u64 address;
} __packed;


static struct item {
	u16 key;
	const void *data;	/* NULL: empty */
	u64 size;
} items[16];
static u32 nitems;

static struct {
	u16 key;
	u64 offset;
	u64 dma;
} guest;

static void item_add(u16 key, const void *data, u64 size)
{
	if (nitems == ARRAY_SIZE(items))
		internal_error("fw_cfg: too many items");
	items[nitems++] = (struct item) { key, data, size };
}

static const struct item *item_find(u16 key)
{
	u32 i;

	for (i = 0; i < nitems; i++)
		if (items[i].key == key)
			return &items[i];
	return NULL;
}

/* QEMU's device is read byte by byte, up to where a guest skips to: it has no item as large */
#define LARGEST_OF_QEMU	0x1000000ull

/* Behind an item's end are zeros */
static void item_read(void *buf, size_t size)
{
	const struct item *item = item_find(guest.key);
	u64 n = 0;

	if (!item && guest.offset < LARGEST_OF_QEMU) {
		fwcfg_item(guest.key, guest.offset, buf, size);
	} else if (!item) {
		memset(buf, 0, size);
	} else {
		if (guest.offset < item->size)
			n = min(size, item->size - guest.offset);
		memcpy(buf, (const u8 *)item->data + guest.offset, n);
		memset((u8 *)buf + n, 0, size - n);
	}
	guest.offset += size;
}

/* QEMU's RAM holds the machine and both views of the guest's */
static void own_memory_map(void)
{
	static struct e820_entry map[16];
	struct fwcfg_file file;
	u32 size, i;

	if (!fwcfg_find("etc/e820", &file))
		return;
	size = __builtin_bswap32(file.size);
	if (size > sizeof(map))
		internal_error("fw_cfg: etc/e820 has %u bytes", size);
	fwcfg_item(__builtin_bswap16(file.select), 0, map, size);
	for (i = 0; i < size / sizeof(*map); i++)
		if (map[i].type == E820_RAM)
			map[i].length = map[i].base ? config.high : config.ram;
	item_add(__builtin_bswap16(file.select), map, size);
}

/* As QEMU's -kernel, -initrd and -append do; a file in one piece, its setup part is empty */
static void own_kernel(const u32 *multiboot)
{
	static const u16 none[] = { KERNEL_ADDR, KERNEL_ENTRY, INITRD_ADDR, CMDLINE_ADDR, SETUP_ADDR, SETUP_DATA };
	static u32 kernel, initrd, cmdline, setup;
	const struct multiboot_module *m = (void *)(u64)multiboot[MULTIBOOT_MODS_ADDR];
	u32 modules = multiboot[MULTIBOOT_MODS_COUNT], i;
	const char *words = modules > 1 ? module_words(&m[1]) : "";

	kernel = modules > 1 ? m[1].end - m[1].start : 0;
	initrd = modules > 2 ? m[2].end - m[2].start : 0;
	cmdline = strlen(words) + 1;
	item_add(KERNEL_SIZE, &kernel, sizeof(kernel));
	item_add(KERNEL_DATA, (void *)(u64)m[1].start, kernel);
	item_add(INITRD_SIZE, &initrd, sizeof(initrd));
	item_add(INITRD_DATA, (void *)(u64)m[2].start, initrd);
	item_add(CMDLINE_SIZE, &cmdline, sizeof(cmdline));
	item_add(CMDLINE_DATA, words, cmdline);
	item_add(SETUP_SIZE, &setup, sizeof(setup));
	for (i = 0; i < ARRAY_SIZE(none); i++)
		item_add(none[i], NULL, 0);
}

void fwcfg_guest_setup(const u32 *multiboot)
{
	own_kernel(multiboot);
	own_memory_map();
}

/* ---- DMA ---- */

static bool dma_copy(u64 gpa, u64 size)
{
	u8 part[512];		/* of a page */
	u64 n;

	for (; size; size -= n, gpa += n) {
		n = min(size, sizeof(part) - gpa % sizeof(part));
		item_read(part, n);
		if (host_write(gpa, part, n))
			return false;
	}
	return true;
}

static bool dma_do(u32 control, u32 length, u64 address)
{
	if (control & DMA_SELECT) {
		guest.key = control >> 16;
		guest.offset = 0;
	}
	trace("fw_cfg DMA control 0x%x length 0x%x item 0x%x", control, length, guest.key);
	if (control & DMA_READ)
		return dma_copy(address, length);
	if (control & DMA_SKIP)
		guest.offset += length;
	return !(control & ~(0xffff0000u | DMA_SELECT | DMA_SKIP));	/* no item can be written */
}

static void dma_start(u64 gpa)
{
	struct dma dma;
	bool done;

	if (host_read(gpa, &dma, sizeof(dma)))
		return;
	done = dma_do(__builtin_bswap32(dma.control), __builtin_bswap32(dma.length),
		      __builtin_bswap64(dma.address));
	dma.control = done ? 0 : __builtin_bswap32(DMA_ERROR);
	host_write(gpa, &dma.control, sizeof(dma.control));
}

/* ---- ports ---- */

bool fwcfg_guest_port(u16 port)
{
	return port >= SELECTOR && port < PORTS_END;
}

u32 fwcfg_guest_read(u16 port, u32 size)
{
	u8 byte = 0;

	if (port == DMA_HIGH && size == 4)
		return __builtin_bswap32(DMA_SIGNATURE >> 32);
	if (port == DMA_LOW && size == 4)
		return __builtin_bswap32((u32)DMA_SIGNATURE);
	if (port == DATA)
		item_read(&byte, sizeof(byte));
	return byte;
}

void fwcfg_guest_write(u16 port, u32 size, u32 value)
{
	trace("fw_cfg port 0x%x value 0x%x", port, value);
	if (port == SELECTOR && size == 2) {
		guest.key = value;
		guest.offset = 0;
	} else if (port == DMA_HIGH && size == 4) {
		guest.dma = (u64)__builtin_bswap32(value) << 32;
	} else if (port == DMA_LOW && size == 4) {
		dma_start(guest.dma | __builtin_bswap32(value));
		guest.dma = 0;
	}
}
