// SPDX-License-Identifier: GPL-2.0
/*
 * SEV-SNP page states.
 * APM vol. 2 (24593): 15.36.6 (page validation, #VC PAGE_NOT_VALIDATED)
 * APM vol. 3 (24594): PVALIDATE, RMPADJUST (EAX and CF)
 * GHCB specification (56421): 4.1.6 (page state change, its list and errors)
 */
#include "lib/payload.h"

#define PAGE_STATE_CHANGE	0x80000010
#define OP_PRIVATE		1ull
#define OP_SHARED		2ull
#define SIZE_IS_2M		BIT_ULL(56)
#define MAX_ENTRIES		253
#define INVALID_HEADER		0x100000001ull
#define INVALID_ENTRY		0x100000002ull

#define FAIL_PERMISSION		2
#define FAIL_SIZEMISMATCH	6
#define NOT_VALIDATED		0x404
#define VMPL1			1ull
#define READ_WRITE		0x300ull

struct change_list {
	u16 current, end;
	u32 reserved;
	u64 entry[MAX_ENTRIES];
};

static struct change_list *list;
static bool carry;

static void touch(u64 va)
{
	TRY("movb (%0), %%al", : : "r"(va) : "rax", "memory");
}

static bool not_validated(void)
{
	return trap.hit && trap.vector == VC && trap.error == NOT_VALIDATED;
}

static void validation(void)
{
	u64 gpa = ARENA + 16 * PAGE_SIZE, since;
	struct coco_event e;

	memset(arena(16), 0x5a, PAGE_SIZE);
	check_eq("validating_a_validated_page_succeeds", pvalidate(gpa, false, true, &carry), 0);
	check("validating_a_validated_page_sets_carry", carry);
	since = event_next();
	check_eq("rescinding_succeeds", pvalidate(gpa, false, false, &carry), 0);
	check("rescinding_a_validated_page_clears_carry", !carry);
	last_event(since, &e);
	check_eq("pvalidate_is_an_event", e.kind, COCO_EV_PVALIDATE);
	check_eq("event_has_the_gpa", e.code, gpa);
	check_eq("event_has_size_and_direction", e.info1, 0);
	check_eq("page_is_assigned_and_not_validated", page_state(gpa), COCO_PAGE_PRIVATE);
	since = event_next();
	touch(gpa + 8);
	check("touching_it_raises_vc_404", not_validated());
	last_event(since, &e);
	check("vc_404_is_an_event", e.kind == COCO_EV_VC && e.code == NOT_VALIDATED);
	check_eq("event_has_the_address_touched", e.info2 & PAGE_MASK & ~cmask, gpa);
	TRY("movb $1, (%0)", : : "r"(gpa) : "memory");
	check("writing_it_raises_vc_404", not_validated());
	pvalidate(gpa, false, false, &carry);
	check("rescinding_twice_sets_carry", carry);
	check_eq("validating_succeeds", pvalidate(gpa, false, true, &carry), 0);
	check("validating_clears_carry", !carry);
	touch(gpa);
	check("validated_page_is_there", !trap.hit);
	check("pvalidate_changes_no_byte", arena(16)[0] == 0x5a && arena(16)[4095] == 0x5a);
}

static void user_pvalidate(void)
{
	TRY(PVALIDATE, : : "a"(ARENA + 16 * PAGE_SIZE), "c"(0), "d"(1) : "memory");
}

static void faults(void)
{
	u64 unmapped = WINDOW + 40 * PAGE_SIZE;

	map_window(40, 0, NO_PAGE);
	TRY(PVALIDATE, : : "a"(unmapped), "c"(0), "d"(1) : "memory");
	check("pvalidate_of_an_unmapped_page_raises_pf",
	      trap.hit && trap.vector == PF && trap.cr2 == unmapped);
	run_user(user_pvalidate);
	check("pvalidate_in_user_mode_raises_gp", trap.hit && trap.vector == GP && trap.error == 0);
	check_eq("pvalidate_looks_through_any_mapping",
		 (map_window(41, ARENA + 17 * PAGE_SIZE, PRIVATE_PAGE),
		  pvalidate(WINDOW + 41 * PAGE_SIZE, false, false, &carry)), 0);
	check_eq("alias_rescinds_the_page_itself", page_state(ARENA + 17 * PAGE_SIZE),
		 COCO_PAGE_PRIVATE);
	pvalidate(ARENA + 17 * PAGE_SIZE, false, true, NULL);
}

