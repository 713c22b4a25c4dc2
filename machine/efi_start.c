// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that are started: the file that the machine was given, and what that starts in its
 * turn.  A boot loader loads the kernel from memory (7.4.1) and runs it on its own stack (7.4.2);
 * whether the kernel's stub returns (2.3.4) or calls Exit() (7.4.5), the loader goes on behind
 * its call, with the registers that a callee has to keep.
 *
 * Section numbers are those of the UEFI specification 2.10.
 */
#include "core.h"
#include "efi_services.h"

#define MAX_IMAGES		8
#define LOADED_IMAGE_REVISION	0x1000	/* 9.1 */

/* 9.1 */
struct loaded_image {
	u32 revision, pad;
	u64 parent, system_table;
	u64 device, path, reserved;
	u32 options_size, pad2;
	u64 options;
	u64 base, size;
	u32 code_type, data_type;
	u64 unload;
} __packed;

_Static_assert(sizeof(struct loaded_image) == 96, "EFI_LOADED_IMAGE_PROTOCOL");

/* What a callee keeps: 2.3.4.2 */
static const enum reg kept[] = { RBX, RBP, RDI, RSI, R12, R13, R14, R15, RSP };

static struct image {
	u64 handle;		/* 0: free */
	u64 interface;		/* struct loaded_image */
	struct efi_program program;
	struct image *starter;	/* that waits for it; NULL: not running, or the first */
	u64 rip, registers[ARRAY_SIZE(kept)];	/* of the starter */
} images[MAX_IMAGES];

static struct image *running;
static u64 system_table, return_code;

static struct image *find_image(u64 handle)
{
	u32 i;

	for (i = 0; i < MAX_IMAGES; i++)
		if (handle && images[i].handle == handle)
			return &images[i];
	return NULL;
}

static void free_pages(u64 gpa, u64 size)
{
	efi_set_type(gpa, gpa + efi_pages(size) * PAGE_SIZE, EFI_CONVENTIONAL);
}

static struct image *add_image(u64 parent, const struct efi_program *program)
{
	struct loaded_image protocol = {
		.revision = LOADED_IMAGE_REVISION,
		.parent = parent,
		.system_table = system_table,
		.base = program->base,
		.size = program->size,
		.code_type = EFI_LOADER_CODE,
		.data_type = EFI_LOADER_DATA,
	};
	struct image *image;

	for (image = images; image < images + MAX_IMAGES; image++)
		if (!image->handle)
			break;
	if (image == images + MAX_IMAGES)
		return NULL;
	*image = (struct image) { .program = *program };
	image->interface = efi_allocate(1, EFI_BOOT_SERVICES_DATA, config.ram);
	if (!image->interface)
		return NULL;
	memcpy(ram_ptr(image->interface, PRIVATE), &protocol, sizeof(protocol));
	if (efi_install(&image->handle, &efi_guid_loaded_image, image->interface)) {
		free_pages(image->interface, PAGE_SIZE);
		return NULL;
	}
	return image;
}

static void forget_image(struct image *image)
{
	efi_uninstall(image->handle, &efi_guid_loaded_image, image->interface);
	free_pages(image->program.base, image->program.size);
	free_pages(image->interface, PAGE_SIZE);
	image->handle = 0;
}

/* 9.1: the load options are a string of 16-bit characters */
static void set_options(const struct image *image, const char *cmdline)
{
	struct loaded_image *protocol = ram_ptr(image->interface, PRIVATE);
	u32 n = strlen(cmdline) + 1, i;
	u64 gpa = efi_take(efi_pages(n * sizeof(u16)));
	u16 *options = ram_ptr(gpa, PRIVATE);

	for (i = 0; i < n; i++)
		options[i] = cmdline[i];
	protocol->options = gpa;
	protocol->options_size = n * sizeof(u16);
}

u64 efi_first_image(const struct efi_program *program, u64 systab, u64 return_to, const char *cmdline)
{
	system_table = systab;
	return_code = return_to;
	running = add_image(0, program);
	if (!running)
		internal_error("ram=%lu has no room for the program", config.ram >> 20);
	set_options(running, cmdline);
	return running->handle;
}

/* ---- 7.4 ---- */

/* There is no path that leads to a file, but the caller may have read one */
u64 efi_load_program(struct vcpu *v)
{
	u64 parent = efi_arg(v, 1), buffer = efi_arg(v, 3), size = efi_arg(v, 4);
	struct efi_program program;
	struct image *image;
	const char *flaw;

	if (!find_image(parent))
		return EFI_INVALID_PARAMETER;
	if (!buffer)
		return EFI_NOT_FOUND;
	/* Firmware maps memory where it is */
	if (buffer >= config.ram || size > config.ram - buffer)
		return EFI_INVALID_PARAMETER;
	flaw = efi_load_image(ram_ptr(buffer, PRIVATE), size, &program);
	if (flaw) {
		trace("EFI LoadImage(): %s", flaw);
		return EFI_LOAD_ERROR;
	}
	image = add_image(parent, &program);
	if (!image) {
		free_pages(program.base, program.size);
		return EFI_OUT_OF_RESOURCES;
	}
	return efi_give(v, 5, image->handle);
}

/* False: there is no such program, or it runs */
bool efi_start_program(struct vcpu *v)
{
	struct image *image = find_image(efi_arg(v, 0));
	u64 stack;
	u32 i;

	if (!image || image->starter || image == running)
		return false;
	insn_skip(v, INSN_VMMCALL);
	image->rip = v->vmcb.save.rip;
	for (i = 0; i < ARRAY_SIZE(kept); i++)
		image->registers[i] = reg(v, kept[i]);
	image->starter = running;
	running = image;
	stack = (reg(v, RSP) & ~15ull) - EFI_CALL_FRAME;
	guest_write(v, stack, &return_code, sizeof(return_code));
	set_reg(v, RSP, stack);
	set_reg(v, RCX, image->handle);
	set_reg(v, RDX, system_table);
	v->vmcb.save.rip = image->program.entry;
	return true;
}

/* By return, or 7.4.5; the loader goes on behind the machine call of its StartImage() */
void efi_end_program(struct vcpu *v, u64 status, const char *how)
{
	struct image *image = running;
	u32 i;

	if (!image->starter)
		end_run(v, COCO_END_EXIT, status, how);
	for (i = 0; i < ARRAY_SIZE(kept); i++)
		set_reg(v, kept[i], image->registers[i]);
	v->vmcb.save.rip = image->rip;
	set_reg(v, RAX, status);
	running = image->starter;
	forget_image(image);
}

/* 7.4.3, of an image that was not started */
u64 efi_unload_program(struct vcpu *v)
{
	struct image *image = find_image(efi_arg(v, 0));

	if (!image || image->starter || image == running)
		return EFI_INVALID_PARAMETER;
	forget_image(image);
	return EFI_SUCCESS;
}
