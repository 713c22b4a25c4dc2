// SPDX-License-Identifier: GPL-2.0
/*
 * The GHCB page: non-automatic exits, and what the hypervisor says to a guest
 * that leaves out a field.
 * GHCB specification (56421): 2.6 (layout), 4 (protocol, valid bitmap,
 * SW_EXITINFO1 and 2 on return), 4.1 (standard exits), 4.1.1 (I/O), 4.1.4 (NMI),
 * table 8 (error codes).
 */
#include "lib/payload.h"

#define OK		0
#define EXCEPTION	1		/* SW_EXITINFO1: SW_EXITINFO2 is an event to inject */
#define ERROR		2		/* SW_EXITINFO1: SW_EXITINFO2 says which */
#define NOT_REGISTERED	1
#define BAD_USAGE	2
#define BAD_SCRATCH	3
#define MISSING_INPUT	4
#define INVALID_INPUT	5
#define INVALID_EVENT	6
#define INJECT_GP	0x80000b0dull	/* valid, error code, exception, vector 13 */

#define EXIT_DR7_READ	0x27
#define EXIT_DR7_WRITE	0x37
#define EXIT_CPUID	0x72
#define EXIT_IOIO	0x7b
#define EXIT_MSR	0x7c
#define EXIT_WBINVD	0x89
#define MMIO_READ	0x80000001
#define MMIO_WRITE	0x80000002
#define AP_JUMP_TABLE	0x80000005
#define FEATURES	0x8000fffd
#define UNKNOWN		0x90000000
#define MANY		4200

#define MSR_APIC_BASE	0x1b
#define APIC_VERSION	0xfee00030ull
#define APIC_ESR	0xfee00280ull
#define APIC_TPR	0xfee00080ull
#define HPET		0xfed00000ull
#define CMOS_INDEX	0x70
#define IOIO_IN		1
#define IOIO_STRING	4
#define IOIO_REP	8
#define IOIO_SIZE(n)	((u64)(n) << 4)
#define IOIO_A64	0x200
#define USAGE		0xffc
#define VERSION		0xffa

static u8 *buffer;

static u64 in_port(u16 port, u32 size)
{
	ghcb_clear();
	ghcb_exit(EXIT_IOIO, (u64)port << 16 | IOIO_SIZE(size) | IOIO_IN, 0);
	return ghcb_get(F_RAX);
}

static u32 out_port(u16 port, u32 size, u64 value)
{
	ghcb_clear();
	ghcb_put(F_RAX, value);
	return ghcb_exit(EXIT_IOIO, (u64)port << 16 | IOIO_SIZE(size), 0);
}

static void cpuid_exit(void)
{
	static const char vendor[] = "AuthenticAMD";
	struct coco_event e;
	u64 since;
	u32 r;

	ghcb_clear();
	ghcb_put(F_RAX, 0);
	ghcb_put(F_RCX, 0);
	since = event_next();
	r = ghcb_exit(EXIT_CPUID, 0, 0);
	check_eq("cpuid_succeeds", r, OK);
	check("cpuid_marks_its_outputs_valid",
	      ghcb_valid(F_RAX) && ghcb_valid(F_RBX) && ghcb_valid(F_RCX) && ghcb_valid(F_RDX));
	check("cpuid_gives_the_vendor",
	      !memcmp(ghcb + F_RBX, vendor, 4) && !memcmp(ghcb + F_RDX, vendor + 4, 4) &&
	      !memcmp(ghcb + F_RCX, vendor + 8, 4));
	last_event(since, &e);
	check_eq("event_has_the_kind", e.kind, COCO_EV_GHCB);
	check_eq("event_has_the_exit_code", e.code, EXIT_CPUID);
	check_eq("event_has_the_valid_fields", e.mask,
		 COCO_GHCB_RAX | COCO_GHCB_RCX | COCO_GHCB_EXITCODE | COCO_GHCB_EXITINFO1 |
			 COCO_GHCB_EXITINFO2);
	check_eq("one_exit_is_one_event", event_next(), since + 1);
}

