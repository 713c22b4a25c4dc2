// SPDX-License-Identifier: GPL-2.0
/*
 * The judge of calls through the GHCB page: what each event must supply, may
 * supply, and must leave zero (GHCB specification 56421, table "List of
 * Supported Non-Automatic Events" and the sections on each event).
 *
 * A fault is a breach.  A valid field that the event does not use is only
 * noted, once an event: the specification does not forbid it.
 */
#include "ghcb.h"

#define RAX_	COCO_GHCB_RAX
#define RBX_	COCO_GHCB_RBX
#define RCX_	COCO_GHCB_RCX
#define RDX_	COCO_GHCB_RDX

/* All events supply these */
#define ALWAYS	(COCO_GHCB_EXITCODE | COCO_GHCB_EXITINFO1 | COCO_GHCB_EXITINFO2)

/* SW_EXITINFO1 of IOIO is EXITINFO1 of the intercept (APM vol. 2, 15.10.2) */
#define IOIO_IN		BIT_ULL(0)
#define IOIO_STRING	BIT_ULL(2)
#define IOIO_SIZES	0x70ull
#define IOIO_BITS	0xffff1ffdull	/* all but 1, 13..15 and 32 up */

/* SW_EXITINFO1 of AP creation: 0..15 what, 16..19 VMPL, 32..63 APIC ID */
#define AP_CREATION_BITS 0xffffffff000fffffull
#define AP_DESTROY	2

/* MMIO: lengths have 31 bits in version 1; since then no access is longer than a quadword */
#define MMIO_LENGTH	0x7fffffffull
#define MMIO_LENGTH_V2	8

static const struct event {
	u64 code;
	const char *name;
	u8 version;			/* of the protocol that has it first */
	bool snp;			/* SEV-SNP guests only */
	u16 required, optional;		/* beside ALWAYS */
	u64 info1, info2;		/* bits that may be set */
} events[] = {
	{ SVM_EXIT_DR7_READ, "DR7 read", 1, false, 0, 0, 0, 0 },
	{ SVM_EXIT_DR7_WRITE, "DR7 write", 1, false, RAX_, 0, 0, 0 },
	{ SVM_EXIT_RDTSC, "RDTSC", 1, false, 0, 0, 0, 0 },
	{ SVM_EXIT_RDPMC, "RDPMC", 1, false, RCX_, 0, 0, 0 },
	{ SVM_EXIT_CPUID, "CPUID", 1, false, RAX_ | RCX_, COCO_GHCB_XCR0 | COCO_GHCB_XSS, 0, 0 },
	{ SVM_EXIT_INVD, "INVD", 1, false, 0, 0, 0, 0 },
	{ SVM_EXIT_IOIO, "IOIO", 1, false, 0, RAX_ | COCO_GHCB_SCRATCH, IOIO_BITS, ~0ull },
	{ SVM_EXIT_MSR, "MSR", 1, false, RCX_, RAX_ | RDX_, 1, 0 },
	{ SVM_EXIT_VMMCALL, "VMMCALL", 1, false, RAX_ | COCO_GHCB_CPL,
	  RBX_ | RCX_ | RDX_ | COCO_GHCB_RSI | COCO_GHCB_R8_R15, 0, 0 },
	{ SVM_EXIT_RDTSCP, "RDTSCP", 1, false, 0, 0, 0, 0 },
	{ SVM_EXIT_WBINVD, "WBINVD", 1, false, 0, 0, 0, 0 },
	{ SVM_EXIT_MONITOR, "MONITOR", 1, false, RAX_ | RCX_ | RDX_, 0, 0, 0 },
	{ SVM_EXIT_MWAIT, "MWAIT", 1, false, RAX_ | RCX_, 0, 0, 0 },
	{ NAE_MMIO_READ, "MMIO read", 1, false, COCO_GHCB_SCRATCH, 0, ~0ull, MMIO_LENGTH },
	{ NAE_MMIO_WRITE, "MMIO write", 1, false, COCO_GHCB_SCRATCH, 0, ~0ull, MMIO_LENGTH },
	{ NAE_NMI_COMPLETE, "NMI complete", 1, false, 0, 0, 0, 0 },
	{ NAE_AP_RESET_HOLD, "AP reset hold", 1, false, 0, 0, 0, 0 },
	{ NAE_AP_JUMP_TABLE, "AP jump table", 1, false, 0, 0, 1, ~0ull },
	{ NAE_PSC, "page state change", 2, true, COCO_GHCB_SCRATCH, 0, 0, 0 },
	{ NAE_GUEST_REQUEST, "guest request", 2, true, 0, 0, PAGE_MASK, PAGE_MASK },
	{ NAE_EXT_GUEST_REQUEST, "extended guest request", 2, true, RAX_ | RBX_, 0, PAGE_MASK,
	  PAGE_MASK },
	{ NAE_AP_CREATION, "AP creation", 2, true, 0, RAX_, AP_CREATION_BITS, PAGE_MASK },
	{ NAE_HV_DOORBELL, "#HV doorbell page", 2, true, 0, 0, ~0ull, ~0ull },
	{ NAE_HV_IPI, "#HV IPI", 2, true, 0, 0, ~0ull, ~0ull },
	{ NAE_HV_TIMER, "#HV timer", 2, true, 0, 0, ~0ull, ~0ull },
	{ NAE_APIC_ID_LIST, "APIC ID list", 2, true, 0, RAX_, ~0ull, ~0ull },
	{ NAE_RUN_VMPL, "run VMPL", 2, true, 0, 0, 0xff, 0 },
	{ NAE_HV_FEATURES, "hypervisor features", 2, false, 0, 0, 0, 0 },
	{ NAE_TERMINATE, "termination request", 2, false, 0, 0, ~0ull, ~0ull },
	{ NAE_UNSUPPORTED, "unsupported event", 1, false, 0, 0, ~0ull, ~0ull },
};

