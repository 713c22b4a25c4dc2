// SPDX-License-Identifier: GPL-2.0
/*
 * TDG.VP.VMCALL: what crosses to the host, and what the host answers.
 * TDX module ABI (348551): TDG.VP.VMCALL (RCX selects the registers exposed)
 * GHCI (344426): 2.4.1 (register use), 3.1 - 3.12 (leaves, R10 codes)
 */
#include "lib/payload.h"

#define SUCCESS			0ull
#define INVALID_OPERAND		0x8000000000000000ull
#define ALIGN_ERROR		0x8000000000000002ull
#define OPERAND_INVALID_RCX	0xc000010000000001ull
#define EXPOSE			0xfc00ull	/* R10 to R15 */

#define CALL_CPUID	10
#define CALL_IO		30
#define CALL_RDMSR	31
#define CALL_WRMSR	32
#define CALL_MMIO	48
#define GET_INFO	0x10000
#define MAP_GPA		0x10001
#define SETUP_EVENT	0x10004

#define IOAPIC_INDEX	0xfec00000ull
#define IOAPIC_DATA	0xfec00010ull
#define APIC_VERSION	0xfee00030ull
#define APIC_TPR	0xfee00080ull
#define X2APIC_TPR	0x808
#define X2APIC_ICR	0x830
#define APIC_BASE	0x1b
#define AMD_HWCR	0xc0010015
#define MSR_KVM_SYSTEM_TIME 0x4b564d01
#define KVM_CLOCKS	(BIT(0) | BIT(3))
#define POISON_NONE	0x1111111111111111ull

static struct tdregs out;

static void instructions(void)
{
	u64 since = event_next();
	struct coco_event e;

	check_eq("cpuid_succeeds", tdvmcall(CALL_CPUID, 0x40000000, 0, 0, 0, &out), SUCCESS);
	check_eq("cpuid_gives_kvm_s_signature", (u32)out.r13, 0x4b4d564b);
	last_event(since, &e);
	check("tdvmcall_is_an_event",
	      e.kind == COCO_EV_TDVMCALL && e.code == CALL_CPUID && e.mask == EXPOSE);
	check_eq("event_has_r12", e.info1, 0x40000000);
	check_eq("tdcall_itself_succeeds", out.rax, 0);
	check_eq("cpuid_shows_the_machine_s_signature",
		 (tdvmcall(CALL_CPUID, COCO_CPUID_BASE, 0, 0, 0, &out), (u32)out.r13),
		 COCO_SIGNATURE_EBX);
	check_eq("out_succeeds", tdvmcall(CALL_IO, 4, 1, 0xcf8, 0x80000000, &out), SUCCESS);
	check_eq("in_succeeds", tdvmcall(CALL_IO, 4, 0, 0xcf8, 0, &out), SUCCESS);
	check_eq("in_reads_the_port", out.r11, 0x80000000);
	check_eq("in_of_3_bytes_is_invalid", tdvmcall(CALL_IO, 3, 0, 0xcf8, 0, &out),
		 INVALID_OPERAND);
	check_eq("rdmsr_of_no_msr_is_invalid", tdvmcall(CALL_RDMSR, 0x12345678, 0, 0, 0, &out),
		 INVALID_OPERAND);
	check_eq("mtrrs_are_as_after_reset",
		 (tdvmcall(CALL_RDMSR, 0x2ff, 0, 0, 0, &out), out.r11), 0);
	check_eq("apic_base_is_the_host_s_to_read", tdvmcall(CALL_RDMSR, APIC_BASE, 0, 0, 0, &out),
		 SUCCESS);
	check_eq("apic_base_stays", tdvmcall(CALL_WRMSR, APIC_BASE, out.r11, 0, 0, &out),
		 INVALID_OPERAND);
	check_eq("reserved_bits_of_icr_are_invalid", tdvmcall(CALL_WRMSR, X2APIC_ICR, BIT(13), 0, 0, &out),
		 INVALID_OPERAND);
	check_eq("another_vendor_s_msr_is_invalid", tdvmcall(CALL_RDMSR, AMD_HWCR, 0, 0, 0, &out),
		 INVALID_OPERAND);
	check_eq("kvm_offers_a_td_no_clock",
		 (tdvmcall(CALL_CPUID, 0x40000001, 0, 0, 0, &out), out.r12 & KVM_CLOCKS), 0);
	check_eq("and_has_none", tdvmcall(CALL_RDMSR, MSR_KVM_SYSTEM_TIME, 0, 0, 0, &out),
		 INVALID_OPERAND);
	since = event_next();
	check_eq("mmio_write_succeeds", tdvmcall(CALL_MMIO, 4, 1, IOAPIC_INDEX | cmask, 1, &out),
		 SUCCESS);
	last_event(since, &e);
	check_eq("mmio_write_of_its_bytes_is_clean", e.flags & COCO_EVF_DIRTY, 0);
	since = event_next();
	tdvmcall(CALL_MMIO, 1, 1, IOAPIC_INDEX | cmask, 0x501, &out);
	last_event(since, &e);
	check("mmio_write_of_more_than_its_bytes_is_dirty", e.flags & COCO_EVF_DIRTY);
	since = event_next();
	tdvmcall(CALL_MMIO, 4, 1, IOAPIC_INDEX | cmask, 0xffffffff80000001, &out);
	last_event(since, &e);
	check_eq("immediate_that_was_sign_extended_is_clean", e.flags & COCO_EVF_DIRTY, 0);
	check_eq("mmio_read_succeeds", tdvmcall(CALL_MMIO, 4, 0, IOAPIC_DATA | cmask, 0, &out),
		 SUCCESS);
	/* The IO-APIC's version register: 24 entries */
	check_eq("mmio_read_reads_the_device", out.r11 & 0xff0000, 0x170000);
	check_eq("get_info_succeeds", tdvmcall(GET_INFO, 0, 0, 0, 0, &out), SUCCESS);
}

