// SPDX-License-Identifier: GPL-2.0
/*
 * VMGEXIT with a GHCB page (GHCB specification 56421, section 4).
 *
 * The guest's registers are neither read nor written here: the host has the
 * page only.  Every call is judged first, then a test's rule or the model
 * answers, then the page is written: the results, and the valid bits of just
 * those.
 */
#include "apic.h"
#include "core.h"
#include "ghcb.h"
#include "snp_firmware.h"
#include "svsm.h"

#define TSC_AUX		0xc0000103
#define EVENT_INFO(vector)	(EVENT_VALID | EVENT_EXCEPTION | (vector))

/* ---- reading and writing the page ---- */

static u64 word(const struct ghcb *g, u32 offset)
{
	return *(const volatile u64 *)(g->page + offset);
}

/* Bit n of the bitmap: the quadword at 8 * n */
static bool bitmap_test(const struct ghcb *g, u32 offset)
{
	return g->page[GHCB_VALID_BITMAP + offset / 64] >> (offset / 8 % 8) & 1;
}

static void bitmap_set(struct ghcb *g, u32 offset)
{
	g->page[GHCB_VALID_BITMAP + offset / 64] |= BIT(offset / 8 % 8);
}

static const struct {
	u16 first, last;
	u32 field;
} layout[] = {
	{ GHCB_CPL & ~7, GHCB_CPL & ~7, COCO_GHCB_CPL },
	{ GHCB_XSS, GHCB_XSS, COCO_GHCB_XSS },
	{ GHCB_DR7, GHCB_DR7, COCO_GHCB_DR7 },
	{ GHCB_RAX, GHCB_RAX, COCO_GHCB_RAX },
	{ GHCB_RCX, GHCB_RCX, COCO_GHCB_RCX },
	{ GHCB_RDX, GHCB_RDX, COCO_GHCB_RDX },
	{ GHCB_RBX, GHCB_RBX, COCO_GHCB_RBX },
	{ GHCB_RSI, GHCB_RSI, COCO_GHCB_RSI },
	{ GHCB_R8, GHCB_R15, COCO_GHCB_R8_R15 },
	{ GHCB_SW_EXITCODE, GHCB_SW_EXITCODE, COCO_GHCB_EXITCODE },
	{ GHCB_SW_EXITINFO1, GHCB_SW_EXITINFO1, COCO_GHCB_EXITINFO1 },
	{ GHCB_SW_EXITINFO2, GHCB_SW_EXITINFO2, COCO_GHCB_EXITINFO2 },
	{ GHCB_SW_SCRATCH, GHCB_SW_SCRATCH, COCO_GHCB_SCRATCH },
	{ GHCB_XCR0, GHCB_XCR0, COCO_GHCB_XCR0 },
};

static u32 field_at(u32 offset)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(layout); i++)
		if (offset >= layout[i].first && offset <= layout[i].last)
			return layout[i].field;
	return COCO_GHCB_OTHER;
}

static u32 valid_fields(const struct ghcb *g)
{
	u32 offset, valid = 0;

	for (offset = 0; offset < GHCB_VALID_BITMAP; offset += 8)
		if (bitmap_test(g, offset))
			valid |= field_at(offset);
	return valid;
}

static u64 if_valid(const struct ghcb *g, u32 field, u32 offset)
{
	return g->valid & field ? word(g, offset) : 0;
}

static void read_call(struct ghcb *g)
{
	g->version = *(u16 *)(g->page + GHCB_PROTOCOL_VERSION);
	/* OVMF (edk2-stable202211) loses the version that it agreed on before it writes it down */
	if (!g->version && config.flash)
		g->version = sev_options.ghcb_version;
	g->usage = *(u32 *)(g->page + GHCB_USAGE);
	g->valid = valid_fields(g);
	g->code = word(g, GHCB_SW_EXITCODE);
	g->info1 = word(g, GHCB_SW_EXITINFO1);
	g->info2 = word(g, GHCB_SW_EXITINFO2);
	g->rax = if_valid(g, COCO_GHCB_RAX, GHCB_RAX);
	g->rbx = if_valid(g, COCO_GHCB_RBX, GHCB_RBX);
	g->rcx = if_valid(g, COCO_GHCB_RCX, GHCB_RCX);
	g->rdx = if_valid(g, COCO_GHCB_RDX, GHCB_RDX);
	g->rsi = if_valid(g, COCO_GHCB_RSI, GHCB_RSI);
	g->scratch = if_valid(g, COCO_GHCB_SCRATCH, GHCB_SW_SCRATCH);
	g->cpl = g->valid & COCO_GHCB_CPL ? g->page[GHCB_CPL] : 0;
	ghcb_out(g, OUT_INFO1, RESULT_OK);
	ghcb_out(g, OUT_INFO2, 0);
}