static void msr_exit(void)
{
	u64 value;

	ghcb_clear();
	ghcb_put(F_RCX, MSR_APIC_BASE);
	check_eq("rdmsr_succeeds", ghcb_exit(EXIT_MSR, 0, 0), OK);
	check("rdmsr_marks_its_outputs_valid", ghcb_valid(F_RAX) && ghcb_valid(F_RDX));
	value = (u32)ghcb_get(F_RAX) | ghcb_get(F_RDX) << 32;
	check_eq("rdmsr_reads_the_apic_base", value & PAGE_MASK, 0xfee00000);
	ghcb_clear();
	ghcb_put(F_RCX, MSR_APIC_BASE);
	ghcb_put(F_RAX, (u32)value);
	ghcb_put(F_RDX, value >> 32);
	check_eq("wrmsr_succeeds", ghcb_exit(EXIT_MSR, 1, 0), OK);
	ghcb_clear();
	ghcb_put(F_RCX, 0x12345678);
	check_eq("rdmsr_of_no_msr_asks_for_an_exception", ghcb_exit(EXIT_MSR, 0, 0), EXCEPTION);
	check_eq("rdmsr_of_no_msr_asks_for_gp", ghcb_get(F_EXITINFO2) & 0xffffffff, INJECT_GP);
}

static void port_exit(void)
{
	u32 i;

	/* CMOS: an index register and a data register */
	check_eq("out_succeeds", out_port(CMOS_INDEX, 1, 0x0a), OK);
	ghcb_clear();
	check_eq("in_succeeds",
		 ghcb_exit(EXIT_IOIO, (u64)(CMOS_INDEX + 1) << 16 | IOIO_SIZE(1) | IOIO_IN, 0), OK);
	check("in_marks_rax_valid", ghcb_valid(F_RAX));
	/* Status A: rate and divider */
	check_eq("in_reads_the_port", ghcb_get(F_RAX) & 0x7f, 0x26);
	check_eq("in_dword_reads_the_port", (out_port(0xcf8, 4, 0x80000000), in_port(0xcf8, 4)),
		 0x80000000);
	/* INS and OUTS through the shared buffer: RTC's index, twice */
	ghcb_clear();
	buffer[0] = 0x0a;
	buffer[1] = 0x0b;
	ghcb_put(F_SCRATCH, ghcb_gpa + GHCB_BUFFER);
	check_eq("rep_outs_succeeds",
		 ghcb_exit(EXIT_IOIO,
			   CMOS_INDEX << 16 | IOIO_SIZE(1) | IOIO_STRING | IOIO_REP | IOIO_A64, 2),
		 OK);
	/* Status B: 24 hours */
	check_eq("rep_outs_writes_every_element", in_port(CMOS_INDEX + 1, 1), 0x02);
	ghcb_clear();
	memset(buffer, 0xee, 8);
	ghcb_put(F_SCRATCH, ghcb_gpa + GHCB_BUFFER);
	ghcb_exit(EXIT_IOIO,
		  (CMOS_INDEX + 1) << 16 | IOIO_SIZE(1) | IOIO_STRING | IOIO_REP | IOIO_IN |
			  IOIO_A64,
		  3);
	for (i = 0; i < 3 && buffer[i] == 0x02; i++)
		;
	check_eq("rep_ins_fills_every_element", i, 3);
	check_eq("rep_ins_fills_no_more", buffer[3], 0xee);
}

static void device_exit(void)
{
	ghcb_clear();
	memset(buffer, 0xee, 16);
	ghcb_put(F_SCRATCH, ghcb_gpa + GHCB_BUFFER);
	check_eq("mmio_read_succeeds", ghcb_exit(MMIO_READ, APIC_VERSION, 4), OK);
	check("mmio_read_reads_the_apic", (*(u32 *)buffer & 0xf0) == 0x10 && buffer[4] == 0xee);
	ghcb_clear();
	*(u32 *)buffer = 0x50;
	ghcb_put(F_SCRATCH, ghcb_gpa + GHCB_BUFFER);
	check_eq("mmio_write_succeeds", ghcb_exit(MMIO_WRITE, APIC_TPR, 4), OK);
	ghcb_clear();
	ghcb_put(F_SCRATCH, ghcb_gpa + GHCB_BUFFER);
	ghcb_exit(MMIO_READ, APIC_TPR, 4);
	check_eq("mmio_write_writes_the_apic", *(u32 *)buffer, 0x50);
}

