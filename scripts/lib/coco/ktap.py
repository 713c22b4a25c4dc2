# SPDX-License-Identifier: GPL-2.0
"""Read KTAP as kernels from 5.10 to 7.x, their selftests and broken guests print it.

The format (Documentation/dev-tools/ktap.rst) nests by four spaces, and a parent's
result line comes after its children's.  What differs by tree and is understood here:

    TAP version 14          up to 5.15; KTAP version 1 after, also inside subtests
    ok 1 - case             up to 6.1; ok 1 case after
    # case: ok 1 - param    parameters in 5.13 to 5.15; a nested subtest after
    ok 2 # SKIP reason      the kselftest harness up to 6.1 loses the name on SKIP

A reader never raises: log lines between, truncation, two documents in one, wrong
numbers and lies all end up in the document or in the list of problems with it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

DEEPEST = 8
MOST_DIAGNOSTICS = 200

_PRINTK = re.compile(
    r"(?:\w{3} [ \d]\d [\d:]{8} \S+ kernel: )?"  # as syslog stores it
    r"(?:<\d+>)?(?:\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?)?"
)
_VERSION = re.compile(r"K?TAP version \d+\s*$")
_PLAN = re.compile(r"1\.\.(\d{1,9})(?:\s*#\s*(?:SKIP|skip)\S*\s*(.*))?\s*$")
_SUBTEST = re.compile(r"#\s*Subtest:\s*(.+?)\s*$")
_RESULT = re.compile(r"(not )?ok +(\d{1,9})(?!\S)(?:\s*-(?=\s|$))?\s*(.*)$")
_INLINE_PARAM = re.compile(r"#\s*(\S+): (not )?ok (\d{1,9}) - (.*)$")
_DIRECTIVE = re.compile(
    r"(?:^|\s+)#\s*(SKIP|TODO|TIMEOUT|ERROR|XFAIL|XPASS)\b:?\s*(.*)$", re.IGNORECASE
)
_BAIL = re.compile(r"Bail out!\s*(.*)$")
_RUNNING = re.compile(r"#\s*(?:RUN|begin)\s+(\S+)")
_MENTION = re.compile(r"#\s*([A-Za-z0-9_.]+):")


@dataclass
class Test:
    """A result line with everything that came before it, or a test that never got one."""

    name: str
    number: int | None = None
    ok: bool | None = None  # None: no result line
    directive: str = ""  # skip, todo, timeout ... in lower case
    reason: str = ""
    plan: int | None = None  # of its subtests
    headed: bool = False  # its subtests began with a "# Subtest:" or version line
    subtests: list["Test"] = field(default_factory=list)
    diagnostics: list[str] = field(default_factory=list)
    first: int = 0  # index of the first and last line that belong to it
    last: int = 0

    @property
    def status(self) -> str:
        """pass, fail, skip, or none without a result line."""
        if self.ok is None:
            return "none"
        if self.directive in ("skip", "xfail") or (self.directive == "todo" and not self.ok):
            return "skip"
        return "pass" if self.ok and self.directive not in ("timeout", "error") else "fail"


@dataclass(frozen=True)
class Problem:
    """Something that makes a document less than complete and consistent."""

    kind: str  # missing-plan, missing, extra, duplicate, number, second-plan, no-result, bail-out
    where: str
    text: str


@dataclass
class Document:
    """All top-level tests of a log, and what was wrong while reading it."""

    tests: list[Test] = field(default_factory=list)
    plan: int | None = None
    headed: bool = False
    notes: list[Problem] = field(default_factory=list)
    trailing: list[str] = field(default_factory=list)  # lines after the last result


@dataclass(frozen=True)
class Leaf:
    """A test without subtests, with the names on the way to it."""

    path: tuple[str, ...]
    test: Test


@dataclass
class _Level:
    """Tests of one depth whose parent's result line has not come yet."""

    name: str = ""
    plan: int | None = None
    headed: bool = False
    tests: list[Test] = field(default_factory=list)
    diagnostics: list[str] = field(default_factory=list)
    first: int = -1

    @property
    def empty(self) -> bool:
        return not (self.name or self.headed or self.tests or self.plan is not None)


