// SPDX-License-Identifier: GPL-2.0
/*
 * The protocols of the firmware: random numbers (37.5), the console (12.4), and the initramfs
 * as EFI_LOAD_FILE2_PROTOCOL (13.2) behind the device path that Linux looks for
 * (Documentation/arch/x86/boot.rst, include/linux/efi.h, LINUX_EFI_INITRD_MEDIA_GUID).
 *
 * Section numbers are those of the UEFI specification 2.10.
 */
#include "control.h"
#include "core.h"
#include "efi_services.h"

#define MEDIA_DEVICE_PATH	4	/* 10.3.5.3, vendor-defined media */
#define MEDIA_VENDOR		3
#define PATH_END_ENTIRE		0xff	/* 10.3.1 */

#define LONGEST_STRING		4096

struct vendor_path {
	struct path_node node;
	struct efi_guid vendor;
	struct path_node end;
} __packed;

/* 12.4.1, EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL */
struct text_output {
	u64 reset, output_string, others[7], mode;
} __packed;

_Static_assert(sizeof(struct text_output) == 80, "EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL");

/* The interfaces: a page, EfiBootServicesData */
struct protocol_page {
	struct text_output console;
	u64 rng[2];		/* 37.5.1: GetInfo, GetRNG */
	u64 load_file;
	struct vendor_path initrd;
} __packed;

const struct efi_guid efi_guid_loaded_image = {
	0x5b1b31a1, 0x9562, 0x11d2, { 0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
};

const struct efi_guid efi_guid_device_path = {
	0x09576e91, 0x6d3f, 0x11d2, { 0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
};

static const struct efi_guid guid_text_output = {
	0x387477c2, 0x69c7, 0x11d2, { 0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
};

static const struct efi_guid guid_load_file2 = {
	0x4006c0c1, 0xfcb3, 0x403e, { 0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d }
};

static const struct efi_guid guid_rng = {
	0x3152bca5, 0xeade, 0x433d, { 0x86, 0x2e, 0xc0, 0x1c, 0xdc, 0x29, 0x1f, 0x44 }
};

static const struct efi_guid guid_initrd = {
	0x5568e427, 0x68fc, 0x4f3d, { 0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68 }
};

static u64 page_gpa;

static void install(u64 *handle, const struct efi_guid *guid, u64 offset)
{
	if (efi_install(handle, guid, page_gpa + offset))
		internal_error("the firmware's protocols do not fit");
}

static void install_initrd(struct protocol_page *page)
{
	const void *initramfs;
	u64 handle = 0;

	if (bootfile_part(BOOTFILE_INITRAMFS, 0, 1, &initramfs) <= 0)
		return;
	page->initrd = (struct vendor_path) {
		.node = { MEDIA_DEVICE_PATH, MEDIA_VENDOR, offsetof(struct vendor_path, end) },
		.vendor = guid_initrd,
		.end = { PATH_END, PATH_END_ENTIRE, sizeof(page->initrd.end) },
	};
	install(&handle, &efi_guid_device_path, offsetof(struct protocol_page, initrd));
	install(&handle, &guid_load_file2, offsetof(struct protocol_page, load_file));
}

void efi_protocols_init(const u64 *call)
{
	struct protocol_page *page;
	u64 console = 0, rng = 0;

	page_gpa = efi_take(1);
	page = ram_ptr(page_gpa, PRIVATE);
	page->console.output_string = call[OUTPUT_STRING];
	page->rng[1] = call[GET_RNG];
	page->load_file = call[LOAD_FILE];
	install(&console, &guid_text_output, offsetof(struct protocol_page, console));
	install(&rng, &guid_rng, offsetof(struct protocol_page, rng));
	install_initrd(page);
}

u64 efi_console(void)
{
	return page_gpa + offsetof(struct protocol_page, console);
}

static u64 load_file(struct vcpu *v)
{
	u64 room = efi_pointed(v, 3);
	const void *file;
	s64 size = bootfile_part(BOOTFILE_INITRAMFS, 0, ~0ull, &file);

	if (efi_arg(v, 2) & 0xff)
		return EFI_UNSUPPORTED;		/* 13.2.2: BootPolicy is FALSE */
	if (size <= 0)
		return EFI_NOT_FOUND;
	if (efi_give(v, 3, size))
		return EFI_INVALID_PARAMETER;
	if (!efi_arg(v, 4) || room < (u64)size)
		return EFI_BUFFER_TOO_SMALL;
	return guest_write(v, efi_arg(v, 4), file, size) ? EFI_INVALID_PARAMETER : EFI_SUCCESS;
}

static u64 random(void)
{
	u64 value;
	u8 ok;

	do
		asm volatile("rdrand %0; setc %1" : "=r"(value), "=qm"(ok) : : "cc");
	while (!ok);
	return value;
}

/* 37.5.3; there is but the default algorithm */
static u64 get_rng(struct vcpu *v)
{
	u64 size = efi_arg(v, 2), va = efi_arg(v, 3), part;

	if (efi_arg(v, 1))
		return EFI_UNSUPPORTED;
	for (; size; size -= part, va += part) {
		u64 value = random();

		part = min(size, sizeof(value));
		if (guest_write(v, va, &value, part))
			return EFI_INVALID_PARAMETER;
	}
	return EFI_SUCCESS;
}

/* 12.4.3 */
static u64 output_string(struct vcpu *v)
{
	u64 va = efi_arg(v, 1);
	u32 n;

	for (n = 0; n < LONGEST_STRING; n++) {
		u16 wide;
		char c;

		if (guest_read(v, va + 2 * n, &wide, sizeof(wide)))
			return EFI_INVALID_PARAMETER;
		if (!wide)
			break;
		c = wide < 0x80 ? wide : '?';
		if (c != '\r')
			stream_put(COCO_CHAN_KLOG, &c, 1);
	}
	return EFI_SUCCESS;
}

u64 efi_protocol_call(struct vcpu *v, u32 nr)
{
	switch (nr) {
	case OUTPUT_STRING:
		return output_string(v);
	case LOAD_FILE:
		return load_file(v);
	case GET_RNG:
		return get_rng(v);
	default:
		return EFI_UNSUPPORTED;
	}
}
