// SPDX-License-Identifier: GPL-2.0
/*
 * A TD with firmware of its own (TDX virtual firmware design guide, 344991):
 * the pages that its list of sections wants are added at the build, the others
 * are the host's to add when they are accepted; the list of memory is handed
 * over in the TD HOB (section 4.2, UEFI PI specification vol. 3).
 */
#include "flash.h"
#include "tdx.h"

/* 11.2, "TDVF section types" */
enum { TDVF_BFV, TDVF_CFV, TDVF_TD_HOB, TDVF_TEMP_MEM };

struct section {
	u32 offset, raw_size;
	u64 gpa, size;
	u32 type, attributes;
} __packed;

static const struct efi_guid guid_tdvf_sections = {
	0xe47a6535, 0x984a, 0x4798, { 0x86, 0x5e, 0x46, 0x85, 0xa7, 0xbf, 0x8e, 0xc2 }
};

/* UEFI PI specification 1.7 vol. 3, 5.2, 5.3 and 5.5 */
enum { HOB_HANDOFF = 1, HOB_RESOURCE = 3, HOB_END = 0xffff };
enum { RESOURCE_SYSTEM_MEMORY = 0, RESOURCE_UNACCEPTED = 7 };
#define HANDOFF_VERSION		9
#define RESOURCE_PRESENT	7u		/* present, initialised, tested */

struct hob {
	u16 type, length;
	u32 reserved;
} __packed;

struct handoff {
	struct hob hob;
	u32 version, boot_mode;
	u64 memory_top, memory_bottom, free_top, free_bottom, end;
} __packed;

struct resource {
	struct hob hob;
	struct efi_guid owner;
	u32 type, attributes;
	u64 start, length;
} __packed;

/* RBX at the reset vector ([base] "initial state of guest GPRs") */
#define GPAW_48		48
#define GPAW_52		52

static struct {
	u64 gpa, used, size;
} hobs;

static void *hob_add(u16 type, u16 length)
{
	struct hob *hob = ram_ptr(hobs.gpa + hobs.used, PRIVATE);

	if (hobs.used + length > hobs.size)
		internal_error("firmware: its room for the TD HOB is too small");
	hobs.used += length;
	hob->type = type;
	hob->length = length;
	return hob;
}

static void hob_resource(u64 start, u64 end, bool accepted)
{
	struct resource *r;

	if (start >= end)
		return;
	r = hob_add(HOB_RESOURCE, sizeof(*r));
	r->type = accepted ? RESOURCE_SYSTEM_MEMORY : RESOURCE_UNACCEPTED;
	r->attributes = RESOURCE_PRESENT;
	r->start = start;
	r->length = end - start;
}

/* Runs of pages that are alike */
static void hob_memory(u64 at, u64 end)
{
	u64 start = at;
	bool accepted = false;

	for (; at < end; at += PAGE_SIZE) {
		bool now = page_flags(at) & COCO_PAGE_VALIDATED;

		if (now != accepted) {
			hob_resource(start, at, accepted);
			start = at;
			accepted = now;
		}
	}
	hob_resource(start, end, accepted);
}

static void fill_hobs(void)
{
	struct handoff *handoff = hob_add(HOB_HANDOFF, sizeof(*handoff));

	handoff->version = HANDOFF_VERSION;
	hob_memory(0, 0xa0000);
	hob_memory(0x100000, config.ram);
	hob_memory(HIGH_BASE, HIGH_BASE + config.high);
	hob_add(HOB_END, sizeof(struct hob));
	handoff->end = hobs.gpa + hobs.used;
}

static void initial_state(struct vcpu *v)
{
	const struct vmcb_seg data = { .attrib = 0xc93, .limit = 0xffffffff };
	struct vmcb_save *s = &v->vmcb.save;

	s->cs = (struct vmcb_seg) { .attrib = 0xc9b, .limit = 0xffffffff };
	s->ds = s->es = s->fs = s->gs = s->ss = data;
	s->cr0 = 0x11;			/* PE, ET; paging is off */
	s->cr4 = 0;
	tdx_fixed_registers(s);
	s->rip = 0xfffffff0;
	v->regs[RBX] = config.cbit == 51 ? GPAW_52 : GPAW_48;
	v->regs[RCX] = v->regs[R8] = hobs.gpa;
	v->regs[RSI] = v->index;
}

void tdx_launch(struct vcpu *bsp)
{
	const struct section *s;
	u32 count, i;

	s = flash_sections(&guid_tdvf_sections, "TDVF", sizeof(*s), &count);
	page_init(COCO_PAGE_PRIVATE);
	for (i = 0; i < count; i++) {
		if (s[i].type == TDVF_BFV || s[i].type == TDVF_CFV)
			continue;		/* in flash */
		if (s[i].type != TDVF_TD_HOB && s[i].type != TDVF_TEMP_MEM)
			internal_error("firmware: section type %u is not known", s[i].type);
		flash_add(s[i].gpa, s[i].size);
		if (s[i].type == TDVF_TD_HOB) {
			hobs.gpa = s[i].gpa;
			hobs.size = s[i].size;
		}
	}
	if (!hobs.size)
		internal_error("firmware: no section for the TD HOB");
	fill_hobs();
	initial_state(bsp);
}