def strip_prefix(line: str) -> str:
    """A log line without printk's level and time stamp."""
    match = _PRINTK.match(line)
    return line[match.end() :] if match else line


class Reader:
    """Takes lines one by one; finish() gives the document."""

    def __init__(self) -> None:
        self._levels = [_Level()]
        self._notes: list[Problem] = []
        self._line = -1
        self.running = ""  # the test that the log last said to be running
        self._announced = False  # ... in a line made for that, not just by mentioning it
        self.finished: list[Test] = []  # every result line so far, in order

    def feed(self, line: str, index: int | None = None) -> None:
        """One line of the log; index is what first and last will name."""
        self._line = self._line + 1 if index is None else index
        body = strip_prefix(line).rstrip()
        text = body.lstrip()
        indent = body[: len(body) - len(text)].expandtabs(4)  # tabs up to 5.7
        level = min(len(indent) // 4, DEEPEST)
        if not text:
            return
        if match := _VERSION.match(text):
            self._begin(level).headed = True
        elif match := _SUBTEST.match(text):
            opened = self._begin(level)
            opened.headed = True
            opened.name = match[1]
        elif match := _PLAN.match(text):
            self._plan(level, int(match[1]), match[2])
        elif match := _INLINE_PARAM.match(text):
            self._parameter(level, match)
        elif match := _RESULT.match(text):
            self._result(level, match[1] is None, match[2], match[3])
        else:
            self._other(text)

    def finish(self) -> Document:
        """The document, with what was left open as tests without a result."""
        self._close_below(1)
        if len(self._levels) > 1 and not self._levels[1].empty:
            self._abandon(1)
        top = self._levels[0]
        return Document(top.tests, top.plan, top.headed, self._notes, top.diagnostics)

    def _open(self, level: int) -> _Level:
        while len(self._levels) <= level:
            self._levels.append(_Level())
        opened = self._levels[level]
        if opened.first < 0:
            opened.first = self._line
        return opened

    def _begin(self, level: int) -> _Level:
        """A version or Subtest line: a new list of tests begins at this depth."""
        self._close_below(level + 1)
        if len(self._levels) > level + 1 and not self._levels[level + 1].empty:
            self._abandon(level + 1)
        opened = self._open(level)
        if opened.tests and level > 0:  # the one before never got its result line
            self._abandon(level)
            opened = self._open(level)
        return opened

    def _plan(self, level: int, count: int, skip_reason: str | None) -> None:
        opened = self._open(level)
        if opened.plan is None:
            opened.plan = count
        elif opened.plan != count or level == 0:
            self._note("second-plan", opened.name, f"1..{count} after 1..{opened.plan}")
        if skip_reason:
            self._attach(f"# SKIP {skip_reason}")

    def _parameter(self, level: int, match: re.Match[str]) -> None:
        inner = min(level + 1, DEEPEST)
        opened = self._open(inner)
        if opened.tests and opened.name != match[1]:
            self._abandon(inner)
            opened = self._open(inner)
        opened.name = match[1]
        self._result(inner, match[2] is None, match[3], match[4])

    def _result(self, level: int, ok: bool, number: str | None, rest: str) -> None:
        level = min(level, DEEPEST)
        opened = self._open(level)
        self._close_below(level + 1)
        below = self._levels[level + 1] if len(self._levels) > level + 1 else _Level()
        name, directive, reason = _split_directive(rest)
        name = name or below.name or (self.running if directive else "")
        test = Test(
            name,
            int(number) if number else None,
            ok,
            directive,
            reason,
            below.plan,
            below.headed,
            below.tests,
            (opened.diagnostics + below.diagnostics)[:MOST_DIAGNOSTICS],
            below.first if below.first >= 0 else self._line,
            self._line,
        )
        opened.diagnostics = []
        opened.tests.append(test)
        del self._levels[level + 1 :]
        self.finished.append(test)
        self.running, self._announced = "", False

    def _other(self, text: str) -> None:
        if match := _BAIL.match(text):
            self._note("bail-out", "", match[1] or "Bail out!")
        if match := _RUNNING.match(text):
            self.running, self._announced = match[1], True
        elif not self._announced and (match := _MENTION.match(text)):
            self.running = match[1]
        self._attach(text)

    def _attach(self, text: str) -> None:
        diagnostics = self._levels[-1].diagnostics
        if len(diagnostics) < MOST_DIAGNOSTICS:
            diagnostics.append(text)

    def _close_below(self, level: int) -> None:
        """Everything deeper than level becomes part of it, as tests without a result."""
        for deeper in range(len(self._levels) - 1, level, -1):
            if not self._levels[deeper].empty:
                self._abandon(deeper)
            else:
                self._levels[deeper - 1].diagnostics += self._levels[deeper].diagnostics
            del self._levels[deeper:]

    def _abandon(self, level: int) -> None:
        """The tests of this depth never got their parent's result line."""
        lost = self._levels[level]
        parent = self._levels[level - 1]
        first = lost.first if lost.first >= 0 else self._line
        parent.tests.append(
            Test(
                lost.name,
                plan=lost.plan,
                headed=lost.headed,
                subtests=lost.tests,
                diagnostics=lost.diagnostics,
                first=first,
                last=self._line,
            )
        )
        self._levels[level] = _Level()

    def _note(self, kind: str, where: str, text: str) -> None:
        self._notes.append(Problem(kind, where, text))


def _split_directive(rest: str) -> tuple[str, str, str]:
    """A description, the directive after it, and the directive's reason."""
    match = _DIRECTIVE.search(rest)
    if not match:
        return rest.strip(), "", ""
    return rest[: match.start()].strip(), match[1].lower(), match[2].strip()


def parse(lines: Iterable[str]) -> Document:
    """The document in these lines."""
    reader = Reader()
    for line in lines:
        reader.feed(line)
    return reader.finish()


def leaves(tests: Iterable[Test], path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Every test without subtests; a failed parent of passing children counts as one too."""
    for test in tests:
        here = (*path, test.name)
        below = list(leaves(test.subtests, here))
        yield from below
        failed_itself = test.status == "fail" and all(
            leaf.test.status in ("pass", "skip") for leaf in below
        )
        if not below or failed_itself:
            yield Leaf(here, test)


def problems(document: Document, plan_at: int = 0) -> list[Problem]:
    """What is missing, doubled or out of order; plan_at: the depth that must have a plan."""
    found = list(document.notes)
    top = Test("", plan=document.plan, headed=document.headed, subtests=document.tests, ok=True)
    _inspect(top, 0, plan_at, found)
    return found


def _inspect(parent: Test, depth: int, plan_at: int, found: list[Problem]) -> None:
    tests = parent.subtests
    where = parent.name or "the log"
    if parent.plan is None:
        if depth == plan_at and tests:
            found.append(Problem("missing-plan", where, f"{where} has results but no plan"))
    elif len(tests) != parent.plan:
        kind = "missing" if len(tests) < parent.plan else "extra"
        found.append(Problem(kind, where, f"planned {parent.plan} tests, found {len(tests)}"))
    found += _numbers(tests, where, strict=depth >= plan_at)
    seen: set[str] = set()
    for test in tests:
        if test.name and test.name in seen:
            found.append(Problem("duplicate", where, f"{test.name} has two results"))
        seen.add(test.name)
        if test.ok is None:
            found.append(Problem("no-result", test.name, f"{test.name or '?'} has no result line"))
        if test.subtests or test.plan is not None:
            _inspect(test, depth + 1, plan_at, found)


def _numbers(tests: list[Test], where: str, strict: bool) -> list[Problem]:
    """Result numbers must count up; a kernel that loads a second suite goes on counting."""
    numbers = [test.number for test in tests if test.number is not None]
    if not numbers:
        return []
    start = 1 if strict else numbers[0]
    if numbers == list(range(start, start + len(numbers))):
        return []
    return [Problem("number", where, f"results are numbered {_abridge(numbers)}")]


def _abridge(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:10])
    return shown + (", ..." if len(numbers) > 10 else "")