static const struct {
	u32 bit;
	const char *name;
} fields[] = {
	{ COCO_GHCB_CPL, "CPL" },
	{ COCO_GHCB_DR7, "DR7" },
	{ COCO_GHCB_RAX, "RAX" },
	{ COCO_GHCB_RCX, "RCX" },
	{ COCO_GHCB_RDX, "RDX" },
	{ COCO_GHCB_RBX, "RBX" },
	{ COCO_GHCB_RSI, "RSI" },
	{ COCO_GHCB_EXITCODE, "SW_EXITCODE" },
	{ COCO_GHCB_EXITINFO1, "SW_EXITINFO1" },
	{ COCO_GHCB_EXITINFO2, "SW_EXITINFO2" },
	{ COCO_GHCB_SCRATCH, "SW_SCRATCH" },
	{ COCO_GHCB_XCR0, "XCR0" },
	{ COCO_GHCB_XSS, "XSS" },
	{ COCO_GHCB_R8_R15, "R8-R15" },
	{ COCO_GHCB_OTHER, "others" },
};

static const char *field_names(u32 mask, char *buf, size_t size)
{
	size_t i, at = 0;

	buf[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(fields) && at < size; i++)
		if (mask & fields[i].bit)
			at += snprintf(buf + at, size - at, "%s%s", at ? " " : "", fields[i].name);
	return buf;
}

static const struct event *find_event(u64 code)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i].code == code)
			return &events[i];
	return NULL;
}

/* ---- the page (2.3.1, 2.6): RAM that the host can read ---- */

bool ghcb_check_page(struct vcpu *v, u64 gpa)
{
	if (!is_ram(gpa)) {
		breach(v, COCO_BREACH_GHCB_PRIVATE, gpa, "the GHCB at 0x%lx is not in RAM", gpa);
		return false;
	}
	if (page_flags(gpa) & (COCO_PAGE_PRIVATE | COCO_PAGE_BLOCKED)) {
		breach(v, COCO_BREACH_GHCB_PRIVATE, gpa, "the GHCB at 0x%lx is private memory",
		       gpa);
		return false;
	}
	return true;
}