/* Change the state of the listed pages in one exit; SW_EXITINFO2 */
static u64 change(u32 last)
{
	list->current = 0;
	list->end = last;
	list->reserved = 0;
	ghcb_clear();
	ghcb_put(F_SCRATCH, ghcb_gpa + GHCB_BUFFER);
	ghcb_exit(PAGE_STATE_CHANGE, 0, 0);
	return ghcb_get(F_EXITINFO2);
}

static u64 entry(u32 page, u64 op)
{
	return (ARENA + page * PAGE_SIZE) | op << 52;
}

static void lists(void)
{
	u32 i;

	for (i = 0; i < 3; i++) {
		memset(arena(20 + i), 0x77, PAGE_SIZE);
		pvalidate(ARENA + (20 + i) * PAGE_SIZE, false, false, NULL);
		list->entry[i] = entry(20 + i, OP_SHARED);
	}
	check_eq("list_to_shared_succeeds", change(2), 0);
	check_eq("every_entry_is_done", list->current, 3);
	check("every_page_is_shared",
	      !page_state(ARENA + 20 * PAGE_SIZE) && !page_state(ARENA + 21 * PAGE_SIZE) &&
	      !page_state(ARENA + 22 * PAGE_SIZE));
	check_eq("every_entry_is_an_event", count(COCO_EV_PSC, ARENA + 22 * PAGE_SIZE), 1);
	map_arena(20, SHARED_PAGE);
	check("shared_page_kept_no_plaintext", arena(20)[0] != 0x77 || arena(20)[1] != 0x77);
	memset(arena(20), 0x33, PAGE_SIZE);
	map_arena(20, PRIVATE_PAGE);
	for (i = 0; i < 3; i++)
		list->entry[i] = entry(20 + i, OP_PRIVATE);
	check_eq("list_to_private_succeeds", change(2), 0);
	touch(ARENA + 20 * PAGE_SIZE);
	check("converted_page_is_not_validated", not_validated());
	pvalidate(ARENA + 20 * PAGE_SIZE, false, true, NULL);
	check("private_page_kept_no_plaintext", arena(20)[0] != 0x33 || arena(20)[1] != 0x33);
}

static void list_errors(void)
{
	struct coco_rule rule = { .kind = COCO_EV_PSC,
				  .action = COCO_REPLY,
				  .code = ARENA + 25 * PAGE_SIZE,
				  .count = 1,
				  .reply_mask = 1,
				  .reply = { 0x16 } };
	u64 r;
	u32 i;

	for (i = 0; i < 3; i++) {
		pvalidate(ARENA + (24 + i) * PAGE_SIZE, false, false, NULL);
		list->entry[i] = entry(24 + i, OP_SHARED);
	}
	machine_call(COCO_CALL_RULE_ADD, (u64)&rule, 0, 0);
	r = change(2);
	check("failing_entry_is_told", r != 0);
	check_eq("list_stops_at_the_failing_entry", list->current, 1);
	check_eq("entry_before_it_is_done", page_state(ARENA + 24 * PAGE_SIZE), 0);
	check_eq("failing_entry_is_not_done", page_state(ARENA + 25 * PAGE_SIZE), COCO_PAGE_PRIVATE);
	check_eq("entry_behind_it_is_not_done", page_state(ARENA + 26 * PAGE_SIZE), COCO_PAGE_PRIVATE);
	check_eq("correct_lists_are_no_breach", machine_call(COCO_CALL_BREACHES, 0, 0, 0), 0);

	expect_breach(COCO_BREACH_RESERVED, 1);
	check_eq("list_with_too_many_entries_is_refused", change(MAX_ENTRIES), INVALID_HEADER);
	check("list_with_too_many_entries_is_a_breach", breached(COCO_BREACH_RESERVED));
	expect_breach(COCO_BREACH_PAGE, 1);
	list->entry[0] = 0xfee00000 | OP_SHARED << 52;
	check("change_of_no_ram_is_refused", change(0) != 0);
	machine_call(COCO_CALL_EXPECT_BREACH, COCO_BREACH_PAGE, 0, 0);
	expect_breach(COCO_BREACH_RESERVED, 1);
	list->entry[0] = entry(26, 9);
	check("unknown_operation_is_refused", change(0) != 0);
	machine_call(COCO_CALL_EXPECT_BREACH, COCO_BREACH_RESERVED, 0, 0);
	check_eq("refused_changes_leave_the_page", page_state(ARENA + 26 * PAGE_SIZE),
		 COCO_PAGE_PRIVATE);
}

static u64 mask_of(u32 page, bool validate)
{
	struct coco_event e = { 0 };
	u64 since = event_next();

	pvalidate(WINDOW + page * PAGE_SIZE, false, validate, NULL);
	last_event(since, &e);
	return e.mask;
}

