// SPDX-License-Identifier: GPL-2.0
/*
 * SEV, SEV-ES and SEV-SNP: what the processor does beside plain SVM.
 *
 * SEV, SEV-ES: one physical page seen through two keys.  The page is kept as
 * the guest last used it, in one view; using the other one faults here, and the
 * page is turned over: its bytes become what the other key makes of them, and
 * turning it back restores them (APM vol. 2, 15.34).
 *
 * SEV-ES: intercepts raise #VC with the exit code as error code, but for those
 * that the host handles without the guest's state (APM vol. 2, 15.35.4, 15.35.5).
 *
 * Options: ghcb=1|2 highest GHCB protocol version offered, features=<bitmap>
 * hypervisor features, intercept=rdtsc the host intercepts RDTSC and RDTSCP,
 * which KVM does not, intercept=tsc_freq likewise GUEST_TSC_FREQ, sev_status=<bits>
 * more features of SNP in SEV_STATUS: they are announced, and nothing is done about
 * them, but for Secure TSC (bit 11, snp_tsc.c) and DebugSwap (bit 7);
 * svsm=<vmpl> the guest's VMPL, under a module at VMPL 0 (svsm.c).
 */
#include "core.h"
#include "efi.h"
#include "sev.h"
#include "snp_firmware.h"
#include "svsm.h"

#define MSR_GHCB	0xc0010130
#define MSR_SEV_STATUS	0xc0010131
#define MSR_GUEST_TSC_FREQ 0xc0010134
#define MSR_XSS		0xda0
#define MSR_SVSM_CAA	0xc001f000

#define MSR_LBR_FIRST	0x1db
#define MSR_LBR_LAST	0x1de

#define VMGEXIT_LENGTH	4	/* VMMCALL with a prefix */

struct sev_options sev_options;

static struct es_vcpu es_vcpus[MAX_VCPUS];

void raise_vc(struct vcpu *v, u64 code)
{
	struct vmcb *b = &v->vmcb;
	struct coco_event *event = event_add(v, COCO_EV_VC, code, b->exit_info1, b->exit_info2);
	const struct coco_rule *rule = rule_match(event);

	if (rule && rule->reply_mask & 1)
		code = rule->reply[0];
	event->ret = code;
	raise_exception(v, X86_VC, true, code);
}

/* ---- SEV's own MSRs (APM vol. 2, 15.34.10, 15.35.7) ---- */

u64 sev_status(void)
{
	switch (config.tech->id) {
	case COCO_SEV:
		return 1;
	case COCO_SEV_ES:
		return 3;
	default:
		return 7 | sev_options.status;
	}
}

static bool intercepts(const char *what)
{
	char extra[16];

	return option("intercept", extra, sizeof(extra)) && !strcmp(extra, what);
}

/* Guests with Secure TSC read it without the host, as KVM has it (APM vol. 2, 15.36.18) */
static bool reads_tsc_freq(void)
{
	return snp_secure_tsc() && !intercepts("tsc_freq");
}

/* There is no such MSR: whoever handles #VC makes it up (58019, "SVSM Discovery") */
static bool firmware_tells_of_svsm(const struct vcpu *v)
{
	return svsm_guest_vmpl() && efi_firmware_runs(v);
}

/* The processor switches XSS with the guest (APM vol. 2, table B-4); 11.5.2: its bits */
static bool write_sev_msr(struct vcpu *v, u32 msr, u64 value)
{
	if (msr == MSR_GHCB)
		es_vcpu(v)->ghcb_msr = value;
	else if (msr == MSR_XSS && !(value & ~SNP_XSS))
		es_vcpu(v)->xss = value;
	else if (msr != MSR_SVSM_CAA)
		return false;
	return true;
}