/* ---- the call ---- */

static enum ghcb_error check_fields(struct ghcb *g, const struct event *e)
{
	u32 required = e->required;
	char names[100];

	switch (e->code) {
	case SVM_EXIT_CPUID:
		/* Leaf 0xd depends on it */
		if (g->valid & RAX_ && (u32)g->rax == 0xd)
			required |= COCO_GHCB_XCR0;
		break;
	case SVM_EXIT_IOIO:
		if (g->info1 & IOIO_STRING)
			required |= COCO_GHCB_SCRATCH;
		else if (!(g->info1 & IOIO_IN))
			required |= RAX_;
		break;
	case SVM_EXIT_MSR:
		if (g->info1 & 1)
			required |= RAX_ | RDX_;
		break;
	case NAE_AP_CREATION:
		if ((g->info1 & 0xffff) != AP_DESTROY)
			required |= RAX_;
		break;
	}
	required &= ~g->valid;
	if (!required)
		return GHCB_OK;
	breach(g->v, COCO_BREACH_FIELD, required, "GHCB %s: required %s not valid", e->name,
	       field_names(required, names, sizeof(names)));
	return GHCB_ERR_MISSING;
}

static void note_extra(struct ghcb *g, const struct event *e)
{
	static bool noted[ARRAY_SIZE(events)];
	u32 extra = g->valid & ~(ALWAYS | e->required | e->optional);
	char names[100];

	if (!extra || noted[e - events])
		return;
	noted[e - events] = true;
	stream_line('m', "note GHCB %s: %s valid though it is no input of the event", e->name,
		    field_names(extra, names, sizeof(names)));
}

static enum ghcb_error check_ioio(struct ghcb *g)
{
	u64 sizes = g->info1 & IOIO_SIZES;

	if (!sizes || sizes & (sizes - 1)) {
		breach(g->v, COCO_BREACH_RESERVED, sizes,
		       "GHCB IOIO: not one operand size but 0x%lx", sizes);
		return GHCB_ERR_INPUT;
	}
	if (!(g->info1 & IOIO_STRING) && g->info2) {
		breach(g->v, COCO_BREACH_RESERVED, g->info2,
		       "GHCB IOIO: count 0x%lx without string instruction", g->info2);
		return GHCB_ERR_INPUT;
	}
	return GHCB_OK;
}

/* The firmware reads one page and writes the other; KVM refuses this likewise */
static enum ghcb_error check_guest_request(struct ghcb *g)
{
	if (g->info1 != g->info2)
		return GHCB_OK;
	breach(g->v, COCO_BREACH_RESERVED, g->info1,
	       "guest request: request and response are one page, 0x%lx", g->info1);
	return GHCB_ERR_INPUT;
}

static enum ghcb_error check_mmio(struct ghcb *g)
{
	if (g->version < 2 || g->info2 <= MMIO_LENGTH_V2)
		return GHCB_OK;
	breach(g->v, COCO_BREACH_RESERVED, g->info2,
	       "GHCB MMIO: 0x%lx bytes, %u at most in version %u", g->info2, MMIO_LENGTH_V2,
	       g->version);
	return GHCB_ERR_INPUT;
}

static enum ghcb_error check_inputs(struct ghcb *g, const struct event *e)
{
	u64 bad1 = g->info1 & ~e->info1, bad2 = g->info2 & ~e->info2;

	if (bad1 || bad2) {
		breach(g->v, COCO_BREACH_RESERVED, bad1 ? bad1 : bad2,
		       "GHCB %s: reserved bits 0x%lx in SW_EXITINFO%d", e->name, bad1 ? bad1 : bad2,
		       bad1 ? 1 : 2);
		return GHCB_ERR_INPUT;
	}
	switch (e->code) {
	case SVM_EXIT_IOIO:
		return check_ioio(g);
	case NAE_MMIO_READ:
	case NAE_MMIO_WRITE:
		return check_mmio(g);
	case NAE_GUEST_REQUEST:
	case NAE_EXT_GUEST_REQUEST:
		return check_guest_request(g);
	default:
		return GHCB_OK;
	}
}

