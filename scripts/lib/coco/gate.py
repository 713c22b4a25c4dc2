# SPDX-License-Identifier: GPL-2.0
"""coco test and coco lint: everything that tests this project itself, without a kernel."""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from coco import cache, errors, ktap, parts, schedule
from coco.errors import UsageError
from coco.expect import FULL
from coco.screen import Screen

REPOSITORY = parts.REPOSITORY
TESTS = REPOSITORY / "scripts/tests"
# These boot guests of a shipped kernel, for minutes
BOOTING = ("test_guest_run", "test_examples")
SHOWN_OUTPUT = 60  # lines of a step that failed

# What checkpatch is told to overlook, by room: the reason stands beside it
_CHECKPATCH_IGNORES = {
    "kunit": (
        "VSPRINTF_SPECIFIER_PX",  # a failed comparison of pointers prints both
        "MACRO_WITH_FLOW_CONTROL",  # KUNIT_ASSERT_* ends the case
        "PRINTK_WITHOUT_KERN_LEVEL",  # the caller's level is an argument
        "COMPLEX_MACRO",  # macros that write functions, one an instruction
        "MACRO_ARG_UNUSED",  # KUNIT_SUCCEED()'s interface
        "EMBEDDED_FUNCTION_NAME",
    ),
    "machine": (
        "VOLATILE",  # bare metal: registers, and memory that other vCPUs write
        "PREFER_DEFINED_ATTRIBUTE_MACRO",  # no <linux/compiler.h> here
        "AVOID_EXTERNS",  # symbols of the linker script and of assembly
        "EMBEDDED_FUNCTION_NAME",  # words of messages, not names of functions
        "ENOSYS",  # what an unknown machine call returns
        "BLOCK_COMMENT_STYLE",  # comments beside enumerators, in columns
        "VSPRINTF_SPECIFIER_PX",
        "UNSPECIFIED_INT",  # unsigned __int128
        "UNNECESSARY_ELSE",  # chains of what an instruction may meet
    ),
    "selftests": (
        "VOLATILE",  # shared with signal handlers and children
        "PREFER_DEFINED_ATTRIBUTE_MACRO",  # user space
        "MACRO_WITH_FLOW_CONTROL",  # the harness's interface
        "QUOTED_WHITESPACE_BEFORE_NEWLINE",  # a set of separators, not a message
        "SPACING",  # FIXTURE_DATA(x) *self is a declaration, not a product
        "AVOID_EXTERNS",
        "EMBEDDED_FUNCTION_NAME",
    ),
}