static bool sev_msr(struct vcpu *v)
{
	bool write = v->vmcb.exit_info1 & 1;
	u32 msr = reg(v, RCX);
	u64 value;

	if (msr == MSR_SEV_STATUS)
		value = sev_status();
	else if (msr == MSR_GHCB && is_es())
		value = es_vcpu(v)->ghcb_msr;
	else if (msr == MSR_GUEST_TSC_FREQ && reads_tsc_freq())
		value = snp_nominal_tsc_mhz();
	else if (msr == MSR_XSS && is_snp())
		value = es_vcpu(v)->xss;
	else if (msr == MSR_SVSM_CAA && firmware_tells_of_svsm(v))
		value = svsm_calling_area(v);
	else
		return false;
	if (write) {
		if (!write_sev_msr(v, msr, edx_eax(v))) {
			raise_gp(v);
			return true;
		}
	} else {
		set_edx_eax(v, value);
	}
	insn_skip(v, write ? INSN_WRMSR : INSN_RDMSR);
	return true;
}

static bool sev_exit(struct vcpu *v)
{
	return v->vmcb.exit_code == SVM_EXIT_MSR && sev_msr(v);
}

/* ---- two keys ---- */

static void turn_over(struct vcpu *v, u64 gpa, enum view to)
{
	gpa &= PAGE_MASK;
	vcpus_flush(v);		/* first: nobody may write to the old view while it is copied */
	scramble_page(ram_ptr(gpa, to), ram_ptr(gpa, to == PRIVATE ? SHARED : PRIVATE), gpa);
	page_set(gpa, to == PRIVATE ? COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED : 0);
}

static bool two_keys_npf(struct vcpu *v, u64 gpa, enum view view, u64 error)
{
	u8 flags = page_flags(gpa);

	event_add(v, COCO_EV_NPF, gpa & PAGE_MASK, error, flags);
	if (flags & COCO_PAGE_BLOCKED)
		unmodelled(v, "the guest uses page 0x%lx, which the host took away", gpa);
	turn_over(v, gpa, view);
	return true;
}

/*
 * A device with the C-bit is there all the same, since the host's emulator sees neither key
 * nor bit; but what a device of its own had there would be under a key (APM vol. 2, 15.34.1).
 */
static bool sev_npf(struct vcpu *v, u64 gpa, enum view view, u64 error)
{
	if (is_ram(gpa))
		return two_keys_npf(v, gpa, view, error);
	if (view != PRIVATE || error & NPF_WALK || !npt_show_device(gpa))
		return false;
	breach(v, COCO_BREACH_PAGE, gpa, "private access to 0x%lx, where a device is", gpa);
	return true;
}

/* ---- SEV-ES ---- */

/* MSRs that the processor switches with the guest's state: no exit (APM vol. 2, table B-4) */
static bool switched_msr(u32 msr)
{
	return msr == MSR_EFER || msr == MSR_DEBUGCTL ||
	       (msr >= MSR_LBR_FIRST && msr <= MSR_LBR_LAST);
}

/* Non-automatic exits, as far as this host intercepts them (APM vol. 2, table 15-35) */
static bool raises_vc(u64 code)
{
	switch (code) {
	case SVM_EXIT_DR7_READ:
	case SVM_EXIT_DR7_WRITE:
	case SVM_EXIT_RDTSC:
	case SVM_EXIT_RDPMC:
	case SVM_EXIT_CPUID:
	case SVM_EXIT_INVD:
	case SVM_EXIT_INVLPGA:
	case SVM_EXIT_IOIO:
	case SVM_EXIT_MSR:
	case SVM_EXIT_VMRUN:
	case SVM_EXIT_VMMCALL:
	case SVM_EXIT_VMLOAD:
	case SVM_EXIT_VMSAVE:
	case SVM_EXIT_STGI:
	case SVM_EXIT_CLGI:
	case SVM_EXIT_SKINIT:
	case SVM_EXIT_RDTSCP:
	case SVM_EXIT_WBINVD:
	case SVM_EXIT_MONITOR:
	case SVM_EXIT_MWAIT:
		return true;
	}
	return false;
}

static void vmgexit(struct vcpu *v)
{
	if (es_vcpu(v)->ghcb_msr & ~PAGE_MASK)
		ghcb_msr_protocol(v);
	else
		ghcb_page(v);
}

