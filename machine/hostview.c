// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory as the host reaches it, by the rules of each technology.
 *
 *	shared page		read and written as it is, everywhere
 *	SEV, SEV-ES private	one physical page under another key: reading gives
 *				ciphertext, writing is allowed and gives the guest
 *				whatever the key makes of it (APM vol. 2, 15.34)
 *	SEV-SNP assigned	reading gives ciphertext; writing is refused, the RMP
 *				check of a host write fails (APM vol. 2, 15.36.10)
 *	TDX private		reading with a shared key ID gives zeros, not ciphertext
 *				(TDX module base spec., cryptography: TD-bit mismatch).
 *				A write would not be stopped at once: the TD takes a
 *				machine check when it next reads.  That is the end of a
 *				TD, and not modelled: refused.
 *	taken away		no view: -EFAULT, either way
 *
 * Ciphertext here is scramble_page() of the page: keyed by address, its own
 * inverse, and no encryption.
 */
#include "control.h"

static bool is_private(u8 flags)
{
	return config.tech->id != COCO_NONE && flags & COCO_PAGE_PRIVATE;
}

static bool in_reach(u64 gpa, size_t len)
{
	return len && len <= PAGE_SIZE - (gpa & ~PAGE_MASK) && is_ram(gpa);
}

s64 host_read(u64 gpa, void *buf, size_t len)
{
	static u8 cipher[PAGE_SIZE];
	u64 page, offset = gpa & ~PAGE_MASK;
	u8 flags;

	gpa = strip(gpa);
	page = gpa & PAGE_MASK;
	if (!in_reach(gpa, len))
		return -EINVAL;
	flags = page_flags(page);
	if (flags & COCO_PAGE_BLOCKED)
		return -EFAULT;
	if (!is_private(flags)) {
		memcpy(buf, ram_ptr(gpa, SHARED), len);
	} else if (config.tech->id == COCO_TDX) {
		memset(buf, 0, len);
	} else {
		scramble_page(cipher, ram_ptr(page, PRIVATE), page);
		memcpy(buf, cipher + offset, len);
	}
	return 0;
}

s64 host_write(u64 gpa, const void *buf, size_t len)
{
	static u8 cipher[PAGE_SIZE];
	u64 page, offset = gpa & ~PAGE_MASK;
	u8 flags;

	gpa = strip(gpa);
	page = gpa & PAGE_MASK;
	if (!in_reach(gpa, len))
		return -EINVAL;
	flags = page_flags(page);
	if (flags & COCO_PAGE_BLOCKED)
		return -EFAULT;
	if (!is_private(flags)) {
		memcpy(ram_ptr(gpa, SHARED), buf, len);
		return 0;
	}
	if (config.tech->id == COCO_SEV_SNP || config.tech->id == COCO_TDX)
		return -EPERM;
	/* Only these bytes: another vCPU may write to the rest of the page just now */
	memset(cipher, 0, PAGE_SIZE);
	memcpy(cipher + offset, buf, len);
	scramble_page(cipher, cipher, page);
	memcpy(ram_ptr(gpa, PRIVATE), cipher + offset, len);
	return 0;
}

/* Only where the technology keeps a state for each page: RMP and SEPT */
s64 host_page_set(struct vcpu *v, u64 gpa, u64 flags)
{
	const u64 known =
		COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED | COCO_PAGE_2M | COCO_PAGE_BLOCKED;

	if (config.tech->id != COCO_SEV_SNP && config.tech->id != COCO_TDX)
		return -ENOTSUP;
	gpa = strip(gpa) & PAGE_MASK;
	if (!is_ram(gpa) || flags & ~known)
		return -EINVAL;
	/* Only a private page can be validated or accepted */
	if (flags & COCO_PAGE_VALIDATED && !(flags & COCO_PAGE_PRIVATE))
		return -EINVAL;
	page_set(gpa, flags);
	vcpus_flush(v);
	return 0;
}
