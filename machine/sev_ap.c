// SPDX-License-Identifier: GPL-2.0
/*
 * How a second vCPU starts where the host cannot write its registers.
 *
 *	SEV-ES	The firmware has the APs wait in AP reset hold.  A SIPI wakes them,
 *		its vector does not count: they go where the AP jump table says,
 *		a page of the firmware's that the kernel has filled (GHCB
 *		specification 56421, 4.3, SMP booting).  This machine is that
 *		firmware: at the first SIPI the vCPU starts from the jump table.
 *		Later the kernel itself holds a vCPU that goes off-line.
 *	SEV-SNP	The kernel writes a VMSA and has the host run it (AP creation).
 */
#include "apic.h"
#include "core.h"
#include "ghcb.h"
#include "snp_firmware.h"
#include "svsm.h"

/* SW_EXITINFO1 of AP creation */
#define REQUEST(info1)		((info1) & 0xffff)
#define REQUEST_VMPL(info1)	((info1) >> 16 & 15)
#define REQUEST_APIC_ID(info1)	((info1) >> 32)
enum { CREATE_ON_INIT, CREATE, DESTROY };

/* VMSA beyond what it has in common with the VMCB (APM vol. 2, table B-4) */
#define VMSA_VMPL		0x0ca
#define VMSA_XSS		0x140
#define VMSA_DEBUGCTL		0x270
#define VMSA_RCX		0x308
#define VMSA_R8			0x340
#define VMSA_SEV_FEATURES	0x3b0

#define DEFAULT_PAT		0x0007040600070406ull
#define NONE			(~0ull)

static u64 jump_table;
static u64 vmsa_of[MAX_VCPUS] = { [0 ... MAX_VCPUS - 1] = NONE };
static u64 on_init[MAX_VCPUS] = { [0 ... MAX_VCPUS - 1] = NONE };	/* VMSA for the next INIT */

/* First word: IP, second: CS */
struct jump_table {
	u16 ip, cs;
};

void ap_boot_data(struct boot *boot)
{
	jump_table = boot_reserve(boot, 1);
}

u64 ap_jump_table(void)
{
	return jump_table;
}

enum ghcb_error ap_set_jump_table(struct vcpu *v, u64 gpa)
{
	if (gpa & ~PAGE_MASK) {
		breach(v, COCO_BREACH_RESERVED, gpa, "AP jump table: 0x%lx is not aligned", gpa);
		return GHCB_ERR_INPUT;
	}
	if (!is_ram(gpa)) {
		breach(v, COCO_BREACH_PAGE, gpa, "AP jump table: 0x%lx is not RAM", gpa);
		return GHCB_ERR_INPUT;
	}
	jump_table = gpa;
	return GHCB_OK;
}

/* ---- SEV-ES ---- */

/* After INIT (APM vol. 2, table 14-1), and at the address in the jump table */
static void start_from_jump_table(struct vcpu *target)
{
	static const struct vmcb_seg data = { .attrib = 0x93, .limit = 0xffff };
	struct vmcb_save s = {
		.es = data, .ss = data, .ds = data, .fs = data, .gs = data,
		.cs = { .attrib = 0x9b, .limit = 0xffff },
		.gdtr = { .limit = 0xffff },
		.idtr = { .limit = 0xffff },
		.ldtr = { .attrib = 0x82, .limit = 0xffff },
		.tr = { .attrib = 0x8b, .limit = 0xffff },
		.cr0 = 0x60000010,
		.dr6 = 0xffff0ff0,
		.dr7 = 0x400,
		.rflags = 2,
		.g_pat = DEFAULT_PAT,
	};
	static const u64 regs[16];
	struct jump_table to;

	if (guest_read_gpa(jump_table, PRIVATE, &to, sizeof(to)))
		internal_error("the AP jump table at 0x%lx is not RAM", jump_table);
	if (!to.cs && !to.ip) {
		stream_line('m', "note SIPI for vCPU %u, and nothing in the AP jump table",
			    target->index);
		return;
	}
	s.cs.selector = to.cs;
	s.cs.base = (u64)to.cs << 4;
	s.rip = to.ip;
	vcpu_start(target->apic_id, &s, regs);
}