/* VMGEXIT is VMMCALL with F2 or F3 in front (APM vol. 3) */
static bool at_vmgexit(struct vcpu *v)
{
	u8 prefix = insn_first_byte(v);

	return (prefix == 0xf2 || prefix == 0xf3) && insn_length(v, INSN_VMMCALL) == VMGEXIT_LENGTH;
}

/*
 * Guests load the GHCB MSR right before VMGEXIT.  On hardware that costs no exit, as
 * it does here: where VMGEXIT is next, the two are done in one.
 */
static void vmgexit_follows(struct vcpu *v)
{
	if (reg(v, RCX) == MSR_GHCB && v->vmcb.exit_info1 & 1 && vcpu_undisturbed(v) && at_vmgexit(v))
		vmgexit(v);
}

/* QEMU gives INVD the exit code of WBINVD, and RDTSCP that of RDTSC */
static u64 exit_code(struct vcpu *v)
{
	if (v->vmcb.exit_code == SVM_EXIT_WBINVD && insn_length(v, INSN_INVD))
		return SVM_EXIT_INVD;
	if (v->vmcb.exit_code == SVM_EXIT_RDTSC && insn_length(v, INSN_RDTSCP))
		return SVM_EXIT_RDTSCP;
	return v->vmcb.exit_code;
}

static bool es_exit(struct vcpu *v)
{
	u64 code = exit_code(v);

	if (code == SVM_EXIT_MSR && sev_msr(v)) {
		vmgexit_follows(v);
		return true;
	}
	if (code == SVM_EXIT_MSR && switched_msr(reg(v, RCX)))
		return false;
	if (code == SVM_EXIT_VMMCALL && at_vmgexit(v)) {
		vmgexit(v);
		return true;
	}
	if (code == SVM_EXIT_EXCP + X86_UD && is_snp())
		return rmp_instruction(v);
	if (!raises_vc(code) || efi_firmware_runs(v))
		return false;
	raise_vc(v, code);
	return true;
}

/* MMIO: an access that the host marks as such in its tables raises #VC (APM vol. 2, 15.35.5) */
static bool mmio_npf(struct vcpu *v, u64 gpa, u64 error)
{
	if (error & NPF_WALK)
		end_run(v, COCO_END_SHUTDOWN, gpa, "page tables at 0x%lx, which is not RAM", gpa);
	raise_vc(v, SVM_EXIT_NPF);
	return true;
}

static bool es_npf(struct vcpu *v, u64 gpa, enum view view, u64 error)
{
	return is_ram(gpa) ? two_keys_npf(v, gpa, view, error) : mmio_npf(v, gpa, error);
}

static bool snp_npf(struct vcpu *v, u64 gpa, enum view view, u64 error)
{
	return is_ram(gpa) ? rmp_npf(v, gpa, view, error) : mmio_npf(v, gpa, error);
}

/* ---- setup ---- */

static u64 default_features(void)
{
	if (!is_snp())
		return 0;
	return BIT_ULL(FEATURE_SNP) | BIT_ULL(FEATURE_AP_CREATION) |
	       (svsm_guest_vmpl() ? BIT_ULL(FEATURE_VMPLS) : 0);
}

static void es_setup(void)
{
	sev_options.ghcb_version = option_number("ghcb", 2);
	if (sev_options.ghcb_version < 1 || sev_options.ghcb_version > 2)
		internal_error("option ghcb: 1 or 2");
	sev_options.features = option_number("features", default_features());
}

static void snp_setup(void)
{
	svsm_setup();
	es_setup();
	sev_options.status = option_number("sev_status", 0);
	page_init(COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED | COCO_PAGE_2M);
	rmp_reset();
}

/*
 * The processor swaps the guest's debug registers with the host's: DR7 need not be
 * intercepted (APM vol. 2, appendix B, SEV_FEATURES bit 5), and KVM does not then.
 */
static bool debug_swap(void)
{
	return is_snp() && sev_options.status & BIT(7);
}

