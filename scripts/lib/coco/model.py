# SPDX-License-Identifier: GPL-2.0
"""The plain data that flows from a boot to the verdict."""

import re
from collections.abc import Iterable, Sized
from dataclasses import dataclass, field

# pass, fail and skip are the guest's word; error: could not be judged; miss: planned, not seen
STATUSES = ("pass", "fail", "skip", "error", "miss")

PERSONALITIES = ("none", "sev", "sev-es", "sev-snp", "tdx")

KUNIT = "kunit"
SELFTEST = "selftest"

HANDLERS = "handlers"
MEMORY = "memory"
AREAS = (HANDLERS, MEMORY)  # of the kernel, for coverage


@dataclass(frozen=True)
class Item:
    """One line of work in a boot: a suite, or some cases of it."""

    suite: str
    kind: str
    cases: tuple[str, ...]  # ids without the suite's name, in the order they run
    whole: bool = True  # all that the suite has; False: just these cases


@dataclass
class CaseResult:
    """What became of one case in one boot."""

    suite: str
    case: str
    status: str
    cause: str = ""  # why it is not a pass: assertion, panic, hang, breach, missing, ...
    message: str = ""
    expected: str = ""
    got: str = ""
    diagnostics: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)  # the machine's last words before its end
    splats: list[str] = field(default_factory=list)
    ended: bool = False  # the guest, or the suite's program, ended while it ran, unforeseen
    seconds: float = 0.0
    boot: int = 0

    @property
    def id(self) -> str:
        return f"{self.suite}.{self.case}"


@dataclass(frozen=True)
class SuiteProblem:
    """Something wrong with a suite as a whole: no plan, a bad exit status, a late crash."""

    suite: str
    kind: str
    text: str


@dataclass(frozen=True)
class Stop:
    """How QEMU's process ended, seen from the host.

    cause: "" (it went by itself), abort (a signal or a bad exit status), and what made the
    runner stop it: hang, flood, interrupted, disk-full, panic-pause.
    """

    cause: str = ""
    text: str = ""


@dataclass(frozen=True)
class End:
    """How the guest ended, as the machine tells it, or as the host saw it."""

    word: str  # the machine's word, or a Stop's cause, or "truncated"
    value: int = 0
    rip: str = ""
    text: str = ""
    expected: bool = False  # the running case said beforehand that it would end so
    code: int | None = None

    def describe(self) -> str:
        parts = [self.word]
        if self.value:
            parts.append(f"value={self.value:#x}")
        if self.rip and int_or(self.rip, 0):
            parts.append(f"rip={self.rip}")
        return " ".join(parts) + (f": {self.text}" if self.text else "")


@dataclass(frozen=True)
class BootEvidence:
    """What the log and the machine say against the kernel from before the first suite."""

    cause: str = ""
    text: str = ""
    splats: tuple[str, ...] = ()
    cpus: int | None = None  # that the kernel says it brought up


@dataclass
class Outcome:
    """One boot, taken apart."""

    ready: bool
    end: End
    normal: bool  # the guest did all that it was asked and switched itself off
    results: list[CaseResult] = field(default_factory=list)
    problems: list[SuiteProblem] = field(default_factory=list)
    remaining: list[Item] = field(default_factory=list)
    boot_evidence: BootEvidence = BootEvidence()
    notes: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    ready_after: float = 0.0  # seconds


def int_or(text: str, otherwise: int) -> int:
    """A decimal or 0x number from a guest, which may be anything."""
    try:
        return int(text, 0)
    except ValueError:
        return otherwise


def slug(name: str) -> str:
    """A part of a case id from whatever a suite calls its case."""
    return re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")


def base(case: str) -> str:
    """The case without its parameter."""
    return case.partition(".")[0]


def covers(name: str, case: str) -> bool:
    """Is that case the one of that name, or a parameter of it?"""
    return case == name or case.startswith(name + ".")


def counted(number: int, noun: str) -> str:
    """So many of them: "1 case", "2 cases"."""
    return f"{number} {noun}{'s' * (number != 1)}"


def some(names: Iterable[object], limit: int = 3) -> str:
    """The first few of them, and how many more there are."""
    words = [str(name) for name in names]
    return " ".join([", ".join(words[:limit]), *rest(words, limit)])


def rest(names: Sized, limit: int) -> list[str]:
    """What a list says below the first few of them; nothing if those are all."""
    return [f"and {len(names) - limit} more"] if len(names) > limit else []
