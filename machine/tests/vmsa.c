// SPDX-License-Identifier: GPL-2.0
/*
 * SEV-SNP's AP creation: VMSAs that no processor runs, and whose they are while one does.
 * GHCB specification (56421): 2.3.1 (AP reset hold), 4.1.9 (AP creation)
 * APM vol. 2 (24593): 15.5.1 (VMRUN, canonicalization and consistency checks), table B-4 (VMSA)
 * APM vol. 3 (24594): RMPADJUST, RMPUPDATE (an entry assigned anew is no VMSA's)
 */
#include "lib/payload.h"
#include "../vmcb.h"

#define MALFORMED	2
#define OTHER		12		/* arena page */
#define VMSA_VMPL	0x0ca
#define EFER_SVME	BIT_ULL(12)
#define CR0_NW		BIT_ULL(29)
#define CR0_CD		BIT_ULL(30)
#define PATIENCE	1000000000u	/* spins */

static struct vmcb_save *const save = (void *)vmsa;
#define AP_RESET_HOLD	0x006
#define FAIL_INUSE	3
#define PSC_SHARED	2ull
#define MOMENT		100000u
#define REGISTER	0x012
#define DR7_READ	0x27
#define DR7_WRITE	0x37
#define MSR_DEBUGCTL	0x1d9
#define MSR_XSS		0xda0
#define VMSA_XSS	0x140
#define VMSA_DEBUGCTL	0x270
enum { HELD = 1, SELF, LOOK };		/* ap_next */

static volatile u32 ap_runs, ap_next;
static volatile u64 ap_xss, ap_debugctl, ap_dr7;
static u64 features;

static void hold(void)
{
	ap_next = 0;
	ghcb_msr(AP_RESET_HOLD);
	ap_runs++;
}

/* It has all of these otherwise than its next VMSA, and then goes on from that */
static void start_itself(void)
{
	ap_next = 0;
	ghcb_msr(REGISTER | ghcb_gpa);
	wrmsr(MSR_XSS, BIT(11));
	wrmsr(MSR_DEBUGCTL, BIT(0));
	ghcb_clear();
	ghcb_put(F_RAX, 0x401);
	ghcb_exit(DR7_WRITE, 0, 0);
	vmsa_create((u64)vmsa, features);
	ap_runs += 100;		/* not come to: the call does not return */
}

static void look(void)
{
	ap_xss = rdmsr(MSR_XSS);
	ap_debugctl = rdmsr(MSR_DEBUGCTL);
	ghcb_clear();
	ghcb_exit(DR7_READ, 0, 0);
	ap_dr7 = ghcb_get(F_RAX);
	ap_next = 0;
}

static void ap(void)
{
	ap_runs++;
	for (;;) {
		if (ap_next == HELD)
			hold();
		else if (ap_next == SELF)
			start_itself();
		else if (ap_next == LOOK)
			look();
		cpu_relax();
	}
}

static void refused(const char *refusal, const char *breach, enum coco_breach what, u64 gpa,
		    u64 told)
{
	expect_breach(what, 1);
	check_eq(refusal, vmsa_create(gpa, told), MALFORMED);
	check(breach, breached(what));
}

static void pages(void)
{
	u64 other = (u64)arena(OTHER);

	refused("page_that_is_no_vmsa_is_refused", "page_that_is_no_vmsa_is_a_breach",
		COCO_BREACH_PAGE, (u64)vmsa, features);
	refused("vmsa_in_no_ram_is_refused", "vmsa_in_no_ram_is_a_breach", COCO_BREACH_PAGE,
		0xfee00000, features);
	memcpy(arena(OTHER), vmsa, sizeof(vmsa));
	rmpadjust(other, false, VMPL1_VMSA);
	rmpadjust(other, false, 1);
	refused("page_that_was_a_vmsa_is_refused", "page_that_was_a_vmsa_is_a_breach",
		COCO_BREACH_PAGE, other, features);
	rmpadjust(other, false, VMPL1_VMSA);
	make_shared(OTHER);
	make_private(OTHER);
	memcpy(arena(OTHER), vmsa, sizeof(vmsa));
	refused("page_assigned_anew_is_refused", "page_assigned_anew_is_a_breach",
		COCO_BREACH_PAGE, other, features);
}

static void requests(void)
{
	expect_breach(COCO_BREACH_RESERVED, 1);
	check_eq("vcpu_that_is_not_there_is_refused",
		 ap_creation(7, AP_CREATE, (u64)vmsa, features), MALFORMED);
	check("vcpu_that_is_not_there_is_a_breach", breached(COCO_BREACH_RESERVED));
	expect_breach(COCO_BREACH_RESERVED, 1);
	check_eq("unknown_request_is_refused", ap_creation(1, 3, (u64)vmsa, features), MALFORMED);
	check("unknown_request_is_a_breach", breached(COCO_BREACH_RESERVED));
}

static void contents(void)
{
	u64 *own_features = (u64 *)(vmsa + VMSA_SEV_FEATURES);

	rmpadjust((u64)vmsa, false, VMPL1_VMSA);
	refused("other_features_are_refused", "other_features_are_a_breach", COCO_BREACH_RESERVED,
		(u64)vmsa, features ^ 2);
	*own_features ^= 2;
	refused("vmsa_of_other_features_is_refused", "vmsa_of_other_features_is_a_breach",
		COCO_BREACH_RESERVED, (u64)vmsa, features);
	*own_features ^= 2;
	save->efer &= ~EFER_SVME;
	refused("vmsa_without_svme_is_refused", "vmsa_without_svme_is_a_breach",
		COCO_BREACH_RESERVED, (u64)vmsa, features);
	save->efer |= EFER_SVME;
	vmsa[VMSA_VMPL] = 1;
	refused("vmsa_of_another_vmpl_is_refused", "vmsa_of_another_vmpl_is_a_breach",
		COCO_BREACH_RESERVED, (u64)vmsa, features);
	vmsa[VMSA_VMPL] = 0;
}

