# SPDX-License-Identifier: GPL-2.0
"""What a case's own lines, the kernel's log and the machine say for and against it."""

import pytest

from coco import evidence, ktap, stream
from coco.model import CaseResult

OOPS = "k|Oops: 0000 [#1]"
WARNING = "k|WARNING: fake"
BREACH = "m|breach kind=psc : page is private"


def explained(line: str, *diagnostics: str) -> CaseResult:
    """A case with this result line and these before it."""
    test = ktap.parse([*diagnostics, line]).tests[0]
    result = CaseResult("alpha", "one", test.status)
    evidence.explain(result, test)
    return result


def added(status: str, *lines: str) -> CaseResult:
    """A case that has its result when these records are held against it."""
    result = CaseResult("alpha", "one", status, cause="own", message="own")
    evidence.add(result, [stream.parse_record(line, n) for n, line in enumerate(lines)])
    return result


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ok 1 one # SKIP no RMP here", "no RMP here"),
        ("ok 1 one # SKIP", "no reason given"),
        ("ok 1 one", ""),
    ],
)
def test_skip_says_why_and_a_pass_nothing(line: str, message: str) -> None:
    result = explained(line, "# some words")
    assert (result.message, result.cause) == (message, "")
    assert result.diagnostics == ["# some words"]


@pytest.mark.parametrize(
    ("line", "cause", "message"),
    [
        ("not ok 1 one", "assertion", "last words"),
        ("not ok 1 one # TIMEOUT 30 seconds", "timeout", "30 seconds"),
        ("not ok 1 one # ERROR x", "assertion", "x"),
    ],
)
def test_failure_without_an_expectation_is_told_by_what_there_is(
    line: str, cause: str, message: str
) -> None:
    result = explained(line, "# first words", "# last words", "no comment")
    assert (result.cause, result.message) == (cause, message)


def test_failure_without_any_word_says_so() -> None:
    assert explained("not ok 1 one").message == "no reason given"


@pytest.mark.parametrize(
    ("diagnostics", "expected", "got"),
    [
        # KUnit: values below, up to the next comment, or what does not look like one
        (["# FAILED", "Expected a == b, but", "a == 1", "b == 2"], "a == b", "a == 1; b == 2"),
        (["Expected a == b, but", "a == 1", "# b == 2"], "a == b", "a == 1"),
        (["Expected a == b, but", "a == 1", "words", "b == 2"], "a == b", "a == 1"),
        (["Expected p is not null, but", "p is null"], "p is not null", "p is null"),
        (["Expected a == b, but", "<01>  02", " 03 "], "a == b", "<01>  02"),
        (["Expected b == c", "Expected a == b, but"], "b == c", ""),
        # the harness's, and its values where they say more than the words
        (["# one.c:12: expected a (1) == b (2)"], "a == b", "a == 1; b == 2"),
        (["# one.c:12: expected a (1) == 2 (2)"], "a == 2", "a == 1"),
        (["# one.h:12:case:Expected 1 (1) <= rc (0)"], "1 <= rc", "rc == 0"),
        (["# one.c:12: expected something else"], "something else", ""),
        (["# one.c:12: expected a (1) == b (2) at last"], "a (1) == b (2) at last", ""),
        (["# words", "# one.c:12: expected a", "# one.c:13: expected b"], "a", ""),
        (["# words about one.c:12"], "", ""),
        ([], "", ""),
    ],
)  # fmt: skip
def test_expectation_is_the_first_that_failed(
    diagnostics: list[str], expected: str, got: str
) -> None:
    assert evidence.expectation(diagnostics) == (expected, got)


def test_failed_expectation_is_the_message() -> None:
    result = explained("not ok 1 one # TODO later", "# one.c:12: expected a (1) == b (2)")
    assert result.status == "skip", "a failure that is expected"
    result = explained("not ok 1 one", "# one.c:12: expected a (1) == b (2)", "# last words")
    assert (result.message, result.expected, result.got) == ("a == b", "a == b", "a == 1; b == 2")


