// SPDX-License-Identifier: GPL-2.0
/*
 * What boot loaders and firmware leave behind that a kernel must not stumble over.
 *
 * Options of the machine's command line:
 *	cc_blob=params		boot_params.cc_blob_address, which is the decompressor's to
 *				write (Linux, Documentation/arch/x86/zero-page.rst), holds
 *				something
 *	cc_blob=table		EFI has a table with the blob's GUID that is no blob; with
 *				option efi, for guests that have no blob of their own
 */
#include "efi.h"

#define PARAM_CC_BLOB	0x13c

void boot_leftovers(struct boot *boot)
{
	char where[16];
	u32 nowhere = 0x1000;	/* the boot loader's GDT */

	if (!option("cc_blob", where, sizeof(where)))
		return;
	if (!strcmp(where, "params"))
		memcpy(boot->params + PARAM_CC_BLOB, &nowhere, sizeof(nowhere));
	else if (!strcmp(where, "table") && efi_wanted() && config.tech->id != COCO_SEV_SNP)
		efi_add_table(&efi_guid_cc_blob, boot_reserve(boot, 1));
	else
		internal_error("option cc_blob: params; or table, with efi and without SEV-SNP");
}
