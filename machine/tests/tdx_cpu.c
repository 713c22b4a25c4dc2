// SPDX-License-Identifier: GPL-2.0
/*
 * The virtual CPU as the TDX module fixes it.
 * TDX module base specification (348549): CR handling, MSR handling, CPUID
 * virtualization, platform topology virtualization, virtual NMI injection
 * TDX module ABI (348551): TDG.VP.CPUIDVE.SET, TDG.VM.RD, TDG.VM.WR, TD_CTLS
 * SDM vol. 3 (325384): table 28-3 (exit qualification of CR accesses)
 */
#include "lib/payload.h"

#define REASON_CPUID	10
#define REASON_HLT	12
#define REASON_VMCALL	18
#define REASON_CR	28
#define REASON_RDMSR	31
#define REASON_WRMSR	32
#define REASON_MWAIT	36
#define REASON_MONITOR	39

#define CR0_NE		BIT_ULL(5)
#define CR0_CD		BIT_ULL(30)
#define CR4_MCE		BIT_ULL(6)
#define CR4_PGE		BIT_ULL(7)
#define CR4_VMXE	BIT_ULL(13)
#define CR4_RESERVED	BIT_ULL(40)
#define EFER		0xc0000080
#define EFER_SCE	BIT_ULL(0)
#define EFER_NXE	BIT_ULL(11)

#define X2APIC_EOI	0x80b
#define X2APIC_SPIV	0x80f
#define X2APIC_SELF_IPI	0x83f
#define APIC_ENABLED	0x1ff
#define ANY_VECTOR	0x50

#define LEAF_CPUIDVE_SET	5
#define LEAF_VM_RD		7
#define LEAF_VM_WR		8
#define CONFIG_FLAGS		0x1110000300000016ull
#define TD_CTLS			0x1110000300000017ull
#define NOTIFY_ENABLES		0x9100000000000010ull
#define TOPOLOGY_CONFIGURED	0x9100000000000019ull
#define QUOTE_MAX_SIZE		0x9010000200000008ull
#define ENUM_TOPOLOGY		BIT_ULL(1)
#define REDUCE_VE		BIT_ULL(3)
#define FIELD_ID_INCORRECT	0xc0000c0000000000ull
#define FIELD_NOT_WRITABLE	0xc0000c0100000000ull
#define VALUE_NOT_VALID		0xc0000c0300000000ull
#define INVALID_RCX		0xc000010000000001ull

static struct tdregs info;

/* The last TRY raised #VE for this reason; its information is fetched */
static bool is_ve(u32 reason)
{
	return trap.hit && trap.vector == VE && !veinfo_get(&info) && info.rcx == reason;
}

static bool is_gp(void)
{
	return trap.hit && trap.vector == GP && !trap.error;
}

static void set_cr4(u64 value)
{
	TRY("mov %%rbx, %%cr4", : : "b"(value) : "memory");
}

static void set_cr0(u64 value)
{
	TRY("mov %%rsi, %%cr0", : : "S"(value) : "memory");
}

static void control_registers(void)
{
	u64 cr0 = read_cr0(), cr4 = read_cr4();

	check("cr4_shows_mce", cr4 & CR4_MCE);
	check("cr4_hides_vmxe", !(cr4 & CR4_VMXE));
	set_cr4(cr4 & ~CR4_MCE);
	check("clearing_cr4_mce_raises_ve", is_ve(REASON_CR));
	check_eq("cr4_write_is_qualified", info.rdx, 4 | 3 << 8);
	set_cr4(cr4 | CR4_VMXE);
	check("setting_cr4_vmxe_raises_ve", is_ve(REASON_CR));
	set_cr4(cr4 | CR4_RESERVED);
	check("reserved_cr4_bit_raises_gp", is_gp());
	check_eq("refused_cr4_writes_change_nothing", read_cr4(), cr4);
	set_cr4(cr4 | CR4_PGE);
	check("other_cr4_bits_are_the_td_s", !trap.hit && read_cr4() == (cr4 | CR4_PGE));
	set_cr0(cr0 | CR0_CD);
	check("setting_cr0_cd_raises_ve", is_ve(REASON_CR));
	check_eq("cr0_write_is_qualified", info.rdx, 0 | 6 << 8);
	set_cr0(cr0 & ~CR0_NE);
	check("clearing_cr0_ne_raises_gp", is_gp());
	set_cr0(cr0 ^ BIT_ULL(3));
	check("cr0_ts_is_the_td_s", !trap.hit && read_cr0() == (cr0 ^ BIT_ULL(3)));
	TRY("clts", : : : "memory");
	check("clts_works", !trap.hit && !(read_cr0() & BIT_ULL(3)));
	set_cr0(cr0);
}

