/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest that EFI started.  efi.c: system table and hand-over; efi_map.c: memory map;
 * efi_image.c: the file of an EFI program; efi_start.c: programs that run; efi_services.c,
 * efi_handles.c, efi_protocols.c: what they may call; unaccepted.c: memory that nobody accepted yet.
 *
 * Section numbers are those of the UEFI specification 2.10.
 */
#ifndef EFI_H
#define EFI_H

#include "machine.h"

/* Appendix A */
struct efi_guid {
	u32 a;
	u16 b, c;
	u8 d[8];
} __packed;

static inline bool efi_same_guid(const struct efi_guid *a, const struct efi_guid *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* 7.2.1, "memory type usage" */
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
	EFI_PERSISTENT		= 14,
	EFI_UNACCEPTED		= 15,
};

/* 7.2.3: kernels step by the size that they are told, so it is not the structure's own */
struct efi_descriptor {
	u32 type, pad;
	u64 physical, virtual, pages, attributes;
	u64 later_versions;
} __packed;

#define EFI_DESCRIPTOR_VERSION	1
#define EFI_MAX_DESCRIPTORS	640
#define EFI_OEM_TYPES		0x70000000u	/* from here on, a platform's and a loader's own types */
#define EFI_MEMORY_WB		BIT_ULL(3)
#define EFI_MEMORY_RUNTIME	BIT_ULL(63)

/* 4.2 */
struct efi_table_header {
	u64 signature;
	u32 revision, size, crc32, reserved;
} __packed;

/* Appendix D */
#define EFI_SUCCESS		0ull
#define EFI_ERROR(n)		(BIT_ULL(63) | (n))
#define EFI_LOAD_ERROR		EFI_ERROR(1)
#define EFI_INVALID_PARAMETER	EFI_ERROR(2)
#define EFI_UNSUPPORTED		EFI_ERROR(3)
#define EFI_BUFFER_TOO_SMALL	EFI_ERROR(5)
#define EFI_OUT_OF_RESOURCES	EFI_ERROR(9)
#define EFI_NOT_FOUND		EFI_ERROR(14)

/* Linux's own tables (include/linux/efi.h) */
extern const struct efi_guid efi_guid_cc_blob, efi_guid_unaccepted;

/* ---- efi.c ---- */
bool efi_wanted(void);				/* option efi, or unaccepted= */
bool efi_stub_wanted(void);			/* option efi=stub */
/* A configuration table, before the guest starts */
void efi_add_table(const struct efi_guid *guid, u64 gpa);
/* ... and later: 7.5.6, InstallConfigurationTable(); gpa 0 removes it */
u64 efi_install_table(const struct efi_guid *guid, u64 gpa);
void efi_seal(struct efi_table_header *header, u64 signature, u32 size);
/* The last thing that is added to a guest: e820 is complete */
void efi_hand_over(struct boot *boot);
void efi_start_stub(struct boot *boot, struct vcpu *v, const void *image, u64 size, const char *cmdline);
/* Boot services are over: the system table names none, and no console (7.4.6) */
void efi_end_boot_services(void);

/* ---- efi_map.c ---- */
void efi_map_from_e820(struct boot *boot);
/* This part of the memory map has this type, whatever e820 says */
void efi_set_type(u64 start, u64 end, enum efi_memory_type type);
int efi_map_type(u64 start, u64 end);		/* -1: it is in no one range */
u64 efi_map_version(void);			/* another one after each change: 7.2.3, MapKey */
u32 efi_map_size(void);				/* descriptors, EFI_MAX_DESCRIPTORS at most */
/* For so many changes: without, what a program asks for is EFI_OUT_OF_RESOURCES */
bool efi_map_has_room(u32 changes);
#define GIVE_AND_TAKE_BACK	2
void efi_map_fill(struct efi_descriptor *map);
static inline u64 efi_pages(u64 bytes)		/* as many as these begin */
{
	return (bytes + PAGE_SIZE - 1) / PAGE_SIZE;
}

/* Free pages that end at the limit at most, from the top; 0: there are none */
u64 efi_allocate(u64 pages, enum efi_memory_type type, u64 limit);
u64 efi_take(u64 pages);			/* for the firmware itself: zeroed, EfiBootServicesData */

/* ---- efi_image.c ---- */
struct efi_program {
	u64 base, size, entry;
};

/* NULL: it is in memory; else why it is not */
const char *efi_load_image(const u8 *file, u64 size, struct efi_program *program);

/* ---- efi_services.c ---- */
struct efi_boot_services {
	u64 services, console;	/* for the system table */
	u64 image;		/* its handle */
	u64 exit;		/* where an image returns to */
	u64 idt;		/* the firmware's */
};

/* Code of the runtime services into this page; their addresses */
void efi_services_runtime(u64 code_gpa, u64 *service, u32 count);
struct efi_boot_services efi_services_boot(u64 systab, const struct efi_program *program,
					   const char *cmdline);
/* A machine call, of the firmware's code: done; false: none of its */
bool efi_call(struct vcpu *v, u32 nr);
/* The firmware's own interrupt table is in use: its handlers deal with #VC and #VE */
bool efi_firmware_runs(const struct vcpu *v);

/* ---- unaccepted.c: option unaccepted= ---- */
/* The range is taken from the guest */
void unaccepted_setup(struct boot *boot);
/* What the stub makes of it: the table */
void unaccepted_add_table(struct boot *boot);
/* The range's type; the map is there */
void unaccepted_set_type(const struct boot *boot);

#endif /* EFI_H */