static void watching(void)
{
	u64 va = WINDOW + 44 * PAGE_SIZE;

	map_window(44, ARENA + 32 * PAGE_SIZE, PRIVATE_PAGE);
	map_window(45, ARENA + 33 * PAGE_SIZE, SHARED_PAGE);
	map_window(46, ARENA + 33 * PAGE_SIZE, PRIVATE_PAGE);
	check_eq("event_of_an_unwatched_page_says_nothing", mask_of(44, false), 0);
	check_eq("range_that_is_mapped_can_be_watched",
		 machine_call(COCO_CALL_WATCH, va, 2 * PAGE_SIZE, 0), 0);
	check_eq("event_says_how_the_watched_page_is_mapped", mask_of(44, true),
		 COCO_WATCHED | COCO_WATCH_MAPPED | COCO_WATCH_PRIVATE);
	check_eq("mapping_is_the_watched_one_and_no_alias", mask_of(46, false),
		 COCO_WATCHED | COCO_WATCH_MAPPED);
	map_window(45, 0, NO_PAGE);
	check_eq("event_says_that_the_watched_page_is_not_mapped", mask_of(46, true), COCO_WATCHED);
	check_eq("only_whole_pages_are_watched", machine_call(COCO_CALL_WATCH, va + 8, PAGE_SIZE, 0),
		 (u64)-22);
	check_eq("page_that_is_not_mapped_is_not_watched",
		 machine_call(COCO_CALL_WATCH, va + PAGE_SIZE, PAGE_SIZE, 0), (u64)-14);
	machine_call(COCO_CALL_WATCH, 0, 0, 0);
	check_eq("watching_ends", mask_of(44, false), 0);
	mask_of(44, true);
}

static void large_pages(void)
{
	u64 gpa = ARENA_2M, since;
	struct coco_event e = { 0 };

	/* The host's entry covers 2M at first; a 4K operation has it split */
	pvalidate(gpa + PAGE_SIZE, false, false, NULL);
	pvalidate(gpa + PAGE_SIZE, false, true, NULL);
	check_eq("2m_validation_of_4k_entries_is_a_size_mismatch",
		 pvalidate(gpa, true, false, &carry), FAIL_SIZEMISMATCH);
	check_eq("size_mismatch_changes_nothing", page_state(gpa) & COCO_PAGE_VALIDATED,
		 COCO_PAGE_VALIDATED);
	for (; gpa < ARENA_2M + SIZE_2M; gpa += PAGE_SIZE)
		pvalidate(gpa, false, false, NULL);
	gpa = ARENA_2M;
	list->entry[0] = gpa | OP_SHARED << 52 | SIZE_IS_2M;
	check_eq("2m_change_to_shared_succeeds", change(0), 0);
	check("2m_change_covers_every_page", !page_state(gpa) && !page_state(gpa + SIZE_2M - PAGE_SIZE));
	list->entry[0] = gpa | OP_PRIVATE << 52 | SIZE_IS_2M;
	check_eq("2m_change_to_private_succeeds", change(0), 0);
	check_eq("2m_change_makes_a_2m_entry", page_state(gpa), COCO_PAGE_PRIVATE | COCO_PAGE_2M);
	touch(gpa + 0x1000);
	check("2m_page_is_not_validated", not_validated());
	machine_call(COCO_CALL_WATCH, gpa + 2 * PAGE_SIZE, PAGE_SIZE, 0);
	since = event_next();
	check_eq("2m_validation_succeeds", pvalidate(gpa, true, true, &carry), 0);
	last_event(since, &e);
	check_eq("2m_event_says_how_a_watched_page_in_it_is_mapped", e.mask,
		 COCO_WATCHED | COCO_WATCH_MAPPED | COCO_WATCH_PRIVATE);
	machine_call(COCO_CALL_WATCH, 0, 0, 0);
	check("2m_validation_clears_carry", !carry);
	touch(gpa + SIZE_2M - 1);
	check("2m_validation_covers_every_page", !trap.hit);
	pvalidate(gpa, true, true, &carry);
	check("2m_validation_twice_sets_carry", carry);
	/* A 4K rescission in a 2M entry: the host splits it, unseen by the guest (15.36.11) */
	check_eq("4k_rescission_in_a_2m_entry_succeeds",
		 pvalidate(gpa + PAGE_SIZE, false, false, &carry), 0);
	check_eq("split_entry_keeps_its_other_pages", page_state(gpa),
		 COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED);
	check_eq("split_entry_has_the_page_rescinded", page_state(gpa + PAGE_SIZE), COCO_PAGE_PRIVATE);
}

