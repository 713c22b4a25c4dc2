// SPDX-License-Identifier: GPL-2.0
/*
 * The machine call, as include/coco_abi.h describes it, in every personality.
 */
#include "lib/payload.h"

#define UNMAPPED	(WINDOW + 100 * PAGE_SIZE)
#define EVENT_RING	4096
#define PAYLOAD		0x100000ull	/* load.c */
#define SECOND		1000000000ull

static s64 user_result;

static void call_from_user(void)
{
	user_result = machine_call(COCO_CALL_VERSION, 0, 0, 0);
}

static void cpuid_shows_the_signature(void)
{
	u32 r[4];

	/* Where CPUID raises #VC or #VE the suites ask through those; here: plain and SEV guests */
	if (is_es() || is_tdx())
		return;
	cpuid(COCO_CPUID_BASE, 0, r);
	check("cpuid_shows_the_signature",
	      r[1] == COCO_SIGNATURE_EBX && r[2] == COCO_SIGNATURE_ECX &&
	      r[3] == COCO_SIGNATURE_EDX);
	check_eq("cpuid_shows_the_highest_leaf", r[0], COCO_CPUID_INFO);
	cpuid(COCO_CPUID_INFO, 0, r);
	check_eq("cpuid_shows_the_abi_version", r[0], COCO_ABI_VERSION);
	check_eq("cpuid_shows_the_personality", r[1], personality);
}

