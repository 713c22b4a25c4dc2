/* SPDX-License-Identifier: GPL-2.0 */
/* Firmware of the guest's own, and what a launch adds for it. */
#ifndef FLASH_H
#define FLASH_H

#include "efi.h"

/* ---- flash_table.c ---- */
void flash_table_init(const u8 *image, u64 size);
/* The sections, each of so many bytes, that the entry with this GUID names; there has to be one */
const void *flash_sections(const struct efi_guid *guid, const char *signature, u32 size, u32 *count);
/* Pages of RAM that the launch adds: private, zero, validated or accepted */
void flash_add(u64 gpa, u64 size);

#endif /* FLASH_H */
