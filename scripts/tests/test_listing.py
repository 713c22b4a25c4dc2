# SPDX-License-Identifier: GPL-2.0
"""coco catalogue SUITE=: which case shows what."""

from dataclasses import replace
from itertools import pairwise

import pytest

from coco import expect
from coco.catalogue import entries
from coco.catalogue.fix import same_case
from coco.errors import UsageError
from coco.selfcheck import listing

UNKNOWN = "    nothing is known to turn it red"


def lines(*suites: str) -> list[str]:
    written = expect.load(expect.EXPECTATIONS)
    return list(listing.lines(entries.load(), written, suites))


def test_case_has_the_fix_without_which_it_fails() -> None:
    found = lines("tdx_quote")
    after = found[found.index("tdx_quote.length_beyond_the_buffer_gives_no_quote") + 1]
    assert after.startswith("    without CVE-2026-31470, c3fd16c3b98e (")


def test_case_has_the_mistake_that_turns_it_red() -> None:
    found = lines("tdx_quote")
    after = found[found.index("tdx_quote.slow_service_is_waited_for") + 1]
    assert after.startswith("    with tdx-quote-no-wait: ")


def test_case_has_the_kernels_that_are_known_to_fail_it() -> None:
    found = lines("vc_ioio")
    after = found[found.index("vc_ioio.outs_without_rep_ignores_rcx") + 1]
    assert after.startswith("    fails on kernels from 5.10: ")


def test_parameter_that_a_kernel_fails_is_named() -> None:
    found = lines("vc")
    after = found[found.index("vc.in_changes_only_its_part_of_rax") + 1]
    assert after.startswith("    fails on kernels from 5.10 (byte): ")


def test_case_that_nothing_is_for_says_so() -> None:
    written = expect.load(expect.EXPECTATIONS)
    none = replace(entries.load(), fixes={})
    found = list(listing.lines(none, written, ["unaccepted"]))
    assert UNKNOWN in found


def test_every_case_is_seen_failing_by_something() -> None:
    written = expect.load(expect.EXPECTATIONS)
    found = list(listing.lines(entries.load(), written, list(written.suites)))
    nothing = [case for case, after in pairwise(found) if after == UNKNOWN]
    assert not nothing


def test_suite_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="no suite 'tdx_quotes'"):
        lines("tdx_quotes")


def test_parameters_of_a_case_are_the_cases() -> None:
    assert same_case("a.case.param", "a.case")
    assert same_case("a.case", "a.case.param")
    assert not same_case("a.case2", "a.case")
