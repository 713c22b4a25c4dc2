// SPDX-License-Identifier: GPL-2.0
/* Pages that are private or shared: page tables, contents, the machine's log. */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <asm/pgtable.h>
#include "kunit_choice.h"
#include "pages.h"

#define PAGES_IN_2M	(PMD_SIZE / PAGE_SIZE)

/* ---- page tables ---- */

/* AMD: set in private entries.  TDX: set in shared ones, see the suite technology. */
static u64 encryption_bit(void)
{
	return pgprot_val(PAGE_KERNEL) ^ pgprot_val(pgprot_decrypted(PAGE_KERNEL));
}

/* False if nothing is mapped there */
static bool entry(const void *p, u64 *value, unsigned int *level)
{
	pte_t *pte = lookup_address((unsigned long)p, level);

	*value = pte ? pte_val(*pte) : 0;
	return *value & _PAGE_PRESENT;
}

static bool maps(const void *p, bool private)
{
	unsigned int level;
	u64 value;

	if (!entry(p, &value, &level))
		return false;
	return !!(value & encryption_bit()) == (private == (coco_technology() != COCO_TDX));
}

bool coco_maps_private(const void *p)
{
	return maps(p, true);
}
EXPORT_SYMBOL_GPL(coco_maps_private);

bool coco_maps_shared(const void *p)
{
	return maps(p, false);
}
EXPORT_SYMBOL_GPL(coco_maps_shared);

bool coco_maps_large(const void *p)
{
	unsigned int level;
	u64 value;

	return entry(p, &value, &level) && level >= PG_LEVEL_2M;
}
EXPORT_SYMBOL_GPL(coco_maps_large);

/* ---- contents ---- */

static u64 word(u64 seed, unsigned int i)
{
	return (seed << 16 ^ i) * 0x9e3779b97f4a7c15ull + 1;
}

void coco_fill_page(void *page, u64 seed)
{
	u64 *words = page;
	unsigned int i;

	for (i = 0; i < COCO_WORDS; i++)
		WRITE_ONCE(words[i], word(seed, i));
}
EXPORT_SYMBOL_GPL(coco_fill_page);

unsigned int coco_page_filled(const void *page, u64 seed)
{
	const u64 *words = page;
	unsigned int i, n = 0;

	for (i = 0; i < COCO_WORDS; i++)
		n += READ_ONCE(words[i]) == word(seed, i);
	return n;
}
EXPORT_SYMBOL_GPL(coco_page_filled);

int coco_host_filled(u64 gpa, u64 seed)
{
	static u64 bytes[PAGE_SIZE / sizeof(u64)];
	s64 error = coco_host_read(gpa, bytes, sizeof(bytes));

	return error ? error : (int)coco_page_filled(bytes, seed);
}
EXPORT_SYMBOL_GPL(coco_host_filled);

u64 coco_gpa(const void *p)
{
	return is_vmalloc_addr(p) ? PFN_PHYS(vmalloc_to_pfn(p)) + offset_in_page(p) : __pa(p);
}
EXPORT_SYMBOL_GPL(coco_gpa);

int coco_page_users(unsigned long address)
{
	return page_count(virt_to_page((void *)address));
}
EXPORT_SYMBOL_GPL(coco_page_users);

/* ---- the machine's log ---- */

/* The pages that an event is about, and what it did to them */
struct change {
	u64 gpa, npages, seq;
	u32 mask;
	bool is_change, private, refused, nothing;
};

static bool is_of_interest(const struct coco_event *e)
{
	return e->kind == COCO_EV_PSC || e->kind == COCO_EV_PVALIDATE ||
	       (e->kind == COCO_EV_TDCALL && e->code == TDCALL_PAGE_ACCEPT);
}

/* Too large a size is no refusal: the guest tries again with a smaller one */
static struct change read_event(const struct coco_event *e)
{
	struct change c = { .gpa = e->code, .npages = 1, .seq = e->seq, .mask = e->mask };

	switch (e->kind) {
	case COCO_EV_PSC:
		c.is_change = true;
		c.npages = e->info1 >> 8 & 1 ? PAGES_IN_2M : 1;
		c.private = (e->info1 & 0xff) == COCO_PSC_PRIVATE;
		c.nothing = (e->info1 & 0xff) > COCO_PSC_SHARED;
		c.refused = e->ret;
		break;
	case COCO_EV_PVALIDATE:		/* APM vol. 3: EAX 6 is FAIL_SIZEMISMATCH, CF: no change */
		c.npages = e->info1 & 1 ? PAGES_IN_2M : 1;
		c.private = e->info1 >> 8 & 1;
		c.nothing = e->ret == 6;
		c.refused = e->ret;
		break;
	default:			/* [ABI] completion status TDX_PAGE_SIZE_MISMATCH */
		c.gpa = e->info1 & PAGE_MASK;
		c.npages = e->info1 & 7 ? PAGES_IN_2M : 1;
		c.private = true;
		c.nothing = e->ret >> 32 == 0xc0000b0b;
		c.refused = e->ret;
	}
	return c;
}

static void note(struct coco_page_log *page, const struct change *c)
{
	if (c->mask & COCO_WATCHED) {
		page->watched++;
		page->maps_private += !!(c->mask & COCO_WATCH_PRIVATE);
		page->maps_shared += (c->mask & (COCO_WATCH_MAPPED | COCO_WATCH_PRIVATE)) ==
				     COCO_WATCH_MAPPED;
	}
	if (c->refused) {
		page->refused++;
	} else if (c->is_change) {
		page->to_private += c->private;
		page->to_shared += !c->private;
		page->change = c->seq;
	} else {
		page->validated += c->private;
		page->rescinded += !c->private;
		page->validation = c->seq;
	}
}

static void note_all(struct coco_log *log, u64 first_gpa, const struct change *c)
{
	u64 i, page;

	for (i = 0; i < c->npages; i++) {
		page = c->gpa / PAGE_SIZE + i - first_gpa / PAGE_SIZE;
		if (page < log->npages)
			note(&log->page[page], c);
		else
			log->elsewhere++;
	}
}

struct coco_log *coco_log(struct kunit *test, u64 first, u64 gpa, unsigned int npages)
{
	struct coco_log *log;
	struct coco_event e;
	struct change c;
	u64 end = coco_event_next();

	log = kunit_kzalloc(test, sizeof(*log) + npages * sizeof(log->page[0]), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, log);
	log->npages = npages;
	for (; first < end; first++) {
		if (coco_event(first, &e)) {
			log->lost = true;
		} else if (is_of_interest(&e)) {
			c = read_event(&e);
			if (!c.nothing)
				note_all(log, gpa, &c);
		}
	}
	return log;
}
EXPORT_SYMBOL_GPL(coco_log);