/* The version in the page is one that was offered, and has the event (2.6, 4.1) */
static enum ghcb_error check_version(struct ghcb *g, const struct event *e)
{
	u32 min = is_snp() ? 2 : GHCB_VERSION_MIN;

	if (g->version < min || g->version > sev_options.ghcb_version) {
		breach(g->v, COCO_BREACH_VERSION, g->version,
		       "GHCB %s: protocol version %u, the host has %u to %u", e->name, g->version,
		       min, sev_options.ghcb_version);
		return GHCB_ERR_INPUT;
	}
	if (g->version < e->version || (e->snp && !is_snp())) {
		breach(g->v, COCO_BREACH_VERSION, g->version, "GHCB %s: not in version %u%s",
		       e->name, g->version, e->snp ? ", and of SEV-SNP only" : "");
		return GHCB_ERR_EVENT;
	}
	return GHCB_OK;
}

static enum ghcb_error check_call(struct ghcb *g)
{
	char names[60];

	if (is_snp() && es_vcpu(g->v)->ghcb_registered != g->gpa) {
		breach(g->v, COCO_BREACH_GHCB_PRIVATE, g->gpa,
		       "the GHCB at 0x%lx is not the registered one", g->gpa);
		return GHCB_ERR_NOT_REGISTERED;
	}
	if (g->usage) {
		breach(g->v, COCO_BREACH_RESERVED, g->usage, "GHCB usage 0x%x: only 0 is defined",
		       g->usage);
		return GHCB_ERR_USAGE;
	}
	if (~g->valid & ALWAYS) {
		breach(g->v, COCO_BREACH_FIELD, ~g->valid & ALWAYS,
		       "GHCB event 0x%lx: required %s not valid", g->code,
		       field_names(~g->valid & ALWAYS, names, sizeof(names)));
		return GHCB_ERR_MISSING;
	}
	return GHCB_OK;
}

static enum ghcb_error first(enum ghcb_error a, enum ghcb_error b)
{
	return a ? a : b;
}

enum ghcb_error ghcb_check(struct ghcb *g)
{
	enum ghcb_error error = check_call(g);
	const struct event *e;

	if (error)
		return error;
	e = find_event(g->code);
	if (!e) {
		breach(g->v, COCO_BREACH_VERSION, g->code, "GHCB event 0x%lx is in no version",
		       g->code);
		return GHCB_ERR_EVENT;
	}
	note_extra(g, e);
	error = check_version(g, e);
	error = first(error, check_fields(g, e));
	return first(error, check_inputs(g, e));
}

/*
 * In the shared buffer of the GHCB.  Version 1 also allows another page that is
 * shared; version 2 does not.
 */
u8 *ghcb_scratch(struct ghcb *g, u64 len, u64 *available)
{
	u64 from = g->scratch, end = from + len;
	u64 buffer = g->gpa + GHCB_SHARED_BUFFER, buffer_end = g->gpa + GHCB_SHARED_BUFFER_END;

	if (from >= buffer && end <= buffer_end && end >= from) {
		*available = buffer_end - from;
		return g->page + (from - g->gpa);
	}
	*available = PAGE_SIZE - (from & ~PAGE_MASK);
	if (g->version == 1 && (from & PAGE_MASK) != g->gpa && len <= *available && is_ram(from) &&
	    !(page_flags(from) & (COCO_PAGE_PRIVATE | COCO_PAGE_BLOCKED)))
		return ram_ptr(from, SHARED);
	breach(g->v, COCO_BREACH_SCRATCH, from,
	       "GHCB event 0x%lx: scratch area 0x%lx, %lu bytes, GHCB at 0x%lx", g->code, from, len,
	       g->gpa);
	return NULL;
}
