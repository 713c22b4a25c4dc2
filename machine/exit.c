// SPDX-License-Identifier: GPL-2.0
/*
 * What happens at an exit.  The order: what only the machine knows of (its own
 * NMIs, paging off unless the technology has its own rules for control registers,
 * machine calls), then the technology, then the plain machine.
 */
#include "apic.h"
#include "core.h"

#define EXIT_CODES	0x408
#define IOIO_IN		BIT(0)
#define IOIO_STRING	BIT(2)
#define IOIO_REP	BIT(3)

static u64 exits[EXIT_CODES];

void exit_totals(void)
{
	u32 i;

	for (i = 0; i < EXIT_CODES; i++)
		if (exits[i])
			stream_line('m', "count exit 0x%x %lu", i, exits[i]);
}

static void exit_cpuid(struct vcpu *v)
{
	u32 out[4];

	cpuid_guest(v, reg(v, RAX), reg(v, RCX), out);
	set_reg(v, RAX, out[0]);
	set_reg(v, RBX, out[1]);
	set_reg(v, RCX, out[2]);
	set_reg(v, RDX, out[3]);
	insn_skip(v, INSN_CPUID);
}

static void exit_msr(struct vcpu *v)
{
	bool write = v->vmcb.exit_info1 & 1, ok;
	u32 msr = reg(v, RCX);
	u64 value;

	if (write) {
		value = edx_eax(v);
		ok = msr_write(v, msr, value);
	} else {
		ok = msr_read(v, msr, &value);
	}
	if (!ok) {
		raise_gp(v);
		return;
	}
	if (!write)
		set_edx_eax(v, value);
	insn_skip(v, write ? INSN_WRMSR : INSN_RDMSR);
}

/* INS of 64-bit code, upwards: how firmware reads fw_cfg.  QEMU 7.2 does not tell the address' size */
static void string_io(struct vcpu *v, u16 port, u32 size, u64 info)
{
	u64 count = info & IOIO_REP ? reg(v, RCX) : 1;
	u32 value;

	if (!(info & IOIO_IN) || !guest_code64(v) || v->vmcb.save.rflags & RFLAGS_DF)
		unmodelled(v, "string I/O at port 0x%x, info 0x%lx", port, info);
	for (; count; count--) {
		value = pio_read(v, port, size);
		if (guest_write(v, reg(v, RDI), &value, size))
			unmodelled(v, "INS to 0x%lx, where nothing is", reg(v, RDI));
		set_reg(v, RDI, reg(v, RDI) + size);
	}
	if (info & IOIO_REP)
		set_reg(v, RCX, 0);
}

/* APM vol. 2, 15.10.2; EXITINFO2 is the next instruction's RIP */
static void exit_ioio(struct vcpu *v)
{
	u64 info = v->vmcb.exit_info1;
	u32 size = info >> 4 & 7, value;
	u16 port = info >> 16;
	u64 mask = size == 4 ? ~0u : BIT(8 * size) - 1;

	if (info & IOIO_STRING) {
		string_io(v, port, size, info);
	} else if (info & IOIO_IN) {
		value = pio_read(v, port, size);
		/* 32-bit results clear the upper half, shorter ones keep it */
		set_reg(v, RAX, size == 4 ? value : (reg(v, RAX) & ~mask) | (value & mask));
	} else {
		pio_write(v, port, size, reg(v, RAX) & mask);
	}
	insn_done(v, v->vmcb.exit_info2 - v->vmcb.save.rip);
}

/* A KVM hypercall of a plain guest: RAX; RBX, RCX, RDX, RSI (Linux, virt/kvm/x86/hypercalls) */
static void exit_vmmcall(struct vcpu *v)
{
	u64 args[4] = { reg(v, RBX), reg(v, RCX), reg(v, RDX), reg(v, RSI) };

	set_reg(v, RAX, kvm_pv_hypercall(v, guest_cpl(v), reg(v, RAX), args));
	insn_skip(v, INSN_VMMCALL);
}

/* Writes to the APIC page, which is mapped read-only when there are several vCPUs */
static bool npf_apic(struct vcpu *v, u64 gpa, u64 error)
{
	u32 size, length;
	u64 value;

	if (!apic_page(gpa) || !direct_devices() || !(error & NPF_WRITE))
		return false;
	if (!insn_decode_store(v, &value, &size, &length) || size != 4)
		unmodelled(v, "write to the APIC by an instruction of another form");
	apic_write(v, gpa, value);
	insn_done(v, length);
	return true;
}