static void write_results(struct ghcb *g)
{
	static const u16 offsets[OUT_WORDS] = {
		[OUT_INFO1] = GHCB_SW_EXITINFO1,
		[OUT_INFO2] = GHCB_SW_EXITINFO2,
		[OUT_RAX] = GHCB_RAX,
		[OUT_RBX] = GHCB_RBX,
		[OUT_RCX] = GHCB_RCX,
		[OUT_RDX] = GHCB_RDX,
	};
	u32 i;

	memset(g->page + GHCB_VALID_BITMAP, 0, 16);
	for (i = 0; i < OUT_WORDS; i++) {
		if (!(g->out_mask & BIT(i)))
			continue;
		*(u64 *)(g->page + offsets[i]) = g->out[i];
		bitmap_set(g, offsets[i]);
	}
}

/* The guest is to raise this exception in the place of its #VC */
static void inject(struct ghcb *g, u8 vector, bool has_error)
{
	ghcb_out(g, OUT_INFO1, RESULT_EXCEPTION);
	ghcb_out(g, OUT_INFO2, EVENT_INFO(vector) | (has_error ? EVENT_ERROR : 0));
}

static void out_pair(struct ghcb *g, u64 value)
{
	ghcb_out(g, OUT_RAX, (u32)value);
	ghcb_out(g, OUT_RDX, value >> 32);
}

/* ---- the events ---- */

static void do_cpuid(struct ghcb *g)
{
	u32 out[4];

	cpuid_guest(g->v, g->rax, g->rcx, out);
	ghcb_out(g, OUT_RAX, out[0]);
	ghcb_out(g, OUT_RBX, out[1]);
	ghcb_out(g, OUT_RCX, out[2]);
	ghcb_out(g, OUT_RDX, out[3]);
}

static void do_msr(struct ghcb *g)
{
	u64 value;

	if (g->info1 & 1) {
		/* What the host does to the TSC does not reach this guest (APM vol. 2, 15.36.18) */
		if ((u32)g->rcx == MSR_TSC && snp_secure_tsc())
			return;
		if (!msr_write(g->v, g->rcx, (u32)g->rax | g->rdx << 32))
			inject(g, X86_GP, true);
	} else if (msr_read(g->v, g->rcx, &value)) {
		out_pair(g, value);
	} else {
		inject(g, X86_GP, true);
	}
}

static void string_io(struct ghcb *g, u16 port, u32 size)
{
	u64 count = g->info2, i, available;
	u8 *buf;

	buf = count <= PAGE_SIZE ? ghcb_scratch(g, count * size, &available) : NULL;
	if (count > PAGE_SIZE)
		breach(g->v, COCO_BREACH_SCRATCH, count,
		       "GHCB IOIO: %lu elements are more than a page holds", count);
	if (!buf) {
		ghcb_malformed(g, GHCB_ERR_SCRATCH);
		return;
	}
	for (i = 0; i < count; i++, buf += size) {
		u32 value = 0;

		if (g->info1 & 1) {
			value = pio_read(g->v, port, size);
			memcpy(buf, &value, size);
		} else {
			memcpy(&value, buf, size);
			pio_write(g->v, port, size, value);
		}
	}
}

static void do_ioio(struct ghcb *g)
{
	u16 port = g->info1 >> 16;
	u32 size = g->info1 >> 4 & 7;

	if (g->info1 & 4)
		string_io(g, port, size);
	else if (g->info1 & 1)
		ghcb_out(g, OUT_RAX, pio_read(g->v, port, size));
	else
		pio_write(g->v, port, size, g->rax & (size == 4 ? ~0u : BIT(8 * size) - 1));
}

/* Four legacy counters (APM vol. 2, 13.2.1), which stand still at 0 without virtual PMU */
static void do_rdpmc(struct ghcb *g)
{
	if ((u32)g->rcx < 4)
		out_pair(g, 0);
	else
		inject(g, X86_GP, true);
}

static void do_vmmcall(struct ghcb *g)
{
	u64 args[4] = { g->rbx, g->rcx, g->rdx, g->rsi };

	ghcb_out(g, OUT_RAX, kvm_pv_hypercall(g->v, g->cpl, g->rax, args));
}

