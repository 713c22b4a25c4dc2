// SPDX-License-Identifier: GPL-2.0
/* VMGEXIT with a request in the GHCB MSR (GHCB specification 56421, 2.3.1, GHCB MSR protocol). */
#include "sev.h"
#include "svsm.h"

enum {
	SEV_INFO		= 0x001,
	SEV_INFO_REQUEST	= 0x002,
	CPUID_REQUEST		= 0x004,
	CPUID_RESPONSE		= 0x005,
	RESET_HOLD_REQUEST	= 0x006,
	RESET_HOLD_RESPONSE	= 0x007,
	PREFERRED_REQUEST	= 0x010,
	PREFERRED_RESPONSE	= 0x011,
	REGISTER_REQUEST	= 0x012,
	REGISTER_RESPONSE	= 0x013,
	PSC_REQUEST		= 0x014,
	PSC_RESPONSE		= 0x015,
	RUN_VMPL_REQUEST	= 0x016,
	RUN_VMPL_RESPONSE	= 0x017,
	FEATURES_REQUEST	= 0x080,
	FEATURES_RESPONSE	= 0x081,
	TERMINATE_REQUEST	= 0x100,
};

#define GFN_BITS	0x000ffffffffff000ull
#define NO_GFN		0xfffffffffffff000ull

/* What each request may have beside its code in 0..11 */
static const struct request {
	u16 code;
	u8 version;
	bool snp;
	u64 bits;
	const char *name;
} requests[] = {
	{ SEV_INFO_REQUEST, 1, false, 0, "SEV information" },
	{ CPUID_REQUEST, 1, false, 0xffffffffc0000000, "CPUID" },
	{ RESET_HOLD_REQUEST, 1, false, 0, "AP reset hold" },
	{ PREFERRED_REQUEST, 2, true, 0, "preferred GHCB" },
	{ REGISTER_REQUEST, 2, true, ~0xfffull, "register GHCB" },
	{ PSC_REQUEST, 2, true, 0x00fffffffffff000, "page state change" },
	{ RUN_VMPL_REQUEST, 2, true, 0x000000ff00000000, "run VMPL" },
	{ FEATURES_REQUEST, 2, false, 0, "hypervisor features" },
	{ TERMINATE_REQUEST, 1, false, 0x0000000000fff000, "termination" },
};

/* Highest and lowest version, position of the C-bit; also what the MSR holds after reset */
u64 ghcb_msr_reset_value(void)
{
	return (u64)sev_options.ghcb_version << 48 | (u64)GHCB_VERSION_MIN << 32 |
	       (u64)config.told_cbit << 24 | SEV_INFO;
}

void ghcb_terminate(struct vcpu *v, u32 set, u32 reason)
{
	end_run(v, COCO_END_TERMINATE, reason | set << 8, "reason %u of set %u", reason, set);
}

/* 32..63 the leaf, 30..31 the register; no subleaf: 0 */
static u64 do_cpuid(struct vcpu *v, u64 request)
{
	u32 out[4], which = request >> 30 & 3;

	cpuid_guest(v, request >> 32, 0, out);
	return (u64)out[which] << 32 | (u64)which << 30 | CPUID_RESPONSE;
}

/* The guest may choose any page; it has to be one that the host can use */
static u64 do_register(struct vcpu *v, u64 request)
{
	u64 gpa = request & NO_GFN;

	if (!is_ram(gpa))
		return NO_GFN | REGISTER_RESPONSE;
	es_vcpu(v)->ghcb_registered = gpa;
	return gpa | REGISTER_RESPONSE;
}

/* 52..55 the operation, 12..51 the page frame; response: error code in 32..63 */
static u64 do_psc(struct vcpu *v, u64 request)
{
	return psc_one(v, request & GFN_BITS, request >> 52 & 15, false, 1) << 32 | PSC_RESPONSE;
}

/* 32..39 the VMPL; response: in 32..63 whether it failed */
static u64 do_run_vmpl(struct vcpu *v, u64 request)
{
	return (svsm_run(v, request >> 32 & 0xff) ? 0 : 1ull << 32) | RUN_VMPL_RESPONSE;
}

static u64 respond(struct vcpu *v, u64 request)
{
	switch (request & 0xfff) {
	case SEV_INFO_REQUEST:
		return ghcb_msr_reset_value();
	case CPUID_REQUEST:
		return do_cpuid(v, request);
	case RESET_HOLD_REQUEST:
		ap_hold(v, true);
		return RESET_HOLD_RESPONSE;
	case PREFERRED_REQUEST:
		return NO_GFN | PREFERRED_RESPONSE;
	case REGISTER_REQUEST:
		return do_register(v, request);
	case PSC_REQUEST:
		return do_psc(v, request);
	case FEATURES_REQUEST:
		return sev_options.features << 12 | FEATURES_RESPONSE;
	case TERMINATE_REQUEST:
		ghcb_terminate(v, request >> 12 & 15, request >> 16 & 0xff);
	case RUN_VMPL_REQUEST:
		if (offered(FEATURE_VMPLS))
			return do_run_vmpl(v, request);
		breach(v, COCO_BREACH_ORDER, request,
		       "GHCB MSR run VMPL: the host did not offer this feature");
		/* fall through */
	default:
		/* As KVM: no answer, the guest finds its request there */
		return request;
	}
}

static void check(struct vcpu *v, u64 request)
{
	u64 reserved;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		const struct request *r = &requests[i];

		if (r->code != (request & 0xfff))
			continue;
		reserved = request & ~(r->bits | 0xfff);
		if (reserved)
			breach(v, COCO_BREACH_RESERVED, reserved,
			       "GHCB MSR %s: reserved bits 0x%lx", r->name, reserved);
		if (r->version > sev_options.ghcb_version || (r->snp && !is_snp()))
			breach(v, COCO_BREACH_VERSION, request, "GHCB MSR %s: not in version %u%s",
			       r->name, sev_options.ghcb_version,
			       r->snp ? ", and of SEV-SNP only" : "");
		return;
	}
	breach(v, COCO_BREACH_VERSION, request, "GHCB MSR: 0x%lx is no request", request);
}

void ghcb_msr_protocol(struct vcpu *v)
{
	u64 *msr = &es_vcpu(v)->ghcb_msr, request = *msr;
	struct coco_event *event = event_add(v, COCO_EV_MSRPROTO, request & 0xfff, request, 0);
	const struct coco_rule *rule;

	check(v, request);
	rule = rule_match(event);
	if (!rule || rule->action != COCO_REPLY)
		*msr = respond(v, request);
	if (rule && rule->reply_mask & 1)
		*msr = rule->reply[0];
	event->ret = *msr;
	insn_skip(v, INSN_VMMCALL);
}
