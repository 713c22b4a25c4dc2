# SPDX-License-Identifier: GPL-2.0
"""The verdicts of proofs, from made-up results of two sides."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from documents import problem
from fixes import FIX

from coco.catalogue.fix import Flip
from coco.prove import verdicts
from coco.prove.verdicts import Judgement

FLIPS = (Flip("alpha.leaks", "fail", ("tdx",), "the host sees it"),)
A_FIX = replace(FIX, id="a-fix", technologies=("tdx",), cases=FLIPS)
GOOD = {"boot.reaches_init": "pass", "alpha.leaks": "pass", "alpha.other": "pass"}


def case(name: str, how: str) -> dict[str, Any]:
    """A case of "status" or "status cause"."""
    status, _, cause = how.partition(" ")
    if status == "fail" and not cause:
        cause = "assertion"
    return {
        "id": name,
        "status": status,
        "cause": cause,
        "message": f"{status} {cause}".strip(),
        "expected": "a == b" if cause == "assertion" else "",
        "got": "a == 7" if cause == "assertion" else "",
        "diagnostics": [],
        "events": [],
        "splats": [],
    }


def side(cases: Mapping[str, str], **run: Any) -> dict[str, Any]:
    """The results of one run in a TDX guest."""
    record = {
        "name": "tdx",
        "personality": "tdx",
        "vcpus": 1,
        "state": "done",
        "reason": "",
        "cases": [case(name, how) for name, how in cases.items()],
        "problems": [],
        **run,
    }
    return {"runs": [record]}


def judge(changed: Mapping[str, str], flips: tuple[Flip, ...] = FLIPS, **run: Any) -> Judgement:
    """The verdict when these cases change without the fix."""
    return verdicts.judge(flips, side(GOOD), side({**GOOD, **changed}, **run))


def test_proven_if_just_the_named_case_flips() -> None:
    judged = judge({"alpha.leaks": "fail"})
    assert judged.verdict == verdicts.PROVEN
    assert [(one.id, one.why) for one in judged.flips] == [("alpha.leaks", "the host sees it")]
    assert [one.id for one in judged.control] == ["boot.reaches_init", "alpha.other"]


@pytest.mark.parametrize(("how", "word"), [("oops", "PROVEN"), ("panic", "NOT PROVEN")])
def test_case_may_fail_in_one_way_or_another(how: str, word: str) -> None:
    flips = (Flip("alpha.leaks", "fail", ("tdx",), "", "assertion or oops"),)
    assert judge({"alpha.leaks": "fail"}, flips).verdict == verdicts.PROVEN
    assert judge({"alpha.leaks": f"fail {how}"}, flips).verdict == word


def test_case_that_ends_the_guest_speaks_for_its_parameters() -> None:
    """The log does not say which of them ran: the case is blamed as a whole."""
    flips = (Flip("alpha.ends", "fail", ("tdx",), "it ends", "oops"),)
    good = {**GOOD, "alpha.ends.one": "pass", "alpha.ends.two": "pass"}
    judged = verdicts.judge(flips, side(good), side({**GOOD, "alpha.ends": "fail oops"}))
    assert (judged.verdict, len(judged.flips), judged.others) == (verdicts.PROVEN, 2, [])
    missed = {**GOOD, "alpha.ends": "fail oops", "alpha.ends.one": "miss"}
    judged = verdicts.judge(flips, side(good), side(missed))
    assert (judged.verdict, len(judged.flips), judged.others) == (verdicts.PROVEN, 2, [])
    judged = verdicts.judge(flips, side(good), side({**GOOD, "alpha.ends": "fail panic"}))
    assert judged.verdict == verdicts.NOT_PROVEN
    without = side({**GOOD, "alpha.ends": "fail panic"})
    for record in without["runs"][0]["cases"]:
        record["message"] = "Kernel panic - not syncing: Fatal exception in interrupt"
    assert verdicts.judge(flips, side(good), without).verdict == verdicts.PROVEN
    judged = verdicts.judge(flips, side(good), side({**good, "alpha.ends.one": "pass"}))
    assert judged.verdict == verdicts.NOT_PROVEN


@pytest.mark.parametrize(
    ("changed", "verdict", "why"),
    [
        ({}, verdicts.NOT_PROVEN, "passes on both sides: alpha.leaks [tdx]"),
        ({"alpha.leaks": "fail panic"}, verdicts.NOT_PROVEN, "expected assertion, got panic"),
        ({"alpha.leaks": "skip"}, verdicts.NOT_PROVEN, "but: skip"),
        (
            {"alpha.leaks": "error disk-full"},
            verdicts.UNKNOWN,
            "alpha.leaks [tdx] could not be judged: error disk-full",
        ),
        ({"alpha.leaks": "miss"}, verdicts.NOT_PROVEN, "it did not run"),
        ({"alpha.other": "fail"}, verdicts.NOT_PROVEN, "passes on both sides"),
        (
            {"alpha.leaks": "fail", "alpha.other": "fail"},
            verdicts.PARTIAL,
            "others that nobody named: alpha.other [tdx]",
        ),
        (
            {"alpha.leaks": "fail", "alpha.other": "skip"},
            verdicts.PARTIAL,
            "others that nobody named: alpha.other [tdx]",
        ),
        (
            {"alpha.leaks": "fail", "beta.new": "fail"},
            verdicts.PARTIAL,
            "others that nobody named: beta.new [tdx]",
        ),
        (
            {"alpha.leaks": "fail", "boot.reaches_init": "fail hang"},
            verdicts.UNKNOWN,
            "does not boot in tdx",
        ),
        (
            {"alpha.leaks": "miss", "boot.reaches_init": "error disk-full"},
            verdicts.UNKNOWN,
            "boot.reaches_init [tdx] could not be judged: error disk-full",
        ),
        (
            {"alpha.leaks": "fail", "alpha.other": "error truncated"},
            verdicts.UNKNOWN,
            "alpha.other [tdx] could not be judged: error truncated",
        ),
    ],
)
def test_not_proven_otherwise(changed: dict[str, str], verdict: str, why: str) -> None:
    judged = judge(changed)
    assert judged.verdict == verdict
    assert why in judged.why


def test_a_change_that_was_foreseen_is_none_of_the_others() -> None:
    after = side({**GOOD, "alpha.leaks": "fail", "alpha.other": "fail"})
    judged = verdicts.judge(FLIPS, side(GOOD), after, replace(A_FIX, also=("alpha.other",)))
    assert judged.verdict == verdicts.PROVEN
    assert [one.id for one in judged.also] == ["alpha.other"]


@pytest.mark.parametrize(
    ("how", "verdict"),
    [
        ("fail splat", verdicts.PROVEN),
        ("fail breach", verdicts.PARTIAL),
        ("fail assertion", verdicts.PARTIAL),
    ],
)
def test_so_is_a_splat_that_comes_in_any_case_without_the_fix(how: str, verdict: str) -> None:
    after = side({**GOOD, "alpha.leaks": "fail", "alpha.other": how})
    known = replace(A_FIX, anywhere="^fail (splat|assertion)$")
    assert verdicts.judge(FLIPS, side(GOOD), after, known).verdict == verdict


def test_a_case_that_is_gone_without_the_fix_is_a_change() -> None:
    after = {name: how for name, how in GOOD.items() if name != "alpha.other"}
    judged = verdicts.judge(FLIPS, side(GOOD), side({**after, "alpha.leaks": "fail"}))
    assert judged.verdict == verdicts.PARTIAL
    assert [one.id for one in judged.others] == ["alpha.other"]


def test_a_case_that_passes_only_without_the_fix_is_a_change() -> None:
    before = {**GOOD, "alpha.other": "fail"}
    judged = verdicts.judge(FLIPS, side(before), side({**GOOD, "alpha.leaks": "fail"}))
    assert judged.verdict == verdicts.PARTIAL


def test_a_case_that_is_there_only_without_the_fix_and_passes_is_none() -> None:
    assert judge({"alpha.leaks": "fail", "beta.new": "pass"}).verdict == verdicts.PROVEN


@pytest.mark.parametrize("others", [{}, {"alpha.other": "skip"}])
def test_no_proof_without_a_control(others: dict[str, str]) -> None:
    before = side({"alpha.leaks": "pass", **others})
    judged = verdicts.judge(FLIPS, before, side({"alpha.leaks": "fail", **others}))
    assert (judged.verdict, judged.why) == (
        verdicts.UNKNOWN,
        "no control case passes on both sides",
    )


def test_a_side_that_did_not_run_to_its_end_is_told_apart() -> None:
    judged = judge({"alpha.leaks": "fail"}, state="broken", reason="no disk")
    assert judged.verdict == verdicts.UNKNOWN
    assert "no disk" in judged.why


def test_a_new_problem_of_a_suite_is_a_change() -> None:
    new = problem("alpha", "oops", "after the last case")
    judged = judge({"alpha.leaks": "fail"}, problems=[new])
    assert judged.verdict == verdicts.PARTIAL
    assert "alpha: oops" in judged.why


def test_the_boot_may_be_what_flips_and_another_personality_the_control() -> None:
    flips = (Flip("boot.reaches_init", "fail", ("tdx",), cause="terminate"),)
    down = {
        "boot.reaches_init": "fail terminate",
        "alpha.leaks": "miss not-run",
        "alpha.other": "miss not-run",
    }
    plain = side(GOOD, name="none", personality="none")["runs"]
    before = {"runs": [*side(GOOD)["runs"], *plain]}
    judged = verdicts.judge(flips, before, {"runs": [*side(down)["runs"], *plain]})
    assert judged.verdict == verdicts.PROVEN
    assert {one.run for one in judged.control} == {"none"}


def test_the_reason_may_be_named_as_a_pattern() -> None:
    for shows, verdict in (("a == 7", verdicts.PROVEN), ("a == 8", verdicts.NOT_PROVEN)):
        flips = (Flip("alpha.leaks", "fail", ("tdx",), shows=shows),)
        assert judge({"alpha.leaks": "fail"}, flips).verdict == verdict


def test_a_name_covers_all_its_parameters_and_each_has_to_flip() -> None:
    good = {**GOOD, "alpha.leaks.byte": "pass", "alpha.leaks.word": "pass"}
    del good["alpha.leaks"]
    half = verdicts.judge(FLIPS, side(good), side({**good, "alpha.leaks.byte": "fail"}))
    assert half.verdict == verdicts.PARTIAL
    assert "1 of 2 cases flip; alpha.leaks.word [tdx] passes on both sides" in half.why
    both = {**good, "alpha.leaks.byte": "fail", "alpha.leaks.word": "fail"}
    assert verdicts.judge(FLIPS, side(good), side(both)).verdict == verdicts.PROVEN


@pytest.mark.parametrize(
    ("status", "claimed", "verdict"),
    [
        ("pass", True, verdicts.FIXED),
        ("pass", False, verdicts.FIXED),
        ("fail", True, verdicts.BROKEN),
        ("fail", False, verdicts.NOT_FIXED),
        ("error", True, verdicts.UNKNOWN),
        ("miss", True, verdicts.UNKNOWN),
        ("skip", True, verdicts.NOT_APPLICABLE),
    ],
)
def test_as_it_is(status: str, claimed: bool, verdict: str) -> None:
    document = side({**GOOD, "alpha.leaks": status})
    assert verdicts.as_it_is(FLIPS, document, claimed).verdict == verdict


def test_breach_in_a_case_that_is_not_about_one_judges_nobody() -> None:
    document = side({**GOOD, "alpha.leaks": "fail breach"})
    assert verdicts.as_it_is(FLIPS, document, claimed=True).verdict == verdicts.UNKNOWN
    flips = (Flip("alpha.leaks", "fail", ("tdx",), "", "breach"),)
    assert verdicts.as_it_is(flips, document, claimed=True).verdict == verdicts.BROKEN


def test_a_case_that_fails_otherwise_than_for_want_of_the_fix_tells_nothing() -> None:
    flips = (Flip("alpha.leaks", "fail", ("tdx",), shows="a == 8"),)
    judged = verdicts.as_it_is(flips, side({**GOOD, "alpha.leaks": "fail"}), claimed=True)
    assert judged.verdict == verdicts.UNKNOWN
    assert "a == 7" in judged.why


def test_a_suite_that_could_not_be_built_is_not_a_missing_feature() -> None:
    document = side({}, not_built={"alpha": "no headers"})
    judged = verdicts.as_it_is(FLIPS, document, claimed=True)
    assert (judged.verdict, judged.why) == (verdicts.UNKNOWN, "no headers")


def test_parts_are_proven_one_by_one() -> None:
    good, bad = Judgement(verdicts.PROVEN, "yes"), Judgement(verdicts.NOT_PROVEN, "no")
    assert verdicts.together({"": bad}) == (verdicts.NOT_PROVEN, "no")
    assert verdicts.together({"in": good, "out": good})[0] == verdicts.PROVEN
    partial = (verdicts.PARTIAL, "proven: in; out is NOT PROVEN (no)")
    assert verdicts.together({"in": good, "out": bad}) == partial
    assert verdicts.together({"in": bad, "out": bad})[0] == verdicts.NOT_PROVEN
    unknown = Judgement(verdicts.UNKNOWN, "no disk")
    assert verdicts.together({"in": unknown, "out": unknown})[0] == verdicts.UNKNOWN


# ---- witnesses that do not all say the same ----
TWO = (*FLIPS, Flip("alpha.tells", "fail", ("tdx",), "the host is told"))
THREE = (*TWO, Flip("alpha.loses", "fail", ("tdx",), "it is lost"))
BOTH = {**GOOD, "alpha.tells": "pass"}


def test_witness_that_fails_for_another_reason_makes_it_partial() -> None:
    after = {**BOTH, "alpha.leaks": "fail", "alpha.tells": "fail panic"}
    judged = verdicts.judge(TWO, side(BOTH), side(after))
    assert judged.verdict == verdicts.PARTIAL
    assert "1 of 2 cases flip; alpha.tells [tdx]: expected assertion, got panic" in judged.why


def test_every_witness_counts() -> None:
    good = {**BOTH, "alpha.loses": "pass"}
    after = {**good, "alpha.leaks": "fail", "alpha.tells": "fail panic"}
    judged = verdicts.judge(THREE, side(good), side(after))
    assert judged.verdict == verdicts.PARTIAL
    assert "1 of 3 cases flip; alpha.loses [tdx] passes on both sides" in judged.why


def test_named_case_that_is_skipped_with_the_fix_is_no_witness() -> None:
    before = {**BOTH, "alpha.tells": "skip"}
    judged = verdicts.judge(TWO, side(before), side({**before, "alpha.leaks": "fail"}))
    assert (judged.verdict, len(judged.flips)) == (verdicts.PROVEN, 1)


def test_witness_that_is_gone_without_the_fix_did_not_run() -> None:
    after = {name: how for name, how in GOOD.items() if name != "alpha.leaks"}
    judged = verdicts.judge(FLIPS, side(GOOD), side(after))
    assert judged.verdict == verdicts.NOT_PROVEN
    assert "alpha.leaks [tdx] fails without the fix, but: it did not run" in judged.why


def test_parameter_that_passed_before_another_one_ended_the_guest_has_passed() -> None:
    flips = (Flip("alpha.ends", "fail", ("tdx",), "it ends", "oops"),)
    good = {**GOOD, "alpha.ends.one": "pass", "alpha.ends.two": "pass"}
    after = {**GOOD, "alpha.ends.one": "pass", "alpha.ends": "fail oops"}
    judged = verdicts.judge(flips, side(good), side(after))
    assert judged.verdict == verdicts.PARTIAL
    assert [one.id for one in judged.held] == ["alpha.ends.one"]


def test_case_without_a_cause_may_fail_in_whatever_way() -> None:
    flips = (Flip("alpha.leaks", "fail", ("tdx",), cause=""),)
    assert judge({"alpha.leaks": "fail panic"}, flips).verdict == verdicts.PROVEN


def test_only_a_panic_tells_of_the_oops_behind_it() -> None:
    flips = (Flip("alpha.leaks", "fail", ("tdx",), cause="oops"),)
    after = side({**GOOD, "alpha.leaks": "fail hang"})
    after["runs"][0]["cases"][1]["message"] = "no sign of life after: Fatal exception"
    assert verdicts.judge(flips, side(GOOD), after).verdict == verdicts.NOT_PROVEN


def test_problem_of_both_sides_is_no_change() -> None:
    old = problem("alpha", "oops", "after the last case")
    before = side(GOOD, problems=[old])
    after = side({**GOOD, "alpha.leaks": "fail"}, problems=[old])
    assert verdicts.judge(FLIPS, before, after).verdict == verdicts.PROVEN


# ---- one side alone ----
def test_failure_of_the_named_kind_is_for_want_of_the_fix() -> None:
    flips = (Flip("alpha.leaks", "fail", ("tdx",), shows="a == 7"),)
    document = side({**GOOD, "alpha.leaks": "fail"})
    assert verdicts.as_it_is(flips, document, claimed=True).verdict == verdicts.BROKEN


def test_run_that_could_not_be_done_leaves_it_unknown() -> None:
    document = side({}, state="broken", reason="no disk")
    judged = verdicts.as_it_is(FLIPS, document, claimed=True)
    assert (judged.verdict, judged.why) == (verdicts.UNKNOWN, "tdx could not run: no disk")


@pytest.mark.parametrize(
    ("cases", "told", "why"),
    [
        ({"alpha.leaks": "skip"}, {}, "every case was skipped: skip"),
        ({}, {"alpha.leaks": "needs it"}, "every case was skipped: needs it"),
        ({}, {"alpha": "needs it", "beta": "needs that"}, "every case was skipped: needs it"),
        ({}, {"beta": "needs that"}, "the kernel has no code for the technologies of its cases"),
    ],
)
def test_reason_why_no_witness_spoke(cases: dict[str, str], told: dict[str, str], why: str) -> None:
    judged = verdicts.as_it_is(FLIPS, side(cases, not_applicable=told), claimed=True)
    assert (judged.verdict, judged.why) == (verdicts.NOT_APPLICABLE, why)


# ---- in words ----
def test_part_that_is_partial_makes_the_whole_so() -> None:
    half, none = Judgement(verdicts.PARTIAL, "half"), Judgement(verdicts.NOT_PROVEN, "no")
    verdict, why = verdicts.together({"in": half, "out": none})
    assert verdict == verdicts.PARTIAL
    assert "proven: no part as a whole; in is PARTIAL (half); out is NOT PROVEN (no)" in why


def test_many_names_are_counted_and_not_told() -> None:
    names = [verdicts.Change("tdx", f"alpha.{number}", {}, None) for number in range(5)]
    assert verdicts.some(names[:3]) == "alpha.0 [tdx], alpha.1 [tdx], alpha.2 [tdx]"
    assert verdicts.some(names) == "alpha.0 [tdx], alpha.1 [tdx], alpha.2 [tdx] and 2 more"


def test_record_that_lacks_its_message_is_told_by_what_it_has() -> None:
    assert verdicts.said({"message": "", "cause": "oops", "status": "fail"}) == "oops"
    assert verdicts.said({"message": "", "cause": "", "status": "skip"}) == "skip"
    assert (
        verdicts.said({"expected": "a == b", "message": "no"}) == "expected a == b, got otherwise"
    )
