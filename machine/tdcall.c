// SPDX-License-Identifier: GPL-2.0
/*
 * TDCALL: the guest's calls to the TDX module ([ABI] "guest-side interface
 * functions").  A completion status in RAX: class and name in bits 63:32, the
 * operand that it is about in bits 31:0.
 */
#include "tdx.h"

#define LEAF(rax)		((rax) & 0xffff)
#define VERSION(rax)		((rax) >> 16 & 0xff)
#define LEAF_RESERVED		0xffffffffff000000ull
#define INFO_SYS_RD		BIT_ULL(0)	/* TDG.SYS.RD is there */

static u64 vp_info(struct vcpu *v)
{
	set_reg(v, RCX, config.cbit + 1);
	set_reg(v, RDX, td.attributes);
	set_reg(v, R8, config.vcpus | (u64)config.vcpus << 32);
	set_reg(v, R9, v->index);
	set_reg(v, R10, INFO_SYS_RD);
	set_reg(v, R11, 0);
	return TDX_SUCCESS;
}

static u64 veinfo_get(struct vcpu *v)
{
	struct ve_info none = { 0 };
	const struct ve_info *ve = tdx_vcpu(v)->ve.valid ? &tdx_vcpu(v)->ve : &none;

	set_reg(v, RCX, ve->reason);
	set_reg(v, RDX, ve->qualification);
	set_reg(v, R8, ve->gla);
	set_reg(v, R9, ve->gpa);
	set_reg(v, R10, ve->length | (u64)ve->instruction_info << 32);
	if (!ve->valid)
		return TDX_NO_VALID_VE_INFO;
	ve_info_taken(v);
	return TDX_SUCCESS;
}

static u64 cpuidve_set(struct vcpu *v)
{
	u64 control = reg(v, RCX);

	if (control & ~3ull)
		return TDX_OPERAND_INVALID | RCX;
	if (td.td_ctls & TD_CTLS_LOCK)
		unmodelled(v, "TDG.VP.CPUIDVE.SET after TD_CTLS.LOCK");
	tdx_vcpu(v)->cpuid_supervisor_ve = control & 1;
	tdx_vcpu(v)->cpuid_user_ve = control & 2;
	return TDX_SUCCESS;
}

/* RCX names the TD: its own */
static u64 vm_rd(struct vcpu *v)
{
	u64 value = 0, status;

	if (VERSION(reg(v, RAX)) == 1)
		unmodelled(v, "TDG.VM.RD version 1, which gives the next field's identifier");
	if (VERSION(reg(v, RAX)))
		status = TDX_OPERAND_INVALID | RAX;
	else if (reg(v, RCX))
		status = TDX_OPERAND_INVALID | RCX;
	else
		status = td_field_read(v, reg(v, RDX), &value);
	set_reg(v, R8, value);
	return status;
}

static u64 vm_wr(struct vcpu *v)
{
	u64 old = 0, status;

	if (reg(v, RCX))
		status = TDX_OPERAND_INVALID | RCX;
	else
		status = td_field_write(v, reg(v, RDX), reg(v, R8), reg(v, R9), &old);
	set_reg(v, R8, old);
	return status;
}

static u64 perform(struct vcpu *v, u64 rax)
{
	switch (LEAF(rax)) {
	case TDG_VP_INFO:
		return vp_info(v);
	case TDG_VP_VEINFO_GET:
		return veinfo_get(v);
	case TDG_VP_CPUIDVE_SET:
		return cpuidve_set(v);
	case TDG_MEM_PAGE_ACCEPT:
		return sept_accept(v, reg(v, RCX));
	case TDG_VM_RD:
		return vm_rd(v);
	case TDG_VM_WR:
		return vm_wr(v);
	case TDG_MR_RTMR_EXTEND:
		return td_rtmr_extend(v);
	case TDG_MR_REPORT:
		return td_report(v);
	case TDG_VP_RD:
	case TDG_VP_WR:
	case TDG_SYS_RD:
	case TDG_SYS_RDALL:
	case TDG_SERVTD_RD:
	case TDG_SERVTD_WR:
	case TDG_MR_VERIFYREPORT:
	case TDG_MEM_PAGE_ATTR_RD:
	case TDG_MEM_PAGE_ATTR_WR:
	case TDG_VP_ENTER:
	case TDG_VP_INVEPT:
	case TDG_VP_INVGLA:
		unmodelled(v, "TDCALL leaf %lu", LEAF(rax));
	default:
		return TDX_OPERAND_INVALID | RAX;
	}
}

/* Reserved bits are zero; only TDG.VM.RD has a version 1 (newer modules: TDG.VP.VEINFO.GET) */
static bool malformed(u64 rax)
{
	return rax & LEAF_RESERVED || (VERSION(rax) && LEAF(rax) != TDG_VM_RD);
}

static void scripted(struct vcpu *v, const struct coco_rule *rule)
{
	static const enum reg regs[] = { RAX, RCX, RDX, R8, R9, R10 };
	u64 words[ARRAY_SIZE(regs)];
	u32 i, mask = rule_patch(rule, words);

	for (i = 0; i < ARRAY_SIZE(regs); i++)
		if (mask & BIT(i))
			set_reg(v, regs[i], words[i]);
}

static struct coco_event *tdcall_event(struct vcpu *v, u64 rax)
{
	return event_add(v, COCO_EV_TDCALL, LEAF(rax), reg(v, RCX), reg(v, RDX));
}

static void finish(struct vcpu *v, struct coco_event *event)
{
	event->ret = reg(v, RAX);
	insn_done(v, TDCALL_LENGTH);
}

/* The host's event, and only that, unless the module refuses the call or a rule has it answer */
static void vp_vmcall(struct vcpu *v)
{
	struct coco_event *event, seen = {
		.kind = COCO_EV_TDCALL,
		.code = TDG_VP_VMCALL,
		.info1 = reg(v, RCX),
		.info2 = reg(v, RDX),
	};
	const struct coco_rule *found = rule_match(&seen);
	struct coco_rule rule = { .action = COCO_PATCH };

	if (!found && tdvmcall(v))
		return;
	if (found)
		rule = *found;		/* the call lets others in, who may delete it */
	event = tdcall_event(v, TDG_VP_VMCALL);
	event->flags = seen.flags;
	if (found && rule.action == COCO_PATCH && tdvmcall(v)) {
		scripted(v, &rule);
		return;
	}
	if (rule.action == COCO_PATCH)
		set_reg(v, RAX, TDX_OPERAND_INVALID | RCX);
	scripted(v, &rule);
	finish(v, event);
}

void tdcall(struct vcpu *v)
{
	const struct coco_rule *rule;
	u64 rax = reg(v, RAX);
	struct coco_event *event;

	/* [SDM] TDCALL, [ABI] "TDCALL instruction": CPL 0 and 64-bit mode */
	if (guest_cpl(v) || !guest_code64(v)) {
		raise_gp(v);
		return;
	}
	if (LEAF(rax) == TDG_VP_VMCALL && !malformed(rax)) {
		vp_vmcall(v);
		return;
	}
	event = tdcall_event(v, rax);
	rule = rule_match(event);
	if (!rule || rule->action == COCO_PATCH)
		set_reg(v, RAX, malformed(rax) ? TDX_OPERAND_INVALID | RAX : perform(v, rax));
	if (rule)
		scripted(v, rule);
	finish(v, event);
}