static bool mmio_range(struct ghcb *g, u64 gpa, u64 len)
{
	if (!len)
		breach(g->v, COCO_BREACH_RESERVED, gpa, "GHCB MMIO at 0x%lx: no length", gpa);
	else if (gpa & config.cmask)
		breach(g->v, COCO_BREACH_RESERVED, gpa, "GHCB MMIO: 0x%lx has the C-bit", gpa);
	else if (is_ram(gpa) || is_ram(gpa + len - 1))
		breach(g->v, COCO_BREACH_PAGE, gpa, "GHCB MMIO: 0x%lx is RAM", gpa);
	else
		return true;
	return false;
}

/* The host copies, in the largest pieces that the bus takes */
static void do_mmio(struct ghcb *g, bool write)
{
	u64 gpa = g->info1, len = g->info2, available, value;
	u8 *buf = ghcb_scratch(g, len, &available);
	u32 size;

	if (!buf) {
		ghcb_malformed(g, GHCB_ERR_SCRATCH);
		return;
	}
	if (!mmio_range(g, gpa, len)) {
		ghcb_malformed(g, GHCB_ERR_INPUT);
		return;
	}
	for (; len; gpa += size, buf += size, len -= size) {
		for (size = 8; size > len || gpa & (size - 1); size /= 2)
			;
		value = 0;
		if (write) {
			memcpy(&value, buf, size);
			if (gpa == APIC_BASE + APIC_ICR && ap_icr_write(g->v, value))
				continue;
			mmio_write(g->v, gpa, size, value);
		} else {
			value = mmio_read(g->v, gpa, size);
			memcpy(buf, &value, size);
		}
	}
}

static void do_psc(struct ghcb *g)
{
	u64 available;
	u8 *list = ghcb_scratch(g, 8, &available);

	if (list)
		ghcb_out(g, OUT_INFO2, psc_list(g->v, list, available));
	else
		ghcb_malformed(g, GHCB_ERR_SCRATCH);
}

static void do_ap_jump_table(struct ghcb *g)
{
	enum ghcb_error error;

	if (g->info1) {
		ghcb_out(g, OUT_INFO2, ap_jump_table());
		return;
	}
	error = ap_set_jump_table(g->v, g->info2);
	if (error)
		ghcb_malformed(g, error);
}

static void do_ap_creation(struct ghcb *g)
{
	enum ghcb_error error = ap_creation(g->v, g->info1, g->info2, g->rax);

	if (error)
		ghcb_malformed(g, error);
}

static void do_nmi_complete(struct ghcb *g)
{
	if (!g->v->nmi_blocked)
		stream_line('m', "note GHCB NMI complete: none was under way");
	g->v->nmi_blocked = false;
}

static void without_feature(struct ghcb *g, enum hv_feature bit, const char *what)
{
	if (offered(bit))
		unmodelled(g->v, "GHCB event 0x%lx (%s)", g->code, what);
	breach(g->v, COCO_BREACH_ORDER, g->code,
	       "GHCB %s: the host did not offer this feature (bit %u)", what, bit);
	ghcb_malformed(g, GHCB_ERR_EVENT);
}

/* SW_EXITINFO1: the VMPL */
static void do_run_vmpl(struct ghcb *g)
{
	if (!offered(FEATURE_VMPLS))
		without_feature(g, FEATURE_VMPLS, "multiple VMPLs");
	else if (!svsm_run(g->v, g->info1))
		ghcb_malformed(g, GHCB_ERR_INPUT);
}

