# SPDX-License-Identifier: GPL-2.0
"""Whose result, whose splat, whose end: records of a boot and what is made of them."""

from collections.abc import Sequence

import pytest

from coco import attribute, stream
from coco.model import KUNIT, SELFTEST, CaseResult, End, Item, Outcome, Stop

ALPHA = Item("alpha", KUNIT, ("one", "two", "three"))
BETA = Item("beta", SELFTEST, ("four",))

EXIT = "m|end exit code=0"
FINISH = ["i|done", EXIT]
OOPS = "k|Oops: 0000 [#1]"
WARNING = "k|WARNING: CPU: 0 PID: 1 at kernel/fake.c:1 fake+0x0/0x10"
BREACH = "m|breach kind=psc : page is private"


def boot(
    lines: Sequence[str],
    *items: Item,
    stop: Stop = Stop(),
    console: Sequence[str] = (),
    warns: str = "",
) -> Outcome:
    """A boot's records, one second after the other."""
    records = [stream.parse_record(line, n, when=float(n)) for n, line in enumerate(lines)]
    return attribute.attribute(records, list(items), stop, list(console), 7, warns)


def kunit(*lines: str, suite: str = "alpha", plan: int = 3) -> list[str]:
    """A suite's log up to these lines, which are of its cases."""
    head = ["KTAP version 1", "1..1", "    KTAP version 1", f"    # Subtest: {suite}"]
    top = [f"k|{line}" for line in [*head, f"    1..{plan}"]]
    return [
        f"i|begin {suite}",
        *top,
        *(line if line[1:2] == "|" else f"k|    {line}" for line in lines),
    ]


PASSED = ["ok 1 one", "ok 2 two", "ok 3 three"]
CLOSED = ["k|ok 1 alpha", "i|end alpha rc=0"]
WHOLE = [*kunit(*PASSED), *CLOSED]
FOUR = ["i|begin beta", "t|KTAP version 1", "t|1..1", "t|# RUN four ...", "t|ok 1 four"]


def got(outcome: Outcome) -> dict[str, str]:
    return {one.id: f"{one.status} {one.cause}".strip() for one in outcome.results}


def problems(outcome: Outcome) -> list[tuple[str, str]]:
    return [(one.suite, one.kind) for one in outcome.problems]


def left(outcome: Outcome) -> list[tuple[str, tuple[str, ...], bool]]:
    return [(one.suite, one.cases, one.whole) for one in outcome.remaining]


def only(outcome: Outcome) -> CaseResult:
    assert len(outcome.results) == 1
    return outcome.results[0]


# ---- how the guest ended


@pytest.mark.parametrize(
    ("lines", "normal"),
    [
        (["i|ready", *FINISH], True),
        (["i|ready", "i|done", "m|end poweroff"], True),
        (["i|ready", EXIT], False),
        (["i|done", EXIT], False),
        (["i|ready", "i|done", "m|end exit code=1"], False),
        (["i|ready", "i|done", "m|end exit code=what"], False),
        (["i|ready", "i|done", "m|end reset"], False),
        (["i|ready", "i|done"], False),
    ],
)
def test_boot_is_normal_if_init_did_all_and_switched_off(lines: list[str], normal: bool) -> None:
    assert boot(lines).normal is normal


@pytest.mark.parametrize("cause", ["hang", "flood", "interrupted", "disk-full"])
def test_what_the_host_did_overrides_what_the_guest_said(cause: str) -> None:
    outcome = boot(["i|ready", *FINISH], stop=Stop(cause, "why"))
    assert outcome.end == End(cause, text="why")
    assert not outcome.normal


@pytest.mark.parametrize("cause", ["abort", "panic-pause"])
def test_how_qemu_went_counts_where_the_machine_said_nothing(cause: str) -> None:
    stop = Stop(cause, "why")
    assert boot(["i|ready"], stop=stop).end == End(cause, text="why")
    assert boot(["i|ready", "m|end reset"], stop=stop).end.word == "reset"


