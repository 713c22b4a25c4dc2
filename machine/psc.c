// SPDX-License-Identifier: GPL-2.0
/*
 * Page state changes of SEV-SNP: what the host does to the RMP when the guest
 * asks (GHCB specification 56421, page state change; MSR protocol and event).
 *
 *	private		assigned to the guest, not validated
 *	shared		the host's; the guest has rescinded its validation before
 *	PSMASH, UNSMASH	hints: entry of 2M to 4K and back
 *
 * A page that is in the wanted state already stays as it is, validation
 * included, as with KVM.
 */
#include "sev.h"

#define ENTRY_CUR_PAGE	0xfffull
#define ENTRY_GPA	0x000ffffffffff000ull
#define ENTRY_OP(e)	((e) >> 52 & 15)
#define ENTRY_2M	BIT_ULL(56)
#define ENTRY_RESERVED	0xfe00000000000000ull
#define HEADER_SIZE	8u
#define MAX_ENTRIES	253

struct psc_header {
	u16 cur, end;
	u32 reserved;
} __packed;

static bool is_private(u64 gpa)
{
	return page_flags(gpa) & COCO_PAGE_PRIVATE;
}

/* One entry of 2M where all of it is to be assigned anew */
static void to_private(u64 gpa, bool huge)
{
	u64 i, shared = 0, count = huge ? PAGES_IN_2M : 1;
	u8 flags = COCO_PAGE_PRIVATE;

	for (i = 0; i < count; i++)
		shared += !is_private(gpa + i * PAGE_SIZE);
	if (shared == PAGES_IN_2M)
		flags |= COCO_PAGE_2M;
	for (i = 0; i < count; i++)
		if (!is_private(gpa + i * PAGE_SIZE))
			page_convert(gpa + i * PAGE_SIZE, 1, flags);
}

/* False: one of them is a VMSA, which a vCPU in guest mode has to itself */
static bool to_shared(struct vcpu *v, u64 gpa, u64 count)
{
	u64 i, validated = 0;

	for (i = 0; i < count; i++, gpa += PAGE_SIZE) {
		if (!is_private(gpa))
			continue;
		if (page_flags(gpa) & COCO_PAGE_IN_USE) {
			breach(v, COCO_BREACH_PAGE, gpa,
			       "page 0x%lx is to be shared, and the VMSA of a vCPU in guest mode",
			       gpa);
			return false;
		}
		if (page_flags(gpa) & COCO_PAGE_VALIDATED && !validated++)
			breach(v, COCO_BREACH_ORDER, gpa,
			       "page 0x%lx is to be shared, and still validated", gpa);
		page_convert(gpa, 1, 0);
	}
	return true;
}

static void unsmash(u64 gpa)
{
	u64 i;
	u8 flags = page_flags(gpa);

	for (i = 1; i < PAGES_IN_2M; i++)
		if (page_flags(gpa + i * PAGE_SIZE) != flags)
			return;
	for (i = 0; i < PAGES_IN_2M; i++)
		page_set(gpa + i * PAGE_SIZE, flags | COCO_PAGE_2M);
}

static u64 model(struct vcpu *v, u64 gpa, u32 op, bool huge, u64 generic)
{
	u64 count = huge ? PAGES_IN_2M : 1;

	if (!page_all_ram(gpa, count)) {
		breach(v, COCO_BREACH_PAGE, gpa, "page state change of 0x%lx, which is not RAM",
		       gpa);
		return generic;
	}
	switch (op) {
	case PSC_PRIVATE:
		to_private(gpa, huge);
		break;
	case PSC_SHARED:
		if (!to_shared(v, gpa, count))
			return generic;
		break;
	case PSC_PSMASH:
		if (page_flags(gpa) & COCO_PAGE_2M)
			page_split(gpa);
		break;
	case PSC_UNSMASH:
		if (huge)
			unsmash(gpa);
		break;
	default:
		breach(v, COCO_BREACH_RESERVED, op, "page state change of 0x%lx: operation %u", gpa,
		       op);
		return generic;
	}
	return 0;
}

static u64 change(struct vcpu *v, u64 gpa, u32 op, bool huge, u64 generic)
{
	struct coco_event *event = event_add(v, COCO_EV_PSC, gpa, op | (u64)huge << 8, 0);
	const struct coco_rule *rule = rule_match(event);
	u64 error = 0;

	if (!rule || rule->action != COCO_REPLY)
		error = model(v, gpa, op, huge, generic);
	if (rule && rule->reply_mask & 1)
		error = rule->reply[0];
	event->ret = error;
	return error;
}

u64 psc_one(struct vcpu *v, u64 gpa, u32 op, bool huge, u64 generic)
{
	u64 error = change(v, gpa, op, huge, generic);

	vcpus_flush(v);
	return error;
}

/* An entry that an earlier call left half done goes on in pages of 4K */
static u64 entry(struct vcpu *v, u64 *e)
{
	u64 value = *e, gpa = value & ENTRY_GPA, done = value & ENTRY_CUR_PAGE, error;
	bool huge = value & ENTRY_2M;
	u64 count = huge ? PAGES_IN_2M : 1;

	if (value & ENTRY_RESERVED)
		breach(v, COCO_BREACH_RESERVED, value,
		       "page state change entry 0x%lx: reserved bits", value);
	if (done > count || gpa & (count * PAGE_SIZE - 1)) {
		breach(v, COCO_BREACH_RESERVED, value, "page state change entry 0x%lx: %s", value,
		       done > count ? "current page beyond its end" : "not aligned");
		return PSC_ERROR_ENTRY;
	}
	if (!done) {
		error = change(v, gpa, ENTRY_OP(value), huge, PSC_ERROR_GENERIC);
		if (error)
			return error;
	}
	for (; done && done < count; done++) {
		error = change(v, gpa + done * PAGE_SIZE, ENTRY_OP(value), false,
			       PSC_ERROR_GENERIC);
		if (error)
			return error;
		*e = (value & ~ENTRY_CUR_PAGE) | (done + 1);
	}
	*e = (value & ~ENTRY_CUR_PAGE) | count;
	return 0;
}

/* The list is in memory that the guest may change meanwhile: each word is read once */
u64 psc_list(struct vcpu *v, u8 *list, u64 size)
{
	struct psc_header header = *(volatile struct psc_header *)list;
	u64 *entries = (u64 *)(list + HEADER_SIZE), error = 0;
	u32 room = min((size - HEADER_SIZE) / sizeof(*entries), (u64)MAX_ENTRIES);

	if (header.reserved)
		breach(v, COCO_BREACH_RESERVED, header.reserved,
		       "page state change header: reserved word 0x%x", header.reserved);
	if (header.end >= room || header.cur > header.end) {
		breach(v, COCO_BREACH_RESERVED, header.end,
		       "page state change header: entries %u to %u of %u", header.cur, header.end,
		       room);
		return PSC_ERROR_HEADER;
	}
	for (; header.cur <= header.end && !error; header.cur += !error) {
		error = entry(v, &entries[header.cur]);
		*(u16 *)list = header.cur + !error;
	}
	vcpus_flush(v);
	return error;
}
