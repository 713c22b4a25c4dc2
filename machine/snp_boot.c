// SPDX-License-Identifier: GPL-2.0
/*
 * What SEV-SNP's firmware leaves for a guest: CPUID page and secrets page (SNP
 * firmware ABI 56860, 8.14.2 and 8.17, SNP_LAUNCH_UPDATE), found through the
 * confidential computing blob that setup_data or an EFI table points to.
 */
#include "cpuid.h"
#include "efi.h"
#include "sev.h"
#include "snp_firmware.h"
#include "svsm.h"

#define SETUP_CC_BLOB	7
#define CC_BLOB_MAGIC	0x45444d41	/* "AMDE" */
#define CC_BLOB_VERSION	1
#define MAX_CPUID	64
#define SECRETS_VERSION	3

/* XCR0: x87 alone; with SSE and AVX.  CPUID leaf 0xd: subleaves, and bits of EAX of subleaf 1 */
#define XCR0_X87	1u
#define XCR0_AVX	7u
#define SUBLEAF_AVX	2
#define SUBLEAF_PKRU	9
#define SUBLEAF_CET_U	11
#define SUBLEAF_CET_S	12
#define CPUID_XSAVEC	BIT(1)
#define CPUID_XSAVES	BIT(3)

struct cc_blob {
	u32 magic;
	u16 version, reserved;
	u64 secrets_gpa;
	u32 secrets_size, reserved2;
	u64 cpuid_gpa;
	u32 cpuid_size, reserved3;
} __packed;

struct cpuid_entry {
	u32 leaf, subleaf;
	u64 xcr0, xss;
	u32 out[4];
	u64 reserved;
} __packed;

struct cpuid_page {
	u32 count, reserved;
	u64 reserved2;
	struct cpuid_entry entries[MAX_CPUID];
} __packed;

struct secrets_page {
	u32 version;
	u32 imi;
	u32 family_model_stepping;
	u32 reserved;
	u8 workarounds[16];
	u8 vmpck[VMPCKS][VMPCK_SIZE];
	/* the guest's operating system keeps these from one kernel to the next */
	u32 sequence[VMPCKS];
	u64 ap_jump_table;
	u8 os_reserved[40];
	u8 guest_usage[32];
	u8 vmsa_tweak[64];
	struct svsm_secrets svsm;
	u32 tsc_factor;
} __packed;

_Static_assert(sizeof(struct cc_blob) == 40, "cc_blob_sev_info");
_Static_assert(sizeof(struct cpuid_entry) == 48, "CPUID function");
_Static_assert(offsetof(struct secrets_page, vmpck) == 0x20, "VMPCK0");
_Static_assert(offsetof(struct secrets_page, sequence) == 0xa0, "guest OS area");
_Static_assert(offsetof(struct secrets_page, svsm) == 0x140, "SVSM");
_Static_assert(offsetof(struct secrets_page, tsc_factor) == 0x160, "TSC_FACTOR");

/* The leaves that the guest must not ask the host for; subleaves up to last */
static const struct {
	u32 leaf, last;
} leaves[] = {
	{ 0x00000000, 0 }, { 0x00000001, 0 }, { 0x00000002, 0 }, { 0x00000004, 0 },
	{ 0x00000005, 0 }, { 0x00000006, 0 }, { 0x00000007, 1 }, { 0x0000000b, 1 },
	{ 0x40000000, 0 }, { 0x40000001, 0 }, { COCO_CPUID_BASE, 0 }, { COCO_CPUID_INFO, 0 },
	{ 0x80000000, 0 }, { 0x80000001, 0 }, { 0x80000002, 0 }, { 0x80000003, 0 },
	{ 0x80000004, 0 }, { 0x80000005, 0 }, { 0x80000006, 0 }, { 0x80000007, 0 },
	{ 0x80000008, 0 }, { 0x8000000a, 0 }, { 0x80000019, 0 }, { 0x8000001d, 0 },
	{ 0x8000001e, 0 }, { 0x8000001f, 0 }, { 0x80000020, 0 }, { 0x80000021, 0 },
};

static void add_cpuid(struct cpuid_page *page, u32 leaf, u32 subleaf, u32 xcr0, const u32 out[4])
{
	struct cpuid_entry *e = &page->entries[page->count++];

	e->leaf = leaf;
	e->subleaf = subleaf;
	e->xcr0 = xcr0;
	memcpy(e->out, out, sizeof(e->out));
}

