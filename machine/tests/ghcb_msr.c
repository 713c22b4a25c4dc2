// SPDX-License-Identifier: GPL-2.0
/*
 * The GHCB MSR protocol, GHCB specification (56421) 2.3.1: each request that a
 * guest may make before it has a GHCB, and the layout of each response.
 */
#include "lib/payload.h"

#define REQ_SEV_INFO		0x002
#define RESP_SEV_INFO		0x001
#define REQ_CPUID		0x004
#define RESP_CPUID		0x005
#define REQ_PREFERRED_GPA	0x010
#define RESP_PREFERRED_GPA	0x011
#define REQ_REGISTER		0x012
#define RESP_REGISTER		0x013
#define REQ_PSC			0x014
#define RESP_PSC		0x015
#define REQ_FEATURES		0x080
#define RESP_FEATURES		0x081

#define REQ_RUN_VMPL		0x016
#define REQ_NONE		0x1ff0

#define CODE(v)			((v) & 0xfff)
#define GFN_NONE		0xfffffffffffffull
#define FEATURE_SNP		BIT(0)
#define FEATURE_AP_CREATION	BIT(1)

static void sev_information(void)
{
	u64 first = rdmsr(GHCB_MSR), info;

	check_eq("msr_starts_with_sev_information", CODE(first), RESP_SEV_INFO);
	info = ghcb_msr(REQ_SEV_INFO);
	check_eq("sev_information_is_answered", CODE(info), RESP_SEV_INFO);
	check_eq("sev_information_is_what_the_msr_started_with", info, first);
	check_eq("sev_information_has_the_c_bit", info >> 24 & 0xff, cbit);
	check_eq("lowest_version_is_1", info >> 32 & 0xffff, 1);
	check("highest_version_has_snp_s_calls", info >> 48 >= (is_snp() ? 2 : 1));
	check_eq("sev_information_has_zeros_elsewhere", info >> 12 & 0xfff, 0);
}

static void cpuid_leaf(void)
{
	static const char vendor[] = "AuthenticAMD";
	u64 r[4], v;
	u32 i;

	for (i = 0; i < 4; i++) {
		v = ghcb_msr(REQ_CPUID | (u64)i << 30);
		r[i] = v >> 32;
		if (CODE(v) != RESP_CPUID || (v >> 30 & 3) != i || v >> 12 & 0x3ffff)
			note("CPUID response", v);
	}
	check("cpuid_is_answered_register_by_register",
	      CODE(v) == RESP_CPUID && (v >> 30 & 3) == 3 && !(v >> 12 & 0x3ffff));
	check("cpuid_gives_the_vendor",
	      !memcmp(&r[1], vendor, 4) && !memcmp(&r[3], vendor + 4, 4) &&
	      !memcmp(&r[2], vendor + 8, 4));
	v = ghcb_msr(REQ_CPUID | (u64)0x8000001f << 32 | 1ull << 30);
	check_eq("cpuid_8000001f_ebx_has_the_c_bit", v >> 32 & 0x3f, cbit);
	v = ghcb_msr(REQ_CPUID | (u64)0x8000001f << 32);
	check_eq("cpuid_8000001f_eax_has_the_features", v >> 32 & (BIT(1) | BIT(3) | BIT(4)),
		 BIT(1) | BIT(3) | (is_snp() ? BIT(4) : 0));
}

static void features(void)
{
	u64 v = ghcb_msr(REQ_FEATURES);

	check_eq("features_are_answered", CODE(v), RESP_FEATURES);
	check_eq("snp_features_are_offered_to_snp", v >> 12 & (FEATURE_SNP | FEATURE_AP_CREATION),
		 is_snp() ? FEATURE_SNP | FEATURE_AP_CREATION : 0);
}

static void registration(void)
{
	u64 gpa = ARENA + 3 * PAGE_SIZE, v;

	v = ghcb_msr(REQ_PREFERRED_GPA);
	check_eq("preferred_gpa_is_answered", CODE(v), RESP_PREFERRED_GPA);
	check_eq("there_is_no_preferred_gpa", v >> 12, GFN_NONE);
	v = ghcb_msr(REQ_REGISTER | gpa);
	check_eq("registration_is_answered_with_the_page", v, gpa | RESP_REGISTER);
	v = ghcb_msr(REQ_REGISTER | 0xfee00000);
	check_eq("registration_of_no_ram_is_refused", v, GFN_NONE << 12 | RESP_REGISTER);
}

static u64 psc(u64 gpa, u64 op)
{
	return ghcb_msr(REQ_PSC | gpa | op << 52);
}