/* SEV-SNP: from VMRUN on nobody else has the VMSA, until the vCPU is out of guest mode for good */
static void vmsa_in_use(struct vcpu *v, bool in_use)
{
	u64 gpa = vmsa_of[v->index];
	u8 flags;

	if (gpa == NONE)
		return;
	flags = page_flags(gpa);
	page_set(gpa, in_use ? flags | COCO_PAGE_IN_USE : flags & ~COCO_PAGE_IN_USE);
	vcpus_flush(NULL);
}

void ap_hold(struct vcpu *v, bool by_msr)
{
	struct es_vcpu *es = es_vcpu(v);

	es->held = true;
	es->held_by_msr = by_msr;
	es->hold_ghcb = es->ghcb_msr;
	v->running = false;
	vmsa_in_use(v, false);
}

/* MSR protocol: anything but 0 in 12..63; event: SW_EXITINFO2 */
static void release(struct vcpu *v)
{
	struct es_vcpu *es = es_vcpu(v);

	es->held = false;
	if (es->held_by_msr)
		es->ghcb_msr |= PAGE_SIZE;
	else
		ghcb_reset_hold_over(v);
	vmsa_in_use(v, true);
	v->running = true;
	vcpu_kick(v);
}

static void start_vmsa(struct vcpu *target, u64 gpa);

static void init_or_sipi(struct vcpu *target, u32 mode)
{
	u64 vmsa = on_init[target->index];

	if (mode == ICR_INIT) {
		/* The state of a vCPU that runs is out of the host's reach */
		on_init[target->index] = NONE;
		if (vmsa != NONE)
			start_vmsa(target, vmsa);
	} else if (es_vcpu(target)->held) {
		release(target);
	} else if (!target->online) {
		start_from_jump_table(target);
	}
}

bool ap_icr_write(struct vcpu *v, u32 icr)
{
	u32 mode = icr & ICR_MODE, shorthand = icr & ICR_SHORTHAND, i;
	u32 to = apic_read(v, APIC_ICR_HIGH) >> 24;

	if (mode != ICR_INIT && mode != ICR_SIPI)
		return false;
	/* INIT level de-assert does nothing since the Pentium 4 */
	if (mode == ICR_INIT && icr & ICR_LEVEL && !(icr & ICR_ASSERT))
		return true;
	for (i = 0; i < config.vcpus; i++) {
		if (&vcpus[i] == v)
			continue;
		if (shorthand == ICR_ALL || shorthand == ICR_OTHERS ||
		    (!shorthand && (to == 0xff || to == vcpus[i].apic_id)))
			init_or_sipi(&vcpus[i], mode);
	}
	return true;
}

/* ---- SEV-SNP ---- */

static void stop_vmsa(struct vcpu *target)
{
	/* Out of AP reset hold as well: that call never returns */
	es_vcpu(target)->held = false;
	if (target->running)
		vcpu_park(target);
	vmsa_in_use(target, false);
	vmsa_of[target->index] = NONE;
}

/* What VMRUN loads beside vmcb.save and the general purpose registers (APM vol. 2, table B-4) */
static void load_others(struct vcpu *target, const u8 *vmsa)
{
	es_vcpu(target)->xss = *(const u64 *)(vmsa + VMSA_XSS);
	es_vcpu(target)->dr7 = ((const struct vmcb_save *)vmsa)->dr7;
	msr_write(target, MSR_DEBUGCTL, *(const u64 *)(vmsa + VMSA_DEBUGCTL));
}

static void start_vmsa(struct vcpu *target, u64 gpa)
{
	static const u8 order[] = { RCX, RDX, RBX, RSP, RBP, RSI, RDI };
	const u8 *vmsa = ram_ptr(gpa, PRIVATE);
	const struct vmcb_save *save = (const void *)vmsa;
	u64 regs[16] = { [RAX] = save->rax, [RSP] = save->rsp };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(order); i++)
		if (order[i] != RSP)
			regs[order[i]] = *(const u64 *)(vmsa + VMSA_RCX + 8 * i);
	for (i = R8; i <= R15; i++)
		regs[i] = *(const u64 *)(vmsa + VMSA_R8 + 8 * (i - R8));
	stop_vmsa(target);
	load_others(target, vmsa);
	if (snp_secure_tsc())
		snp_secure_tsc_enter(target, vmsa);
	svsm_vcpu_starts(target, gpa);
	vmsa_of[target->index] = gpa;
	vmsa_in_use(target, true);
	vcpu_start(target->apic_id, save, regs);
}

