// SPDX-License-Identifier: GPL-2.0
/*
 * Intel TDX: a TD as the TDX module runs it, on the CPU that QEMU emulates.
 *
 * The TDX module's part is what the guest must be able to rely on; the host's
 * part answers what the module passes on.  An exit is the module's first.
 *
 * Options of the machine's command line:
 *	tdx=<words with commas between>
 *		debug		ATTRIBUTES.DEBUG
 *		sept-ve		ATTRIBUTES.SEPT_VE_DISABLE is 0: pages not accepted give #VE
 *		flexible-ve	CONFIG_FLAGS.FLEXIBLE_PENDING_VE: the guest may choose that
 *		reduce-ve	the module has #VE reduction (TD_CTLS.REDUCE_VE)
 *		no-topology	the host gave the vCPUs no x2APIC IDs
 *		4k		the host maps private memory by 4K only
 *	mapgpa=<bytes>		the host converts so much in one MapGPA, then asks to retry
 *
 * Not shown: XSETBV beyond XFAM (QEMU's CPU has no such intercept), code
 * fetches from shared memory, paging structures in it.
 */
#include "apic.h"
#include "core.h"
#include "tdx.h"

/* [ABI] "TD VCPU initial state": EFER is SCE, LME, NXE for good; CR0.NE and CR4.MCE are 1 */
#define EFER_INITIAL		0x901ull

struct td td;

static struct tdx_vcpu state[MAX_VCPUS];

static void parse_word(const char *word, size_t len)
{
	static const char *const names[] = {
		"debug", "sept-ve", "flexible-ve", "reduce-ve", "no-topology", "4k",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == len && !strncmp(names[i], word, len))
			break;
	switch (i) {
	case 0:
		td.attributes |= TD_ATTR_DEBUG;
		break;
	case 1:
		td.attributes &= ~TD_ATTR_SEPT_VE_DISABLE;
		break;
	case 2:
		td.config_flags |= TD_CONFIG_FLEXIBLE_VE;
		break;
	case 3:
		td.ve_reduction = true;
		break;
	case 4:
		td.topology_configured = false;
		break;
	case 5:
		td.large_pages = false;
		break;
	default:
		internal_error("option tdx: unknown word at '%s'", word);
	}
}

static void tdx_setup(void)
{
	char list[128] = "";
	const char *word, *end;

	td = (struct td) {
		.attributes = TD_ATTR_SEPT_VE_DISABLE,
		.config_flags = config.cbit == 51 ? TD_CONFIG_GPAW : 0,
		.xfam = tdx_xfam(),
		.topology_configured = true,
		.large_pages = true,
		.map_gpa_chunk = option_number("mapgpa", 0) & PAGE_MASK,
	};
	/* OVMF (edk2-stable202211) exposes RBP in its TDVMCALLs, from before a TD could forbid it */
	if (!config.flash)
		td.config_flags |= TD_CONFIG_NO_RBP_MOD;
	option("tdx", list, sizeof(list));
	for (word = list; *word; word = *end ? end + 1 : end) {
		for (end = word; *end && *end != ','; end++)
			;
		parse_word(word, end - word);
	}
	if (td.attributes & TD_ATTR_SEPT_VE_DISABLE)
		td.td_ctls = TD_CTLS_PENDING_VE_DISABLE;
}

void tdx_fixed_registers(struct vmcb_save *s)
{
	s->efer |= EFER_INITIAL;
	s->cr0 |= CR0_NE;
	s->cr4 |= CR4_MCE;
}

static void tdx_boot_data(struct boot *boot)
{
	tdx_fixed_registers(&vcpus[0].vmcb.save);
	acpi_add_wakeup(boot, mailbox_setup(boot));
}