@pytest.mark.parametrize(
    ("lines", "cause", "message"),
    [
        (["k|fine", "m|count vc 0x72 1"], "own", "own"),
        ([WARNING], "splat", "WARNING: fake"),
        ([WARNING, OOPS], "oops", "Oops: 0000 [#1]"),
        ([BREACH, "m|breach kind=x : later"], "breach", "kind=psc : page is private"),
        ([BREACH, WARNING], "splat", "WARNING: fake"),
        (["t|Oops: 0000 [#1]", "k|breach kind=psc", "m|breaches"], "own", "own"),
    ],
)
def test_case_that_passed_fails_by_what_happened_meanwhile(
    lines: list[str], cause: str, message: str
) -> None:
    result = added("pass", *lines)
    assert (result.cause, result.message) == (cause, message)
    assert result.status == ("pass" if cause == "own" else "fail")


@pytest.mark.parametrize("line", [OOPS, BREACH])
def test_case_that_failed_keeps_its_own_reason_and_the_rest_beside_it(line: str) -> None:
    result = added("fail", line)
    assert (result.status, result.cause, result.message) == ("fail", "own", "own")
    assert result.splats == (["oops: Oops: 0000 [#1]"] if line == OOPS else [])
    assert result.events == ([BREACH.removeprefix("m|")] if line == BREACH else [])


def test_breach_is_told_beside_a_splat_that_may_be_tolerated() -> None:
    assert added("pass", WARNING, BREACH).splats == ["warning: WARNING: fake", BREACH[2:]]
    assert added("pass", BREACH).splats == []
    result = added("pass", WARNING)
    evidence.add(result, [stream.parse_record(BREACH, 1)])  # after the case's result line
    assert result.splats == ["warning: WARNING: fake", BREACH[2:]]


@pytest.mark.parametrize("line", [OOPS, BREACH])
def test_skip_does_not_hide_what_happened(line: str) -> None:
    assert added("skip", line).status == "fail"


def test_last_of_the_machines_events_are_kept() -> None:
    words = ["note one", "injected two", "expected three", "count 4", "start", "note five"]
    result = added("pass", *(f"m|{word}" for word in words), "i|note six")
    assert result.events == ["note one", "injected two", "expected three", "note five"]
    more = [stream.parse_record(f"m|note {n}", n) for n in range(evidence.SHOWN_EVENTS - 1)]
    evidence.add(result, more)
    assert result.events == ["note five", *(record.text for record in more)]


def test_window_of_a_case_ends_with_its_result() -> None:
    lines = ["a", "ok 1 one", "b", "ok 2 two", "c"]
    records = [stream.parse_record(f"k|{line}", n) for n, line in enumerate(lines)]
    leaves = list(ktap.leaves(ktap.parse(lines).tests))
    cut, rest = evidence.windows(records, leaves)
    assert [[record.text for record in one] for one in cut] == [lines[:2], lines[2:4]]
    assert [record.text for record in rest] == ["c"]
    assert evidence.windows(records, []) == ([], records)
    assert evidence.windows(records[:1], leaves) == ([records[:1], []], [])


def test_time_of_a_case_is_up_to_its_last_line_and_never_below_zero() -> None:
    window = [stream.parse_record("k|x", n, when=1.0 + n) for n in range(3)]
    assert evidence.seconds(window, 0.9994) == 2.001
    assert evidence.seconds(window, 4.0) == 0.0
    assert evidence.seconds([], 1.0) == 0.0


def test_oops_and_panic_end_a_program_and_a_warning_does_not() -> None:
    for line, ends in [(OOPS, True), ("k|Kernel panic - not syncing: x", True), (WARNING, False)]:
        assert evidence.has_oops([stream.parse_record(line, 0)]) is ends