/* The boot processor's (APM vol. 2, 15.34.10) */
static u64 launch_features(void)
{
	return sev_status() >> 2;
}

/*
 * VMRUN takes the features that the guest has; the VMPL is what the VMSA says, whatever was
 * asked for; SVME is never 0 (APM vol. 2, 15.5.1).
 */
const char *ap_vmsa_flaw(u64 gpa, u64 *value)
{
	const u8 *vmsa = ram_ptr(gpa, PRIVATE);

	*value = *(const u64 *)(vmsa + VMSA_SEV_FEATURES);
	if (*value != launch_features())
		return "SEV features";
	*value = ((const struct vmcb_save *)vmsa)->efer;
	if (!(*value & EFER_SVME))
		return "EFER without SVME";
	*value = vmsa[VMSA_VMPL];
	return *value == svsm_guest_vmpl() ? NULL : "VMPL";
}

static bool usable_vmsa(struct vcpu *v, const struct vcpu *target, u64 gpa, u64 features)
{
	u8 wanted = COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED | COCO_PAGE_VMSA;
	const char *flaw;
	u64 value;

	if (!is_ram(gpa) || (page_flags(gpa) & wanted) != wanted) {
		breach(v, COCO_BREACH_PAGE, gpa, "AP creation: 0x%lx is no VMSA page", gpa);
		return false;
	}
	/* VMRUN takes none that another vCPU runs from (APM vol. 2, 15.36.12) */
	if (page_flags(gpa) & COCO_PAGE_IN_USE && vmsa_of[target->index] != gpa) {
		breach(v, COCO_BREACH_PAGE, gpa, "AP creation: another vCPU runs from VMSA 0x%lx",
		       gpa);
		return false;
	}
	if (features != launch_features()) {
		breach(v, COCO_BREACH_RESERVED, features,
		       "AP creation: SEV features 0x%lx, launched with 0x%lx", features,
		       launch_features());
		return false;
	}
	flaw = ap_vmsa_flaw(gpa, &value);
	if (flaw) {
		breach(v, COCO_BREACH_RESERVED, value, "AP creation: %s in the VMSA: 0x%lx", flaw,
		       value);
		return false;
	}
	/* KVM refuses these for an erratum about entries of 2M */
	return gpa & (SIZE_2M - 1);
}

enum ghcb_error ap_creation(struct vcpu *v, u64 info1, u64 gpa, u64 features)
{
	struct vcpu *target = vcpu_by_apic_id(REQUEST_APIC_ID(info1));

	if (!offered(FEATURE_AP_CREATION)) {
		breach(v, COCO_BREACH_ORDER, info1,
		       "AP creation: the host did not offer this feature");
		return GHCB_ERR_EVENT;
	}
	if (!target || REQUEST(info1) > DESTROY) {
		breach(v, COCO_BREACH_RESERVED, info1, "AP creation: request %u for APIC ID 0x%x",
		       (u32)REQUEST(info1), (u32)REQUEST_APIC_ID(info1));
		return GHCB_ERR_INPUT;
	}
	if (REQUEST_VMPL(info1) != svsm_guest_vmpl())
		unmodelled(v, "AP creation at VMPL %u", (u32)REQUEST_VMPL(info1));
	if (REQUEST(info1) == DESTROY) {
		on_init[target->index] = NONE;
		stop_vmsa(target);
		return GHCB_OK;
	}
	if (!usable_vmsa(v, target, gpa, features))
		return GHCB_ERR_INPUT;
	if (REQUEST(info1) == CREATE_ON_INIT)
		on_init[target->index] = gpa;
	else
		start_vmsa(target, gpa);
	return GHCB_OK;
}
