// SPDX-License-Identifier: GPL-2.0
/*
 * TDG.VP.VMCALL: the host's answers ([GHCI] 3).
 *
 * The host sees the registers that RCX exposes, and no other.  On return the
 * guest finds the outputs of the leaf, something else in every other exposed
 * register ("passed as-is to the VMM and back": the host may leave there what it
 * likes), and its own values in those that it kept for itself ([ABI]
 * TDG.VP.VMCALL).
 */
#include "apic.h"
#include "core.h"
#include "cpuid.h"
#include "tdx.h"

#define POISON		0x00dead00c0c00000ull	/* not canonical either */
#define VENDOR_EVENT	BIT_ULL(63)	/* event code of a call with R10 != 0: that, and R10 */
#define KVM_CALL_ARGS	4

#define IO_WRITE	1

/* [GHCI] 3.4: the message, eight bytes a register in this order */
static const enum reg message_registers[] = { R14, R15, RBX, RDI, RSI, R8, R9, RDX };

static void status(struct tdvmcall *call, u64 value)
{
	tdvmcall_answer(call, R10, value);
}

static void call_cpuid(struct vcpu *v, struct tdvmcall *call)
{
	u32 out[4];

	cpuid_guest(v, call->in[R12], call->in[R13], out);
	tdvmcall_answer(call, R12, out[EAX]);
	tdvmcall_answer(call, R13, out[EBX]);
	tdvmcall_answer(call, R14, out[ECX]);
	tdvmcall_answer(call, R15, out[EDX]);
	status(call, GHCI_SUCCESS);
}

/* R12: the guest has interrupts blocked, only an NMI ends its sleep */
static void call_hlt(struct vcpu *v, struct tdvmcall *call)
{
	vcpu_halt(v, !(call->in[R12] & 1));
	status(call, GHCI_SUCCESS);
}

static void call_io(struct vcpu *v, struct tdvmcall *call)
{
	u64 size = call->in[R12], direction = call->in[R13], port = call->in[R14];

	if ((size != 1 && size != 2 && size != 4) || direction > IO_WRITE || port > 0xffff) {
		status(call, GHCI_INVALID_OPERAND);
		return;
	}
	if (direction == IO_WRITE)
		pio_write(v, port, size, call->in[R15]);
	else
		tdvmcall_answer(call, R11, pio_read(v, port, size));
	status(call, GHCI_SUCCESS);
}

static void call_mmio(struct vcpu *v, struct tdvmcall *call)
{
	u64 size = call->in[R12], direction = call->in[R13], gpa = call->in[R14];
	bool device;

	if ((size != 1 && size != 2 && size != 4 && size != 8) || direction > IO_WRITE ||
	    view_of(gpa) != SHARED || gpa >> (config.cbit + 1) || is_ram(strip(gpa))) {
		status(call, GHCI_INVALID_OPERAND);
		return;
	}
	/* In x2APIC mode the APIC has no page ([SDM] 11.12.2) */
	device = !apic_page(strip(gpa));
	if (direction != IO_WRITE)
		tdvmcall_answer(call, R11, device ? mmio_read(v, strip(gpa), size) : ~0ull);
	else if (device)
		mmio_write(v, strip(gpa), size, call->in[R15]);
	status(call, GHCI_SUCCESS);
}

static void call_rdmsr(struct vcpu *v, struct tdvmcall *call)
{
	u64 value;

	if (!tdx_host_rdmsr(v, call->in[R12], &value)) {
		status(call, GHCI_INVALID_OPERAND);
		return;
	}
	tdvmcall_answer(call, R11, value);
	status(call, GHCI_SUCCESS);
}

static void call_wrmsr(struct vcpu *v, struct tdvmcall *call)
{
	bool ok = tdx_host_wrmsr(v, call->in[R12], call->in[R13]);

	status(call, ok ? GHCI_SUCCESS : GHCI_INVALID_OPERAND);
}

/* Leaf 0: the base set is there.  Leaf 1: what else; R11 bit 1 is SetupEventNotifyInterrupt */
static void call_get_info(struct tdvmcall *call)
{
	enum reg r;

	if (call->in[R12] > 1) {
		status(call, GHCI_INVALID_OPERAND);
		return;
	}
	for (r = R11; r <= R14; r++)
		tdvmcall_answer(call, r, 0);
	if (call->in[R12] == 1)
		tdvmcall_answer(call, R11, BIT_ULL(1));
	status(call, GHCI_SUCCESS);
}

static void __noreturn call_fatal_error(struct vcpu *v, const struct tdvmcall *call)
{
	char text[ARRAY_SIZE(message_registers) * 8 + 1] = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(message_registers); i++)
		memcpy(text + 8 * i, &call->in[message_registers[i]], 8);
	for (i = 0; text[i]; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
	end_run(v, COCO_END_FATAL, call->in[R12], "%s", text);
}