static void fill_cpuid(struct cpuid_page *page)
{
	u32 sub, out[4];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		for (sub = 0; sub <= leaves[i].last; sub++) {
			cpuid_guest(&vcpus[0], leaves[i].leaf, sub, out);
			add_cpuid(page, leaves[i].leaf, sub, 0, out);
		}
	}
}

/*
 * Leaf 0xd, of a processor that has XSAVEC: Linux takes none of one without; and XSAVES, with
 * shadow stacks' state in XSS (APM vol. 3, appendix E.4.12; vol. 2, 18.13).  The other leaves
 * deny XSAVE to the guest, so that it uses none and does not look here (sev.c); a test that
 * switches it on by itself does.  Subleaves 0 and 1 may be there for more than one XCR0 (SNP
 * firmware ABI 56860, 8.17, CPUID page: XCR0_IN, XSS_IN).
 */
static void fill_xsave(struct cpuid_page *page)
{
	/* Size; no offset; in XSS */
	static const u32 user[4] = { 16, 0, 1, 0 }, supervisor[4] = { 24, 0, 1, 0 };
	static const struct {
		u32 subleaf, xcr0;
	} entries[] = {
		{ 0, XCR0_AVX }, { 0, XCR0_X87 }, { 1, XCR0_AVX }, { 1, XCR0_X87 },
		{ SUBLEAF_AVX, 0 }, { SUBLEAF_PKRU, 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		u32 out[4];

		cpuid_raw(0xd, entries[i].subleaf, out);
		if (!entries[i].subleaf)
			out[EAX] &= XCR0_AVX | BIT(SUBLEAF_PKRU);
		if (entries[i].subleaf == 1) {
			out[EAX] |= CPUID_XSAVEC | CPUID_XSAVES;
			out[ECX] = SNP_XSS;
		}
		add_cpuid(page, 0xd, entries[i].subleaf, entries[i].xcr0, out);
	}
	add_cpuid(page, 0xd, SUBLEAF_CET_U, 0, user);
	add_cpuid(page, 0xd, SUBLEAF_CET_S, 0, supervisor);
}

void snp_fill_cpuid(u64 gpa)
{
	fill_cpuid(ram_ptr(gpa, PRIVATE));
	fill_xsave(ram_ptr(gpa, PRIVATE));
}

/* So that runs can be compared, and sev_guest_user can look for keys where they must not be */
void snp_vmpck(u32 key, u8 out[VMPCK_SIZE])
{
	u32 i;

	for (i = 0; i < VMPCK_SIZE; i++)
		out[i] = COCO_VMPCK_BYTE(key, i);
}

void snp_fill_secrets(u64 gpa)
{
	struct secrets_page *page = ram_ptr(gpa, PRIVATE);
	u32 key, out[4];

	cpuid_guest(&vcpus[0], 1, 0, out);
	page->version = SECRETS_VERSION;
	page->family_model_stepping = out[EAX];
	/* An SVSM keeps those of the VMPLs above the guest's */
	for (key = svsm_guest_vmpl(); key < VMPCKS; key++)
		snp_vmpck(key, page->vmpck[key]);
	page->sequence[3] = VMPCK3_MESSAGES;
	page->ap_jump_table = ap_jump_table();
	page->svsm = svsm_secrets();
	page->tsc_factor = snp_secure_tsc() ? SNP_TSC_FACTOR : 0;
}

void snp_boot_data(struct boot *boot)
{
	u64 blob_gpa = boot_reserve(boot, 1);
	u64 cpuid_gpa = boot_reserve(boot, 1);
	u64 secrets_gpa = boot_reserve(boot, 1);
	struct cc_blob *blob = ram_ptr(blob_gpa, PRIVATE);
	u32 pointer = blob_gpa;

	ap_boot_data(boot);
	svsm_boot_data(boot);
	snp_fill_cpuid(cpuid_gpa);
	snp_fill_secrets(secrets_gpa);
	*blob = (struct cc_blob) {
		.magic = CC_BLOB_MAGIC,
		.version = CC_BLOB_VERSION,
		.secrets_gpa = secrets_gpa,
		.secrets_size = PAGE_SIZE,
		.cpuid_gpa = cpuid_gpa,
		.cpuid_size = PAGE_SIZE,
	};
	if (efi_wanted())
		efi_add_table(&efi_guid_cc_blob, blob_gpa);
	else
		boot_setup_data(boot, SETUP_CC_BLOB, &pointer, sizeof(pointer));
}
