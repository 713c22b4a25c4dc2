// SPDX-License-Identifier: GPL-2.0
/*
 * A secure VM service module: what runs at VMPL 0 where the guest's kernel does not, and does
 * for it what only VMPL 0 may do (AMD 58019, Secure VM Service Module for SEV-SNP Guests, 1.00).
 * Options: svsm=<1, 2 or 3> the VMPL of the guest; svsm_left=<byte> what calls of the firmware's
 * have left in the first calling area, behind its header.
 *
 * The secrets page tells of it.  A call goes by a page of the guest's, the calling area, and
 * by registers: RAX holds protocol and call, RCX, RDX, R8 and R9 what it takes.  The guest asks
 * the host to run VMPL 0; RAX holds the result when it goes on (58019, "Calling Convention").
 *
 * Of the protocols it has the core protocol and the attestation protocol (svsm_attest.c).  What a
 * guest does wrong is a breach; then the module answers as a lenient one does.
 */
#include "core.h"
#include "page.h"
#include "sev.h"
#include "svsm.h"

#define MAX_VMPL	3
#define PAGES		4u		/* of the module's own */
#define CORE_VERSION	1
#define ATTEST_VERSION	1

enum { PROTOCOL_CORE, PROTOCOL_ATTEST };
enum {
	CORE_REMAP_CA,
	CORE_PVALIDATE,
	CORE_CREATE_VCPU,
	CORE_DELETE_VCPU,
	CORE_DEPOSIT_MEM,
	CORE_WITHDRAW_MEM,
	CORE_QUERY_PROTOCOL,
	CORE_CONFIGURE_VTOM,
};

/* Results of PVALIDATE and RMPADJUST, in EAX's number; and that nothing was changed */
enum {
	CORE_RESULT		= 0x80001000,
	CORE_FAIL_INUSE		= CORE_RESULT + 3,
	CORE_UNCHANGED		= CORE_RESULT + 0x10,
};

/* 58019, "Calling Area" */
struct calling_area {
	u8 call_pending, mem_available, reserved[6];
	u8 buffer[PAGE_SIZE - 8];
} __packed;

#define AREA_HEADER	offsetof(struct calling_area, buffer)

/* SVSM_CORE_PVALIDATE; entries: size in 0..1, action in 2, ignore CF in 3, frame from 12 on */
struct pvalidate_list {
	u16 count, next;
	u32 reserved;
	u64 entry[];
} __packed;

#define ENTRY_SIZE(e)		((e) & 3)
#define ENTRY_VALIDATE(e)	((e) >> 2 & 1)
#define ENTRY_IGNORE_CF(e)	((e) >> 3 & 1)
#define ENTRY_RESERVED(e)	((e) & 0xff0)

_Static_assert(sizeof(struct calling_area) == PAGE_SIZE, "calling area");
_Static_assert(sizeof(struct svsm_secrets) == 32, "secrets page, SVSM");

static u32 guest_vmpl;			/* 0: there is no module */
static u64 base;
static u64 areas[MAX_VCPUS];		/* each vCPU's calling area */
static struct {
	u64 vmsa, area;
} created[MAX_VCPUS];			/* what the next vCPU with that index starts with */

u32 svsm_guest_vmpl(void)
{
	return guest_vmpl;
}

u64 svsm_calling_area(const struct vcpu *v)
{
	return areas[v->index];
}

void svsm_setup(void)
{
	guest_vmpl = option_number("svsm", 0);
	if (guest_vmpl > MAX_VMPL)
		internal_error("option svsm: the guest's VMPL, 1 to %u", MAX_VMPL);
	if (guest_vmpl && config.flash)
		internal_error("option svsm: not with firmware of the guest's own");
}

void svsm_boot_data(struct boot *boot)
{
	u32 i;

	if (!guest_vmpl)
		return;
	base = boot_reserve(boot, PAGES);
	for (i = 0; i < PAGES; i++)
		page_set(base + i * PAGE_SIZE,
			 COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED | COCO_PAGE_VMPL0);
	areas[0] = boot_reserve(boot, 1);
	memset(ram_ptr(areas[0], PRIVATE) + AREA_HEADER, option_number("svsm_left", 0),
	       PAGE_SIZE - AREA_HEADER);
}

