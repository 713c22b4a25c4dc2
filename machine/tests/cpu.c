// SPDX-License-Identifier: GPL-2.0
/*
 * What the guest's processor says of itself, and the bits that it does not let go.
 * APM vol. 3 (24594): appendix E.4.17 (CPUID 8000001f)
 * APM vol. 2 (24593): 15.34.10 (SEV_STATUS)
 * Linux, virt/kvm/x86/cpuid: KVM's signature at 40000000
 * TDX module base specification (348549): CPUID 21, CR0 and CR4 handling, MSRs
 */
#include "lib/payload.h"

#define EXIT_CPUID	0x72
#define CALL_CPUID	10
#define MSR_EFER	0xc0000080
#define MTRR_CAP	0xfe
#define MSR_FEATURE_CONTROL 0x3a
#define CR0_NE		BIT_ULL(5)
#define CR0_NW		BIT_ULL(29)
#define CR0_CD		BIT_ULL(30)
#define CR4_MCE		BIT_ULL(6)
#define CR4_VMXE	BIT_ULL(13)
#define REASON_CR	28

/* CPUID in the way that works here: plain, through the GHCB, or by TDG.VP.VMCALL */
static void ask(u32 leaf, u32 subleaf, u32 r[4])
{
	struct tdregs out;

	if (is_es()) {
		ghcb_clear();
		ghcb_put(F_RAX, leaf);
		ghcb_put(F_RCX, subleaf);
		ghcb_exit(EXIT_CPUID, 0, 0);
		r[0] = ghcb_get(F_RAX);
		r[1] = ghcb_get(F_RBX);
		r[2] = ghcb_get(F_RCX);
		r[3] = ghcb_get(F_RDX);
	} else if (is_tdx() && leaf >> 28 == 4) {
		tdvmcall(CALL_CPUID, leaf, subleaf, 0, 0, &out);
		r[0] = out.r12;
		r[1] = out.r13;
		r[2] = out.r14;
		r[3] = out.r15;
	} else {
		cpuid(leaf, subleaf, r);
	}
}

static void common(void)
{
	u32 r[4];

	ask(1, 0, r);
	check("hypervisor_is_announced", r[2] & BIT(31));
	/* QEMU 7.2 corrupts the flags of CMPXCHG16B */
	check("cmpxchg16b_is_hidden", !(r[2] & BIT(13)));
	ask(7, 0, r);
	check_eq("five_levels_of_tables_are_there_if_asked_for", !!(r[2] & BIT(16)), case_is("la57"));
	ask(0x40000000, 0, r);
	check("hypervisor_is_kvm", r[1] == 0x4b4d564b && r[2] == 0x564b4d56 && r[3] == 0x4d);
	ask(0x80000001, 0, r);
	check("svm_is_hidden", !(r[2] & BIT(2)));
	ask(COCO_CPUID_BASE, 0, r);
	check("machine_is_announced",
	      r[1] == COCO_SIGNATURE_EBX && r[2] == COCO_SIGNATURE_ECX &&
	      r[3] == COCO_SIGNATURE_EDX);
	ask(COCO_CPUID_INFO, 0, r);
	check_eq("abi_version_is_announced", r[0], COCO_ABI_VERSION);
	check_eq("personality_is_announced", r[1], personality);
	check_eq("bit_position_is_announced", r[3], cbit);
}

static void amd(void)
{
	static const u32 features[] = { [COCO_SEV] = BIT(1), [COCO_SEV_ES] = BIT(1) | BIT(3),
					[COCO_SEV_SNP] = BIT(1) | BIT(3) | BIT(4) };
	static const u8 status[] = { [COCO_SEV] = 1, [COCO_SEV_ES] = 3, [COCO_SEV_SNP] = 7 };
	u32 r[4];

	ask(0x8000001f, 0, r);
	check_eq("8000001f_has_the_features", r[0] & (BIT(0) | BIT(1) | BIT(3) | BIT(4)) & ~1u,
		 features[personality]);
	check_eq("8000001f_has_the_c_bit", r[1] & 0x3f, cbit);
	check_eq("sev_status_has_what_is_active", rdmsr(MSR_SEV_STATUS), status[personality]);
	ask(0x80000008, 0, r);
	check("physical_addresses_have_room_for_the_c_bit",
	      (r[0] & 0xff) + (r[1] >> 6 & 0x3f) >= (u32)cbit);
}

/* Where each #DB came, with single step over three instructions that the machine carries out */
static u64 trapped[8], behind[3];
static u32 traps;

static bool on_db(struct frame *frame)
{
	if (traps < ARRAY_SIZE(trapped))
		trapped[traps] = frame->rip;
	traps++;
	return true;
}

