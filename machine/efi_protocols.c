// SPDX-License-Identifier: GPL-2.0
/*
 * The protocols that an EFI program finds: the image's own (9.1), random numbers (37.5),
 * the console (12.4), and the initramfs as EFI_LOAD_FILE2_PROTOCOL (13.2) behind the device
 * path that Linux looks for (Documentation/arch/x86/boot.rst, include/linux/efi.h,
 * LINUX_EFI_INITRD_MEDIA_GUID).
 *
 * Section numbers are those of the UEFI specification 2.10.
 */
#include "control.h"
#include "core.h"
#include "efi_services.h"

#define BY_PROTOCOL		2	/* 7.3.8, EFI_LOCATE_SEARCH_TYPE */
#define MEDIA_DEVICE_PATH	4	/* 10.3.5.3, vendor-defined media */
#define MEDIA_VENDOR		3

#define LONGEST_STRING		4096

struct vendor_path {
	u8 type, subtype;
	u16 length;
	struct efi_guid vendor;
} __packed;

static const struct efi_guid guid_loaded_image = {
	0x5b1b31a1, 0x9562, 0x11d2, { 0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
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

/* A protocol, and the only handle that has it */
struct protocol {
	const struct efi_guid *guid;
	u64 interface;
};

static struct protocol protocols[] = {
	{ &guid_loaded_image, 0 },
	{ &guid_rng, 0 },
	{ &guid_load_file2, 0 },
};

void efi_protocols_init(u64 image, u64 rng, u64 load_file)
{
	const void *initramfs;

	protocols[0].interface = image;
	protocols[1].interface = rng;
	/* 0: there is none */
	protocols[2].interface = bootfile_part(BOOTFILE_INITRAMFS, 0, 1, &initramfs) > 0 ? load_file : 0;
}

static const struct protocol *find_protocol(const struct efi_guid *guid)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].interface && !memcmp(protocols[i].guid, guid, sizeof(*guid)))
			return &protocols[i];
	return NULL;
}

/* ---- the services that find them (7.3) ---- */

u64 efi_handle_protocol(struct vcpu *v)
{
	struct efi_guid guid = efi_guid_arg(v, 1);
	const struct protocol *p = find_protocol(&guid);

	return p && p->interface == efi_arg(v, 0) ? efi_give(v, 2, p->interface) : EFI_UNSUPPORTED;
}

u64 efi_locate_protocol(struct vcpu *v)
{
	struct efi_guid guid = efi_guid_arg(v, 0);
	const struct protocol *p = find_protocol(&guid);

	return efi_give(v, 2, p ? p->interface : 0) ?: p ? EFI_SUCCESS : EFI_NOT_FOUND;
}

/* A handle is the address of its protocol */
u64 efi_locate_handle(struct vcpu *v, bool allocate)
{
	struct efi_guid guid = efi_guid_arg(v, 1);
	const struct protocol *p = find_protocol(&guid);
	u64 room = efi_pointed(v, 3);

	if ((u32)efi_arg(v, 0) != BY_PROTOCOL || (p && allocate))
		unmodelled(v, "EFI boot service: handles, but by protocol and into the caller's buffer");
	if (!p)
		return EFI_NOT_FOUND;
	if (efi_give(v, 3, sizeof(p->interface)))
		return EFI_INVALID_PARAMETER;
	return room < sizeof(p->interface) ? EFI_BUFFER_TOO_SMALL : efi_give(v, 4, p->interface);
}

u64 efi_locate_device_path(struct vcpu *v)
{
	struct efi_guid guid = efi_guid_arg(v, 0);
	const struct protocol *p = find_protocol(&guid);
	struct vendor_path path = { 0 };
	u64 at = efi_pointed(v, 1);

	guest_read(v, at, &path, sizeof(path));
	if (!p || p->guid != &guid_load_file2 || path.type != MEDIA_DEVICE_PATH ||
	    path.subtype != MEDIA_VENDOR || path.length != sizeof(path) ||
	    memcmp(&path.vendor, &guid_initrd, sizeof(guid_initrd)))
		return EFI_NOT_FOUND;
	return efi_give(v, 1, at + sizeof(path)) ?: efi_give(v, 2, p->interface);
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
	case IMAGE_RETURN:
		end_run(v, COCO_END_EXIT, reg(v, RAX), "the EFI program returned");
	default:
		return EFI_UNSUPPORTED;
	}
}
