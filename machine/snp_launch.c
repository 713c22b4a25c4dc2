// SPDX-License-Identifier: GPL-2.0
/*
 * SEV-SNP's launch of a guest with firmware of its own: the pages that its list
 * of sections wants, as KVM has the SNP firmware put them there
 * (SNP firmware ABI 56860, 8.17, SNP_LAUNCH_UPDATE, page types), and no other
 * page of RAM assigned to the guest.
 */
#include "flash.h"
#include "sev.h"

/* edk2, OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm */
enum { SNP_MEMORY = 1, SNP_SECRETS, SNP_CPUID, SNP_SVSM_CAA, SNP_KERNEL_HASHES = 0x10 };

struct section {
	u32 gpa, size, type;
} __packed;

static const struct efi_guid guid_sev_sections = {
	0xdc886566, 0x984a, 0x4798, { 0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc }
};

void snp_launch(struct vcpu *bsp)
{
	const struct section *s;
	u32 count, i;

	(void)bsp;
	s = flash_sections(&guid_sev_sections, "ASEV", sizeof(*s), &count);
	page_init(0);
	rmp_reset();
	for (i = 0; i < count; i++) {
		flash_add(s[i].gpa, s[i].size);
		switch (s[i].type) {
		case SNP_SECRETS:
			snp_fill_secrets(s[i].gpa);
			break;
		case SNP_CPUID:
			snp_fill_cpuid(s[i].gpa);
			break;
		case SNP_MEMORY:
		case SNP_SVSM_CAA:		/* zeros without an SVSM */
		case SNP_KERNEL_HASHES:		/* zeros: none are demanded */
			break;
		default:
			internal_error("firmware: section type %u is not known", s[i].type);
		}
	}
}