def test_stream_without_an_end_is_truncated() -> None:
    assert boot(["i|ready"]).end == End("truncated")
    assert boot(["i|ready", "m|end"]).end == End("truncated")


def test_end_is_as_the_machine_tells_it() -> None:
    told = "m|end terminate value=0x201 rip=0xff code=2 : reason 1 of set 2"
    assert boot([told]).end == End("terminate", 0x201, "0xff", "reason 1 of set 2", False, 2)
    assert boot(["m|end reset value=zz code=zz"]).end == End("reset", code=-1)
    assert boot(["m|end reset", "m|end fatal"]).end.word == "reset", "the first end is the end"


def test_end_is_expected_if_that_was_said_before() -> None:
    assert boot(["m|expected reset", "m|end reset"]).end.expected
    assert not boot(["m|end reset", "m|expected reset"]).end.expected


# ---- what is the boot's


def test_guest_is_ready_once_and_from_a_snapshot_too() -> None:
    outcome = boot(["m|start x", "i|ready", "i|ready", *FINISH])
    assert (outcome.ready, outcome.ready_after) == (True, 1.0)
    outcome = boot(["m|resumed", *FINISH])
    assert (outcome.ready, outcome.normal) == (True, True)


def test_guest_that_never_was_ready_leaves_all_its_work() -> None:
    outcome = boot([*WHOLE, *FINISH], ALPHA, BETA)
    assert not outcome.ready
    assert outcome.remaining == [ALPHA, BETA]
    assert (outcome.results, outcome.problems) == ([], [])


def test_exits_are_counted_by_kind() -> None:
    lines = ["m|count vc 0x72 3", "m|count exit any many", "m|count few 1", "k|count vc 0x1 2"]
    assert boot([*lines, "m|discount vc 0x2 1"]).counts == {"vc 0x72": 3, "exit any": 0}


def test_line_that_is_no_record_is_noted_but_for_the_firmwares() -> None:
    outcome = boot(["SeaBIOS", "i|ready", "i|begin alpha", "x" * 200, "i|done", "late", EXIT])
    assert outcome.notes == [f"not a record: {'x' * 120!r}", "not a record: 'late'"]
    assert len(boot(["i|ready", "i|begin alpha", *["junk"] * 30]).notes) == 20


def test_splat_before_the_first_suite_is_the_boots() -> None:
    outcome = boot(["i|ready", WARNING, WARNING, BREACH, *WHOLE, *FINISH], ALPHA)
    text = WARNING.removeprefix("k|")
    found = outcome.boot_evidence
    assert (found.cause, found.text) == ("splat", text)
    assert found.splats == (f"warning: {text}", BREACH.removeprefix("m|"))
    assert set(got(outcome).values()) == {"pass"}


def test_breach_before_the_first_suite_is_the_boots() -> None:
    found = boot([BREACH, "i|ready", *WHOLE, *FINISH], ALPHA).boot_evidence
    assert (found.cause, found.text) == ("breach", "kind=psc : page is private")
    assert boot(["k|breach of trust", "i|ready"]).boot_evidence.cause == ""


def test_serial_console_tells_of_an_early_end_only() -> None:
    console = ["x", "Kernel panic - not syncing: early"]
    assert boot([], console=console).boot_evidence.cause == "panic"
    assert boot(["i|ready", *WHOLE], console=console).boot_evidence.cause == ""


def test_function_that_may_warn_at_boot_may_do_nothing_else() -> None:
    assert boot([WARNING], warns="fake").boot_evidence.cause == ""
    assert boot([WARNING], warns="other").boot_evidence.cause == "splat"
    assert boot([WARNING, OOPS], warns="fake").boot_evidence.cause == "oops"


