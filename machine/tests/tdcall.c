// SPDX-License-Identifier: GPL-2.0
/*
 * TDCALL: what the TDX module answers itself.
 * TDX module ABI (348551): TDG.VP.INFO, TDG.MEM.PAGE.ACCEPT, TDG.VM.RD, TDG.SYS.RD,
 * TDG.MR.REPORT, TDG.MR.RTMR.EXTEND, TDREPORT_STRUCT,
 * completion status codes; base specification (348549): SEPT, page acceptance.
 * GHCI (344426): TDG.VP.VMCALL<MapGPA>
 */
#include "lib/payload.h"

#define LEAF_INFO		1
#define LEAF_RTMR_EXTEND	2
#define LEAF_REPORT		4
#define LEAF_ACCEPT		6
#define OPERAND_INVALID_RAX	0xc000010000000000ull
#define OPERAND_INVALID_RCX	0xc000010000000001ull
#define OPERAND_INVALID_RDX	0xc000010000000002ull
#define OPERAND_INVALID_R8	0xc000010000000008ull
#define ALREADY_ACCEPTED	0x00000b0a00000000ull
#define SIZE_MISMATCH		0xc0000b0b00000001ull
#define LEVEL_4K		0
#define LEVEL_2M		1

static void info_leaf(void)
{
	struct tdregs r = { .rax = LEAF_INFO, .rbx = 0x11, .rsi = 0x22, .r12 = 0x33, .r15 = 0x44 };
	u64 since = event_next();
	struct coco_event e;

	tdcall(&r);
	check_eq("info_succeeds", r.rax, 0);
	check_eq("info_has_the_address_width", r.rcx & 0x3f, cbit + 1);
	check_eq("info_has_one_vcpu_running", (u32)r.r8, 1);
	check("info_has_a_highest_vcpu_count", r.r8 >> 32 >= 1);
	check_eq("info_has_the_vcpu_s_index", (u32)r.r9, 0);
	check_eq("info_is_of_a_production_td", r.rdx & 1, 0);
	check("info_preserves_other_registers",
	      r.rbx == 0x11 && r.rsi == 0x22 && r.r12 == 0x33 && r.r15 == 0x44);
	last_event(since, &e);
	check("tdcall_is_an_event", e.kind == COCO_EV_TDCALL && e.code == LEAF_INFO && e.ret == 0);
	r = (struct tdregs){ .rax = 0x3ff };
	tdcall(&r);
	check_eq("unknown_leaf_is_an_invalid_operand", r.rax, OPERAND_INVALID_RAX);
}

static void accept(void)
{
	u64 gpa = ARENA + 16 * PAGE_SIZE;
	u8 *p = arena(16);
	u32 i;

	memset(p, 0x5a, PAGE_SIZE);
	check_eq("accepting_an_accepted_page_is_told", page_accept(gpa, LEVEL_4K),
		 ALREADY_ACCEPTED);
	check("accepted_page_keeps_its_bytes", p[0] == 0x5a && p[4095] == 0x5a);
	check_eq("mapgpa_to_shared_succeeds", map_gpa(gpa | cmask, PAGE_SIZE), 0);
	check_eq("page_is_shared", page_state(gpa), 0);
	check_eq("mapgpa_is_an_event_a_page", count(COCO_EV_PSC, gpa), 1);
	map_arena(16, SHARED_PAGE);
	check("shared_page_kept_no_plaintext", p[0] != 0x5a || p[1] != 0x5a);
	memset(p, 0x33, PAGE_SIZE);
	check_eq("mapgpa_to_private_succeeds", map_gpa(gpa, PAGE_SIZE), 0);
	check_eq("page_is_pending", page_state(gpa), COCO_PAGE_PRIVATE);
	map_arena(16, PRIVATE_PAGE);
	check_eq("accepting_a_pending_page_succeeds", page_accept(gpa, LEVEL_4K), 0);
	check_eq("page_is_accepted", page_state(gpa), COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED);
	for (i = 0; i < PAGE_SIZE && !p[i]; i++)
		;
	check_eq("accepted_page_is_zero", i, PAGE_SIZE);
}

/* No page is there for the module: the host is asked (EPT violation), and gives one, as KVM does */
static void accept_without_conversion(void)
{
	u64 gpa = ARENA + 18 * PAGE_SIZE;

	map_gpa(gpa | cmask, PAGE_SIZE);
	expect_breach(COCO_BREACH_PAGE, 1);
	check_eq("accepting_a_shared_page_gets_one", page_accept(gpa, LEVEL_4K), 0);
	check("accepting_a_shared_page_is_a_breach", breached(COCO_BREACH_PAGE));
	check_eq("accepted_page_is_private", page_state(gpa), COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED);
}

static void accept_operands(void)
{
	u64 gpa = ARENA + 17 * PAGE_SIZE;

	check_eq("level_3_is_an_invalid_operand", page_accept(gpa, 3), OPERAND_INVALID_RCX);
	check_eq("reserved_bits_are_an_invalid_operand", page_accept(gpa | 0x100, LEVEL_4K),
		 OPERAND_INVALID_RCX);
	check_eq("misaligned_2m_is_an_invalid_operand", page_accept(gpa, LEVEL_2M),
		 OPERAND_INVALID_RCX);
	check_eq("shared_bit_is_an_invalid_operand", page_accept(gpa | cmask, LEVEL_4K),
		 OPERAND_INVALID_RCX);
}