/* With a trap pending HLT ends at once */
static void exit_hlt(struct vcpu *v)
{
	bool stepped = insn_is_stepped(v), interrupts = v->vmcb.save.rflags & RFLAGS_IF;

	insn_skip(v, INSN_HLT);
	if (!stepped)
		vcpu_halt(v, interrupts);
}

static void exit_npf(struct vcpu *v)
{
	u64 error = v->vmcb.exit_info1, address = v->vmcb.exit_info2, gpa = strip(address);
	enum view view = v->paging_off ? PRIVATE : view_of(address);

	if (error & (NPF_WALK | NPF_FETCH) && view == SHARED && config.tech->bit_is_private &&
	    is_ram(gpa)) {
		if (paging_private_whatever(v, gpa, error))
			return;
		view = PRIVATE;
	}
	if (npf_apic(v, gpa, error))
		return;
	/* Another vCPU that wanted the same was faster */
	if (npt_allows(gpa, view, error & NPF_WRITE))
		return;
	if (config.tech->npf && config.tech->npf(v, gpa, view, error))
		return;
	unmodelled(v, "nested page fault at GPA 0x%lx, %s, error 0x%lx", gpa,
		   view == PRIVATE ? "private" : "shared", error);
}

static void exit_db(struct vcpu *v)
{
	if (nmi_step(v) || inject_breakpoint(v))
		return;
	raise_exception(v, X86_DB, false, 0);
}

void plain_exit(struct vcpu *v)
{
	switch (v->vmcb.exit_code) {
	case SVM_EXIT_CPUID:
		exit_cpuid(v);
		break;
	case SVM_EXIT_MSR:
		exit_msr(v);
		break;
	case SVM_EXIT_IOIO:
		exit_ioio(v);
		break;
	case SVM_EXIT_VMMCALL:
		exit_vmmcall(v);
		break;
	case SVM_EXIT_NPF:
		exit_npf(v);
		break;
	case SVM_EXIT_HLT:
		exit_hlt(v);
		break;
	case SVM_EXIT_IRET:
		nmi_iret(v);
		break;
	case SVM_EXIT_SHUTDOWN:
		end_run(v, COCO_END_SHUTDOWN, 0, "triple fault");
	/* CPUID denies SVM */
	case SVM_EXIT_INVLPGA:
	case SVM_EXIT_VMRUN:
	case SVM_EXIT_VMLOAD:
	case SVM_EXIT_VMSAVE:
	case SVM_EXIT_STGI:
	case SVM_EXIT_CLGI:
	case SVM_EXIT_SKINIT:
		raise_exception(v, X86_UD, false, 0);
		break;
	default:
		unmodelled(v, "exit 0x%lx info 0x%lx 0x%lx", v->vmcb.exit_code, v->vmcb.exit_info1,
			   v->vmcb.exit_info2);
	}
}

/* QEMU has put the machine's registers over those that were wrong */
static void __noreturn refused(struct vcpu *v)
{
	if (v->fresh)
		end_run(v, COCO_END_SHUTDOWN, 0, "VMRUN refuses the state that vCPU %u starts from",
			v->index);
	internal_error("VMRUN refuses a state that a guest came to");
}

void handle_exit(struct vcpu *v)
{
	u64 code = v->vmcb.exit_code;

	if (code == SVM_EXIT_INVALID)
		refused(v);
	v->fresh = false;
	if (code < EXIT_CODES)
		exits[code]++;
	trace("cpu %u exit 0x%lx info 0x%lx 0x%lx rip 0x%lx rax 0x%lx", v->index, code, v->vmcb.exit_info1,
	      v->vmcb.exit_info2, v->vmcb.save.rip, v->vmcb.save.rax);

	if (code == SVM_EXIT_NMI)
		vcpu_take_nmi(v);
	else if (code == SVM_EXIT_INTR || code == SVM_EXIT_VINTR)
		;	/* the guest takes interrupts: vcpu_deliver() */
	else if (code == SVM_EXIT_EXCP + X86_DB)
		exit_db(v);
	else if (paging_bare_cr3(v))
		;
	else if (v->paging_off && !config.tech->cr_writes && paging_exit(v))
		;
	else if (code == SVM_EXIT_VMMCALL && machine_call(v))
		;
	else if (config.tech->exit && config.tech->exit(v))
		;
	else if (!paging_exit(v))
		plain_exit(v);
}