static void tdx_vcpu_setup(struct vcpu *v)
{
	struct vmcb *b = &v->vmcb;

	v->technology = &state[v->index];
	v->apic_base = APIC_BASE | APIC_BASE_X2APIC | APIC_BASE_ENABLE;
	if (!v->index)
		v->apic_base |= APIC_BASE_BSP;
	b->intercepts |= INTERCEPT(SVM_EXIT_RDPMC) | INTERCEPT(SVM_EXIT_INVD) |
			 INTERCEPT(SVM_EXIT_HLT) | INTERCEPT(SVM_EXIT_WBINVD) |
			 INTERCEPT(SVM_EXIT_MONITOR) | INTERCEPT(SVM_EXIT_MWAIT);
	b->intercept_exceptions |= BIT(X86_UD);
	tdx_msr_setup(v);
}

/* Undefined on QEMU's CPU, but not on a TD's */
static void exit_ud(struct vcpu *v)
{
	u8 code[15];
	u32 n = fetch_code(v, code);

	if (n >= TDCALL_LENGTH && !memcmp(code, "\x66\x0f\x01\xcc", TDCALL_LENGTH))
		tdcall(v);
	else if (n >= 3 && !memcmp(code, "\x0f\x01\xc1", 3))
		ve_instruction(v, VMX_EXIT_VMCALL, 0, 3);
	else
		raise_exception(v, X86_UD, false, 0);
}

/* Instructions that a TD may not execute ([base] "instructions that cause #VE unconditionally") */
static void forbidden(struct vcpu *v, enum vmx_exit reason, const char *opcode)
{
	ve_instruction(v, reason, 0, insn_length(v, opcode));
}

static bool tdx_exit(struct vcpu *v)
{
	switch (v->vmcb.exit_code) {
	case SVM_EXIT_CPUID:
		tdx_cpuid_exit(v);
		return true;
	case SVM_EXIT_MSR:
		tdx_msr_exit(v);
		return true;
	case SVM_EXIT_CR0_WRITE:
	case SVM_EXIT_CR4_WRITE:
		return tdx_cr_write_exit(v);
	case SVM_EXIT_IOIO:
		ve_io(v);
		return true;
	case SVM_EXIT_HLT:
		forbidden(v, VMX_EXIT_HLT, INSN_HLT);
		return true;
	case SVM_EXIT_WBINVD:
	case SVM_EXIT_INVD:
		/* QEMU gives INVD the exit code of WBINVD */
		if (insn_length(v, INSN_INVD))
			forbidden(v, VMX_EXIT_INVD, INSN_INVD);
		else
			forbidden(v, VMX_EXIT_WBINVD, INSN_WBINVD);
		return true;
	case SVM_EXIT_MONITOR:
		forbidden(v, VMX_EXIT_MONITOR, INSN_MONITOR);
		return true;
	case SVM_EXIT_MWAIT:
		forbidden(v, VMX_EXIT_MWAIT, INSN_MWAIT);
		return true;
	case SVM_EXIT_RDPMC:
		raise_gp(v);		/* ATTRIBUTES.PERFMON is 0 */
		return true;
	case SVM_EXIT_VMMCALL:
		raise_exception(v, X86_UD, false, 0);
		return true;
	case SVM_EXIT_EXCP + X86_UD:
		exit_ud(v);
		return true;
	default:
		return false;
	}
}

static bool tdx_npf(struct vcpu *v, u64 gpa, enum view view, u64 error)
{
	return (view == PRIVATE && mailbox_npf(v, gpa, error)) || sept_npf(v, gpa, view, error);
}

const struct technology technology_tdx = {
	.name = "tdx",
	.id = COCO_TDX,
	.default_cbit = 51,
	.two_views = true,
	.cr_writes = BIT(0) | BIT(4),
	.setup = tdx_setup,
	.boot_data = tdx_boot_data,
	.launch = tdx_launch,
	.vcpu_setup = tdx_vcpu_setup,
	.exit = tdx_exit,
	.npf = tdx_npf,
	.cpuid = tdx_cpuid,
};