static void other_exits(void)
{
	u64 in[6] = { 1, 2, 3, 4, 5, 6 }, out[6];

	ghcb_clear();
	check_eq("wbinvd_succeeds", ghcb_exit(EXIT_WBINVD, 0, 0), OK);
	ghcb_clear();
	ghcb_put(F_RAX, 0x400);
	check_eq("dr7_write_succeeds", ghcb_exit(EXIT_DR7_WRITE, 0, 0), OK);
	ghcb_clear();
	check_eq("features_succeed", ghcb_exit(FEATURES, 0, 0), OK);
	check_eq("features_match_the_msr_protocol", ghcb_get(F_EXITINFO2), ghcb_msr(0x080) >> 12);
	if (personality == COCO_SEV_ES) {
		ghcb_clear();
		check_eq("jump_table_is_told", ghcb_exit(AP_JUMP_TABLE, 1, 0), OK);
		check_eq("jump_table_address_is_page_aligned", ghcb_get(F_EXITINFO2) & 0xfff, 0);
	}
	/* VMGEXIT gives the host no register and takes none back */
	ghcb_clear();
	ghcb_put(F_RAX, 0);
	ghcb_put(F_RCX, 0);
	ghcb_put(F_EXITCODE, EXIT_CPUID);
	ghcb_put(F_EXITINFO1, 0);
	ghcb_put(F_EXITINFO2, 0);
	*(u16 *)(ghcb + VERSION) = is_snp() ? 2 : 1;
	wrmsr(GHCB_MSR, ghcb_gpa);
	asm volatile("mov 0(%[in]), %%rcx\n\tmov 8(%[in]), %%rdx\n\tmov 16(%[in]), %%rbx\n\t"
		     "mov 24(%[in]), %%rsi\n\tmov 32(%[in]), %%r8\n\tmov 40(%[in]), %%r15\n\t"
		     "rep; vmmcall\n\t"
		     "mov %%rcx, 0(%[out])\n\tmov %%rdx, 8(%[out])\n\tmov %%rbx, 16(%[out])\n\t"
		     "mov %%rsi, 24(%[out])\n\tmov %%r8, 32(%[out])\n\tmov %%r15, 40(%[out])"
		     : : [in] "r"(in), [out] "r"(out)
		     : "rcx", "rdx", "rbx", "rsi", "r8", "r15", "memory");
	check("vmgexit_changes_no_register", !memcmp(in, out, sizeof(in)));
}

/* One exit with a fault in it: the breach that is found, and the error that the guest is told */
static void fault(const char *claim, enum coco_breach what, u64 code, u64 info1, u64 info2,
		  u64 error)
{
	u32 r;

	expect_breach(what, 1);
	r = ghcb_exit(code, info1, info2);
	if (r != ERROR || ghcb_get(F_EXITINFO2) != error) {
		note("SW_EXITINFO1", r);
		note("SW_EXITINFO2", ghcb_get(F_EXITINFO2));
	}
	check(claim, breached(what) && r == ERROR && ghcb_get(F_EXITINFO2) == error);
}

static void missing_fields(void)
{
	ghcb_clear();
	ghcb_put(F_RCX, 0);
	fault("cpuid_without_rax_is_a_breach", COCO_BREACH_FIELD, EXIT_CPUID, 0, 0, MISSING_INPUT);
	ghcb_clear();
	ghcb_put(F_RAX, 0);
	fault("cpuid_without_rcx_is_a_breach", COCO_BREACH_FIELD, EXIT_CPUID, 0, 0, MISSING_INPUT);
	ghcb_clear();
	ghcb_put(F_RAX, 0xd);
	ghcb_put(F_RCX, 0);
	fault("cpuid_d_without_xcr0_is_a_breach", COCO_BREACH_FIELD, EXIT_CPUID, 0, 0,
	      MISSING_INPUT);
	ghcb_clear();
	fault("rdmsr_without_rcx_is_a_breach", COCO_BREACH_FIELD, EXIT_MSR, 0, 0, MISSING_INPUT);
	ghcb_clear();
	ghcb_put(F_RCX, MSR_APIC_BASE);
	ghcb_put(F_RAX, 0xfee00900);
	fault("wrmsr_without_rdx_is_a_breach", COCO_BREACH_FIELD, EXIT_MSR, 1, 0, MISSING_INPUT);
	ghcb_clear();
	fault("out_without_rax_is_a_breach", COCO_BREACH_FIELD, EXIT_IOIO,
	      0x80ull << 16 | IOIO_SIZE(1), 0, MISSING_INPUT);
	ghcb_clear();
	fault("dr7_write_without_rax_is_a_breach", COCO_BREACH_FIELD, EXIT_DR7_WRITE, 0, 0,
	      MISSING_INPUT);
}

