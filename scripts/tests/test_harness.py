# SPDX-License-Identifier: GPL-2.0
"""The selftests' harness: what it says of tests that end in every way there is."""

import re
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import ENDS_BY_SIGNALS, file_of_tree, wait_for

from coco import ktap, parts

HARNESS = parts.REPOSITORY / "selftests/lib/harness"
PROGRAM = Path(__file__).parent / "data/harness.c"
FLAGS = ("-std=gnu11", "-Wall", "-Wextra", "-Wno-sign-compare", "-Werror", "-D_GNU_SOURCE")

DEATH = "# told of a death"  # what the program does then

# In the program's order: test -> status, reason of a skip, and what it says
ENDS = {
    "passes": ("pass", "", []),
    "fails_and_goes_on": (
        "fail",
        "",
        [
            "expected 10u (10 = 0xa) == got (11 = 0xb)",
            'expected "a" ("a") == "b" ("b")',
            "on failure only",
            "still here",
            "and in two lines",
        ],
    ),
    "ends_at_an_assertion": ("fail", "", ["expected 2 (2) < -1 (-1)"]),
    "skips": ("skip", "no device here", []),
    "skips_after_a_failure": ("fail", "", ["expected 0 (0) != 0 (0)"]),
    "is_killed": ("fail", "", [DEATH, "killed by signal 10 (User defined signal 1)"]),
    "leaves": ("fail", "", [DEATH, "its process left with code 0 before the end"]),
    "leaves_a_child": ("pass", "", ["child: PID"]),
    "is_killed_as_it_should": ("pass", "", [DEATH]),
    "is_killed_otherwise": ("fail", "", [DEATH, "killed by signal 12 (User defined signal 2)"]),
    "survives": ("fail", "", ["not killed by signal 10 (User defined signal 1)"]),
    "has_its_variant.one": ("pass", "", ["torn down"]),
    "has_its_variant.two": ("fail", "", ["expected 1 (1) == self->value (2)", "torn down"]),
    "does_not_begin": ("fail", "", ["expected 1 (1) == self->value (0)"]),
    "sleeps": ("fail", "", [DEATH, "still running after 1 seconds: killed"]),
}


def build(folder: Path, source: Path) -> Path:
    program = folder / source.stem
    subprocess.run(["cc", *FLAGS, f"-I{HARNESS}", "-o", program, source], check=True)
    return program


def run(program: Path, *words: str) -> tuple[int, str]:
    argv = [str(program), *words]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


@pytest.fixture(scope="module", name="program")
def fixture_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("harness"), PROGRAM)


@pytest.fixture(scope="module", name="output")
def fixture_output(program: Path) -> tuple[int, str]:
    return run(program)


def said(test: ktap.Test) -> list[str]:
    """Without its name, the source's line, and the number of a process."""
    lines = [line.removeprefix(f"# {test.name}: ") for line in test.diagnostics]
    own = [re.sub(r"^harness\.c:\d+: ", "", line) for line in lines if "# RUN" not in line]
    return [re.sub(r"^child: \d+$", "child: PID", line) for line in own]


def test_every_end_is_told(output: tuple[int, str]) -> None:
    document = ktap.parse(output[1].splitlines())
    assert ktap.problems(document) == []
    ends = {test.name: (test.status, test.reason, said(test)) for test in document.tests}
    assert ends == ENDS
    assert list(ends) == list(ENDS)


def test_failure_names_its_line(output: tuple[int, str]) -> None:
    lines = PROGRAM.read_text(encoding="utf-8").splitlines()
    number = lines.index("	ASSERT_LT(2, -1);") + 1
    assert f"# ends_at_an_assertion: harness.c:{number}: expected" in output[1]


def test_totals_are_those_of_the_results(output: tuple[int, str]) -> None:
    words = [status for status, _, _ in ENDS.values()]
    passed, failed, skipped = (words.count(word) for word in ("pass", "fail", "skip"))
    last = output[1].splitlines()[-1]
    assert last == f"# Totals: pass:{passed} fail:{failed} xfail:0 xpass:0 skip:{skipped} error:0"


def is_over(pid: str) -> bool:
    """Has that process ended, even if nobody asked how?"""
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text(encoding="utf-8").split()[2] == "Z"


def test_nothing_of_a_test_lives_on(output: tuple[int, str]) -> None:
    match = re.search(r"child: (\d+)", output[1])
    assert match
    child = match[1]
    wait_for(lambda: is_over(child))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_nothing_of_a_test_outlives_the_harness(program: Path, number: signal.Signals) -> None:
    argv = [*ENDS_BY_SIGNALS, str(program), "-t", "sleeps"]
    harness = subprocess.Popen(argv, stdout=subprocess.PIPE)
    children = Path(f"/proc/{harness.pid}/task/{harness.pid}/children")
    wait_for(lambda: children.read_text(encoding="utf-8"))
    (child,) = children.read_text(encoding="utf-8").split()
    harness.send_signal(number)
    assert harness.wait() == -number
    wait_for(lambda: is_over(child))


@pytest.mark.parametrize(
    ("glob", "code", "names"),
    [
        ("passes", 0, ["passes"]),
        ("has_its_variant.*", 1, ["has_its_variant.one", "has_its_variant.two"]),
        ("*.one", 0, ["has_its_variant.one"]),
        ("has_its_variant", 1, ["has_its_variant.one", "has_its_variant.two"]),
        ("skips", 4, ["skips"]),
        ("nothing", 4, []),
    ],
)
def test_exit_code_and_choice(program: Path, glob: str, code: int, names: list[str]) -> None:
    got, text = run(program, "-t", glob)
    document = ktap.parse(text.splitlines())
    assert got == code
    assert [test.name for test in document.tests] == names
    assert document.plan == len(names)


def test_globs_add_up(program: Path) -> None:
    _, text = run(program, "-t", "skips", "-t", "passes")
    assert [test.name for test in ktap.parse(text.splitlines()).tests] == ["passes", "skips"]


def test_listing_runs_nothing(program: Path) -> None:
    code, text = run(program, "-l")
    assert code == 0
    assert text.splitlines() == list(ENDS)


def test_unknown_option_is_refused(program: Path) -> None:
    assert run(program, "-x") == (2, "")


def test_patience_stretches_the_time_limit(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCO_PATIENCE", "2")
    _, text = run(program, "-t", "sleeps")
    assert "# sleeps: still running after 2 seconds: killed" in text


def test_two_tests_of_one_name_are_refused(tmp_path: Path) -> None:
    source = tmp_path / "twice.c"
    fixtures = "".join(
        f"FIXTURE({name}) {{}};\nFIXTURE_SETUP({name}) {{}}\nFIXTURE_TEARDOWN({name}) {{}}\n"
        f"TEST_F({name}, same) {{}}\n"
        for name in ("one", "two")
    )
    text = f'#include "kselftest_harness.h"\n{fixtures}TEST_HARNESS_MAIN\n'
    source.write_text(text, encoding="utf-8")
    code, text = run(build(tmp_path, source))
    assert code == 1
    assert "Bail out! two tests are called same" in text


def test_selftests_compile_on_the_kernels_own_harness(tmp_path: Path) -> None:
    kernel = file_of_tree("tools/testing/selftests/kselftest_harness.h").parent
    words = [f"HARNESS={kernel.absolute()}", f"O={tmp_path}", "CFLAGS=-fsyntax-only"]
    done = subprocess.run(
        ["make", "-s", "-C", parts.REPOSITORY / "selftests", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