static void es_vcpu_setup(struct vcpu *v)
{
	struct vmcb *b = &v->vmcb;

	v->technology = &es_vcpus[v->index];
	es_vcpus[v->index] = (struct es_vcpu){
		.ghcb_msr = ghcb_msr_reset_value(),
		.ghcb_registered = ~0ull,
		.dr7 = 0x400,
	};

	if (!debug_swap()) {
		b->intercept_dr_read |= BIT(7);
		b->intercept_dr_write |= BIT(7);
	}
	b->intercepts |= INTERCEPT(SVM_EXIT_RDPMC) | INTERCEPT(SVM_EXIT_INVD) |
			 INTERCEPT(SVM_EXIT_WBINVD) | INTERCEPT(SVM_EXIT_MONITOR) |
			 INTERCEPT(SVM_EXIT_MWAIT);
	if (intercepts("rdtsc"))
		b->intercepts |= INTERCEPT(SVM_EXIT_RDTSC) | INTERCEPT(SVM_EXIT_RDTSCP);
	if (is_snp())
		b->intercept_exceptions |= BIT(X86_UD);
	if (snp_secure_tsc())
		snp_secure_tsc_start(v);
}

/* CPUID 8000_001f: which technologies, where the C-bit is, how many address bits it costs */
static void sev_cpuid(struct vcpu *v, u32 leaf, u32 subleaf, u32 out[4])
{
	u32 address_bits[4];

	(void)subleaf;
	if (leaf != 0x8000001f)
		return;
	cpuid_guest(v, 0x80000008, 0, address_bits);
	out[0] = BIT(1) | (is_es() ? BIT(3) : 0) | (is_snp() ? BIT(4) | BIT(5) : 0) |
		 (firmware_tells_of_svsm(v) ? BIT(28) : 0);
	out[1] = config.told_cbit | ((address_bits[0] & 0xff) - config.cbit) << 6;
	out[2] = out[3] = 0;
}

/*
 * What goes into SEV-SNP's CPUID table has no XSAVE: QEMU has neither XSAVEC nor
 * XSAVES, without which Linux refuses leaf 0xd of the table.  With XSAVE goes
 * all that needs it, and the leaf.
 */
static void snp_cpuid(struct vcpu *v, u32 leaf, u32 subleaf, u32 out[4])
{
	switch (leaf) {
	case 0x0:
		out[0] = 0xc;
		break;
	case 0x1:	/* FMA, XSAVE, OSXSAVE, AVX, F16C */
		out[2] &= ~(BIT(12) | BIT(26) | BIT(27) | BIT(28) | BIT(29));
		break;
	case 0x7:	/* AVX2, AVX512*; PKU, OSPKE, VAES, VPCLMULQDQ */
		out[1] &= ~(BIT(5) | BIT(16) | BIT(17) | BIT(21) | BIT(28) | BIT(30) | BIT(31));
		out[2] &= ~(BIT(1) | BIT(3) | BIT(4) | BIT(6) | BIT(9) | BIT(10) | BIT(11) |
			    BIT(12) | BIT(14));
		break;
	case 0xd:
		memset(out, 0, 4 * sizeof(out[0]));
		break;
	}
	sev_cpuid(v, leaf, subleaf, out);
}

const struct technology technology_sev = {
	.name = "sev",
	.id = COCO_SEV,
	.default_cbit = 51,
	.two_views = true,
	.bit_is_private = true,
	.exit = sev_exit,
	.npf = sev_npf,
	.cpuid = sev_cpuid,
};

const struct technology technology_sev_es = {
	.name = "sev-es",
	.id = COCO_SEV_ES,
	.default_cbit = 51,
	.two_views = true,
	.bit_is_private = true,
	.setup = es_setup,
	.boot_data = ap_boot_data,
	.vcpu_setup = es_vcpu_setup,
	.exit = es_exit,
	.npf = es_npf,
	.cpuid = sev_cpuid,
};

const struct technology technology_sev_snp = {
	.name = "sev-snp",
	.id = COCO_SEV_SNP,
	.default_cbit = 51,
	.two_views = true,
	.bit_is_private = true,
	.setup = snp_setup,
	.boot_data = snp_boot_data,
	.launch = snp_launch,
	.vcpu_setup = es_vcpu_setup,
	.exit = es_exit,
	.npf = snp_npf,
	.cpuid = snp_cpuid,
};