@dataclass
class Outcome:
    """What became of one step."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    text: str = ""  # its output where it failed, its reason where it was skipped


@dataclass(frozen=True)
class Step:
    """One thing to run."""

    name: str
    run: Callable[[], Outcome]


def test(options: argparse.Namespace, _words: list[str], screen: Screen) -> int:
    """All steps; the last line counts."""
    _check_checkout()
    steps = [*_host_tests(options.tier), _machine_tests(options), *_linters()]
    total = _run(steps, options.jobs or schedule.default_jobs() + 1, screen)
    screen.line(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return errors.FINDING if total.failed else errors.OK


def lint(_options: argparse.Namespace, _words: list[str], screen: Screen) -> int:
    """The linters alone."""
    _check_checkout()
    total = _run(list(_linters()), schedule.default_jobs(), screen)
    screen.line(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return errors.FINDING if total.failed else errors.OK


def _check_checkout() -> None:
    if parts.is_installed():
        raise UsageError("the tests of this program are not installed", "run them in a checkout")


def _run(steps: list[Step], jobs: int, screen: Screen) -> Outcome:
    total = Outcome()

    def done(step: Step, outcome: Outcome | BaseException) -> None:
        if isinstance(outcome, BaseException):
            raise outcome
        screen.gone(step.name)
        total.passed += outcome.passed
        total.failed += outcome.failed
        total.skipped += outcome.skipped
        counts = f"{outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped"
        reason = f": {outcome.text}" if outcome.skipped and not outcome.failed else ""
        screen.line(f"  {step.name:<24} {counts}{reason}".rstrip(": "))
        if outcome.failed:
            for line in outcome.text.rstrip().splitlines()[-SHOWN_OUTPUT:]:
                screen.line(f"    {line}")

    def work(step: Step) -> Outcome:
        screen.status(step.name, "runs")
        return step.run()

    schedule.in_parallel(steps, work, jobs, threading.Event(), done)
    return total


def _call(argv: Iterable[str]) -> tuple[int, str]:
    """Exit status and output of a tool, run in the repository."""
    done = subprocess.run(
        list(argv),
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout


def _judge(argv: Iterable[str]) -> Outcome:
    """A tool that passes or fails as a whole."""
    status, text = _call(argv)
    return Outcome(failed=1, text=text) if status else Outcome(passed=1)


# ---- tests ----
def _host_tests(tier: str | None) -> Iterable[Step]:
    """One step a file, the slowest first, so that they run side by side."""
    slow = (*BOOTING, "test_runner", "test_check", "test_cli")
    files = sorted(TESTS.glob("test_*.py"), key=lambda path: (path.stem not in slow, path.stem))
    for path in files:
        if path.stem in BOOTING and tier != FULL:
            left_out = Outcome(skipped=1, text="it boots a shipped kernel for minutes: TIER=full")
            yield Step(path.stem, lambda left_out=left_out: left_out)  # type: ignore[misc]
            continue
        yield Step(path.stem, lambda path=path: _pytest(path))  # type: ignore[misc]


def _pytest(path: Path) -> Outcome:
    # A folder each: pytest's own cleaning up knows too little of runs side by side
    with tempfile.TemporaryDirectory(prefix="coco-test-") as folder:
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        status, text = _call([*argv, f"--basetemp={folder}/pytest", str(path)])
    words = dict(
        (word.rstrip("s"), int(count))
        for count, word in re.findall(r"(\d+) (passed|failed|errors?|skipped)\b", text)
    )
    failed = words.get("failed", 0) + words.get("error", 0)
    if status and not failed:
        failed = 1
    return Outcome(words.get("passed", 0), failed, words.get("skipped", 0), text if failed else "")


def _machine_tests(options: argparse.Namespace) -> Step:
    def run() -> Outcome:
        # make's dependencies name the sources of this checkout
        own = hashlib.sha256(str(REPOSITORY).encode()).hexdigest()[:12]
        out = cache.folder("machine-tests", own)
        argv = [str(REPOSITORY / "machine/tests/run"), "--out", str(out), "--jobs", "1"]
        argv += ["--qemu", options.qemu] if options.qemu else []
        with cache.lock("machine-tests"):
            status, text = _call(argv)
        return _count_ktap(status, text)

    return Step("machine/tests", run)


def _count_ktap(status: int, text: str) -> Outcome:
    """Count the cases of a KTAP document; a broken document is a failure of its own."""
    document = ktap.parse(text.splitlines())
    outcome = Outcome()
    for leaf in ktap.leaves(document.tests):
        outcome.passed += leaf.test.status == "pass"
        outcome.skipped += leaf.test.status == "skip"
        outcome.failed += leaf.test.status in ("fail", "none")
    wrong = ktap.problems(document)
    if wrong or (status and not outcome.failed):
        outcome.failed += 1
    if outcome.failed:
        notes = [f"{problem.kind}: {problem.text}" for problem in wrong]
        outcome.text = "\n".join([_failing(text), *notes])
    return outcome


def _failing(text: str) -> str:
    """The failing cases of a long log with the lines before them; all of it if there are none."""
    lines = text.splitlines()
    shown = [n for n, line in enumerate(lines) if line.lstrip().startswith("not ok")]
    chosen = sorted({m for n in shown for m in range(max(n - 6, 0), n + 1)})
    return "\n".join(lines[n] for n in chosen) if chosen else text


# ---- linters ----
def _sources() -> list[Path]:
    """Every file of the project, committed or not yet."""
    argv = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    _, text = _call(argv)
    files = [REPOSITORY / line for line in text.splitlines()]
    return [path for path in files if path.is_file() and not path.is_symlink()]


def _is(path: Path, suffix: str, interpreter: str) -> bool:
    if path.suffix == suffix:
        return True
    if path.suffix:
        return False
    with path.open("rb") as file:
        first = file.readline(80)
    return first.startswith(b"#!") and re.search(rb"[/ ]" + interpreter.encode(), first) is not None


def _linters() -> Iterable[Step]:
    sources = _sources()
    python = [str(path) for path in sources if _is(path, ".py", "python3")]
    shell = [str(path) for path in sources if _is(path, ".sh", "(?:ba|da)?sh")]
    package = [str(REPOSITORY / "scripts/lib/coco"), str(TESTS)]
    yield _tool("black", ["--check", "--quiet", "--diff", *python])
    yield _tool("flake8", python)
    yield _tool("mypy", ["--cache-dir", str(_mypy_cache()), *package])
    yield _tool("shellcheck", shell)
    yield Step("checkpatch", lambda: _checkpatch(sources))


def _tool(name: str, words: list[str]) -> Step:
    def run() -> Outcome:
        if not shutil.which(name):
            return Outcome(skipped=1, text=f"{name} is not installed")
        return _judge([name, *words])

    return Step(name, run)


def _mypy_cache() -> Path:
    return cache.folder("mypy")


def _checkpatch(sources: list[Path]) -> Outcome:
    script = _find_checkpatch()
    if script is None:
        return Outcome(skipped=1, text="no kernel source with scripts/checkpatch.pl (COCO_KDIR)")
    argv = ["perl", str(script), "--no-tree", "--terse", "--show-types", "--no-summary"]
    said = []
    for room, ignores in _CHECKPATCH_IGNORES.items():
        files = [str(p) for p in sources if p.suffix in (".c", ".h", ".S") and _in_room(p, room)]
        if files:
            options = ["--max-line-length=100", f"--ignore={','.join(ignores)}", "-f", *files]
            said += [_call([*argv, *options])[1]]
    text = "".join(said).replace(f"{REPOSITORY}/", "").strip()
    return Outcome(failed=1, text=text) if text else Outcome(passed=1)


def _in_room(path: Path, room: str) -> bool:
    return path.relative_to(REPOSITORY).parts[0] == room


def _find_checkpatch() -> Path | None:
    """A kernel tree's own: the one named, one that is installed, or one in the cache."""
    named = os.environ.get("COCO_KDIR")
    folders = [Path(named)] if named else []
    folders += sorted(Path("/usr/src").glob("linux-*"), reverse=True)
    folders += sorted(cache.root().glob("*/*/usr/src/linux-*"), reverse=True)
    for folder in folders:
        script = folder / "scripts/checkpatch.pl"
        if script.is_file() and shutil.which("perl"):
            return script
    return None
