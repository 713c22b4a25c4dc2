# SPDX-License-Identifier: GPL-2.0
"""TDX: ways to break it."""

from mutations.mutation import Mutation

MUTATIONS = [
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
        "data_beyond_a_write_is_not_seen",
        "ghci_check.c",
        "!sign_extended(data, size)",
        "false",
        "tdvmcall.tdx",
        "mmio_write_of_more_than_its_bytes_is_dirty",
    ),
    Mutation(
        "firmware_sets_a_td_s_mtrrs",
        "tdx_msr.c",
        "wrmsr(MSR_MTRR_DEF_TYPE, 0);",
        "",
        "tdvmcall.tdx",
        "mtrrs_are_as_after_reset",
    ),
    Mutation(
        "reserved_inputs_pass",
        "ghci_check.c",
        'reserved(v, call, R12, "leaf");',
        "return;",
        "tdvmcall.tdx",
        "reserved_input_is_a_breach",
    ),
    Mutation(
        "event_vector_may_be_an_exception_s",
        "ghci.c",
        "call->in[R12] < 32 || ",
        "",
        "tdvmcall.tdx",
        "vector_of_an_exception_is_refused",
    ),
    Mutation(
        "devices_reach_over_the_end_of_a_page",
        "io.c",
        "if ((gpa & ~PAGE_MASK) + size > PAGE_SIZE)",
        "if (!size)",
        "tdvmcall.tdx",
        "mmio_over_4g_reads_ones",
    ),
    Mutation(
        "what_is_no_ram_is_shared_piece_by_piece",
        "mapgpa.c",
        "pages = (min(limit, next_ram(at)) - at) / PAGE_SIZE;",
        "pages = PAGES_IN_2M;",
        "tdvmcall.tdx",
        "as_one_event",
    ),
]
