// SPDX-License-Identifier: GPL-2.0
/*
 * What the machine saw: the last few thousand events, and how many there were
 * of each kind and code since the start.
 *
 * Most kinds have a small set of codes, kept in a hash table.  The codes of
 * PVALIDATE, PSC and NPF are guest physical addresses; they are counted a page.
 * Once codes that the guest makes up have filled the table, new ones count in
 * the total of their kind alone.
 */
#include "control.h"

#define RING_SIZE	4096u		/* power of two */
#define TABLE_SIZE	4096u		/* power of two */

struct counter {
	u64 code;
	u64 count;
	u16 kind;			/* 0: free */
};

static struct coco_event ring[RING_SIZE];
static u64 next_seq;
static u64 totals[COCO_EV_KINDS];
static struct counter table[TABLE_SIZE];
static u32 table_used;
static u32 *page_counts[COCO_EV_KINDS];	/* by ram_page() */

static const char *const kind_names[COCO_EV_KINDS] = {
	[COCO_EV_VC] = "vc",
	[COCO_EV_VE] = "ve",
	[COCO_EV_GHCB] = "ghcb",
	[COCO_EV_MSRPROTO] = "msrproto",
	[COCO_EV_TDVMCALL] = "tdvmcall",
	[COCO_EV_TDCALL] = "tdcall",
	[COCO_EV_PVALIDATE] = "pvalidate",
	[COCO_EV_PSC] = "psc",
	[COCO_EV_INJECT] = "inject",
	[COCO_EV_BREACH] = "breach",
	[COCO_EV_NPF] = "npf",
	[COCO_EV_SVSM] = "svsm",
};

const char *event_kind_name(enum coco_event_kind kind)
{
	return kind_names[kind];
}

static bool counted_by_page(enum coco_event_kind kind)
{
	return kind == COCO_EV_PVALIDATE || kind == COCO_EV_PSC || kind == COCO_EV_NPF;
}

/* The page's counter, where the code is the address of a page of RAM; else NULL */
static u32 *page_counter(enum coco_event_kind kind, u64 code)
{
	u32 **counts = &page_counts[kind];

	if (!counted_by_page(kind) || next_ram(code) != code)
		return NULL;
	if (!*counts)
		*counts = ram_array(sizeof(**counts));
	return &(*counts)[ram_page(code)];
}

/* The entry of this kind and code, or the free one where it would go */
static struct counter *table_find(enum coco_event_kind kind, u64 code)
{
	u32 i = ((code ^ code >> 29) * 0x9e3779b97f4a7c15ull >> 40) + kind * 0x101u;

	for (;; i++) {
		struct counter *c = &table[i % TABLE_SIZE];

		if (!c->kind || (c->kind == kind && c->code == code))
			return c;
	}
}

static void note_full_table(void)
{
	static bool noted;

	if (!noted)
		stream_line('m', "note more than %u different event codes: others are not told apart",
			    table_used);
	noted = true;
}

static void count_one(enum coco_event_kind kind, u64 code)
{
	u32 *page = page_counter(kind, code);
	struct counter *c;

	totals[kind]++;
	if (page) {
		(*page)++;
		return;
	}
	c = table_find(kind, code);
	if (!c->kind) {
		if (table_used == TABLE_SIZE - 1) {
			note_full_table();
			return;
		}
		table_used++;
		c->kind = kind;
		c->code = code;
	}
	c->count++;
}

struct coco_event *event_add(struct vcpu *v, enum coco_event_kind kind, u64 code, u64 info1,
			     u64 info2)
{
	struct coco_event *e = &ring[next_seq % RING_SIZE];

	memset(e, 0, sizeof(*e));
	e->seq = next_seq++;
	e->kind = kind;
	e->code = code;
	e->info1 = info1;
	e->info2 = info2;
	if (v) {
		e->cpu = v->index;
		e->cpl = guest_cpl(v);
		e->rip = v->vmcb.save.rip;
		e->mask = watch_mapping(v, e);
	}
	count_one(kind, code);
	trace("event %lu cpu %u %s code 0x%lx info 0x%lx 0x%lx rip 0x%lx", e->seq, e->cpu,
	      kind_names[kind], code, info1, info2, e->rip);
	return e;
}

u64 event_count(enum coco_event_kind kind, u64 code)
{
	u32 *page;

	if (kind <= 0 || kind >= COCO_EV_KINDS)
		return 0;
	if (code == COCO_ANY)
		return totals[kind];
	page = page_counter(kind, code);
	return page ? *page : table_find(kind, code)->count;
}

u64 event_next(void)
{
	return next_seq;
}

s64 event_get(u64 seq, struct coco_event *event)
{
	if (seq >= next_seq)
		return -ENOENT;
	if (next_seq - seq > RING_SIZE)
		return -ESTALE;
	*event = ring[seq % RING_SIZE];
	return 0;
}

/* "m|count <kind> <code> <n>", what has no counter here as one line with the code "any" */
void event_totals(void)
{
	u64 left[COCO_EV_KINDS];
	u32 i;

	memcpy(left, totals, sizeof(left));
	for (i = 0; i < TABLE_SIZE; i++) {
		struct counter *c = &table[i];

		if (!c->kind)
			continue;
		left[c->kind] -= c->count;
		stream_line('m', "count %s 0x%lx %lu", kind_names[c->kind], c->code, c->count);
	}
	for (i = 1; i < COCO_EV_KINDS; i++)
		if (left[i])
			stream_line('m', "count %s any %lu", kind_names[i], left[i]);
}