def test_cpus_are_those_that_the_kernel_counted() -> None:
    said = "smp: Brought up 1 node, 2 CPUs"
    assert boot([f"k|[    0.1] {said}", "k|x", *WHOLE]).boot_evidence.cpus == 2
    assert boot([f"t|{said}", "k|x"]).boot_evidence.cpus is None
    assert boot([*WHOLE, f"k|{said}"]).boot_evidence.cpus is None


@pytest.mark.parametrize(
    ("line", "kind", "text"),
    [
        (WARNING, "splat", WARNING[2:]),
        (BREACH, "breach", "kind=psc : page is private"),
        ("k|fine", "", ""),
    ],
)
def test_what_comes_after_the_last_suite_is_not_lost(line: str, kind: str, text: str) -> None:
    outcome = boot(["i|ready", *WHOLE, "i|done", line, EXIT], ALPHA)
    assert set(got(outcome).values()) == {"pass"}
    assert problems(outcome) == ([("alpha", kind)] if kind else [])
    assert [one.text for one in outcome.problems] == (
        [f"after the last suite: {text}"] * bool(kind)
    )


# ---- suites


def test_each_suite_has_its_results_and_its_time() -> None:
    outcome = boot(["i|ready", *WHOLE, *FOUR, "i|end beta rc=0", *FINISH], ALPHA, BETA)
    assert got(outcome) == dict.fromkeys(
        ["alpha.one", "alpha.two", "alpha.three", "beta.four"], "pass"
    )
    # one: from init's line on; two, three: from the result before; four: from beta's begin
    assert [one.seconds for one in outcome.results] == [6.0, 1.0, 1.0, 4.0]
    assert {one.boot for one in outcome.results} == {7}
    assert (outcome.problems, outcome.remaining) == ([], [])


def test_suite_that_nobody_asked_for_is_a_problem() -> None:
    outcome = boot(["i|ready", *WHOLE, "i|begin", *FOUR, *FINISH], BETA)
    assert problems(outcome) == [("alpha", "unasked"), ("?", "unasked")]
    assert got(outcome) == {"beta.four": "pass"}


def test_suite_that_init_passed_over_is_missing() -> None:
    outcome = boot(["i|ready", *FOUR, "i|end beta rc=0", *FINISH], ALPHA, BETA)
    assert got(outcome) == {
        **dict.fromkeys(["alpha.one", "alpha.two", "alpha.three"], "miss missing"),
        "beta.four": "pass",
    }
    assert {one.message for one in outcome.results[:3]} == {"init never began this suite"}
    assert [one.boot for one in outcome.results] == [7] * 4


def test_suites_that_init_never_came_to_are_missing_or_wait_for_another_boot() -> None:
    outcome = boot(["i|ready", *WHOLE, *FINISH], ALPHA, BETA)
    assert got(outcome)["beta.four"] == "miss missing"
    assert outcome.remaining == []
    outcome = boot(["i|ready", *WHOLE, "m|end reset"], ALPHA, BETA)
    assert "beta.four" not in got(outcome)
    assert outcome.remaining == [BETA]


@pytest.mark.parametrize(
    ("lines", "suite", "where"),
    [
        ([], "boot", "before the first suite began"),
        (WHOLE, "alpha", "after the cases of alpha"),
        ([*WHOLE, "i|done"], "alpha", "after the last suite"),
        (["i|skip alpha : no such program"], "alpha", "after the cases of alpha"),
    ],
)
def test_end_between_suites_is_a_problem_of_its_own(
    lines: list[str], suite: str, where: str
) -> None:
    outcome = boot(["i|ready", *lines, "m|end reset : gone"], ALPHA)
    assert problems(outcome) == [(suite, "reset")]
    assert outcome.problems[0].text == f"the guest ended {where}: reset: gone"


def test_suite_that_init_skipped_skips_all_its_cases() -> None:
    outcome = boot(
        ["i|ready", "i|skip alpha : no such module", "i|skip beta", *FINISH], ALPHA, BETA
    )
    assert set(got(outcome).values()) == {"skip"}
    assert [one.message for one in outcome.results] == ["no such module"] * 3 + ["?"]
    assert [one.boot for one in outcome.results] == [7] * 4