static void large_pages(void)
{
	u64 gpa = ARENA_2M;
	u64 r;

	check_eq("2m_to_shared_succeeds", map_gpa(gpa | cmask, SIZE_2M), 0);
	check("2m_conversion_covers_every_page", !page_state(gpa) && !page_state(gpa + SIZE_2M - PAGE_SIZE));
	check_eq("2m_to_private_succeeds", map_gpa(gpa, SIZE_2M), 0);
	r = page_accept(gpa, LEVEL_2M);
	if (r) {
		/* A host that maps 4K pages: the guest must do with less */
		check_eq("2m_accept_of_4k_pages_is_a_size_mismatch", r, SIZE_MISMATCH);
		for (; gpa < ARENA_2M + SIZE_2M && !page_accept(gpa, LEVEL_4K); gpa += PAGE_SIZE)
			;
		check_eq("4k_accepts_succeed", gpa, ARENA_2M + SIZE_2M);
	} else {
		check("2m_accept_covers_every_page",
		      page_state(gpa + SIZE_2M - PAGE_SIZE) & COCO_PAGE_VALIDATED);
	}
	check_eq("accepted_2m_is_zero", *(volatile u64 *)(ARENA_2M + 0x12340), 0);
}

static void rules(void)
{
	struct coco_rule rule = { .kind = COCO_EV_TDCALL,
				  .action = COCO_REPLY,
				  .code = LEAF_ACCEPT,
				  .count = 1,
				  .reply_mask = 1,
				  .reply = { SIZE_MISMATCH } };
	struct tdregs r = { .rax = LEAF_INFO };

	machine_call(COCO_CALL_RULE_ADD, (u64)&rule, 0, 0);
	check_eq("rule_answers_tdcall", page_accept(ARENA, LEVEL_4K), SIZE_MISMATCH);
	check_eq("rule_is_used_up", page_accept(ARENA, LEVEL_4K), ALREADY_ACCEPTED);
	rule = (struct coco_rule){ .kind = COCO_EV_TDCALL,
				   .action = COCO_PATCH,
				   .code = LEAF_INFO,
				   .count = 1,
				   .reply_mask = BIT(2),
				   .reply = { [2] = 0x1234 } };
	machine_call(COCO_CALL_RULE_ADD, (u64)&rule, 0, 0);
	tdcall(&r);
	check_eq("patch_replaces_the_word_in_its_mask", r.rdx, 0x1234);
	check_eq("patch_keeps_the_model_s_other_words", r.rcx & 0x3f, cbit + 1);
}

/* TDREPORT_STRUCT: where its parts are */
#define REPORT_DATA		128
#define REPORT_MAC		224
#define REPORT_ATTRIBUTES	512
#define REPORT_RTMR(n)		(512 + 208 + 48 * (n))

static u64 measure(u64 leaf, u64 rcx, u64 rdx, u64 r8)
{
	struct tdregs r = { .rax = leaf, .rcx = rcx, .rdx = rdx, .r8 = r8 };

	tdcall(&r);
	return r.rax;
}

static void measurement(void)
{
	/* SHA-384 of 96 zero bytes: what one extension by zeroes makes of a fresh RTMR */
	static const u8 extended[] = { 0xf5, 0x7b, 0xb7, 0xed, 0x82, 0xc6, 0xae, 0x4a,
				       0x29, 0xe6, 0xc9, 0x87, 0x93, 0x38, 0xc5, 0x92 };
	u64 report = ARENA + 20 * PAGE_SIZE, data = ARENA + 21 * PAGE_SIZE;
	u8 *p = arena(20), *q = arena(21), mac[32];
	struct tdregs info = { .rax = LEAF_INFO };

	memset(q, 0x3c, 64);
	check_eq("report_succeeds", measure(LEAF_REPORT, report, data, 0), 0);
	check_eq("report_is_of_a_td", p[0], 0x81);
	check("report_echoes_the_report_data", !memcmp(p + REPORT_DATA, q, 64));
	tdcall(&info);
	check("report_has_the_attributes", !memcmp(p + REPORT_ATTRIBUTES, &info.rdx, 8));
	memcpy(mac, p + REPORT_MAC, sizeof(mac));
	q[0] ^= 1;
	measure(LEAF_REPORT, report, data, 0);
	check("mac_depends_on_the_report_data", memcmp(mac, p + REPORT_MAC, sizeof(mac)));
	check_eq("report_buffer_off_1024_is_refused", measure(LEAF_REPORT, report + 64, data, 0),
		 OPERAND_INVALID_RCX);
	check_eq("shared_report_buffer_is_refused", measure(LEAF_REPORT, report | cmask, data, 0),
		 OPERAND_INVALID_RCX);
	check_eq("report_data_off_64_is_refused", measure(LEAF_REPORT, report, data + 8, 0),
		 OPERAND_INVALID_RDX);
	check_eq("unknown_report_subtype_is_refused", measure(LEAF_REPORT, report, data, 1),
		 OPERAND_INVALID_R8);

	memset(q, 0, 64);
	check_eq("rtmr_extend_succeeds", measure(LEAF_RTMR_EXTEND, data, 2, 0), 0);
	measure(LEAF_REPORT, report, data, 0);
	check("extended_rtmr_is_the_hash_of_both",
	      !memcmp(p + REPORT_RTMR(2), extended, sizeof(extended)));
	check("other_rtmrs_stay", !p[REPORT_RTMR(1)] && !p[REPORT_RTMR(3)]);
	check_eq("rtmr_4_is_refused", measure(LEAF_RTMR_EXTEND, data, 4, 0), OPERAND_INVALID_RDX);
	check_eq("extension_off_64_is_refused", measure(LEAF_RTMR_EXTEND, data + 16, 0, 0),
		 OPERAND_INVALID_RCX);
}

void payload(void)
{
	info_leaf();
	accept();
	accept_without_conversion();
	accept_operands();
	large_pages();
	rules();
	measurement();
	check_eq("nothing_here_is_a_breach", machine_call(COCO_CALL_BREACHES, 0, 0, 0), 0);
}
