# SPDX-License-Identifier: GPL-2.0
"""Results, held against what is written down: findings, the exit code, and words for it."""

import datetime
from dataclasses import replace
from typing import Any

import pytest
from conftest import expectations, suite

from coco import errors, expect, plan, verdict
from coco.model import CaseResult

TODAY = datetime.date(2026, 11, 1)
ALPHA = suite("alpha", ["one", "two"])
KNOWN = expect.Known("alpha.one", ("assertion",), "commit 0123456789ab", datetime.date(2027, 1, 1))


def context(*known: expect.Known, must_run: tuple[str, ...] = ("alpha.one",)) -> verdict.Context:
    written = replace(expectations(ALPHA), baseline=known)
    work = plan.Plan(must_run=set(must_run))
    return verdict.Context(written, work, "sev", (6, 12, 117), TODAY)


def judged(
    status: str,
    *known: expect.Known,
    case: str = "one",
    must_run: tuple[str, ...] = ("alpha.one",),
    cause: str = "assertion",
) -> tuple[str, str]:
    result = CaseResult("alpha", case, status, cause)
    found = verdict.judge_one(result, context(*known, must_run=must_run))
    return found.verdict, found.note


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("pass", verdict.OK),
        ("fail", verdict.FINDING),
        ("skip", verdict.FINDING),
        ("miss", verdict.FINDING),
        ("error", verdict.ERROR),
    ],
)
def test_case_that_must_run_must_pass(status: str, word: str) -> None:
    assert judged(status)[0] == word


def test_skip_of_what_the_kernel_lacks_is_fine() -> None:
    assert judged("skip", must_run=()) == (verdict.OK, "")


def test_missing_case_is_a_finding_even_where_it_could_skip() -> None:
    assert judged("miss", must_run=())[0] == verdict.FINDING


def test_case_that_nobody_wrote_down_is_a_finding() -> None:
    assert judged("pass", case="three") == (verdict.FINDING, verdict.UNLISTED)
    assert judged("pass", case="one.parameter")[0] == verdict.OK


def test_known_failure_is_known() -> None:
    assert judged("fail", KNOWN) == (verdict.KNOWN, "until 2027-01-01")
    assert judged("fail", KNOWN, case="one.byte")[0] == verdict.KNOWN


def test_known_failure_that_fails_otherwise_is_a_finding() -> None:
    assert judged("miss", KNOWN) == (verdict.FINDING, "")
    note = "the baseline lists it, but as assertion"
    assert judged("fail", KNOWN, cause="oops") == (verdict.FINDING, note)
    either = replace(KNOWN, causes=("oops", "hang"))
    assert judged("fail", either, cause="hang")[0] == verdict.KNOWN
    assert judged("fail", either)[1] == "the baseline lists it, but as oops or hang"


def test_known_failure_that_says_something_else_is_a_finding() -> None:
    known = replace(KNOWN, causes=("oops", "splat"), shows="address: 0+390$|WARNING: at x[+]")
    told = context(known)
    result = CaseResult("alpha", "one", "fail", "oops", "BUG: NULL pointer, address: 00000390")
    assert verdict.judge_one(result, told).verdict == verdict.KNOWN
    other = replace(result, message="BUG: NULL pointer, address: 00000008")
    found = verdict.judge_one(other, told)
    assert found.verdict == verdict.FINDING
    assert found.note == f"the baseline lists it, but with: {known.shows}"
    assert verdict.judge_one(replace(other, splats=[WARNING]), told).verdict == verdict.KNOWN
    assert verdict.judge_one(replace(other, splats=[OTHER]), told).verdict == verdict.FINDING
    said = replace(other, diagnostics=["x", "address: 00000390"])
    assert verdict.judge_one(said, told).verdict == verdict.KNOWN


def test_unexpected_pass_is_a_finding() -> None:
    word, note = judged("pass", KNOWN)
    assert word == verdict.FINDING and "remove the entry" in note


def test_expired_entry_is_a_finding() -> None:
    word, note = judged("fail", replace(KNOWN, expires=datetime.date(2026, 10, 31)))
    assert word == verdict.FINDING and "expired" in note
    assert judged("fail", replace(KNOWN, expires=TODAY))[0] == verdict.KNOWN, "its last day"


def test_other_personality_is_not_covered() -> None:
    known = replace(KNOWN, personalities=("tdx",))
    assert judged("fail", known)[0] == verdict.FINDING


WARNING, OTHER = (f"warning: WARNING: at {name}+0x1/0x2" for name in ("x", "y"))
MSR = "msr: unchecked MSR access"
BREACH = "breach kind=psc : page is private"


@pytest.mark.parametrize(
    ("cause", "splats", "told"),
    [
        ("splat", [WARNING], "pass"),
        ("splat", [MSR, WARNING], "pass"),
        ("splat", [WARNING, OTHER], "fail splat"),
        ("hang", ["lockup: BUG: soft lockup"], "fail hang"),
        ("splat", [WARNING, "bug: BUG: x"], "fail splat"),
        ("oops", [WARNING, "oops: Oops: x", BREACH], "fail oops"),
        ("splat", [WARNING, BREACH], "fail breach"),
        ("hang", [], "fail hang"),  # the host stopped it
        ("assertion", [WARNING], "fail assertion"),
        ("panic", [WARNING], "fail panic"),
    ],
)
def test_case_may_cause_the_splats_that_it_tolerates(
    cause: str, splats: list[str], told: str
) -> None:
    written = expectations(suite("alpha", ["one"], tolerates=("warning in z|x", "msr")))
    here = replace(context(), expectations=written)
    result = CaseResult("alpha", "one", "fail", cause, "own", splats=splats)
    result = verdict.tolerate(result, here)
    assert f"{result.status} {result.cause}".strip() == told
    assert result.message == {"pass": "", "fail breach": BREACH[7:]}.get(told, "own")


