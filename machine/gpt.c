// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory through the guest's own page tables (APM vol. 2, chapter 5).
 * The tables themselves, and instructions of an AMD guest, are private, whatever CR3
 * and the entries say (APM vol. 2, 15.34.5; TDX module base specification, "shared EPT": walks use
 * private memory only).
 */
#include "core.h"

#define CR3_ADDRESS_PAE	0xffffffe0ull

struct walk {
	u64 table;		/* GPA of the next table */
	bool write, user, exec;
	u64 va;
};

static bool table_read(u64 gpa, void *entry, size_t size)
{
	return !guest_read_gpa(strip(gpa), PRIVATE, entry, size);
}

static void leaf(const struct walk *w, u64 entry, u32 shift, u32 level, struct mapping *m)
{
	u64 offset = w->va & (BIT_ULL(shift) - 1);
	u64 page = entry & PTE_ADDRESS & ~(BIT_ULL(shift) - 1);

	*m = (struct mapping) {
		.gpa = strip(page) | offset,
		.view = view_of(page),
		.write = w->write,
		.user = w->user,
		.exec = w->exec,
		.level = level,
	};
}

/* 32-bit entries, no PAE; PSE-36 addresses are not modelled */
static int walk_legacy(struct walk *w, bool pse, struct mapping *m)
{
	u32 level, entry;

	for (level = 2; level; level--) {
		u32 shift = 2 + 10 * level;

		if (!table_read((w->table & PAGE_MASK) + (w->va >> shift & 1023) * 4, &entry, sizeof(entry)) ||
		    !(entry & PTE_PRESENT))
			return -EFAULT;
		w->write &= !!(entry & PTE_WRITE);
		w->user &= !!(entry & PTE_USER);
		if (level == 1 || (pse && entry & PTE_LARGE)) {
			leaf(w, entry, shift, level, m);
			return 0;
		}
		w->table = entry;
	}
	return -EFAULT;
}

static int walk_long(struct walk *w, u32 level, bool pae, struct mapping *m)
{
	u64 entry;

	for (; level; level--) {
		u32 shift = 3 + 9 * level;
		bool pdpte = pae && level == 3;	/* four entries, without permissions */

		if (!table_read(w->table + (w->va >> shift & (pdpte ? 3 : 511)) * 8, &entry, sizeof(entry)) ||
		    !(entry & PTE_PRESENT))
			return -EFAULT;
		if (!pdpte) {
			w->write &= !!(entry & PTE_WRITE);
			w->user &= !!(entry & PTE_USER);
			w->exec &= !(entry & PTE_NX);
		}
		if (level == 1 || (level <= 3 && !pdpte && entry & PTE_LARGE)) {
			leaf(w, entry, shift, level, m);
			return 0;
		}
		w->table = entry & PTE_ADDRESS;
	}
	return -EFAULT;
}

int guest_translate(struct vcpu *v, u64 va, struct mapping *m)
{
	const struct vmcb_save *s = &v->vmcb.save;
	struct walk w = { .table = s->cr3 & PTE_ADDRESS, .write = true, .user = true, .exec = true, .va = va };

	if (v->paging_off || !(s->cr0 & CR0_PG)) {
		*m = (struct mapping) {
			.gpa = (u32)va, .view = PRIVATE, .write = true, .user = true, .exec = true, .level = 1,
		};
		return 0;
	}
	if (!guest_long_mode(v))
		w.va = (u32)va;
	if (!(s->cr4 & CR4_PAE))
		return walk_legacy(&w, s->cr4 & CR4_PSE, m);
	if (!guest_long_mode(v)) {
		w.table = s->cr3 & CR3_ADDRESS_PAE;
		return walk_long(&w, 3, true, m);
	}
	return walk_long(&w, s->cr4 & CR4_LA57 ? 5 : 4, false, m);
}

/* To the end of the page; NULL: nothing there, or the view is not the present one */
static u8 *page_ptr(u64 gpa, enum view view)
{
	u8 *firmware = firmware_ptr(gpa);

	return firmware ? firmware : npt_ptr(gpa, view);
}

enum access { READ, WRITE, FETCH };

static int copy(struct vcpu *v, u64 va, void *buf, size_t len, enum access access)
{
	struct mapping m;
	size_t n;
	u8 *p;

	while (len) {
		n = min(len, PAGE_SIZE - va % PAGE_SIZE);
		if (guest_translate(v, va, &m))
			return -EFAULT;
		if (access == FETCH && config.tech->bit_is_private)
			m.view = PRIVATE;
		p = page_ptr(m.gpa, m.view);
		if (!p)
			return -EFAULT;
		if (access == WRITE)
			memcpy(p, buf, n);
		else
			memcpy(buf, p, n);
		va += n;
		buf = (u8 *)buf + n;
		len -= n;
	}
	return 0;
}

int guest_read(struct vcpu *v, u64 va, void *buf, size_t len)
{
	return copy(v, va, buf, len, READ);
}

int guest_write(struct vcpu *v, u64 va, const void *buf, size_t len)
{
	return copy(v, va, (void *)buf, len, WRITE);
}

int guest_fetch(struct vcpu *v, u64 va, void *buf, size_t len)
{
	return copy(v, va, buf, len, FETCH);
}

static int copy_gpa(u64 gpa, enum view view, void *buf, size_t len, bool write)
{
	size_t n;
	u8 *p;

	while (len) {
		n = min(len, PAGE_SIZE - gpa % PAGE_SIZE);
		p = firmware_ptr(gpa);
		if (!p)
			p = ram_ptr(gpa, view);
		if (!p)
			return -EFAULT;
		if (write)
			memcpy(p, buf, n);
		else
			memcpy(buf, p, n);
		gpa += n;
		buf = (u8 *)buf + n;
		len -= n;
	}
	return 0;
}

int guest_read_gpa(u64 gpa, enum view view, void *buf, size_t len)
{
	return copy_gpa(gpa, view, buf, len, false);
}

int guest_write_gpa(u64 gpa, enum view view, const void *buf, size_t len)
{
	return copy_gpa(gpa, view, (void *)buf, len, true);
}
