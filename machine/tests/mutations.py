# SPDX-License-Identifier: GPL-2.0
"""Ways to break the machine, each with the check that must notice: the place in the source
(text that occurs once in the file), what to put there, and the check in a boot of run's.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    name: str
    file: str
    old: str
    new: str
    boot: str
    check: str


MUTATIONS = [
    # The control interface
    Mutation(
        "guests_may_write_the_machine_s_channel",
        "call.c",
        "if (channel == 'm')\n\t\treturn -EPERM;",
        "if (channel == 'm')\n\t\treturn 0;",
        "control.none",
        "put_refuses_the_machine_s_channel",
    ),
    Mutation(
        "machine_call_writes_read_only_pages",
        "call.c",
        "(write && !m.write) ||",
        "",
        "control.none",
        "get_does_not_write_a_read_only_page",
    ),
    Mutation(
        "event_ring_keeps_one_too_many",
        "event.c",
        "next_seq - seq > RING_SIZE",
        "next_seq - seq > RING_SIZE + 1",
        "control.tdx",
        "old_event_gives_estale",
    ),
    Mutation(
        "counters_count_twice",
        "event.c",
        "c->count++;",
        "c->count += 2;",
        "control.tdx",
        "event_is_counted_by_code",
    ),
    Mutation(
        "rules_do_not_skip",
        "rule.c",
        "slots[i].seen++ < rule->skip",
        "slots[i].seen++ < 0",
        "ghcb_msr.sev_es",
        "rule_lets_the_first_pass",
    ),
    Mutation(
        "rules_never_wear_out",
        "rule.c",
        "if (rule->count && slots[i].hits == rule->count)",
        "if (false)",
        "ghcb_msr.sev_es",
        "rule_is_used_up",
    ),
    Mutation(
        "rules_ignore_info1",
        "rule.c",
        "(event->info1 & rule->info1_mask) != rule->info1",
        "false",
        "ghcb.sev_es",
        "rule_passes_another_port",
    ),
    Mutation(
        "expected_breaches_count",
        "breach.c",
        "expected[what]--;",
        "expected[what]--, unexpected++;",
        "ghcb.sev_es",
        "cpuid_without_rax_is_a_breach",
    ),
    Mutation(
        "any_value_ends_as_expected",
        "breach.c",
        "(value & ends[i].mask) == ends[i].value",
        "true",
        "ends.terminate_of_another_reason.sev_es",
        "ends_well",
    ),
    Mutation(
        "injections_do_not_wait",
        "inject.c",
        "i->delay--;",
        "i->delay = 0;",
        "inject.none",
        "delayed_injection_waits",
    ),
    Mutation(
        "injections_forget_the_address",
        "inject.c",
        "} else if (i->rip) {",
        "} else if (i->rip && i->vector == 99) {",
        "inject.none",
        "exception_comes_at_the_address",
    ),
    Mutation(
        "breakpoint_shows_in_dr6",
        "inject.c",
        "v->vmcb.save.dr6 = q->dr6;",
        "v->vmcb.save.dr6 = q->dr6 | 8;",
        "inject.none",
        "breakpoint_leaves_dr6_alone",
    ),
    Mutation(
        "host_writes_assigned_pages",
        "hostview.c",
        "config.tech->id == COCO_SEV_SNP || config.tech->id == COCO_TDX)\n\t\treturn -EPERM",
        "config.tech->id == COCO_TDX)\n\t\treturn -EPERM",
        "hostview.sev_snp",
        "host_write_is_refused",
    ),
    Mutation(
        "host_reads_td_private_memory",
        "hostview.c",
        "} else if (config.tech->id == COCO_TDX) {\n\t\tmemset(buf, 0, len);",
        "} else if (config.tech->id == COCO_TDX) {\n\t\tmemcpy(buf, ram_ptr(gpa, PRIVATE), len);",
        "hostview.tdx",
        "host_sees_zeros",
    ),
    Mutation(
        "time_jumps_half_as_far",
        "time.c",
        "ns / 1000000000 * hz",
        "ns / 1000000000 / 1500 * hz",
        "control.none",
        "warp_is_in_proportion",
    ),
    Mutation(
        "restored_process_does_not_know",
        "snapshot.c",
        "stream_line('m', \"resumed\");\n\treturn 1;",
        "stream_line('m', \"resumed\");\n\treturn 0;",
        "snapshot.none",
        "another_process_is_told_that_it_is_one",
    ),
    # The plain machine
    Mutation(
        "nmis_nest",
        "exception.c",
        "v->nmi_blocked = true;",
        "v->nmi_blocked = false;",
        "inject.none",
        "nmi_in_the_handler_waits_for_iret",
    ),
    Mutation(
        "paging_off_code_is_shared",
        "mem.c",
        "(paging_off ? root_paging_off : root)",
        "(paging_off ? root : root)",
        "smp.sev",
        "second_vcpu_starts",
    ),
    Mutation(
        "cmpxchg16b_is_offered",
        "cpuid.c",
        "[ECX] = BIT(3) | BIT(5) | BIT(13) |",
        "[ECX] = BIT(3) | BIT(5) |",
        "cpu.none",
        "cmpxchg16b_is_hidden",
    ),
    # SEV, SEV-ES, SEV-SNP
    Mutation(
        "vc_has_another_code",
        "sev.c",
        "raise_exception(v, X86_VC, true, code);",
        "raise_exception(v, X86_VC, true, code ^ 1);",
        "vc.sev_es",
        "cpuid_raises_vc",
    ),
    Mutation(
        "views_share_their_bytes",
        "sev.c",
        "scramble_page(ram_ptr(gpa, to), ram_ptr(gpa, to == PRIVATE ? SHARED : PRIVATE), gpa);",
        "memcpy(ram_ptr(gpa, to), ram_ptr(gpa, to == PRIVATE ? SHARED : PRIVATE), PAGE_SIZE);",
        "views.sev",
        "private_view_of_it_is_garbage",
    ),
    Mutation(
        "mmio_raises_another_code",
        "sev.c",
        "raise_vc(v, SVM_EXIT_NPF);",
        "raise_vc(v, SVM_EXIT_NPF_NOT_VALIDATED);",
        "vc.sev_es",
        "mmio_read_raises_vc",
    ),
    Mutation(
        "cpuid_needs_no_rax",
        "ghcb_check.c",
        '"CPUID", 1, false, RAX_ | RCX_,',
        '"CPUID", 1, false, RCX_,',
        "ghcb.sev_es",
        "cpuid_without_rax_is_a_breach",
    ),
    Mutation(
        "scratch_area_may_pass_the_buffer",
        "ghcb_check.c",
        "end <= buffer_end && end >= from",
        "end <= buffer_end + 64 && end >= from",
        "ghcb.sev_es",
        "scratch_over_the_buffer_s_end_is_a_breach",
    ),
    Mutation(
        "outputs_are_not_marked_valid",
        "ghcb.c",
        "bitmap_set(g, offsets[i]);",
        "(void)bitmap_set;",
        "ghcb.sev_es",
        "cpuid_marks_its_outputs_valid",
    ),
    Mutation(
        "sev_information_moves_the_c_bit",
        "ghcb_msr.c",
        "(u64)config.cbit << 24",
        "(u64)config.cbit << 25",
        "ghcb_msr.sev_es",
        "sev_information_has_the_c_bit",
    ),
    Mutation(
        "pvalidate_never_sets_carry",
        "rmp.c",
        "return 1ull << 32;",
        "return 0;",
        "snp.sev_snp",
        "validating_a_validated_page_sets_carry",
    ),
    Mutation(
        "sizes_never_mismatch",
        "rmp.c",
        "return FAIL_SIZEMISMATCH;",
        "return SUCCESS;",
        "snp.sev_snp",
        "2m_validation_of_4k_entries_is_a_size_mismatch",
    ),
    Mutation(
        "page_state_changes_keep_validation",
        "psc.c",
        "u8 flags = COCO_PAGE_PRIVATE;",
        "u8 flags = COCO_PAGE_PRIVATE | COCO_PAGE_VALIDATED;",
        "snp.sev_snp",
        "converted_page_is_not_validated",
    ),
    Mutation(
        "shared_pages_keep_their_bytes",
        "page.c",
        "memset(ram_ptr(gpa, SHARED), 0, PAGE_SIZE);",
        "memcpy(ram_ptr(gpa, SHARED), ram_ptr(gpa, PRIVATE), PAGE_SIZE);",
        "views.sev_snp",
        "conversion_to_shared_keeps_no_plaintext",
    ),
    # TDX
    Mutation(
        "ve_information_stays",
        "tdcall.c",
        "ve_info_taken(v);",
        "",
        "ve.tdx",
        "second_veinfo_get_has_none",
    ),
    Mutation(
        "second_ve_is_a_ve",
        "ve.c",
        "raise_exception(v, X86_DF, true, 0);",
        "raise_exception(v, X86_VE, false, 0);",
        "ve.tdx",
        "ve_before_veinfo_get_is_a_double_fault",
    ),
    Mutation(
        "accepted_pages_keep_their_bytes",
        "sept.c",
        "memset(ram_ptr(gpa + i * PAGE_SIZE, PRIVATE), 0, PAGE_SIZE);",
        "memset(ram_ptr(gpa + i * PAGE_SIZE, PRIVATE), 0x5a, PAGE_SIZE);",
        "tdcall.tdx",
        "accepted_page_is_zero",
    ),
    Mutation(
        "exposed_registers_survive",
        "ghci.c",
        "call->answered & BIT(r) ? call->out[r] : POISON | r",
        "call->answered & BIT(r) ? call->out[r] : call->in[r]",
        "tdvmcall.tdx",
        "exposed_registers_do_not_survive",
    ),
    Mutation(
        "reserved_inputs_pass",
        "ghci_check.c",
        'reserved(v, call, R12, "leaf");',
        "return;",
        "tdvmcall.tdx",
        "reserved_input_is_a_breach",
    ),
    # Guest requests
    Mutation(
        "rules_hide_messages_from_the_judge",
        "ghcb.c",
        "\tif (!error && (g.code == NAE_GUEST_REQUEST || g.code == NAE_EXT_GUEST_REQUEST))\n"
        "\t\tsnp_judge_request(&g);\n\trule = rule_match(event);",
        "\trule = rule_match(event);\n"
        "\tif (!error && !rule &&\n"
        "\t    (g.code == NAE_GUEST_REQUEST || g.code == NAE_EXT_GUEST_REQUEST))\n"
        "\t\tsnp_judge_request(&g);",
        "guest_request.sev_snp",
        "message_that_a_rule_answered_counts",
    ),
    Mutation(
        "one_iv_encrypts_two_messages",
        "snp_msg.c",
        "memcmp(s->digest, digest, sizeof(digest))",
        "false",
        "guest_request.sev_snp",
        "other_content_under_the_same_number_is_a_breach",
    ),
    Mutation(
        "guest_requests_have_no_tag",
        "snp_msg.c",
        "return br_gcm_check_tag(&gcm, m->header.tag);",
        "return true;",
        "guest_request.sev_snp",
        "message_with_a_wrong_tag_is_refused",
    ),
]