/* An access may end where no device is, and anywhere in the address space */
static void mmio_at_the_end(void)
{
	check_eq("mmio_over_4g_succeeds",
		 tdvmcall(CALL_MMIO, 8, 0, 0xfffffffc | cmask, 0, &out), SUCCESS);
	check_eq("mmio_over_4g_reads_ones", out.r11, ~0ull);
}

/* GHCI 344426, TDG.VP.VMCALL<SetupEventNotifyInterrupt>: a vector from 32 to 255 */
static void event_vector(void)
{
	tdvmcall(GET_INFO, 1, 0, 0, 0, &out);
	check_eq("get_info_announces_the_event_vector", out.r11, BIT(1));
	check_eq("vector_of_an_exception_is_refused", tdvmcall(SETUP_EVENT, 31, 0, 0, 0, &out),
		 INVALID_OPERAND);
	check_eq("vector_above_255_is_refused", tdvmcall(SETUP_EVENT, 256, 0, 0, 0, &out),
		 INVALID_OPERAND);
	check_eq("first_vector_is_taken", tdvmcall(SETUP_EVENT, 32, 0, 0, 0, &out), SUCCESS);
	check_eq("last_vector_is_taken", tdvmcall(SETUP_EVENT, 255, 0, 0, 0, &out), SUCCESS);
}

static void map_gpa_operands(void)
{
	u64 gpa = ARENA + 16 * PAGE_SIZE, since;

	check_eq("misaligned_gpa_is_refused", map_gpa(gpa + 8, PAGE_SIZE), ALIGN_ERROR);
	check_eq("misaligned_size_is_refused", map_gpa(gpa, PAGE_SIZE + 8), ALIGN_ERROR);
	check_eq("gpa_beyond_ram_is_refused", map_gpa(0xfff00000000ull, PAGE_SIZE),
		 INVALID_OPERAND);
	check_eq("refused_conversion_changes_nothing",
		 page_state(gpa),
		 COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED);
	since = event_next();
	check_eq("all_that_is_no_ram_is_shared_at_once", map_gpa(cmask | BIT_ULL(32), cmask / 2),
		 SUCCESS);
	check_eq("as_one_event", event_next() - since, 2);
}

/* Exposed registers come back as outputs or poison; hidden ones as they were, and unseen */
static void register_mask(void)
{
	struct tdregs r = { .rcx = EXPOSE | BIT(3) | BIT(6) | BIT(8),
			    .r10 = 0,
			    .r11 = CALL_IO,
			    .r12 = 4,
			    .r13 = 0,
			    .r14 = 0xcf8,
			    .r15 = POISON_NONE,
			    .rbx = POISON_NONE,
			    .rsi = POISON_NONE,
			    .r8 = POISON_NONE,
			    .rdi = POISON_NONE,
			    .r9 = POISON_NONE,
			    .rdx = POISON_NONE,
			    .rbp = POISON_NONE };

	tdcall(&r);
	check_eq("call_with_more_registers_succeeds", r.r10, SUCCESS);
	check("exposed_registers_do_not_survive",
	      r.rbx != POISON_NONE && r.rsi != POISON_NONE && r.r8 != POISON_NONE &&
	      r.r15 != POISON_NONE);
	check("hidden_registers_survive",
	      r.rdi == POISON_NONE && r.r9 == POISON_NONE && r.rdx == POISON_NONE &&
	      r.rbp == POISON_NONE);
	check_eq("mask_survives", r.rcx, EXPOSE | BIT(3) | BIT(6) | BIT(8));
	machine_call(COCO_CALL_EXPECT_BREACH, COCO_BREACH_REGMASK, 0, 0);
}