static void dispatch(struct ghcb *g)
{
	switch (g->code) {
	case SVM_EXIT_DR7_READ:
		ghcb_out(g, OUT_RAX, es_vcpu(g->v)->dr7);
		break;
	case SVM_EXIT_DR7_WRITE:
		/* DR7 is the guest's own: the host only learns of it */
		es_vcpu(g->v)->dr7 = g->rax;
		break;
	case SVM_EXIT_RDTSCP:
		ghcb_out(g, OUT_RCX, (u32)rdmsr(TSC_AUX));
		/* fall through */
	case SVM_EXIT_RDTSC:
		out_pair(g, guest_tsc(g->v));
		break;
	case SVM_EXIT_RDPMC:
		do_rdpmc(g);
		break;
	case SVM_EXIT_CPUID:
		do_cpuid(g);
		break;
	case SVM_EXIT_IOIO:
		do_ioio(g);
		break;
	case SVM_EXIT_MSR:
		do_msr(g);
		break;
	case SVM_EXIT_VMMCALL:
		do_vmmcall(g);
		break;
	case SVM_EXIT_INVD:
	case SVM_EXIT_WBINVD:
		/* QEMU's CPU has no caches */
		break;
	case SVM_EXIT_MONITOR:
	case SVM_EXIT_MWAIT:
		/* MWAIT may end at any time (APM vol. 3): as KVM, at once */
		break;
	case NAE_MMIO_READ:
	case NAE_MMIO_WRITE:
		do_mmio(g, g->code == NAE_MMIO_WRITE);
		break;
	case NAE_NMI_COMPLETE:
		do_nmi_complete(g);
		break;
	case NAE_AP_RESET_HOLD:
		ap_hold(g->v, false);
		break;
	case NAE_AP_JUMP_TABLE:
		do_ap_jump_table(g);
		break;
	case NAE_PSC:
		do_psc(g);
		break;
	case NAE_GUEST_REQUEST:
	case NAE_EXT_GUEST_REQUEST:
		snp_guest_request(g);
		break;
	case NAE_AP_CREATION:
		do_ap_creation(g);
		break;
	case NAE_HV_DOORBELL:
	case NAE_HV_IPI:
		without_feature(g, FEATURE_RESTRICTED_INJECTION, "#HV");
		break;
	case NAE_HV_TIMER:
		without_feature(g, FEATURE_RESTRICTED_INJECTION_TIMER, "#HV timer");
		break;
	case NAE_APIC_ID_LIST:
		without_feature(g, FEATURE_APIC_ID_LIST, "APIC ID list");
		break;
	case NAE_RUN_VMPL:
		do_run_vmpl(g);
		break;
	case NAE_HV_FEATURES:
		ghcb_out(g, OUT_INFO2, sev_options.features);
		break;
	case NAE_TERMINATE:
		/* As in the MSR protocol: reason code set in 0..3, reason in 4..11 */
		ghcb_terminate(g->v, g->info1 & 15, g->info1 >> 4 & 0xff);
	default:
		unmodelled(g->v, "GHCB event 0x%lx, info 0x%lx 0x%lx", g->code, g->info1, g->info2);
	}
}

/* ---- the call ---- */

void ghcb_page(struct vcpu *v)
{
	struct ghcb g = { .v = v, .gpa = es_vcpu(v)->ghcb_msr };
	const struct coco_rule *rule;
	u32 inits = v->inits;
	struct coco_event *event;
	enum ghcb_error error;

	if (!ghcb_check_page(v, g.gpa)) {
		/* Without a GHCB there is nothing to answer into */
		insn_skip(v, INSN_VMMCALL);
		return;
	}
	g.page = ram_ptr(g.gpa, SHARED);
	read_call(&g);
	event = event_add(v, COCO_EV_GHCB, g.code, g.info1, g.info2);
	event->mask = g.valid;
	error = ghcb_check(&g);
	if (!error && (g.code == NAE_GUEST_REQUEST || g.code == NAE_EXT_GUEST_REQUEST))
		snp_judge_request(&g);
	rule = rule_match(event);
	if (rule && rule->action == COCO_REPLY)
		g.out_mask |= rule_patch(rule, g.out);
	else if (rule && rule->action == COCO_SILENT)
		g.out_mask = 0;
	else if (error && g.code != NAE_TERMINATE)	/* who wants to end hears no error any more */
		ghcb_malformed(&g, error);
	else
		dispatch(&g);
	if (rule && rule->action == COCO_PATCH) {
		g.out_mask |= rule_patch(rule, g.out);
	} else if (rule && rule->action == COCO_WRITE) {
		const u64 addresses[RULE_ADDRESSES] = { g.info1, g.info2, g.rax };

		rule_write(rule, addresses);
	}
	if (g.out_mask)
		write_results(&g);
	event->ret = g.out[OUT_INFO1];
	/* Else AP creation has put this vCPU itself somewhere else */
	if (inits == v->inits)
		insn_skip(v, INSN_VMMCALL);
}

/* A SIPI ended an AP reset hold: SW_EXITINFO2 says so (AP reset hold) */
void ghcb_reset_hold_over(struct vcpu *v)
{
	struct ghcb g = { .v = v, .gpa = es_vcpu(v)->hold_ghcb };

	g.page = ram_ptr(g.gpa, SHARED);
	ghcb_out(&g, OUT_INFO1, RESULT_OK);
	ghcb_out(&g, OUT_INFO2, 1);
	write_results(&g);
}
