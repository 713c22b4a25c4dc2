/* SPDX-License-Identifier: GPL-2.0 */
/* The hand-over of an EFI boot: efi.c, and unaccepted.c for memory that nobody accepted yet. */
#ifndef EFI_H
#define EFI_H

#include "machine.h"

/* UEFI specification 2.10, appendix A */
struct efi_guid {
	u32 a;
	u16 b, c;
	u8 d[8];
} __packed;

/* UEFI specification 2.10, 7.2.1, "memory type usage" */
enum efi_memory_type {
	EFI_RESERVED		= 0,
	EFI_LOADER_CODE		= 1,
	EFI_LOADER_DATA		= 2,
	EFI_BOOT_SERVICES_DATA	= 4,
	EFI_RUNTIME_CODE	= 5,
	EFI_RUNTIME_DATA	= 6,
	EFI_CONVENTIONAL	= 7,
	EFI_ACPI_RECLAIM	= 9,
	EFI_ACPI_NVS		= 10,
	EFI_UNACCEPTED		= 15,
};

/* Linux's own tables (include/linux/efi.h) */
extern const struct efi_guid efi_guid_cc_blob, efi_guid_unaccepted;

bool efi_wanted(void);				/* option efi, or unaccepted= */
/* A configuration table; before efi_hand_over() */
void efi_add_table(const struct efi_guid *guid, u64 gpa);
/* This part of the memory map has this type, whatever e820 says; likewise */
void efi_set_type(u64 start, u64 end, enum efi_memory_type type);
/* The last thing that is added to a guest: e820 is complete */
void efi_hand_over(struct boot *boot);

/* Option unaccepted=: the range is taken from the guest, its table made; the range's type */
void unaccepted_setup(struct boot *boot);
void unaccepted_set_type(void);

#endif /* EFI_H */
