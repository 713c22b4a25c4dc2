// SPDX-License-Identifier: GPL-2.0
/*
 * Port and memory-mapped I/O on behalf of the guest: QEMU's devices, except
 * the machine's own ports, which guests do not see, and the ways to power off
 * or reset, which end the run with a line that says so.
 */
#include "apic.h"
#include "core.h"

#define KBD_COMMAND	0x64
#define KBD_RESET	0xfe
#define PVPANIC		0x505
#define PM1A_CNT	0x604	/* where SeaBIOS has it */
#define PM1A_CNT_OVMF	0xb004	/* and OVMF's own reset (edk2, PIIX4_PMBA_VALUE) writes it */
#define PM1_SLP_EN	BIT(13)
#define RESET_CONTROL	0xcf9
#define PIC_MASK_1	0x21
#define PIC_MASK_2	0xa1
#define RESET_CPU	BIT(2)
#define TPM_BASE	0xfed40000	/* TCG PC Client Platform TPM Profile, 6.3: five localities */
#define TPM_END		0xfed45000
#define ALL_PORTS	0x10000

static const u16 hidden[] = { STREAM_PORT, LOG_PORT, PVPANIC };
static const u16 watched[] = {
	KBD_COMMAND, PM1A_CNT, PM1A_CNT + 1, PM1A_CNT_OVMF, PM1A_CNT_OVMF + 1, RESET_CONTROL,
};

void io_setup(void)
{
	u32 i;

	/* SeaBIOS leaves its timer running, at a vector that means #DF to others */
	outb(PIC_MASK_1, 0xff);
	outb(PIC_MASK_2, 0xff);
	if (!direct_devices())
		return;
	for (i = 0; i < ALL_PORTS; i++)
		io_permit(i, !flash_port(i));
	for (i = 0; i < ARRAY_SIZE(hidden); i++)
		io_permit(hidden[i], false);
	for (i = 0; i < ARRAY_SIZE(watched); i++)
		io_permit(watched[i], false);
}

static bool is_hidden(u16 port, u32 size)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(hidden); i++)
		if (hidden[i] >= port && hidden[i] < port + size)
			return true;
	return false;
}

u32 pio_read(struct vcpu *v, u16 port, u32 size)
{
	(void)v;
	if (is_hidden(port, size))
		return size == 4 ? ~0u : BIT(8 * size) - 1;
	if (flash_port(port))
		return flash_pio_read(port, size);
	switch (size) {
	case 1:
		return inb(port);
	case 2:
		return inw(port);
	default:
		return inl(port);
	}
}

/* Whatever sleep type bits 12:10 ask for: a guest here is never woken (PIIX4 in QEMU: 0 is S5) */
static void watch_write(struct vcpu *v, u16 port, u32 value)
{
	u16 pm1a = config.flash && port >= PM1A_CNT_OVMF ? PM1A_CNT_OVMF : PM1A_CNT;

	if ((port == pm1a && value & PM1_SLP_EN) || (port == pm1a + 1 && value & (PM1_SLP_EN >> 8)))
		end_run(v, COCO_END_POWEROFF, value, "ACPI sleep request");
	if (port == RESET_CONTROL && value & RESET_CPU)
		end_run(v, COCO_END_RESET, value, "reset control register");
	if (port == KBD_COMMAND && (value & 0xff) == KBD_RESET)
		end_run(v, COCO_END_RESET, value, "keyboard controller");
}

void pio_write(struct vcpu *v, u16 port, u32 size, u32 value)
{
	if (is_hidden(port, size))
		return;
	watch_write(v, port, value);
	if (flash_port(port)) {
		flash_pio_write(port, size, value);
		return;
	}
	switch (size) {
	case 1:
		outb(port, value);
		break;
	case 2:
		outw(port, value);
		break;
	default:
		outl(port, value);
	}
}

/*
 * Between guest RAM and the PCI hole lies the machine itself, and SeaBIOS maps
 * no device above 4G as long as they fit below: nothing, for a guest.  Neither is a
 * TPM, and all ones say so: QEMU answers zeros, which firmware waits on.  No device
 * has registers over the end of a page.
 */
static void *mmio_ptr(u64 gpa, u32 size)
{
	u8 *firmware = firmware_ptr(gpa);

	if ((gpa & ~PAGE_MASK) + size > PAGE_SIZE)
		return NULL;
	if (firmware)
		return firmware;
	if (is_ram(gpa) || (gpa >= config.ram && gpa < PRIVATE_BASE + config.ram) || gpa >> 32)
		return NULL;
	if (gpa >= TPM_BASE && gpa < TPM_END)
		return NULL;
	return (void *)gpa;
}

u64 mmio_read(struct vcpu *v, u64 gpa, u32 size)
{
	void *p = mmio_ptr(gpa, size);

	if (apic_page(gpa))
		return apic_read(v, gpa);
	if (!p)
		return ~0ull;
	switch (size) {
	case 1:
		return *(volatile u8 *)p;
	case 2:
		return *(volatile u16 *)p;
	case 4:
		return *(volatile u32 *)p;
	default:
		return *(volatile u64 *)p;
	}
}

void mmio_write(struct vcpu *v, u64 gpa, u32 size, u64 value)
{
	void *p = mmio_ptr(gpa, size);

	if (apic_page(gpa)) {
		apic_write(v, gpa, value);
		return;
	}
	if (!p)
		return;
	switch (size) {
	case 1:
		*(volatile u8 *)p = value;
		break;
	case 2:
		*(volatile u16 *)p = value;
		break;
	case 4:
		*(volatile u32 *)p = value;
		break;
	default:
		*(volatile u64 *)p = value;
	}
}