static void no_exit_code(void)
{
	ghcb_clear();
	ghcb_put(F_EXITINFO1, 0);
	ghcb_put(F_EXITINFO2, 0);
	*(u16 *)(ghcb + VERSION) = is_snp() ? 2 : 1;
	expect_breach(COCO_BREACH_FIELD, 1);
	wrmsr(GHCB_MSR, ghcb_gpa);
	vmgexit();
	check("exit_without_code_is_a_breach", breached(COCO_BREACH_FIELD));
	ghcb_clear();
	fault("unknown_exit_is_a_breach", COCO_BREACH_VERSION, 0x8000ff00, 0, 0, INVALID_EVENT);
}

static void jump_table(void)
{
	u64 before;

	ghcb_clear();
	ghcb_exit(AP_JUMP_TABLE, 1, 0);
	before = ghcb_get(F_EXITINFO2);
	ghcb_clear();
	fault("jump_table_in_no_ram_is_a_breach", COCO_BREACH_PAGE, AP_JUMP_TABLE, 0, 0xfee00000,
	      INVALID_INPUT);
	ghcb_clear();
	fault("jump_table_that_is_not_aligned_is_a_breach", COCO_BREACH_RESERVED, AP_JUMP_TABLE, 0,
	      ARENA + 8, INVALID_INPUT);
	ghcb_clear();
	ghcb_exit(AP_JUMP_TABLE, 1, 0);
	check_eq("jump_table_stays_where_it_was", ghcb_get(F_EXITINFO2), before);
}

static void long_access(void)
{
	ghcb_clear();
	ghcb_put(F_SCRATCH, ghcb_gpa + GHCB_BUFFER);
	fault("mmio_of_nine_bytes_is_a_breach", COCO_BREACH_RESERVED, MMIO_READ, APIC_VERSION, 9,
	      INVALID_INPUT);
	ghcb_clear();
	ghcb_put(F_SCRATCH, ghcb_gpa + GHCB_BUFFER);
	fault("mmio_write_of_nine_bytes_is_one_too", COCO_BREACH_RESERVED, MMIO_WRITE, APIC_TPR, 9,
	      INVALID_INPUT);
}

static void scratch_area(void)
{
	const u64 io = CMOS_INDEX << 16 | IOIO_SIZE(1) | IOIO_STRING | IOIO_REP | IOIO_A64;

	ghcb_clear();
	fault("mmio_without_scratch_is_a_breach", COCO_BREACH_FIELD, MMIO_READ, APIC_VERSION, 4,
	      MISSING_INPUT);
	ghcb_clear();
	ghcb_put(F_SCRATCH, ghcb_gpa + GHCB_BUFFER + GHCB_BUFFER_LEN - 2);
	fault("scratch_over_the_buffer_s_end_is_a_breach", COCO_BREACH_SCRATCH, MMIO_READ,
	      APIC_VERSION, 4, BAD_SCRATCH);
	ghcb_clear();
	ghcb_put(F_SCRATCH, ghcb_gpa + 0x100);
	fault("scratch_in_the_save_area_is_a_breach", COCO_BREACH_SCRATCH, MMIO_READ, APIC_VERSION,
	      4, BAD_SCRATCH);
	ghcb_clear();
	ghcb_put(F_SCRATCH, ghcb_gpa + GHCB_BUFFER);
	fault("string_longer_than_the_buffer_is_a_breach", COCO_BREACH_SCRATCH, EXIT_IOIO, io,
	      GHCB_BUFFER_LEN + 1, BAD_SCRATCH);
	ghcb_clear();
	ghcb_put(F_SCRATCH, ARENA + 5 * PAGE_SIZE);
	fault("scratch_in_private_memory_is_a_breach", COCO_BREACH_SCRATCH, MMIO_READ, APIC_VERSION,
	      4, BAD_SCRATCH);
}

