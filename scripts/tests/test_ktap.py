# SPDX-License-Identifier: GPL-2.0
"""The KTAP reader: every tree's style, and everything that is not KTAP at all."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coco import evidence, ktap

DATA = Path(__file__).parent / "data"
LOGS = sorted(path.stem for path in DATA.glob("*.log"))


def read(name: str) -> ktap.Document:
    return ktap.parse((DATA / f"{name}.log").read_text(encoding="utf-8").splitlines())


def plan_depth(name: str) -> int:
    return 0 if name.startswith("selftest") else 1


@pytest.mark.parametrize("name", LOGS)
def test_golden_log_reads_as_written_down(name: str) -> None:
    document = read(name)
    said = []
    for leaf in sorted(ktap.leaves(document.tests), key=lambda leaf: leaf.test.last):
        if leaf.test.status != "none":
            said.append(" ".join([*leaf.path, leaf.test.status, leaf.test.reason]).strip())
    said += [f"problem {p.kind}" for p in ktap.problems(document, plan_depth(name))]
    assert said == (DATA / f"{name}.expected").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("name", "case", "expected", "got"),
    [
        ("kunit-5.10", "rdmsr_refused", "got == 5", "got == 0"),
        ("kunit-6.12", "word", "(u64)i.ax == c->due", "(u64)i.ax == 0 (0x0); c->due == 90 (0x5a)"),
        ("kunit-6.1", "out_writes", "reply is not error, but is: -12", ""),
        (
            "selftest-5.10",
            "dev.report",
            "0 == ioctl(fd, 1)",
            "ioctl(fd, 1) == 18446744073709551615",
        ),
        ("selftest-ours", "in_gives.byte", "rax == due", "rax == 0; due == 90 = 0x5a"),
    ],
)
def test_failure_gives_what_was_expected_and_got(
    name: str, case: str, expected: str, got: str
) -> None:
    leaf = next(leaf for leaf in ktap.leaves(read(name).tests) if leaf.path[-1] == case)
    assert evidence.expectation(leaf.test.diagnostics) == (expected, got)


@pytest.mark.parametrize(
    ("log", "running"),
    [
        (["    # begin vc.one", "    # vc: words of another"], "vc.one"),
        (["#  RUN           global.a ..."], "global.a"),
        (["# RUN           a.b ...", "ok 1 a.b"], ""),
        (["    # mentioned: words"], "mentioned"),
    ],
)
def test_log_tells_which_test_is_running(log: list[str], running: str) -> None:
    reader = ktap.Reader()
    for line in log:
        reader.feed(line)
    assert reader.running == running


def test_huge_plan_costs_nothing() -> None:
    document = ktap.parse(["KTAP version 1", "1..999999999", "ok 1 a"])
    assert [problem.kind for problem in ktap.problems(document)] == ["missing"]


def test_depth_is_limited() -> None:
    document = ktap.parse(" " * 4 * depth + "ok 1 x" for depth in range(3000, 0, -1))
    assert list(ktap.leaves(document.tests))


TOKENS = st.sampled_from(
    [
        *("KTAP version 1", "TAP version 14", "1..2", "1..0 # SKIP no", "# Subtest: x"),
        *("ok 1 x", "not ok 2 y", "ok 3", "ok", "ok 1 - x # SKIP why", "not ok 1 # TODO"),
        *("# x: ok 1 - p", "# x: says", "Bail out! no", "# RUN  a ...", "    ", "\t", ""),
        *("[    1.000000] ", "<6>", "\x00", "\ufffd", "Expected a == b, but", "a == 1"),
    ]
)
LINES = st.lists(
    st.tuples(st.integers(0, 9), st.lists(TOKENS | st.text(max_size=8), max_size=3)).map(
        lambda made: "    " * made[0] + "".join(made[1])
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(LINES)
@example([" " * 32 + "ok 1 x", " " * 32 + "# x: ok 1 - p"])  # a parameter at the deepest level
def test_reader_never_raises(lines: list[str]) -> None:
    document = ktap.parse(lines)
    ktap.problems(document, 1)
    for leaf in ktap.leaves(document.tests):
        evidence.expectation(leaf.test.diagnostics)
        assert leaf.test.status in ("pass", "fail", "skip", "none")


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(NAMES, st.sampled_from(["pass", "fail", "skip"]), min_size=1, max_size=8),
    st.lists(st.text(alphabet="abc :-", max_size=20), max_size=5),
    st.data(),
)
def test_written_results_are_read_back(
    cases: dict[str, str], noise: list[str], data: st.DataObject
) -> None:
    """Whatever log lines stand between them."""
    lines = ["KTAP version 1", "1..1", "    KTAP version 1", "    # Subtest: s"]
    lines.append(f"    1..{len(cases)}")
    for number, (name, status) in enumerate(cases.items(), 1):
        word = "not ok" if status == "fail" else "ok"
        lines.append(f"    {word} {number} {name}" + (" # SKIP" if status == "skip" else ""))
    lines.append("ok 1 s")
    for text in noise:
        lines.insert(data.draw(st.integers(0, len(lines))), f"[    9.000000] {text}")
    document = ktap.parse(lines)
    assert {leaf.path[-1]: leaf.test.status for leaf in ktap.leaves(document.tests)} == cases
    assert ktap.problems(document, 1) == []


def results(lines: list[str]) -> list[tuple[int, str, str]]:
    """Line, name and status of each test that has a result line."""
    found = (leaf.test for leaf in ktap.leaves(ktap.parse(lines).tests))
    return sorted((one.last, one.name, one.status) for one in found if one.status != "none")


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(LOGS), st.integers(0, 2000))
def test_truncation_anywhere_loses_only_what_is_cut(name: str, keep: int) -> None:
    text = (DATA / f"{name}.log").read_text(encoding="utf-8")
    cut = text[:keep].splitlines()[:-1]
    whole = [one for one in results(text.splitlines()) if one[0] < len(cut)]
    assert results(cut) == whole