@pytest.mark.parametrize("cause", ["splat", "oops", "hang"])
def test_case_that_ended_the_guest_or_its_program_is_not_excused_by_a_splat(cause: str) -> None:
    written = expectations(suite("alpha", ["one"], tolerates=("warning in x",)))
    result = CaseResult("alpha", "one", "fail", cause, "own", splats=[WARNING], ended=True)
    told = verdict.judge([result], replace(context(), expectations=written))[0]
    assert (told.verdict, told.result.status, told.result.cause) == ("finding", "fail", cause)


def test_case_that_tolerates_nothing_or_has_nothing_to_tolerate_stays_as_it_is() -> None:
    for case, status in [("one", "fail"), ("three", "fail"), ("one", "skip")]:
        result = CaseResult("alpha", case, status, "splat", splats=[WARNING])
        assert verdict.tolerate(result, context()).status == status
    written = expectations(suite("alpha", ["one"], tolerates=("warning in x",)))
    skipped = CaseResult("alpha", "one", "skip", "splat", splats=[WARNING])
    assert verdict.tolerate(skipped, replace(context(), expectations=written)).status == "skip"


def test_every_result_is_judged_after_its_splats_were() -> None:
    written = expectations(suite("alpha", ["one"], tolerates=("warning in x",)))
    result = CaseResult("alpha", "one", "fail", "splat", splats=[WARNING])
    judged_ones = verdict.judge([result], replace(context(), expectations=written))
    assert [one.verdict for one in judged_ones] == [verdict.OK]


# ---- all of them together


@pytest.mark.parametrize(
    ("verdicts", "broken", "ran", "code"),
    [
        (["ok", "known"], False, True, 0),
        (["ok", "finding"], False, True, 1),
        (["ok", "error"], False, True, 3),
        (["ok"], True, True, 3),
        (["finding", "error"], True, True, 1),
        ([], False, False, 77),
    ],
)
def test_exit_code(verdicts: list[str], broken: bool, ran: bool, code: int) -> None:
    assert verdict.exit_code(verdicts, broken, ran) == code


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("missing-plan", "finding"),
        ("hang", "finding"),
        ("unmodelled", "error"),
        ("qemu-abort", "error"),
    ],
)
def test_problem_that_says_nothing_of_the_kernel_is_an_error(kind: str, word: str) -> None:
    assert verdict.of_problem(kind) == word


def run(
    name: str, summary: dict[str, int], state: str = "done", problems: tuple[str, ...] = ()
) -> Any:
    """A run's record, as far as the sentence looks at it."""
    records = [
        {"suite": f"s{n}", "kind": kind, "verdict": verdict.of_problem(kind)}
        for n, kind in enumerate(problems)
    ]
    return {"name": name, "state": state, "problems": records, "summary": summary}


NONE, SEV = run("none", {"pass": 2, "skip": 1}), run("sev", {"pass": 3, "known": 4})
RED = run("tdx", {"finding": 1, "pass": 1}, problems=("panic", "not-built"))


@pytest.mark.parametrize(
    ("code", "runs", "word", "text"),
    [
        (errors.OK, [NONE], "OK", "2 passed, 1 skipped, all as expected in none"),
        (
            errors.OK,
            [NONE, SEV],
            "OK",
            "5 passed, 1 skipped, all as expected in none, sev; 4 known findings",
        ),
        (
            errors.OK,
            [run("tdx", {"pass": 2, "known": 1})],
            "OK",
            "2 passed, 0 skipped, all as expected in tdx; 1 known finding",
        ),
        (errors.FINDING, [NONE, RED], "FINDINGS", "2 findings, 3 passed"),
        (errors.FINDING, [run("sev", {"finding": 1})], "FINDINGS", "1 finding, 0 passed"),
        (errors.INTERRUPTED, [NONE], "INTERRUPTED", "2 passed so far; not complete"),
        (errors.NOTHING_APPLICABLE, [], "NOTHING APPLICABLE", "no case applied to this kernel"),
        (
            errors.INFRASTRUCTURE,
            [
                NONE,
                run("sev", {"unjudged": 2}, "broken", ("not-built",)),
                run("tdx", {}, "waiting"),
            ],
            "COULD NOT RUN",
            "2 runs could not run, 2 cases could not be judged, s0 could not be built",
        ),
        (
            errors.INFRASTRUCTURE,
            [
                run("sev", {}, problems=("not-built", "not-built")),
                run("tdx", {}, problems=("not-built",)),
            ],
            "COULD NOT RUN",
            "s0, s1 could not be built",
        ),
        (
            errors.INFRASTRUCTURE,
            [run("sev", {"unjudged": 1}, "broken")],
            "COULD NOT RUN",
            "1 run could not run, 1 case could not be judged",
        ),
        (
            errors.INFRASTRUCTURE,
            [run("sev", {}, problems=("internal",))],
            "COULD NOT RUN",
            "a suite's end could not be judged",
        ),
    ],
)
def test_verdict_in_words(code: int, runs: list[Any], word: str, text: str) -> None:
    assert verdict.sentence(code, runs) == {"word": word, "text": text}
