// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that starts in firmware of its own: OVMF, or another file that ends
 * with a reset vector.
 *
 * Option of the machine's command line:
 *	flash		the first file is the firmware's, then kernel and initramfs,
 *			which it finds in fw_cfg (fwcfg_guest.c)
 *
 * The file is at the end of the first 4 GiB, as RAM that the guest may write to
 * and that nobody keeps: firmware finds no flash there, and holds its variables
 * in memory.  RAM holds nothing of SeaBIOS, but for its ROM below 1M.
 */
#include "core.h"
#include "flash.h"

#define FLASH_END	0x100000000ull
#define FLASH_MAX	(16ull << 20)
#define LOW_RAM_END	0xa0000

/* The real time clock's RAM, in which QEMU tells how much memory there is (SeaBIOS's layout) */
#define CMOS_INDEX	0x70
#define CMOS_DATA	0x71
#define CMOS_NMI	BIT(7)
#define CMOS_16M	0x34		/* and 0x35: 64K units above 16M */
#define CMOS_4G		0x5b		/* to 0x5d: 64K units above 4G */

static u8 cmos_index;

static bool cmos_port(u16 port)
{
	return port == CMOS_INDEX || port == CMOS_DATA;
}

bool flash_port(u16 port)
{
	return config.flash && (cmos_port(port) || fwcfg_guest_port(port));
}

static u8 cmos_read(void)
{
	u64 units = (config.ram - FLASH_MAX) >> 16, high = config.high >> 16;

	switch (cmos_index) {
	case CMOS_16M:
		return units;
	case CMOS_16M + 1:
		return units >> 8;
	case CMOS_4G ... CMOS_4G + 2:
		return high >> (cmos_index - CMOS_4G) * 8;
	default:
		return inb(CMOS_DATA);
	}
}

u32 flash_pio_read(u16 port, u32 size)
{
	if (port == CMOS_DATA)
		return cmos_read();
	return cmos_port(port) ? inb(port) : fwcfg_guest_read(port, size);
}

void flash_pio_write(u16 port, u32 size, u32 value)
{
	if (!cmos_port(port)) {
		fwcfg_guest_write(port, size, value);
		return;
	}
	if (port == CMOS_INDEX)
		cmos_index = value & ~CMOS_NMI;
	outb(port, value);
}

/* Firmware, the kernel's stub and its decompressor run at low addresses; the kernel does not */
bool flash_code_runs(const struct vcpu *v)
{
	return config.flash && !guest_cpl(v) && !(v->vmcb.save.rip >> 63);
}

void flash_load(struct vcpu *bsp, const u32 *multiboot)
{
	const struct multiboot_module *m = (void *)(u64)multiboot[MULTIBOOT_MODS_ADDR];
	u64 size = m[0].end - m[0].start;

	if (config.vcpus > 1 && config.tech->id != COCO_NONE)
		internal_error("option flash: firmware starts no other vCPU of %s here",
			       config.tech->name);
	if (!size || size % PAGE_SIZE || size > FLASH_MAX)
		internal_error("%lu bytes are no firmware: pages, 16 MiB at most", size);
	if (m[0].start % PAGE_SIZE)
		internal_error("QEMU put the firmware at no page's beginning");
	firmware_map(FLASH_END - size, FLASH_END, (u8 *)(u64)m[0].start);
	fwcfg_guest_setup(multiboot);
	memset(ram_ptr(0, PRIVATE), 0, LOW_RAM_END);	/* QEMU's multiboot information, too */
	flash_table_init((u8 *)(u64)m[0].start, size);
	if (config.tech->launch)
		config.tech->launch(bsp);
	paging_load(bsp);
}