struct svsm_secrets svsm_secrets(void)
{
	if (!guest_vmpl)
		return (struct svsm_secrets){ 0 };
	return (struct svsm_secrets) {
		.base = base,
		.size = PAGES * PAGE_SIZE,
		.calling_area = areas[0],
		.max_version = CORE_VERSION,
		.guest_vmpl = guest_vmpl,
	};
}

/* ---- the guest's memory ---- */

static bool is_guests(u64 gpa)
{
	u8 wanted = COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED;

	return is_ram(gpa) && (page_flags(gpa) & (wanted | COCO_PAGE_VMPL0)) == wanted;
}

void *svsm_memory(u64 gpa, u64 size)
{
	u64 page, last = gpa + size - 1;

	if (!size || last < gpa)
		return NULL;
	for (page = gpa & PAGE_MASK; page <= last; page += PAGE_SIZE)
		if (!is_guests(page))
			return NULL;
	return ram_ptr(gpa, PRIVATE);
}

bool svsm_in_one_page(u64 gpa, u64 size)
{
	return (gpa & ~PAGE_MASK) + size <= PAGE_SIZE;
}

/* ---- core protocol ---- */

static u64 remap_ca(struct vcpu *v, const struct svsm_call *call)
{
	struct calling_area *area;

	if (call->rcx & 7 || !svsm_in_one_page(call->rcx, AREA_HEADER))
		return SVSM_INVALID_PARAMETER;
	area = svsm_memory(call->rcx, AREA_HEADER);
	if (!area)
		return SVSM_INVALID_ADDRESS;
	memset(area, 0, AREA_HEADER);
	areas[v->index] = call->rcx;
	return SVSM_SUCCESS;
}

static u64 pvalidate_one(struct vcpu *v, u64 entry)
{
	u64 gpa = entry & PAGE_MASK, result, i, count = ENTRY_SIZE(entry) ? PAGES_IN_2M : 1;

	if (ENTRY_RESERVED(entry))
		breach(v, COCO_BREACH_RESERVED, entry,
		       "SVSM_CORE_PVALIDATE: entry 0x%lx: reserved bits", entry);
	if (ENTRY_SIZE(entry) > 1 || gpa & (count * PAGE_SIZE - 1))
		return SVSM_INVALID_PARAMETER;
	for (i = 0; i < count; i++)
		if (!is_ram(gpa + i * PAGE_SIZE) ||
		    page_flags(gpa + i * PAGE_SIZE) & (COCO_PAGE_VMPL0 | COCO_PAGE_VMSA))
			return SVSM_INVALID_ADDRESS;
	result = rmp_pvalidate(v, gpa, ENTRY_SIZE(entry) | ENTRY_VALIDATE(entry) << 8, 0);
	if ((u32)result)
		return CORE_RESULT + (u32)result;
	return result >> 32 && !ENTRY_IGNORE_CF(entry) ? CORE_UNCHANGED : SVSM_SUCCESS;
}

/* Other vCPUs may write to the list meanwhile: each word is read once */
static u64 pvalidate(struct vcpu *v, const struct svsm_call *call)
{
	volatile struct pvalidate_list *list;
	u64 room, result = SVSM_SUCCESS;
	u16 count, next;

	if (call->rcx & 7 || !svsm_in_one_page(call->rcx, sizeof(*list)))
		return SVSM_INVALID_PARAMETER;
	list = svsm_memory(call->rcx, sizeof(*list));
	if (!list)
		return SVSM_INVALID_ADDRESS;
	room = (PAGE_SIZE - (call->rcx & ~PAGE_MASK) - sizeof(*list)) / sizeof(list->entry[0]);
	count = list->count;
	next = list->next;
	if (count > room || next >= count)
		return SVSM_INVALID_PARAMETER;
	for (; next < count && !result; next += !result) {
		result = pvalidate_one(v, list->entry[next]);
		list->next = next + !result;
	}
	return result;
}

static u64 create_vcpu(const struct svsm_call *call)
{
	struct vcpu *target = vcpu_by_apic_id(call->r8);
	u64 value;

	if ((call->rcx | call->rdx) & ~PAGE_MASK || call->rcx == call->rdx ||
	    !svsm_memory(call->rcx, PAGE_SIZE) || !svsm_memory(call->rdx, PAGE_SIZE) ||
	    page_flags(call->rcx) & COCO_PAGE_VMSA)
		return SVSM_INVALID_ADDRESS;
	if (!target || ap_vmsa_flaw(call->rcx, &value))
		return SVSM_INVALID_PARAMETER;
	memset(ram_ptr(call->rdx, PRIVATE), 0, AREA_HEADER);
	rmp_set_vmsa(call->rcx, true);
	created[target->index].vmsa = call->rcx;
	created[target->index].area = call->rdx;
	return SVSM_SUCCESS;
}