static void registers_are_preserved(void)
{
	u64 in[8], out[8], flags_in, flags_out, rax;
	u32 i;

	for (i = 0; i < 8; i++)
		in[i] = 0x1111111111111111ull * (i + 1);
	asm volatile("mov 0(%[in]), %%rcx\n\tmov 8(%[in]), %%rdx\n\tmov 16(%[in]), %%rsi\n\t"
		     "mov 24(%[in]), %%rdi\n\tmov 32(%[in]), %%r8\n\tmov 40(%[in]), %%r9\n\t"
		     "mov 48(%[in]), %%r10\n\tmov 56(%[in]), %%r11\n\t"
		     "stc\n\tpushfq\n\tpopq %[flags_in]\n\t"
		     "vmmcall\n\t"
		     "pushfq\n\tpopq %[flags_out]\n\t"
		     "mov %%rcx, 0(%[out])\n\tmov %%rdx, 8(%[out])\n\tmov %%rsi, 16(%[out])\n\t"
		     "mov %%rdi, 24(%[out])\n\tmov %%r8, 32(%[out])\n\tmov %%r9, 40(%[out])\n\t"
		     "mov %%r10, 48(%[out])\n\tmov %%r11, 56(%[out])"
		     : "=a"(rax), [flags_in] "=&r"(flags_in), [flags_out] "=&r"(flags_out)
		     : "a"(COCO_CALL(COCO_CALL_VERSION)), [in] "r"(in), [out] "r"(out)
		     : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc", "memory");
	check_eq("version_is_the_header_s", rax, COCO_ABI_VERSION);
	check("registers_are_preserved", !memcmp(in, out, sizeof(in)));
	check_eq("flags_are_preserved", flags_out, flags_in);
}

static void arguments_are_checked(void)
{
	char buf[16] = "";

	check_eq("unknown_call_gives_enosys", machine_call(9999, 0, 0, 0), -ENOSYS);
	check_eq("put_refuses_the_machine_s_channel", machine_call(COCO_CALL_PUT, 'm', (u64)buf, 1),
		 -EPERM);
	check_eq("put_refuses_an_unknown_channel", machine_call(COCO_CALL_PUT, 'x', (u64)buf, 1),
		 -EINVAL);
	check_eq("put_of_unmapped_memory_gives_efault",
		 machine_call(COCO_CALL_PUT, 't', UNMAPPED, 1), -EFAULT);
	map_window(99, ARENA, PRIVATE_PAGE);
	check_eq("put_into_an_unmapped_page_gives_efault",
		 machine_call(COCO_CALL_PUT, 't', UNMAPPED - 4, 8), -EFAULT);
	check_eq("put_of_nothing_gives_0", machine_call(COCO_CALL_PUT, 't', (u64)buf, 0), 0);
	check_eq("get_past_the_end_gives_0", machine_call(COCO_CALL_GET, (u64)buf, 1, 100000), 0);
	check_eq("get_to_unmapped_memory_gives_efault", machine_call(COCO_CALL_GET, UNMAPPED, 1, 0),
		 -EFAULT);
	map_window(98, ARENA, READONLY_PAGE);
	check_eq("get_does_not_write_a_read_only_page",
		 machine_call(COCO_CALL_GET, WINDOW + 98 * PAGE_SIZE, 8, 0), -EFAULT);
	machine_call(COCO_CALL_GET, (u64)buf, 4, 5);
	check("get_starts_at_the_offset", !memcmp(buf, "nali", 4));	/* perso|nali|ty= */
	check_eq("call_from_user_mode_works", (run_user(call_from_user), user_result),
		 COCO_ABI_VERSION);
	check_eq("snapshot_not_asked_for_gives_enotsup", machine_call(COCO_CALL_SNAPSHOT, 0, 0, 0),
		 -ENOTSUP);
}

static void one_event(void)
{
	struct tdregs r = { .rax = 1 };		/* TDG.VP.INFO */

	if (is_tdx())
		tdcall(&r);
	else
		ghcb_msr(0x002);		/* SEV information */
}

static void events_are_kept(void)
{
	enum coco_event_kind kind = is_tdx() ? COCO_EV_TDCALL : COCO_EV_MSRPROTO;
	u64 code = is_tdx() ? 1 : 2, next, before, i;
	struct coco_event e;

	next = event_next();
	check_eq("event_to_come_gives_enoent", machine_call(COCO_CALL_EVENT, next, (u64)&e, 0),
		 -ENOENT);
	check_eq("count_of_an_unknown_kind_is_0", count(999, COCO_ANY), 0);
	if (!is_es() && !is_tdx())
		return;
	before = count(kind, code);
	one_event();
	check_eq("event_is_counted_by_code", count(kind, code), before + 1);
	check_eq("event_is_counted_under_no_other_code", count(kind, 0x7777), 0);
	check("event_is_counted_by_kind", count(kind, COCO_ANY) >= before + 1);
	check_eq("event_takes_one_number", event_next(), next + 1);
	check_eq("event_is_kept", machine_call(COCO_CALL_EVENT, next, (u64)&e, 0), 0);
	check_eq("event_has_its_number", e.seq, next);
	check_eq("event_has_its_kind", e.kind, kind);
	check_eq("event_has_its_code", e.code, code);
	for (i = 0; i < EVENT_RING; i++)
		one_event();
	check_eq("old_event_gives_estale", machine_call(COCO_CALL_EVENT, next, (u64)&e, 0),
		 -ESTALE);
	check_eq("oldest_event_is_kept", machine_call(COCO_CALL_EVENT, next + 1, (u64)&e, 0), 0);
	check_eq("old_events_stay_counted", count(kind, code), before + 1 + EVENT_RING);
}

static s64 add_rule(u16 kind, u16 action, u32 mask, u64 info1, u64 info1_mask)
{
	struct coco_rule rule = { .kind = kind,
				  .action = action,
				  .reply_mask = mask,
				  .code = 0xdead,
				  .info1 = info1,
				  .info1_mask = info1_mask };

	return machine_call(COCO_CALL_RULE_ADD, (u64)&rule, 0, 0);
}

static void rules_are_checked(void)
{
	s64 first, i, r;

	check_eq("rule_of_an_unknown_kind_gives_einval", add_rule(99, COCO_REPLY, 1, 0, 0),
		 -EINVAL);
	check_eq("rule_for_breaches_gives_einval", add_rule(COCO_EV_BREACH, COCO_REPLY, 1, 0, 0),
		 -EINVAL);
	check_eq("silence_but_for_ghcb_gives_einval",
		 add_rule(COCO_EV_TDCALL, COCO_SILENT, 0, 0, 0), -EINVAL);
	check_eq("reply_to_an_exception_gives_einval", add_rule(COCO_EV_VC, COCO_REPLY, 1, 0, 0),
		 -EINVAL);
	check_eq("code_but_for_exceptions_gives_einval", add_rule(COCO_EV_GHCB, COCO_CODE, 1, 0, 0),
		 -EINVAL);
	check_eq("seventh_reply_word_gives_einval", add_rule(COCO_EV_GHCB, COCO_REPLY, 0x40, 0, 0),
		 -EINVAL);
	check_eq("second_reply_word_of_an_msr_gives_einval",
		 add_rule(COCO_EV_MSRPROTO, COCO_REPLY, 2, 0, 0), -EINVAL);
	check_eq("rule_that_cannot_match_gives_einval", add_rule(COCO_EV_GHCB, COCO_REPLY, 1, 3, 1),
		 -EINVAL);
	first = add_rule(COCO_EV_GHCB, COCO_REPLY, 1, 0, 0);
	check("rule_gets_an_id", first > 0);
	check_eq("rule_starts_without_hits", machine_call(COCO_CALL_RULE_HITS, first, 0, 0), 0);
	for (i = 1; (r = add_rule(COCO_EV_GHCB, COCO_REPLY, 1, 0, 0)) > 0; i++)
		;
	check_eq("too_many_rules_give_enospc", r, -ENOSPC);
	check("at_least_sixteen_rules_fit", i >= 16);
	check_eq("rules_are_deleted", machine_call(COCO_CALL_RULE_DEL, 0, 0, 0), 0);
	check("deleted_id_is_not_used_again", add_rule(COCO_EV_GHCB, COCO_REPLY, 1, 0, 0) > first);
	check_eq("deleting_an_absent_rule_is_no_error",
		 machine_call(COCO_CALL_RULE_DEL, first, 0, 0), 0);
	machine_call(COCO_CALL_RULE_DEL, 0, 0, 0);
}

static void expectations_are_checked(void)
{
	check_eq("unknown_breach_gives_einval", machine_call(COCO_CALL_EXPECT_BREACH, 99, 1, 0),
		 -EINVAL);
	check_eq("breach_is_expected",
		 machine_call(COCO_CALL_EXPECT_BREACH, COCO_BREACH_FIELD, 2, 0), 0);
	check_eq("breaches_that_never_came_are_told",
		 machine_call(COCO_CALL_EXPECT_BREACH, COCO_BREACH_FIELD, 0, 0), 2);
	check_eq("unknown_end_gives_einval", machine_call(COCO_CALL_EXPECT, 99, 0, 0), -EINVAL);
	check_eq("end_is_expected", machine_call(COCO_CALL_EXPECT, COCO_END_RESET, 0, 0), 0);
	check_eq("expected_ends_are_forgotten", machine_call(COCO_CALL_EXPECT, 0, 0, 0), 0);
}

static void memory_is_translated(void)
{
	u64 is_private = personality == COCO_NONE ? 0 : COCO_GPA_PRIVATE;

	check_eq("translate_names_the_private_view",
		 machine_call(COCO_CALL_TRANSLATE, ARENA + 0x123, 0, 0), ARENA | is_private);
	map_window(1, ARENA, SHARED_PAGE);
	check_eq("translate_names_the_shared_view",
		 machine_call(COCO_CALL_TRANSLATE, WINDOW + PAGE_SIZE, 0, 0), ARENA);
	map_window(1, 0, NO_PAGE);
	check_eq("translate_of_unmapped_memory_gives_efault",
		 machine_call(COCO_CALL_TRANSLATE, UNMAPPED, 0, 0), -EFAULT);
	check_eq("translate_of_a_large_page",
		 machine_call(COCO_CALL_TRANSLATE, ARENA_2M + 0x5123, 0, 0),
		 (ARENA_2M + 0x5000) | is_private);
}

static void injections_are_checked(void)
{
	struct coco_inject i = { .type = 99 };

	check_eq("unknown_injection_gives_einval", machine_call(COCO_CALL_INJECT, (u64)&i, 0, 0),
		 -EINVAL);
	i = (struct coco_inject){ .type = COCO_INJECT_NMI, .cpu = 7 };
	check_eq("injection_into_no_cpu_gives_einval",
		 machine_call(COCO_CALL_INJECT, (u64)&i, 0, 0), -EINVAL);
	i = (struct coco_inject){ .type = COCO_INJECT_INTR, .vector = 256 };
	check_eq("vector_256_gives_einval", machine_call(COCO_CALL_INJECT, (u64)&i, 0, 0), -EINVAL);
	i = (struct coco_inject){ .type = is_tdx() ? COCO_INJECT_VC : COCO_INJECT_VE };
	check_eq("other_technology_s_exception_gives_einval",
		 machine_call(COCO_CALL_INJECT, (u64)&i, 0, 0), -EINVAL);
}

static void time_jumps(void)
{
	u64 a = rdtsc(), b, c, once, twice;

	machine_call(COCO_CALL_WARP, 1000 * SECOND, 0, 0);
	b = rdtsc();
	machine_call(COCO_CALL_WARP, 2000 * SECOND, 0, 0);
	c = rdtsc();
	once = b - a;
	twice = c - b;
	check("warp_moves_the_tsc", once > 1000 * 100000000ull);
	check("warp_is_in_proportion",
	      twice / 2 > once - once / 100 && twice / 2 < once + once / 100);
}

/* The payload is what this machine booted, and it has no initramfs */
static void boot_files_are_given_again(void)
{
	static u8 bytes[64];
	s64 size = 0, n;

	check_eq("kernel_is_read", machine_call(COCO_CALL_KERNEL, (u64)bytes, sizeof(bytes), 0),
		 sizeof(bytes));
	check("kernel_has_its_first_bytes", !memcmp(bytes, (void *)PAYLOAD, sizeof(bytes)));
	machine_call(COCO_CALL_KERNEL, (u64)bytes, sizeof(bytes), 128);
	check("kernel_is_read_from_an_offset", !memcmp(bytes, (void *)(PAYLOAD + 128), sizeof(bytes)));
	while ((n = machine_call(COCO_CALL_KERNEL, (u64)bytes, sizeof(bytes), size)) > 0)
		size += n;
	check("kernel_has_an_end", !n && (u64)size > PAGE_SIZE);
	check_eq("kernel_to_unmapped_memory_gives_efault",
		 machine_call(COCO_CALL_KERNEL, UNMAPPED, 1, 0), -EFAULT);
	check_eq("missing_initramfs_gives_enoent",
		 machine_call(COCO_CALL_INITRAMFS, (u64)bytes, 1, 0), -ENOENT);
}

static void pages_are_found_by_their_state(void)
{
	u64 all = COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED | COCO_PAGE_2M | COCO_PAGE_BLOCKED;
	u64 state = page_state(ARENA);

	check_eq("page_find_finds_the_page_itself",
		 machine_call(COCO_CALL_PAGE_FIND, ARENA + 0x123, all, state), ARENA);
	check_eq("page_find_finds_no_state_that_no_page_has",
		 machine_call(COCO_CALL_PAGE_FIND, 0, COCO_PAGE_BLOCKED, COCO_PAGE_BLOCKED), -ENOENT);
	check_eq("page_find_beyond_ram_gives_enoent",
		 machine_call(COCO_CALL_PAGE_FIND, 1ull << 40, 0, 0), -ENOENT);
	if (machine_call(COCO_CALL_PAGE_SET, ARENA + 5 * PAGE_SIZE, COCO_PAGE_BLOCKED, 0))
		return;			/* this technology has no page states */
	check_eq("page_find_finds_the_page_that_differs",
		 machine_call(COCO_CALL_PAGE_FIND, ARENA, COCO_PAGE_BLOCKED, COCO_PAGE_BLOCKED),
		 ARENA + 5 * PAGE_SIZE);
	machine_call(COCO_CALL_PAGE_SET, ARENA + 5 * PAGE_SIZE, state, 0);
}

void payload(void)
{
	cpuid_shows_the_signature();
	registers_are_preserved();
	arguments_are_checked();
	events_are_kept();
	rules_are_checked();
	expectations_are_checked();
	memory_is_translated();
	injections_are_checked();
	boot_files_are_given_again();
	pages_are_found_by_their_state();
	time_jumps();
}