/*
 * The vector is taken and never raised: no kernel up to 7.3.4 asks for one (the driver polls the
 * status of its quote instead), and a quote is made before GetQuote returns.
 */
static void call_setup_event(struct vcpu *v, struct tdvmcall *call)
{
	if (call->in[R12] < 32 || call->in[R12] > 255) {
		status(call, GHCI_INVALID_OPERAND);
		return;
	}
	tdx_vcpu(v)->notify_vector = call->in[R12];
	status(call, GHCI_SUCCESS);
}

/* R10 != 0: the host's own interface, here KVM's: number in R10, arguments from R11 on */
static void call_vendor(struct vcpu *v, struct tdvmcall *call)
{
	u64 args[KVM_CALL_ARGS];
	u32 i;

	for (i = 0; i < KVM_CALL_ARGS; i++)
		args[i] = call->in[R11 + i];
	/* Only CPL 0 comes here: tdcall.c */
	status(call, kvm_pv_hypercall(v, 0, call->in[R10], args));
}

static void perform(struct vcpu *v, struct tdvmcall *call)
{
	if (call->in[R10]) {
		call_vendor(v, call);
		return;
	}
	switch (call->in[R11]) {
	case VMX_EXIT_CPUID:
		call_cpuid(v, call);
		break;
	case VMX_EXIT_HLT:
		call_hlt(v, call);
		break;
	case VMX_EXIT_IO:
		call_io(v, call);
		break;
	case VMX_EXIT_RDMSR:
		call_rdmsr(v, call);
		break;
	case VMX_EXIT_WRMSR:
		call_wrmsr(v, call);
		break;
	case VMX_EXIT_EPT_VIOLATION:
		call_mmio(v, call);
		break;
	case GHCI_GET_INFO:
		call_get_info(call);
		break;
	case GHCI_MAP_GPA:
		map_gpa(v, call);
		break;
	case GHCI_FATAL_ERROR:
		call_fatal_error(v, call);
	case GHCI_SETUP_EVENT:
		call_setup_event(v, call);
		break;
	case GHCI_GET_QUOTE:
		tdvmcall_answer(call, R10, get_quote(v, call->in[R12], call->in[R13]));
		break;
	case GHCI_SERVICE:
		unmodelled(v, "TDG.VP.VMCALL leaf 0x%lx", call->in[R11]);
	default:
		/* Not of the base set, or not of use without caches: WBINVD, PCONFIG */
		status(call, GHCI_UNSUPPORTED);
	}
}

static void give_back(struct vcpu *v, const struct tdvmcall *call)
{
	enum reg r;

	for (r = RAX; r <= R15; r++)
		if (call->mask & BIT(r))
			set_reg(v, r, call->answered & BIT(r) ? call->out[r] : POISON | r);
	set_reg(v, RAX, TDX_SUCCESS);
}

bool tdvmcall(struct vcpu *v)
{
	u64 rcx = reg(v, RCX), code;
	u32 refused = BIT(RAX) | BIT(RCX) | BIT(RSP);
	struct tdvmcall call = { .mask = rcx };
	const struct coco_rule *found;
	struct coco_rule rule = { .action = COCO_PATCH };
	struct coco_event *event;
	enum reg r;
	u64 seq;

	if (td.config_flags & TD_CONFIG_NO_RBP_MOD)
		refused |= BIT(RBP);
	if (rcx >> 32 || rcx & refused)
		return false;
	for (r = RAX; r <= R15; r++)
		if (rcx & BIT(r))
			call.in[r] = reg(v, r);
	code = call.in[R10] ? VENDOR_EVENT | call.in[R10] : call.in[R11];
	event = event_add(v, COCO_EV_TDVMCALL, code, call.in[R12], call.in[R13]);
	event->mask = rcx;
	if (ghci_dirty(&call))
		event->flags |= COCO_EVF_DIRTY;
	seq = event->seq;
	found = rule_match(event);
	if (found)
		rule = *found;		/* HLT and MapGPA let others in, who may delete it */
	ghci_check(v, &call);
	/* Trap-like: the guest is behind the instruction already */
	insn_done(v, TDCALL_LENGTH);
	if (rule.action == COCO_REPLY)
		status(&call, GHCI_SUCCESS);
	else
		perform(v, &call);
	if (rule.action == COCO_WRITE) {
		const u64 addresses[RULE_ADDRESSES] = { call.in[R12], call.in[R13] };

		rule_write(&rule, addresses);
	} else {
		call.answered |= rule_patch(&rule, &call.out[R10]) << R10;
	}
	if (event->seq == seq)		/* not overwritten by the events of a MapGPA */
		event->ret = call.out[R10];
	give_back(v, &call);
	return true;
}