@pytest.mark.parametrize(("line", "kind"), [(OOPS, "oops"), (BREACH, "breach")])
def test_what_comes_after_a_skipped_suite_is_not_lost(line: str, kind: str) -> None:
    log = ["i|ready", "i|skip alpha : no such module", line, "i|modprobe rc=0"]
    outcome = boot([*log, *FOUR, "i|end beta rc=0", *FINISH], ALPHA, BETA)
    assert got(outcome)["beta.four"] == "pass"
    assert problems(outcome) == [("alpha", kind)]


LOADING = ["i|loading driver", OOPS, BREACH]
LOADED = [*LOADING, "i|modprobe driver rc=0", *FOUR, "i|end beta rc=0"]


@pytest.mark.parametrize("before", [[], WHOLE])
def test_what_a_driver_does_while_it_is_loaded_is_held_against_the_suite_that_wants_it(
    before: list[str],
) -> None:
    outcome = boot(["i|ready", *before, *LOADED, *FINISH], *([ALPHA] if before else []), BETA)
    assert set(got(outcome).values()) == {"pass"}
    assert outcome.boot_evidence.cause == ""
    assert problems(outcome) == [("beta", "oops")]
    assert outcome.problems[0].text == "while its drivers were loaded: Oops: 0000 [#1]"


@pytest.mark.parametrize(
    ("last", "kinds"), [(WARNING, ["splat", "reset"]), (OOPS, ["oops"]), ("k|x", ["reset"])]
)
def test_driver_that_ends_the_guest_ends_it_for_the_suite_that_wants_it(
    last: str, kinds: list[str]
) -> None:
    log = ["i|ready", *WHOLE, "i|loading driver", last, "m|end reset : gone"]
    outcome = boot(log, ALPHA, BETA, console=[last])
    assert problems(outcome) == [("beta", kind) for kind in kinds]
    assert set(got(outcome).values()) == {"pass"}
    assert left(outcome) == [("beta", ("four",), True)]
    assert boot([*log[:1], *log[-3:]], BETA, console=[OOPS[2:]]).boot_evidence.cause == ""


def test_flood_of_results_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribute, "MOST_RESULTS", 3)
    assert problems(boot(["i|ready", *WHOLE, *FINISH], ALPHA)) == []
    monkeypatch.setattr(attribute, "MOST_RESULTS", 2)
    outcome = boot(["i|ready", *WHOLE, *FINISH], ALPHA)
    assert problems(outcome) == [("alpha", "too-many")]
    assert got(outcome)["alpha.three"] == "miss missing"


def test_splat_is_the_case_whose_result_comes_next() -> None:
    log = kunit(PASSED[0], OOPS, PASSED[1], BREACH, PASSED[2])
    outcome = boot(["i|ready", *log, *CLOSED, *FINISH], ALPHA)
    assert got(outcome) == {
        "alpha.one": "pass",
        "alpha.two": "fail oops",
        "alpha.three": "fail breach",
    }


def test_splat_after_the_last_result_is_the_last_cases() -> None:
    outcome = boot(["i|ready", *kunit(*PASSED), WARNING, *CLOSED, *FINISH], ALPHA)
    assert got(outcome) == {
        "alpha.one": "pass",
        "alpha.two": "pass",
        "alpha.three": "fail splat",
    }


def test_kunit_is_read_from_the_log_and_programs_from_their_output() -> None:
    lines = [line.replace("k|", "t|") for line in WHOLE]
    assert set(got(boot(["i|ready", *lines, *FINISH], ALPHA)).values()) == {"miss missing"}
    lines = [line.replace("t|", "k|") for line in FOUR]
    assert got(boot(["i|ready", *lines, *FINISH], BETA)) == {"beta.four": "miss missing"}