static void single_step(void)
{
	trap_hook[DB] = on_db;
	asm volatile("lea 1f(%%rip), %%rax; mov %%rax, %0\n\t"
		     "lea 2f(%%rip), %%rax; mov %%rax, %1\n\t"
		     "lea 3f(%%rip), %%rax; mov %%rax, %2\n\t"
		     "mov $0x1b, %%ecx\n\t"
		     "pushfq; orl $0x100, (%%rsp); popfq\n\t"
		     "cpuid\n"
		     "1:\tmov $0x1b, %%ecx\n\t"
		     "rdmsr\n"
		     "2:\tin $0x71, %%al\n"
		     "3:\tpushfq; andl $~0x100, (%%rsp); popfq"
		     : "=m"(behind[0]), "=m"(behind[1]), "=m"(behind[2])
		     : : "rax", "rbx", "rcx", "rdx", "memory", "cc");
	trap_hook[DB] = NULL;
	check_eq("cpuid_is_a_single_step", trapped[0], behind[0]);
	check_eq("so_is_rdmsr", trapped[2], behind[1]);
	check_eq("so_is_in", trapped[3], behind[2]);
	check_eq("every_instruction_is_one_step", traps, 7);
}

static s64 user_hypercall;

static void hypercall_from_user(void)
{
	s64 r = 1;	/* KVM_HC_VAPIC_POLL_IRQ, which always succeeds */

	asm volatile("vmmcall" : "+a"(r) : : "memory");
	user_hypercall = r;
}

static void kvm_as_on_any_host(void)
{
	single_step();
	check_eq("hypercall_from_user_mode_gives_eperm",
		 (run_user(hypercall_from_user), user_hypercall), (u64)-1);
	TRY("wrmsr", : : "c"(MTRR_CAP), "a"(0), "d"(0) : "memory");
	check("capabilities_cannot_be_written", trap.hit && trap.vector == GP);
	TRY("mov %0, %%cr0", : : "r"((read_cr0() | CR0_NW) & ~CR0_CD) : "memory");
	check("not_writethrough_with_caches_on_raises_gp", trap.hit && trap.vector == GP);
}

static void none(void)
{
	u32 r[4];

	ask(0x8000001f, 0, r);
	check("8000001f_has_no_sev", !(r[0] & (BIT(1) | BIT(3) | BIT(4))));
	TRY("rdmsr", : : "c"(MSR_SEV_STATUS) : "rax", "rdx", "memory");
	check("sev_status_raises_gp", trap.hit && trap.vector == GP);
	TRY("rdmsr", : : "c"(0x12345678) : "rax", "rdx", "memory");
	check("no_msr_raises_gp", trap.hit && trap.vector == GP && trap.error == 0);
	TRY(TDCALL, : : "a"(1), "c"(0) : "memory");
	check("tdcall_raises_ud", trap.hit && trap.vector == UD);
	TRY(PVALIDATE, : : "a"(ARENA), "c"(0), "d"(1) : "memory");
	check("pvalidate_raises_ud", trap.hit && trap.vector == UD);
}

static void expect_cr_ve(const char *claim, u64 qualification)
{
	struct tdregs info = { 0 };
	u64 status = trap.hit && trap.vector == VE ? veinfo_get(&info) : ~0ull;

	check_eq(claim, status ? ~0ull : info.rcx << 32 | info.rdx,
		 (u64)REASON_CR << 32 | qualification);
}

static void tdx(void)
{
	u64 cr0 = read_cr0(), cr4 = read_cr4();
	u32 r[4];

	ask(0x21, 0, r);
	check("21_has_the_tdx_signature",
	      r[1] == 0x65746e49 && r[3] == 0x5844546c && r[2] == 0x20202020);
	ask(0, 0, r);
	check("vendor_is_intel", r[1] == 0x756e6547 && r[3] == 0x49656e69 && r[2] == 0x6c65746e);
	check("machine_checks_are_on", cr4 & CR4_MCE);
	check("vmx_is_not_on", !(cr4 & CR4_VMXE));
	TRY("mov %0, %%cr4", : : "r"(cr4 & ~CR4_MCE) : "memory");
	check("clearing_mce_does_not_happen", trap.hit && (read_cr4() & CR4_MCE));
	if (trap.vector == VE)
		veinfo_get(&(struct tdregs){ 0 });
	TRY("mov %0, %%cr0", : : "r"(cr0 & ~CR0_NE) : "memory");
	check("clearing_ne_raises_gp", trap.hit && trap.vector == GP && trap.error == 0);
	TRY("mov %%rax, %%cr0", : : "a"(cr0 | CR0_CD) : "memory");
	expect_cr_ve("setting_cd_raises_ve", 0);
	check_eq("cr0_stays_as_it_was", read_cr0(), cr0);
	TRY("mov %%rax, %%cr4", : : "a"(cr4) : "memory");
	check("writing_cr4_back_is_allowed", !trap.hit);
	TRY("wrmsr", : : "c"(MSR_EFER), "a"(0), "d"(0) : "memory");
	check("efer_keeps_long_mode", trap.hit && (rdmsr(MSR_EFER) & BIT(10)));
	if (trap.vector == VE)
		veinfo_get(&(struct tdregs){ 0 });
}

void payload(void)
{
	if (is_es())
		ghcb_init();
	common();
	if (is_amd_cc())
		amd();
	if (personality == COCO_NONE)
		none();
	if (is_tdx())
		tdx();
	if (personality <= COCO_SEV)
		kvm_as_on_any_host();
	check_eq("nothing_here_is_a_breach", machine_call(COCO_CALL_BREACHES, 0, 0, 0), 0);
}
