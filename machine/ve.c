// SPDX-License-Identifier: GPL-2.0
/*
 * The virtualization exception: raising #VE, and what VE_INFO holds.
 *
 * VE_INFO.VALID goes up with a #VE and down with TDG.VP.VEINFO.GET.  While it
 * is up
 *	the TDX module raises #DF instead of a second #VE ([base] "#VE injected by
 *	the TDX module")
 *	the CPU turns no EPT violation of a shared page into #VE: the host gets it
 *	([SDM] 26.5.7.1)
 *	no NMI is injected ([base] "virtual NMI injection"; [ABI] TDG.VP.VEINFO.GET)
 */
#include "core.h"
#include "efi.h"
#include "tdx.h"

/* VE_INFO.EXIT_QUALIFICATION of an EPT violation ([SDM] table 28-7) */
#define EPT_READ		BIT_ULL(0)
#define EPT_WRITE		BIT_ULL(1)
#define EPT_FETCH		BIT_ULL(2)
#define EPT_GLA_VALID		BIT_ULL(7)
#define EPT_GLA_FINAL		BIT_ULL(8)

/* VE_INFO.EXIT_QUALIFICATION of an I/O instruction ([SDM] table 28-5) */
#define IO_IN			BIT_ULL(3)
#define IO_STRING		BIT_ULL(4)
#define IO_REP			BIT_ULL(5)
#define IO_IMMEDIATE		BIT_ULL(6)

/* vmcb.exit_info1 of the same (APM vol. 2, 15.10.2) */
#define SVM_IO_IN		BIT_ULL(0)
#define SVM_IO_STRING		BIT_ULL(2)
#define SVM_IO_REP		BIT_ULL(3)
#define SVM_IO_SIZE(info)	((info) >> 4 & 7)
#define SVM_IO_PORT(info)	((info) >> 16 & 0xffff)

static void hold_nmi(struct vcpu *v)
{
	if (v->nmi_blocked)
		return;
	v->nmi_blocked = true;
	tdx_vcpu(v)->nmi_held = true;
}

void ve_info_taken(struct vcpu *v)
{
	tdx_vcpu(v)->ve.valid = false;
	if (tdx_vcpu(v)->nmi_held)
		v->nmi_blocked = false;
	tdx_vcpu(v)->nmi_held = false;
}

void ve_raise(struct vcpu *v, const struct ve_info *info)
{
	const struct coco_rule *rule;

	if (efi_firmware_runs(v) && info->reason != VMX_EXIT_EPT_VIOLATION) {
		plain_exit(v);
		return;
	}
	if (tdx_vcpu(v)->ve.valid) {
		stream_line('m', "note #VE, exit reason %u, while the last one's information waits",
			    info->reason);
		raise_exception(v, X86_DF, true, 0);
		return;
	}
	rule = rule_match(event_add(v, COCO_EV_VE, info->reason, info->qualification, info->gpa));
	tdx_vcpu(v)->ve = *info;
	tdx_vcpu(v)->ve.valid = true;
	if (rule && rule->reply_mask & 1)
		tdx_vcpu(v)->ve.reason = rule->reply[0];
	hold_nmi(v);
	raise_exception(v, X86_VE, false, 0);
}

void ve_instruction(struct vcpu *v, enum vmx_exit reason, u64 qualification, u32 length)
{
	ve_raise(v, &(struct ve_info) {
		.reason = reason,
		.qualification = qualification,
		.length = length,
	});
}

/* ---- I/O instructions ---- */

/* [SDM] table 28-9: address size in bits 9:7, segment register in bits 17:15 */
static u32 string_io_information(bool address32, u32 segment)
{
	return (address32 ? 1u : 2u) << 7 | segment << 15;
}

void ve_io(struct vcpu *v)
{
	u64 info = v->vmcb.exit_info1;
	bool short_address = !guest_code64(v);
	u8 code[15], opcode = 0;
	u32 n = fetch_code(v, code), i, segment = 3;	/* DS */
	struct ve_info ve = {
		.reason = VMX_EXIT_IO,
		.qualification = (SVM_IO_SIZE(info) - 1) | SVM_IO_PORT(info) << 16,
		.length = v->vmcb.exit_info2 - v->vmcb.save.rip,
	};

	for (i = 0; i < n && i < ve.length; i++) {
		opcode = code[i];
		if (opcode == 0x67)
			short_address = true;
		else if (opcode == 0x64 || opcode == 0x65)
			segment = opcode - 0x60;
		else if (opcode == 0x26 || opcode == 0x2e || opcode == 0x36)
			segment = (opcode - 0x26) / 8;
		else if (opcode >= 0x6c && opcode < 0xf0)
			break;
	}
	if (info & SVM_IO_IN)
		ve.qualification |= IO_IN;
	if (info & SVM_IO_STRING) {
		ve.qualification |= IO_STRING;
		ve.instruction_info = string_io_information(short_address, segment);
	}
	if (info & SVM_IO_REP)
		ve.qualification |= IO_REP;
	if ((opcode & 0xfc) == 0xe4)
		ve.qualification |= IO_IMMEDIATE;
	ve_raise(v, &ve);
}

/* ---- EPT violations ---- */

void ve_ept_violation(struct vcpu *v, u64 gpa, u64 error)
{
	struct ve_info ve = {
		.reason = VMX_EXIT_EPT_VIOLATION,
		.qualification = EPT_GLA_VALID | EPT_GLA_FINAL,
		.gpa = gpa,
		/* Nobody writes these for an EPT violation: what the last #VE left there */
		.length = tdx_vcpu(v)->ve.length,
		.instruction_info = tdx_vcpu(v)->ve.instruction_info,
	};

	if (tdx_vcpu(v)->ve.valid && view_of(gpa) == SHARED)
		end_run(v, COCO_END_SHUTDOWN, gpa,
			"TD exit: EPT violation at shared 0x%lx while #VE information waits", gpa);
	if (error & NPF_FETCH)
		ve.qualification |= EPT_FETCH;
	else
		ve.qualification |= error & NPF_WRITE ? EPT_WRITE : EPT_READ;
	if (error & NPF_WALK || !fault_linear_address(v, gpa, error, &ve.gla))
		unmodelled(v, "#VE for 0x%lx: the instruction's linear address is not known", gpa);
	ve_raise(v, &ve);
}