static u64 delete_vcpu(const struct svsm_call *call)
{
	if (call->rcx & ~PAGE_MASK || !is_guests(call->rcx) ||
	    !(page_flags(call->rcx) & COCO_PAGE_VMSA))
		return SVSM_INVALID_PARAMETER;
	if (page_flags(call->rcx) & COCO_PAGE_IN_USE)
		return CORE_FAIL_INUSE;
	rmp_set_vmsa(call->rcx, false);
	return SVSM_SUCCESS;
}

void svsm_vcpu_starts(const struct vcpu *target, u64 vmsa)
{
	if (guest_vmpl && created[target->index].vmsa == vmsa)
		areas[target->index] = created[target->index].area;
}

/* Highest and lowest version, or 0: not this protocol, or not so new a version */
static u64 query_protocol(struct svsm_call *call)
{
	u64 protocol = call->rcx >> 32, version = (u32)call->rcx;
	u64 highest = protocol == PROTOCOL_CORE ? CORE_VERSION :
		      protocol == PROTOCOL_ATTEST ? ATTEST_VERSION : 0;

	call->rcx = version && version <= highest ? highest << 32 | 1 : 0;
	return SVSM_SUCCESS;
}

/* Bit 0 asks whether there is a virtual top of memory: there is none */
static u64 configure_vtom(struct svsm_call *call)
{
	if (!(call->rcx & 1))
		return SVSM_INVALID_REQUEST;
	call->rcx = 0;
	return SVSM_SUCCESS;
}

static u64 core(struct vcpu *v, struct svsm_call *call)
{
	switch ((u32)call->rax) {
	case CORE_REMAP_CA:
		return remap_ca(v, call);
	case CORE_PVALIDATE:
		return pvalidate(v, call);
	case CORE_CREATE_VCPU:
		return create_vcpu(call);
	case CORE_DELETE_VCPU:
		return delete_vcpu(call);
	case CORE_QUERY_PROTOCOL:
		return query_protocol(call);
	case CORE_CONFIGURE_VTOM:
		return configure_vtom(call);
	case CORE_DEPOSIT_MEM:		/* it needs none */
	case CORE_WITHDRAW_MEM:
	default:
		return SVSM_UNSUPPORTED_CALL;
	}
}

/* ---- the call ---- */

static u64 serve(struct vcpu *v, struct svsm_call *call)
{
	switch (call->rax >> 32) {
	case PROTOCOL_CORE:
		return core(v, call);
	case PROTOCOL_ATTEST:
		return svsm_attest(v, call);
	default:
		return SVSM_UNSUPPORTED_PROTOCOL;
	}
}

static void serve_call(struct vcpu *v)
{
	struct svsm_call call = { reg(v, RAX), reg(v, RCX), reg(v, RDX), reg(v, R8), reg(v, R9) };
	struct coco_event *event = event_add(v, COCO_EV_SVSM, call.rax, call.rcx, call.rdx);
	const struct coco_rule *rule = rule_match(event);

	if (!rule || rule->action != COCO_REPLY)
		call.rax = serve(v, &call);
	if (rule)
		rule_patch(rule, (u64 *)&call);
	event->ret = call.rax;
	set_reg(v, RAX, call.rax);
	set_reg(v, RCX, call.rcx);
	set_reg(v, RDX, call.rdx);
	set_reg(v, R8, call.r8);
	set_reg(v, R9, call.r9);
}

/* The host runs the module, which looks whether a call is pending; any other VMPL has nothing */
bool svsm_run(struct vcpu *v, u32 vmpl)
{
	struct calling_area *area;

	if (!guest_vmpl || vmpl) {
		breach(v, COCO_BREACH_RESERVED, vmpl, "run VMPL: VMPL %u has nothing", vmpl);
		return false;
	}
	area = svsm_memory(areas[v->index], AREA_HEADER);
	if (!area) {
		breach(v, COCO_BREACH_PAGE, areas[v->index],
		       "the SVSM's calling area 0x%lx is not private memory of the guest's",
		       areas[v->index]);
	} else if (area->call_pending) {
		area->call_pending = 0;
		serve_call(v);
	}
	return true;
}
