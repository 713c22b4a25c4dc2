/* SPDX-License-Identifier: GPL-2.0 */
/* What the services of EFI firmware share: efi_services.c, efi_handles.c, efi_protocols.c, efi_start.c. */
#ifndef EFI_SERVICES_H
#define EFI_SERVICES_H

#include "efi.h"

/* Functions of protocols, as machine calls */
enum protocol_call {
	OUTPUT_STRING,
	LOAD_FILE,
	GET_RNG,
	IMAGE_RETURN,
	PROTOCOL_CALLS,
};

/* ---- arguments: Microsoft's calling convention (2.3.4.2) ---- */

static inline u64 efi_arg(struct vcpu *v, u32 n)
{
	static const enum reg registers[] = { RCX, RDX, R8, R9 };
	u64 value = 0;

	if (n < ARRAY_SIZE(registers))
		return reg(v, registers[n]);
	guest_read(v, reg(v, RSP) + (n + 1) * sizeof(u64), &value, sizeof(value));
	return value;
}

/* A 64-bit word that argument n points to */
static inline u64 efi_pointed(struct vcpu *v, u32 n)
{
	u64 value = 0;

	guest_read(v, efi_arg(v, n), &value, sizeof(value));
	return value;
}

static inline u64 efi_give(struct vcpu *v, u32 n, u64 value)
{
	u64 va = efi_arg(v, n);

	return !va || guest_write(v, va, &value, sizeof(value)) ? EFI_INVALID_PARAMETER : EFI_SUCCESS;
}

static inline struct efi_guid efi_guid_arg(struct vcpu *v, u32 n)
{
	struct efi_guid guid = { 0 };

	guest_read(v, efi_arg(v, n), &guid, sizeof(guid));
	return guid;
}

/* On the stack of a program that begins: where it returns to, and room for four registers */
#define EFI_CALL_FRAME	(5 * sizeof(u64))

/* 10.3.1: every node of a device path begins so */
struct path_node {
	u8 type, subtype;
	u16 length;
} __packed;

#define PATH_END	0x7f

extern const struct efi_guid efi_guid_device_path, efi_guid_loaded_image;

/* ---- efi_services.c ---- */
u64 efi_pool(struct vcpu *v, u64 size, enum efi_memory_type type);	/* 0: there is no room */

/* ---- efi_handles.c: *handle 0 makes a new one ---- */
u64 efi_install(u64 *handle, const struct efi_guid *guid, u64 interface);
u64 efi_uninstall(u64 handle, const struct efi_guid *guid, u64 interface);
u64 efi_install_protocol(struct vcpu *v);
u64 efi_uninstall_protocol(struct vcpu *v);
u64 efi_install_protocols(struct vcpu *v);
u64 efi_uninstall_protocols(struct vcpu *v);
u64 efi_handle_protocol(struct vcpu *v);
u64 efi_locate_protocol(struct vcpu *v);
u64 efi_locate_handle(struct vcpu *v, bool allocate);
u64 efi_locate_device_path(struct vcpu *v);

/* ---- efi_start.c ---- */
/* The handle of the program that the machine starts */
u64 efi_first_image(const struct efi_program *program, u64 systab, u64 return_to, const char *cmdline);
u64 efi_load_program(struct vcpu *v);
bool efi_start_program(struct vcpu *v);
void efi_end_program(struct vcpu *v, u64 status, const char *how);
u64 efi_unload_program(struct vcpu *v);

/* ---- efi_protocols.c ---- */
/* call: the code of each protocol_call */
void efi_protocols_init(const u64 *call);
u64 efi_console(void);			/* the interface */
u64 efi_protocol_call(struct vcpu *v, u32 nr);

#endif /* EFI_SERVICES_H */