def test_half_a_line_is_no_result() -> None:
    lines = ["i|ready", *kunit(*PASSED)]
    records = [stream.parse_record(line, n) for n, line in enumerate(lines)]
    records[-1] = stream.parse_record(lines[-1], len(lines) - 1, whole=False)
    outcome = attribute.attribute(records, [ALPHA], Stop(), [], 1)
    assert got(outcome)["alpha.three"] == "error truncated"


def test_case_that_was_not_selected_has_no_result() -> None:
    item = Item("alpha", KUNIT, ("two",), whole=False)
    log = kunit("ok 1 one # SKIP not selected", "ok 2 two # SKIP no reason", "not ok 3 three")
    outcome = boot(["i|ready", *log, *CLOSED, *FINISH], item)
    assert got(outcome) == {"alpha.two": "skip", "alpha.three": "fail assertion"}


@pytest.mark.parametrize(
    ("path", "kind", "case"),
    [
        (("alpha", "One Two"), KUNIT, "one_two"),
        (("alpha", "one", "p 1"), KUNIT, "one.p_1"),
        (("one.x",), SELFTEST, "one.x"),
        (("global.one",), SELFTEST, "one"),
        (("one", "..", ""), SELFTEST, "one"),
        (("alpha",), KUNIT, ""),
    ],
)
def test_name_of_a_case_is_made_of_the_logs(path: tuple[str, ...], kind: str, case: str) -> None:
    assert attribute.case_id(path, kind) == case


def test_suite_that_has_one_result_speaks_for_all_its_cases() -> None:
    for line, status in [
        ("ok 1 alpha # SKIP no RMP", "skip"),
        ("not ok 1 alpha", "fail assertion"),
    ]:
        outcome = boot(["i|ready", "i|begin alpha", "k|1..1", f"k|{line}", *FINISH], ALPHA)
        assert got(outcome) == dict.fromkeys(["alpha.one", "alpha.two", "alpha.three"], status)
    outcome = boot(["i|ready", "i|begin alpha", "k|1..1", "k|ok 1 alpha", *FINISH], ALPHA)
    assert set(got(outcome).values()) == {"miss missing"}, "a pass says nothing of its cases"


def test_parameters_of_a_case_are_results_of_their_own() -> None:
    log = kunit("ok 1 one", "    # Subtest: two", "    ok 1 a", "    not ok 2 b", "not ok 2 two")
    outcome = boot(["i|ready", *log, "k|    ok 3 three", *CLOSED, *FINISH], ALPHA)
    assert got(outcome) == {
        "alpha.one": "pass",
        "alpha.two.a": "pass",
        "alpha.two.b": "fail assertion",
        "alpha.three": "pass",
    }


# ---- cases without a result


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (kunit(*PASSED[:2]), "planned, but not in the suite's log"),
        (["i|begin alpha"], "the suite printed no result"),
        (["i|begin alpha", "i|end alpha rc=1"], "the suite did not start (rc=1)"),
        (["i|begin alpha", "i|end alpha rc=x : what"], "the suite did not start (rc=-1, what)"),
        (
            ["i|begin alpha", "k|one", "t|two ", "k| three", "m|four", "i|end alpha rc=2 : so"],
            "the suite did not start (rc=2, so); the log ends: two / three",
        ),
    ],
)
def test_case_without_a_result_is_missing_and_why(lines: list[str], why: str) -> None:
    outcome = boot(["i|ready", *lines, *FINISH], ALPHA)
    assert {one.message for one in outcome.results if one.status == "miss"} == {why}
    assert outcome.remaining == []


def test_end_line_without_a_suite_ends_nothing() -> None:
    assert boot(["i|ready", "i|end alpha rc=1", *WHOLE, *FINISH], ALPHA).problems == []