static void permissions(void)
{
	u64 va = ARENA + 30 * PAGE_SIZE;

	check_eq("rmpadjust_for_a_lower_vmpl_succeeds", rmpadjust(va, false, VMPL1 | READ_WRITE),
		 0);
	check_eq("rmpadjust_for_its_own_vmpl_is_refused", rmpadjust(va, false, 0 | READ_WRITE),
		 FAIL_PERMISSION);
	map_window(42, 0, NO_PAGE);
	TRY(RMPADJUST, : : "a"(WINDOW + 42 * PAGE_SIZE), "c"(0), "d"(VMPL1) : "memory");
	check("rmpadjust_of_an_unmapped_page_raises_pf",
	      trap.hit && trap.vector == PF && trap.cr2 == WINDOW + 42 * PAGE_SIZE);
}

/* Behind the guest's back (15.36.6: a host that remaps a page cannot make it validated) */
static void hostile_host(void)
{
	u64 gpa = ARENA + 31 * PAGE_SIZE;

	machine_call(COCO_CALL_PAGE_SET, gpa, COCO_PAGE_PRIVATE, 0);
	touch(gpa);
	check("remapped_page_raises_vc_404", not_validated());
	machine_call(COCO_CALL_PAGE_SET, gpa, COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED, 0);
	touch(gpa);
	check("page_set_back_is_there", !trap.hit);
}

/* What released guests never do: the host would be asked, so each is a breach (15.36.10) */
static void wrong_states(void)
{
	u64 gpa = ARENA + 34 * PAGE_SIZE;

	expect_breach(COCO_BREACH_PAGE, 1);
	*(volatile u8 *)map_window(44, gpa, SHARED_PAGE);
	check("shared_access_to_a_private_page_is_a_breach", breached(COCO_BREACH_PAGE));
	check_eq("host_then_makes_it_shared", page_state(gpa), 0);
	expect_breach(COCO_BREACH_PAGE, 1);
	pvalidate(gpa, false, true, NULL);
	check("pvalidate_of_a_shared_page_is_a_breach", breached(COCO_BREACH_PAGE));
	check_eq("host_then_assigns_it", page_state(gpa) & COCO_PAGE_PRIVATE, COCO_PAGE_PRIVATE);
	pvalidate(gpa, false, true, NULL);
	expect_breach(COCO_BREACH_ORDER, 1);
	list->entry[0] = entry(34, OP_SHARED);
	change(0);
	check("conversion_of_a_validated_page_is_a_breach", breached(COCO_BREACH_ORDER));
	expect_breach(COCO_BREACH_PAGE, 1);
	touch(gpa);
	check("private_access_to_a_shared_page_raises_vc_404", not_validated());
	check("private_access_to_a_shared_page_is_a_breach", breached(COCO_BREACH_PAGE));
}

static void rules(void)
{
	struct coco_rule rule = { .kind = COCO_EV_PVALIDATE,
				  .action = COCO_REPLY,
				  .code = ARENA + 32 * PAGE_SIZE,
				  .count = 1,
				  .reply_mask = 1,
				  .reply = { FAIL_SIZEMISMATCH } };

	machine_call(COCO_CALL_RULE_ADD, (u64)&rule, 0, 0);
	check_eq("rule_answers_pvalidate", pvalidate(ARENA + 32 * PAGE_SIZE, false, false, &carry),
		 FAIL_SIZEMISMATCH);
	check_eq("answered_pvalidate_changes_nothing", page_state(ARENA + 32 * PAGE_SIZE),
		 COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED);
	rule = (struct coco_rule){ .kind = COCO_EV_VC,
				   .action = COCO_CODE,
				   .code = 0x72,
				   .count = 1,
				   .reply_mask = 1,
				   .reply = { 0x7b } };
	machine_call(COCO_CALL_RULE_ADD, (u64)&rule, 0, 0);
	TRY("cpuid", : : "a"(0), "c"(0) : "rbx", "rdx", "memory");
	check_eq("rule_changes_a_vc_s_code", trap.error, 0x7b);
	TRY("cpuid", : : "a"(0), "c"(0) : "rbx", "rdx", "memory");
	check_eq("rule_changes_one_vc_only", trap.error, 0x72);
}

void payload(void)
{
	ghcb_init();
	list = (void *)(ghcb + GHCB_BUFFER);
	validation();
	faults();
	lists();
	list_errors();
	watching();
	large_pages();
	permissions();
	hostile_host();
	wrong_states();
	rules();
	check_eq("nothing_here_is_an_unexpected_breach", machine_call(COCO_CALL_BREACHES, 0, 0, 0),
		 0);
}