static u64 msr_read(u32 msr)
{
	u32 low = 0, high = 0;

	TRY("rdmsr", : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return low | (u64)high << 32;
}

static void msr_write(u32 msr, u64 value)
{
	TRY("wrmsr", : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static void msrs(void)
{
	u64 efer = msr_read(EFER);

	check("efer_reads_as_a_td_s", !trap.hit && (efer & 0xd00) == 0xd00 && !(efer & BIT_ULL(12)));
	msr_write(EFER, efer ^ EFER_SCE);
	check("efer_sce_is_the_td_s", !trap.hit && msr_read(EFER) == (efer ^ EFER_SCE));
	msr_write(EFER, efer);
	msr_write(EFER, efer ^ EFER_NXE);
	check("efer_nxe_raises_ve", is_ve(REASON_WRMSR));
	msr_read(0x10);
	check("tsc_read_is_direct", !trap.hit);
	msr_write(0x10, 0);
	check("tsc_write_raises_ve", is_ve(REASON_WRMSR));
	msr_read(0x1b);
	check("apic_base_raises_ve", is_ve(REASON_RDMSR));
	msr_read(0x802);
	check("x2apic_id_raises_ve", is_ve(REASON_RDMSR));
	msr_read(0x808);
	check("x2apic_tpr_is_direct", !trap.hit);
	msr_read(0x804);
	check("reserved_x2apic_register_raises_gp", is_gp());
	msr_write(0x808, 0x100);
	check("reserved_bit_of_the_tpr_raises_gp", is_gp());
	msr_write(0x80b, 1);
	check("eoi_of_another_value_raises_gp", is_gp());
	msr_write(0x83f, 0x120);
	check("reserved_bit_of_a_self_ipi_raises_gp", is_gp());
	check_eq("error_status_takes_0", tdvmcall(REASON_WRMSR, 0x828, 0, 0, 0, NULL), 0);
	check_eq("and_no_other_value", tdvmcall(REASON_WRMSR, 0x828, 1, 0, 0, NULL), 1ull << 63);
	msr_read(0xc1);
	check("performance_counter_raises_gp", is_gp());
	check("arch_capabilities_has_xapic_disable", msr_read(0x10a) & BIT_ULL(21));
	check_eq("xapic_is_disabled", msr_read(0xbd), 1);
	msr_read(0xc0000083);
	check("cstar_raises_ve", is_ve(REASON_RDMSR));
	msr_read(0x4b564d00);
	check("msr_outside_the_bitmaps_raises_ve", is_ve(REASON_RDMSR));
	msr_write(0xda0, 1);
	check("xss_beyond_xfam_raises_gp", is_gp());
	msr_read(0xfe);
	check("mtrrcap_raises_ve", is_ve(REASON_RDMSR));
}

static void instructions(void)
{
	TRY("vmcall", : : "a"(0) : "memory");
	check("vmcall_raises_ve", is_ve(REASON_VMCALL) && (u32)info.r10 == 3);
	TRY("vmmcall", : : "a"(0) : "memory");
	check("vmmcall_raises_ud", trap.hit && trap.vector == UD);
	TRY("rdpmc", : : "c"(0) : "rax", "rdx", "memory");
	check("rdpmc_raises_gp", is_gp());
	TRY("monitor", : : "a"(ARENA), "c"(0), "d"(0) : "memory");
	check("monitor_raises_ve", is_ve(REASON_MONITOR));
	TRY("mwait", : : "a"(0), "c"(0) : "memory");
	check("mwait_raises_ve", is_ve(REASON_MWAIT));
}

static u64 vm_rd(u64 field, u64 *value)
{
	struct tdregs r = { .rax = LEAF_VM_RD, .rdx = field };

	tdcall(&r);
	*value = r.r8;
	return r.rax;
}

static u64 vm_wr(u64 field, u64 value, u64 mask)
{
	struct tdregs r = { .rax = LEAF_VM_WR, .rdx = field, .r8 = value, .r9 = mask };

	tdcall(&r);
	return r.rax;
}

static void metadata(void)
{
	struct tdregs r = { .rax = LEAF_VM_RD, .rcx = 1, .rdx = TD_CTLS };
	u64 value;

	check_eq("notify_enables_can_be_cleared", vm_wr(NOTIFY_ENABLES, 0, ~0ull), 0);
	check_eq("config_flags_can_be_read", vm_rd(CONFIG_FLAGS, &value), 0);
	check_eq("config_flags_have_the_gpa_width", value & 1, cbit == 51);
	check_eq("config_flags_cannot_be_written", vm_wr(CONFIG_FLAGS, 0, 1), FIELD_NOT_WRITABLE);
	check_eq("td_ctls_can_be_read", vm_rd(TD_CTLS, &value), 0);
	check_eq("pending_ve_is_disabled", value & 1, 1);
	check_eq("pending_ve_cannot_be_changed", vm_wr(TD_CTLS, 0, 1), VALUE_NOT_VALID);
	check_eq("ve_reduction_is_not_there", vm_wr(TD_CTLS, REDUCE_VE, REDUCE_VE), FIELD_NOT_WRITABLE);
	check_eq("unknown_field_is_told", vm_rd(QUOTE_MAX_SIZE, &value), FIELD_ID_INCORRECT);
	tdcall(&r);
	check_eq("other_td_is_an_invalid_operand", r.rax, INVALID_RCX);
	check_eq("topology_is_configured", vm_rd(TOPOLOGY_CONFIGURED, &value) + value, 1);
}

static void leaf(u32 number, u32 sub, u32 out[4])
{
	TRY("cpuid", : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(number), "c"(sub) : "memory");
}

static void cpuid_values(void)
{
	struct tdregs r = { .rax = LEAF_CPUIDVE_SET, .rcx = 1 };
	u32 out[4] = { 0 };

	leaf(0, 0, out);
	check("vendor_is_intel", !trap.hit && out[1] == 0x756e6547 && out[0] == 0x23);
	leaf(1, ~0u, out);
	check("leaf_without_subleaves_takes_any", !trap.hit);
	check("x2apic_and_hypervisor_bits_are_set", (out[2] & 0x80200000) == 0x80200000);
	leaf(0x21, 0, out);
	check("tdx_leaf_has_its_name", out[1] == 0x65746e49 && out[3] == 0x5844546c && out[2] == 0x20202020);
	leaf(2, 0, out);
	check("leaf_2_raises_ve", is_ve(REASON_CPUID));
	leaf(0x80000002, 0, out);
	check("brand_string_raises_ve", is_ve(REASON_CPUID));
	leaf(0x30, 0, out);
	check("leaf_beyond_the_last_is_the_last", !trap.hit && !out[0]);
	leaf(0xb, 0, out);
	check("topology_leaf_raises_ve", is_ve(REASON_CPUID));
	check_eq("topology_can_be_enabled", vm_wr(TD_CTLS, ENUM_TOPOLOGY, ENUM_TOPOLOGY), 0);
	leaf(0xb, 1, out);
	check("topology_leaf_has_cores_then", !trap.hit && out[2] == 0x201 && out[1] == 1 && !out[3]);
	msr_read(0x802);
	check("x2apic_id_is_direct_then", !trap.hit);
	tdcall(&r);
	check_eq("cpuid_ve_can_be_asked_for", r.rax, 0);
	leaf(0, 0, out);
	check("supervisor_cpuid_raises_ve_then", is_ve(REASON_CPUID));
	r = (struct tdregs){ .rax = LEAF_CPUIDVE_SET };
	tdcall(&r);
	leaf(0, 0, out);
	check("supervisor_cpuid_raises_no_ve_again", !trap.hit);
	r = (struct tdregs){ .rax = LEAF_CPUIDVE_SET, .rcx = 4 };
	tdcall(&r);
	check_eq("reserved_control_is_an_invalid_operand", r.rax, INVALID_RCX);
}

static u32 nmis;

static bool on_nmi(struct frame *frame)
{
	(void)frame;
	nmis++;
	return true;
}

static void nmi_waits_for_the_information(void)
{
	struct coco_inject nmi = { .type = COCO_INJECT_NMI };
	u32 out[4], before;

	trap_hook[NMI] = on_nmi;
	leaf(0x40000000, 0, out);
	machine_call(COCO_CALL_INJECT, (u64)&nmi, 0, 0);
	machine_call(COCO_CALL_VERSION, 0, 0, 0);
	before = nmis;
	veinfo_get(&info);
	machine_call(COCO_CALL_VERSION, 0, 0, 0);
	check_eq("nmi_waits_while_ve_information_does", before, 0);
	check_eq("nmi_comes_after_veinfo_get", nmis, 1);
	machine_call(COCO_CALL_INJECT, (u64)&nmi, 0, 0);
	machine_call(COCO_CALL_VERSION, 0, 0, 0);
	check_eq("next_nmi_comes_at_once", nmis, 2);
}

static u32 interrupts;

static bool on_interrupt(struct frame *frame)
{
	(void)frame;
	interrupts++;
	wrmsr(X2APIC_EOI, 0);
	return true;
}

/* Interrupts push no error code, whatever the exception of their number does: one gate for all */
static void halt_until_self_ipi(u32 vector)
{
	struct {
		u16 limit;
		u64 (*gates)[2];
	} __packed idt;
	u64 kept[2];

	asm volatile("sidt %0" : "=m"(idt));
	memcpy(kept, idt.gates[vector], sizeof(kept));
	memcpy(idt.gates[vector], idt.gates[ANY_VECTOR], sizeof(kept));
	wrmsr(X2APIC_SELF_IPI, vector);
	tdvmcall(REASON_HLT, 0, 0, 0, 0, NULL);
	asm volatile("sti\n\tnop\n\tcli" : : : "memory");
	memcpy(idt.gates[vector], kept, sizeof(kept));
}

/* SDM vol. 3, "Valid Interrupt Vectors": from 16 on */
static void low_vectors(void)
{
	u32 vector;

	trap_hook[ANY_VECTOR] = on_interrupt;
	tdvmcall(REASON_WRMSR, X2APIC_SPIV, APIC_ENABLED, 0, 0, NULL);
	for (vector = 16; vector < 32; vector++)
		halt_until_self_ipi(vector);
	check_eq("interrupts_of_vectors_below_32_end_hlt", interrupts, 16);
}

void payload(void)
{
	control_registers();
	msrs();
	instructions();
	metadata();
	cpuid_values();
	nmi_waits_for_the_information();
	low_vectors();
	check_eq("nothing_here_is_a_breach", machine_call(COCO_CALL_BREACHES, 0, 0, 0), 0);
}