@pytest.mark.parametrize(
    ("rc", "kinds"),
    [("rc=0", []), ("rc=1", ["exit-status"]), ("rc=4", ["exit-status"]), ("", [])],
)
def test_bad_exit_status_needs_a_failed_case(rc: str, kinds: list[str]) -> None:
    log = [*kunit(*PASSED), "k|ok 1 alpha", f"i|end alpha {rc}"]
    outcome = boot(["i|ready", *log, *FINISH], ALPHA)
    assert problems(outcome) == [("alpha", kind) for kind in kinds]


@pytest.mark.parametrize(
    ("results", "rc", "kinds"),
    [
        (["ok 1 one # SKIP x", "ok 2 two # SKIP x", "ok 3 three # SKIP x"], 4, []),
        (["ok 1 one # SKIP x", "ok 2 two # SKIP x", "ok 3 three # SKIP x"], 1, ["exit-status"]),
        (["ok 1 one # SKIP x", "ok 2 two", "ok 3 three # SKIP x"], 4, ["exit-status"]),
        (["ok 1 one", "not ok 2 two", "ok 3 three"], 1, []),
        (["ok 1 one", "ok 2 two"], 1, ["missing"]),
    ],
)
def test_exit_status_is_held_against_the_results(
    results: list[str], rc: int, kinds: list[str]
) -> None:
    log = [*kunit(*results), "k|ok 1 alpha", f"i|end alpha rc={rc}"]
    outcome = boot(["i|ready", *log, *FINISH], ALPHA)
    assert problems(outcome) == [("alpha", kind) for kind in kinds]


def test_plan_must_stand_where_the_cases_are() -> None:
    """KUnit's is below the suite's line, a program's at the top."""
    log = [line for line in WHOLE if line != "k|    1..3"]
    assert problems(boot(["i|ready", *log, *FINISH], ALPHA)) == [("alpha", "missing-plan")]
    log = [line for line in WHOLE if line != "k|1..1"]
    assert problems(boot(["i|ready", *log, *FINISH], ALPHA)) == []
    log = [line for line in FOUR if line != "t|1..1"]
    assert problems(boot(["i|ready", *log, *FINISH], BETA)) == [("beta", "missing-plan")]


# ---- who ended the guest, or the program


def test_case_that_ran_ended_the_guest_and_the_rest_runs_again() -> None:
    log = kunit("ok 1 one", "# begin alpha.two")
    outcome = boot(["i|ready", *log, "m|end fatal value=0x1 : so"], ALPHA, BETA)
    assert got(outcome) == {"alpha.one": "pass", "alpha.two": "fail fatal"}
    assert left(outcome) == [("alpha", ("three",), False), ("beta", ("four",), True)]
    two = outcome.results[1]
    assert (two.message, two.boot, two.seconds) == ("fatal value=0x1: so", 7, 1.0)
    assert outcome.problems == []


def test_case_that_ran_is_the_next_where_the_log_names_none() -> None:
    outcome = boot(["i|ready", *kunit("ok 1 one"), "m|end fatal"], ALPHA)
    assert got(outcome) == {"alpha.one": "pass", "alpha.two": "fail fatal"}
    outcome = boot(["i|ready", *kunit("# begin other.four"), "m|end fatal"], ALPHA)
    assert got(outcome) == {"alpha.one": "fail fatal"}


def test_case_that_ran_may_be_a_parameter() -> None:
    log = kunit("ok 1 one", "# begin alpha.two.b", "    # Subtest: two", "    ok 1 a")
    outcome = boot(["i|ready", *log, "k|    # begin alpha.two.b", "m|end fatal"], ALPHA)
    assert got(outcome)["alpha.two.b"] == "fail fatal"
    assert [cases for _, cases, _ in left(outcome)] == [("three",)]


def test_suite_that_another_came_after_did_not_end_the_guest() -> None:
    outcome = boot(["i|ready", *kunit("ok 1 one"), *FOUR[:-1], "m|end fatal"], ALPHA, BETA)
    assert got(outcome) == {
        "alpha.one": "pass",
        "alpha.two": "miss missing",
        "alpha.three": "miss missing",
        "beta.four": "fail fatal",
    }