/* Usage and version are no part of the valid bitmap: written by hand behind ghcb_exit()'s back */
static bool raw_cpuid(u16 version, u32 usage, enum coco_breach what, u64 *info2)
{
	ghcb_clear();
	ghcb_put(F_RAX, 0);
	ghcb_put(F_RCX, 0);
	ghcb_put(F_EXITCODE, EXIT_CPUID);
	ghcb_put(F_EXITINFO1, 0);
	ghcb_put(F_EXITINFO2, 0);
	*(u16 *)(ghcb + VERSION) = version;
	*(u32 *)(ghcb + USAGE) = usage;
	expect_breach(what, 1);
	wrmsr(GHCB_MSR, ghcb_gpa);
	vmgexit();
	*info2 = (u32)ghcb_get(F_EXITINFO1) == ERROR ? ghcb_get(F_EXITINFO2) : 0;
	*(u32 *)(ghcb + USAGE) = 0;
	return breached(what);
}

static void version_and_usage(void)
{
	u64 error;

	check("version_0_is_a_breach", raw_cpuid(0, 0, COCO_BREACH_VERSION, &error));
	check("version_99_is_a_breach", raw_cpuid(99, 0, COCO_BREACH_VERSION, &error));
	check("unknown_usage_is_a_breach",
	      raw_cpuid(is_snp() ? 2 : 1, 77, COCO_BREACH_RESERVED, &error));
	check_eq("unknown_usage_is_told", error, BAD_USAGE);
}

static void page_of_the_ghcb(void)
{
	u8 *old = ghcb;

	/* Never registered: shared, but not what was announced (SNP only, 2.3.2) */
	make_shared(6);
	ghcb = arena(6);
	ghcb_gpa = (u64)ghcb;
	memset(ghcb, 0, PAGE_SIZE);
	ghcb_put(F_RAX, 0);
	ghcb_put(F_RCX, 0);
	fault("unregistered_ghcb_is_a_breach", COCO_BREACH_GHCB_PRIVATE, EXIT_CPUID, 0, 0,
	      NOT_REGISTERED);
	ghcb = old;
	ghcb_gpa = (u64)ghcb;
}

static void rules(void)
{
	struct coco_rule rule = { .kind = COCO_EV_GHCB,
				  .action = COCO_REPLY,
				  .code = EXIT_CPUID,
				  .count = 1,
				  .reply_mask = BIT(2) | BIT(4),
				  .reply = { [2] = 0x11, [4] = 0x33 } };
	struct coco_event e;
	u64 since;

	machine_call(COCO_CALL_RULE_ADD, (u64)&rule, 0, 0);
	ghcb_clear();
	ghcb_put(F_RAX, 0);
	ghcb_put(F_RCX, 0);
	since = event_next();
	check_eq("reply_succeeds", ghcb_exit(EXIT_CPUID, 0, 0), OK);
	check("reply_sets_the_words_in_its_mask",
	      ghcb_get(F_RAX) == 0x11 && ghcb_get(F_RCX) == 0x33);
	check("reply_sets_no_other_word", !ghcb_valid(F_RBX));
	last_event(since, &e);
	check_eq("reply_is_marked_in_the_event", e.flags, COCO_EVF_SCRIPTED);

	rule.action = COCO_PATCH;
	machine_call(COCO_CALL_RULE_ADD, (u64)&rule, 0, 0);
	ghcb_clear();
	ghcb_put(F_RAX, 0);
	ghcb_put(F_RCX, 0);
	ghcb_exit(EXIT_CPUID, 0, 0);
	check("patch_replaces_the_words_in_its_mask",
	      ghcb_get(F_RAX) == 0x11 && ghcb_get(F_RCX) == 0x33);
	check("patch_keeps_the_model_s_other_words", !memcmp(ghcb + F_RBX, "Auth", 4));

	rule = (struct coco_rule){
		.kind = COCO_EV_GHCB, .action = COCO_SILENT, .code = EXIT_CPUID, .count = 1
	};
	machine_call(COCO_CALL_RULE_ADD, (u64)&rule, 0, 0);
	ghcb_clear();
	ghcb_put(F_RAX, 0x77);
	ghcb_put(F_RCX, 0);
	ghcb_exit(EXIT_CPUID, 0, 0);
	check("silence_touches_nothing",
	      ghcb_get(F_RAX) == 0x77 && ghcb_get(F_EXITCODE) == EXIT_CPUID &&
	      ghcb_valid(F_EXITCODE) && !ghcb_valid(F_RBX));

	rule = (struct coco_rule){ .kind = COCO_EV_GHCB,
				   .action = COCO_REPLY,
				   .code = COCO_ANY,
				   .info1 = 0x70 << 16,
				   .info1_mask = 0xffff0000,
				   .count = 1,
				   .reply_mask = BIT(0),
				   .reply = { ERROR } };
	machine_call(COCO_CALL_RULE_ADD, (u64)&rule, 0, 0);
	check_eq("rule_passes_another_port", out_port(0x80, 1, 0), OK);
	check_eq("rule_matches_by_info1", out_port(CMOS_INDEX, 1, 0), ERROR);
}