/* Case "bad_cr0": a state that no processor takes, which the host learns from VMRUN */
static void bad_cr0(void)
{
	save->cr0 = (save->cr0 | CR0_NW) & ~CR0_CD;
	rmpadjust((u64)vmsa, false, VMPL1_VMSA);
	vmsa_create((u64)vmsa, features);
	for (;;)
		machine_call(COCO_CALL_VERSION, 0, 0, 0);
}

static void ap_has_run(const char *claim, u32 times)
{
	u32 i;

	for (i = 0; i < PATIENCE && ap_runs < times; i++)
		;
	check_eq(claim, ap_runs, times);
}

static bool in_use(u64 gpa)
{
	return page_state(gpa) & COCO_PAGE_IN_USE;
}

/* From here on the AP runs from vmsa */
static void owner(void)
{
	u64 own = (u64)vmsa, other = (u64)arena(OTHER);
	u32 i;

	check("vmsa_of_one_that_runs_is_in_use", in_use(own));
	check_eq("and_not_adjusted", rmpadjust(own, false, 1), FAIL_INUSE);
	expect_breach(COCO_BREACH_PAGE, 1);
	check_eq("no_other_runs_from_it", ap_creation(0, AP_CREATE, own, features), MALFORMED);
	check("that_would_be_a_breach", breached(COCO_BREACH_PAGE));
	expect_breach(COCO_BREACH_PAGE, 1);
	ghcb_msr(0x014 | own | PSC_SHARED << 52);
	check("and_so_would_sharing_it", breached(COCO_BREACH_PAGE));
	check("which_is_not_done", in_use(own) && page_state(own) & COCO_PAGE_PRIVATE);
	ap_next = HELD;
	for (i = 0; i < PATIENCE && in_use(own); i++)
		;
	check("vmsa_of_one_in_reset_hold_is_not", !in_use(own));
	check_eq("it_is_as_it_was_written", save->g_pat, 0x0007040600070406ull);
	ap_sipi();
	ap_has_run("sipi_ends_the_hold", 2);
	check("and_the_vmsa_is_in_use_again", in_use(own));
	check_eq("vcpu_is_destroyed", vmsa_destroy(own, features), 0);
	check("and_its_vmsa_not_in_use", !in_use(own));
	memcpy(arena(OTHER), vmsa, sizeof(vmsa));
	rmpadjust(other, false, VMPL1_VMSA);
	check_eq("vcpu_is_made_again", vmsa_create(own, features), 0);
	ap_has_run("and_runs_again", 3);
	check_eq("vcpu_is_made_anew", vmsa_create(other, features), 0);
	ap_has_run("and_runs_anew", 4);
	check("new_vmsa_is_in_use", in_use(other));
	check("old_one_is_not", !in_use(own));
	check_eq("old_one_is_adjusted", rmpadjust(own, false, 1), 0);
	check("and_is_no_vmsa_any_more", !(page_state(own) & COCO_PAGE_VMSA));
}

static void ends_in_hold(void)
{
	u64 gpa = (u64)arena(OTHER);
	u32 i;

	ap_next = HELD;
	for (i = 0; i < PATIENCE && in_use(gpa); i++)
		;
	check_eq("vcpu_in_reset_hold_is_destroyed", vmsa_destroy(gpa, features), 0);
	ap_sipi();
	for (i = 0; i < MOMENT; i++)
		cpu_relax();
	check_eq("and_no_sipi_lets_it_go_on", ap_runs, 4);
	check_eq("but_it_is_made_again", vmsa_create(gpa, features), 0);
	ap_has_run("and_runs_from_its_start", 5);
}

static void starts_itself(void)
{
	u32 i;

	*(u64 *)(vmsa + VMSA_XSS) = BIT(12);
	*(u64 *)(vmsa + VMSA_DEBUGCTL) = BIT(1);
	save->dr7 = 0x402;
	rmpadjust((u64)vmsa, false, VMPL1_VMSA);
	ap_next = SELF;
	ap_has_run("vcpu_makes_itself_anew", 6);
	check("and_runs_from_the_other_vmsa", in_use((u64)vmsa) && !in_use((u64)arena(OTHER)));
	ap_next = LOOK;
	for (i = 0; i < PATIENCE && ap_next; i++)
		;
	check_eq("xss_is_the_vmsa_s", ap_xss, BIT(12));
	check_eq("debugctl_is_the_vmsa_s", ap_debugctl, BIT(1));
	check_eq("dr7_is_the_vmsa_s", ap_dr7, 0x402);
}

void payload(void)
{
	ghcb_init();
	ap_prepare(ap);
	vmsa_fill();
	features = rdmsr(MSR_SEV_STATUS) >> 2;
	if (case_is("bad_cr0"))
		bad_cr0();
	pages();
	requests();
	contents();
	check_eq("none_of_them_ran", ap_runs, 0);
	check_eq("vmsa_without_fault_is_taken", vmsa_create((u64)vmsa, features), 0);
	ap_has_run("and_runs", 1);
	if (case_is("in_use"))
		*(volatile u8 *)vmsa;
	owner();
	ends_in_hold();
	starts_itself();
	check_eq("every_breach_was_expected", machine_call(COCO_CALL_BREACHES, 0, 0, 0), 0);
}