def test_end_after_the_last_case_is_the_suites() -> None:
    outcome = boot(["i|ready", *kunit(*PASSED), WARNING, "m|end fatal : so"], ALPHA)
    assert problems(outcome) == [("alpha", "fatal")]
    assert outcome.problems[0].text == "the guest ended after its last case: fatal: so"
    assert got(outcome)["alpha.three"] == "fail splat"


def test_panic_is_told_although_another_cpu_comes_to_the_result() -> None:
    panic = "k|Kernel panic - not syncing: x"
    for word in ("not ok", "ok"):
        said = kunit(*PASSED[:2], panic, f"{word} 3 three")
        log = ["i|ready", *said, f"k|{word} 1 alpha", "m|end reset"]
        outcome = boot(log, ALPHA)
        assert got(outcome)["alpha.three"] == "fail panic"
        assert problems(outcome) == [] and outcome.results[-1].ended
    log = ["i|ready", *kunit(*PASSED), panic, "m|end reset"]
    assert got(boot(log, ALPHA))["alpha.three"] == "fail panic"


@pytest.mark.parametrize("word", sorted(attribute.NO_VERDICT))
def test_end_that_says_nothing_of_the_kernel_is_an_error(word: str) -> None:
    log = ["i|ready", *kunit("ok 1 one", "# begin alpha.two"), f"m|end {word}"]
    cause = "qemu-abort" if word == "abort" else word
    assert got(boot(log, ALPHA))["alpha.two"] == f"error {cause}"


def test_panic_that_the_host_was_told_of_is_a_panic() -> None:
    log = ["i|ready", *kunit("ok 1 one", "# begin alpha.two")]
    outcome = boot(log, ALPHA, stop=Stop("panic-pause", "told"))
    assert got(outcome)["alpha.two"] == "fail panic"
    assert problems(boot(["i|ready"], stop=Stop("panic-pause"))) == [("boot", "panic")]


@pytest.mark.parametrize(
    ("lines", "result", "message"),
    [
        ([OOPS, "m|end reset"], "fail oops", "Oops: 0000 [#1]"),
        (["k|Kernel panic - not syncing: x", "m|end reset"], "fail panic", None),
        ([WARNING, "m|end reset : so"], "fail reset", "reset: so"),
        ([BREACH, "m|end reset : so"], "fail reset", "reset: so"),
        (["m|expected reset", "m|end reset : so"], "pass", "ended as the test expected: reset: so"),
        (["m|expected reset", OOPS, "m|end reset"], "pass", "ended as the test expected: reset"),
        (["m|expected reset", BREACH, "m|end reset"], "fail breach", "kind=psc : page is private"),
        (
            ["m|expected reset", OOPS, BREACH, "m|end reset"],
            "fail breach",
            "kind=psc : page is private",
        ),
    ],
)
def test_end_is_told_by_what_explains_it_best(
    lines: list[str], result: str, message: str | None
) -> None:
    item = Item("alpha", KUNIT, ("one",), whole=False)
    outcome = boot(["i|ready", *kunit("# begin alpha.one"), *lines], item)
    assert got(outcome) == {"alpha.one": result}
    assert message in (None, only(outcome).message)


def test_case_that_ended_the_guest_keeps_the_end_of_its_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attribute, "KEPT_LINES", 2)
    log = kunit("ok 1 one", "a", "m|b", "c", "t|d")
    outcome = boot(["i|ready", *log, "m|end fatal"], ALPHA)
    assert outcome.results[1].diagnostics == ["    c", "d"]
    assert outcome.results[1].seconds == 4.0


def program(*lines: str, end: str) -> list[str]:
    """A selftest of ALPHA's cases, with marks in the kernel's log."""
    return ["i|ready", "i|begin alpha", "t|KTAP version 1", "t|1..3", *lines, f"i|end alpha {end}"]