/* A host of the first version: fewer events, longer accesses, a scratch area in any shared page */
static void version_1(void)
{
	check_eq("host_offers_version_1", ghcb_msr(0x002) >> 48, 1);
	ghcb_clear();
	fault("event_of_version_2_is_a_breach", COCO_BREACH_VERSION, FEATURES, 0, 0, INVALID_EVENT);
	make_shared(7);
	memset(arena(7), 0, PAGE_SIZE);
	ghcb_clear();
	ghcb_put(F_SCRATCH, ARENA + 7 * PAGE_SIZE);
	check_eq("scratch_in_another_shared_page_is_allowed",
		 ghcb_exit(MMIO_READ, APIC_VERSION, 4), OK);
	check_eq("scratch_in_another_shared_page_is_used", *(u32 *)arena(7) & 0xf0, 0x10);
	ghcb_clear();
	ghcb_put(F_SCRATCH, ghcb_gpa + GHCB_BUFFER);
	check_eq("mmio_of_16_bytes_is_allowed", ghcb_exit(MMIO_READ, HPET, 16), OK);
	ghcb_clear();
	ghcb_put(F_SCRATCH, ARENA + 5 * PAGE_SIZE);
	fault("scratch_in_private_memory_is_a_breach", COCO_BREACH_SCRATCH, MMIO_READ, APIC_VERSION,
	      4, BAD_SCRATCH);
}

/* More codes than the machine counts one by one */
static void many_codes(void)
{
	u32 i;

	expect_breach(COCO_BREACH_VERSION, MANY);
	for (i = 0; i < MANY; i++) {
		ghcb_clear();
		ghcb_exit(UNKNOWN + i, 0, 0);
	}
	check("each_unknown_code_is_a_breach", breached(COCO_BREACH_VERSION));
	check_eq("each_is_an_event", count(COCO_EV_GHCB, COCO_ANY), MANY);
	check_eq("the_first_is_counted", count(COCO_EV_GHCB, UNKNOWN), 1);
}

void payload(void)
{
	ghcb_init();
	buffer = ghcb + GHCB_BUFFER;
	if (case_is("version_1")) {
		version_1();
		return;
	}
	if (case_is("many_codes")) {
		many_codes();
		return;
	}
	cpuid_exit();
	msr_exit();
	port_exit();
	device_exit();
	other_exits();
	rules();
	check_eq("correct_exits_are_no_breach", machine_call(COCO_CALL_BREACHES, 0, 0, 0), 0);
	missing_fields();
	no_exit_code();
	scratch_area();
	long_access();
	jump_table();
	version_and_usage();
	if (is_snp())
		page_of_the_ghcb();
}