static void bad_mask(u64 mask, const char *claim)
{
	struct tdregs r = { .rcx = mask, .r11 = GET_INFO };

	tdcall(&r);
	check_eq(claim, r.rax, OPERAND_INVALID_RCX);
}

static void masks(void)
{
	expect_breach(COCO_BREACH_REGMASK, 1);
	register_mask();
	bad_mask(EXPOSE | BIT(0), "mask_with_rax_is_refused");
	bad_mask(EXPOSE | BIT(1), "mask_with_rcx_is_refused");
	bad_mask(EXPOSE | BIT(4), "mask_with_rsp_is_refused");
	bad_mask(EXPOSE | BIT_ULL(32), "mask_with_reserved_bits_is_refused");
	machine_call(COCO_CALL_EXPECT_BREACH, COCO_BREACH_REGMASK, 0, 0);
	/* R11 hidden: the host sees leaf 0 */
	{
		struct tdregs r = { .rcx = EXPOSE & ~BIT(12),
				    .r11 = CALL_CPUID,
				    .r12 = 0x40000000 };

		expect_breach(COCO_BREACH_REGMASK, 1);
		tdcall(&r);
		check("argument_not_exposed_is_a_breach", breached(COCO_BREACH_REGMASK));
		check_eq("argument_not_exposed_survives", r.r12, 0x40000000);
	}
	expect_breach(COCO_BREACH_RESERVED, 1);
	tdvmcall(GET_INFO, 7, 0, 0, 0, &out);
	check("reserved_input_is_a_breach", breached(COCO_BREACH_RESERVED));
}

/* A TD's APIC is in x2APIC mode for good: its page is no device, and nobody may take it for one */
static void apic_page(void)
{
	expect_breach(COCO_BREACH_PAGE, 2);
	check_eq("read_of_the_apic_page_succeeds",
		 tdvmcall(CALL_MMIO, 4, 0, APIC_VERSION | cmask, 0, &out), SUCCESS);
	check_eq("apic_page_reads_ones", out.r11, ~0ull);
	tdvmcall(CALL_MMIO, 4, 1, APIC_TPR | cmask, 0x50, &out);
	check("apic_page_is_a_breach", breached(COCO_BREACH_PAGE));
	check_eq("what_is_written_there_is_dropped", rdmsr(X2APIC_TPR), 0);
}

static void rules(void)
{
	struct coco_rule rule = { .kind = COCO_EV_TDVMCALL,
				  .action = COCO_REPLY,
				  .code = CALL_RDMSR,
				  .count = 1,
				  .reply_mask = BIT(0) | BIT(1),
				  .reply = { 0, 0x4711 } };

	machine_call(COCO_CALL_RULE_ADD, (u64)&rule, 0, 0);
	check_eq("rule_answers_tdvmcall", tdvmcall(CALL_RDMSR, 0x12345678, 0, 0, 0, &out), 0);
	check_eq("rule_answers_r11", out.r11, 0x4711);
	rule = (struct coco_rule){ .kind = COCO_EV_TDVMCALL,
				   .action = COCO_REPLY,
				   .code = MAP_GPA,
				   .count = 1,
				   .reply_mask = BIT(0) | BIT(1),
				   .reply = { 1, ARENA } };
	machine_call(COCO_CALL_RULE_ADD, (u64)&rule, 0, 0);
	check_eq("rule_asks_to_retry_mapgpa", map_gpa(ARENA + 20 * PAGE_SIZE, PAGE_SIZE), 1);
	check_eq("answered_mapgpa_changes_nothing",
		 page_state(ARENA + 20 * PAGE_SIZE),
		 COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED);
}

void payload(void)
{
	instructions();
	mmio_at_the_end();
	event_vector();
	map_gpa_operands();
	rules();
	check_eq("correct_calls_are_no_breach", machine_call(COCO_CALL_BREACHES, 0, 0, 0), 0);
	masks();
	apic_page();
	check_eq("every_breach_was_expected", machine_call(COCO_CALL_BREACHES, 0, 0, 0), 0);
}
