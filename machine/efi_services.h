/* SPDX-License-Identifier: GPL-2.0 */
/* What the services of EFI firmware share: efi_services.c, efi_protocols.c. */
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
	return guest_write(v, efi_arg(v, n), &value, sizeof(value)) ? EFI_INVALID_PARAMETER : EFI_SUCCESS;
}

static inline struct efi_guid efi_guid_arg(struct vcpu *v, u32 n)
{
	struct efi_guid guid = { 0 };

	guest_read(v, efi_arg(v, n), &guid, sizeof(guid));
	return guid;
}

/* ---- efi_protocols.c ---- */
/* Addresses of the interfaces, which are their handles, too */
void efi_protocols_init(u64 image, u64 rng, u64 load_file);
u64 efi_handle_protocol(struct vcpu *v);
u64 efi_locate_protocol(struct vcpu *v);
u64 efi_locate_handle(struct vcpu *v, bool allocate);
u64 efi_locate_device_path(struct vcpu *v);
u64 efi_protocol_call(struct vcpu *v, u32 nr);

#endif /* EFI_SERVICES_H */