USER = Item("alpha", SELFTEST, ("one", "two", "three"))
ONE_DONE = ["k|coco: running one", "t|# RUN one ...", "t|ok 1 one"]


@pytest.mark.parametrize("rc", [124, 128, 139])
def test_program_that_was_killed_is_the_running_cases(rc: int) -> None:
    log = program(*ONE_DONE, "k|coco: running two", "t|# RUN two ...", end=f"rc={rc}")
    outcome = boot([*log, *FINISH], USER)
    assert got(outcome) == {"alpha.one": "pass", "alpha.two": "fail signal"}
    assert outcome.results[1].message == f"the suite ended with rc={rc} while this case ran"
    assert left(outcome) == [("alpha", ("three",), False)]
    assert outcome.problems == []


@pytest.mark.parametrize("end", ["rc=123", "rc=139 : cannot be started"])
def test_program_that_ended_by_itself_lacks_its_results(end: str) -> None:
    log = program(*ONE_DONE, "k|coco: running two", "t|# RUN two ...", end=end)
    outcome = boot([*log, *FINISH], USER)
    assert got(outcome)["alpha.two"] == got(outcome)["alpha.three"] == "miss missing"
    assert outcome.remaining == []


@pytest.mark.parametrize("second", ["ok", "not ok"])
def test_killed_program_with_all_its_results_has_a_bad_exit_status(second: str) -> None:
    """A case that fails, which may be known, does not explain it."""
    done = [*ONE_DONE, f"t|{second} 2 two", "t|ok 3 three"]
    outcome = boot([*program(*done, "t|# one: cleaning up", end="rc=139"), *FINISH], USER)
    assert len(outcome.results) == 3
    assert problems(outcome) == [("alpha", "exit-status")]


@pytest.mark.parametrize(
    ("said", "cause"),
    [(WARNING, "signal"), (OOPS, "oops"), (BREACH, "breach"), ("k|x", "signal")],
)
def test_end_of_a_program_outweighs_a_splat_that_may_be_tolerated(said: str, cause: str) -> None:
    log = program(*ONE_DONE, "k|coco: running two", "t|# RUN two ...", said, end="rc=139")
    two = boot([*log, *FINISH], USER).results[1]
    assert (two.id, two.status, two.cause, two.ended) == ("alpha.two", "fail", cause, True)


@pytest.mark.parametrize(("expected", "ended"), [([], True), (["m|expected fatal"], False)])
def test_case_that_ended_the_guest_unforeseen_is_marked(expected: list[str], ended: bool) -> None:
    log = kunit("ok 1 one", "# begin alpha.two", WARNING, *expected)
    two = boot(["i|ready", *log, "m|end fatal"], ALPHA).results[1]
    assert (two.case, two.ended) == ("two", ended)


def test_oops_ends_the_program_whatever_its_status() -> None:
    log = program(*ONE_DONE, "k|coco: running two", OOPS, end="rc=1")
    outcome = boot([*log, *FINISH], USER)
    assert got(outcome) == {"alpha.one": "pass", "alpha.two": "fail oops"}
    assert left(outcome) == [("alpha", ("three",), False)]
    log = program(*ONE_DONE, "k|coco: running two", WARNING, end="rc=1")
    assert got(boot([*log, *FINISH], USER))["alpha.two"] == "miss missing"


def test_case_that_the_log_marked_last_is_the_one_that_ran() -> None:
    """The program's own line was lost with the guest."""
    log = program(*ONE_DONE, "k|coco: running two", "k|coco: running three", end="")[:-1]
    outcome = boot([*log, "k|last words", "m|end fatal"], USER)
    assert got(outcome) == {"alpha.one": "pass", "alpha.three": "fail fatal"}
    assert outcome.results[1].diagnostics == ["coco: running three", "last words"]
    assert left(outcome) == [("alpha", ("two",), False)]