static void page_state_change(void)
{
	u64 gpa = ARENA + 4 * PAGE_SIZE;

	pvalidate(gpa, false, false, NULL);
	check_eq("change_to_shared_is_answered", psc(gpa, 2), RESP_PSC);
	check_eq("page_is_shared", page_state(gpa), 0);
	check_eq("change_is_an_event", count(COCO_EV_PSC, gpa), 1);
	check_eq("change_to_private_is_answered", psc(gpa, 1), RESP_PSC);
	check_eq("page_is_private_and_not_validated", page_state(gpa), COCO_PAGE_PRIVATE);
	expect_breach(COCO_BREACH_PAGE, 1);
	check("change_of_no_ram_fails", psc(0xfee00000, 2) >> 32);
	check("change_of_no_ram_is_a_breach", breached(COCO_BREACH_PAGE));
}

static void faults(void)
{
	expect_breach(COCO_BREACH_RESERVED, 1);
	ghcb_msr(REQ_SEV_INFO | 1ull << 40);
	check("reserved_bits_are_a_breach", breached(COCO_BREACH_RESERVED));
	expect_breach(COCO_BREACH_RESERVED, 1);
	ghcb_msr(REQ_CPUID | 1ull << 20);
	check("reserved_bits_of_cpuid_are_a_breach", breached(COCO_BREACH_RESERVED));
	expect_breach(COCO_BREACH_VERSION, 1);
	check_eq("no_request_is_not_answered", ghcb_msr(REQ_NONE), REQ_NONE);
	check("no_request_is_a_breach", breached(COCO_BREACH_VERSION));
	if (is_snp()) {
		expect_breach(COCO_BREACH_ORDER, 1);
		check_eq("vmpl_that_was_not_offered_is_not_answered", ghcb_msr(REQ_RUN_VMPL),
			 REQ_RUN_VMPL);
		check("vmpl_that_was_not_offered_is_a_breach", breached(COCO_BREACH_ORDER));
		return;
	}
	expect_breach(COCO_BREACH_VERSION, 1);
	ghcb_msr(REQ_PREFERRED_GPA);
	check("snp_s_request_without_snp_is_a_breach", breached(COCO_BREACH_VERSION));
}

static void log(void)
{
	u64 since = event_next(), v = ghcb_msr(REQ_CPUID | 0x40000000ull << 32);
	struct coco_event e;

	last_event(since, &e);
	check_eq("event_has_the_kind", e.kind, COCO_EV_MSRPROTO);
	check_eq("event_has_the_request", e.code, REQ_CPUID);
	check_eq("event_has_the_whole_msr", e.info1, REQ_CPUID | 0x40000000ull << 32);
	check_eq("event_has_the_response", e.ret, v);
}

static void rules(void)
{
	struct coco_rule rule = { .kind = COCO_EV_MSRPROTO,
				  .action = COCO_REPLY,
				  .code = REQ_SEV_INFO,
				  .skip = 1,
				  .count = 2,
				  .reply_mask = 1,
				  .reply = { 0x1234567 } };
	u64 info = ghcb_msr(REQ_SEV_INFO);
	s64 id = machine_call(COCO_CALL_RULE_ADD, (u64)&rule, 0, 0);

	check_eq("rule_lets_the_first_pass", ghcb_msr(REQ_SEV_INFO), info);
	check_eq("rule_leaves_other_requests_alone", CODE(ghcb_msr(REQ_CPUID)), RESP_CPUID);
	check_eq("rule_answers_the_second", ghcb_msr(REQ_SEV_INFO), 0x1234567);
	check_eq("rule_answers_the_third", ghcb_msr(REQ_SEV_INFO), 0x1234567);
	check_eq("rule_is_used_up", ghcb_msr(REQ_SEV_INFO), info);
	check_eq("rule_counts_its_hits", machine_call(COCO_CALL_RULE_HITS, id, 0, 0), 2);
	check_eq("deleting_tells_the_hits", machine_call(COCO_CALL_RULE_DEL, id, 0, 0), 2);
}

/* Case "ruled": a rule of the machine's command line, as boots.py has it */
static void rule_of_the_command_line(void)
{
	u64 refused = ghcb_msr(REQ_CPUID | 0x40000000ull << 32);

	check_eq("rule_of_the_command_line_skips_the_first", CODE(ghcb_msr(REQ_SEV_INFO)), RESP_SEV_INFO);
	check_eq("rule_of_the_command_line_answers", ghcb_msr(REQ_SEV_INFO), 0x1234567);
	check_eq("rule_of_the_command_line_is_used_up", CODE(ghcb_msr(REQ_SEV_INFO)), RESP_SEV_INFO);
	check_eq("rule_of_the_command_line_may_be_one_of_several", refused, 0x89);
	check_eq("rule_of_the_command_line_goes_by_info1",
		 CODE(ghcb_msr(REQ_CPUID | 0x40000001ull << 32)), RESP_CPUID);
}

void payload(void)
{
	if (case_is("ruled")) {
		rule_of_the_command_line();
		return;
	}
	sev_information();
	cpuid_leaf();
	log();
	rules();
	features();
	if (is_snp()) {
		registration();
		page_state_change();
	}
	check_eq("correct_requests_are_no_breach", machine_call(COCO_CALL_BREACHES, 0, 0, 0), 0);
	faults();
}
