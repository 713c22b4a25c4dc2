# SPDX-License-Identifier: GPL-2.0
"""Find in the kernel's log what no test may cause: panics, oopses, warnings, stalls."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from coco.ktap import strip_prefix

# First match wins; every pattern is tried at the start of a log line, so that a test's
# own words ("# case: BUG in ...") or a user program's fault are not taken for a splat.
_PATTERNS: tuple[tuple[str, str], ...] = (
    ("panic", r"Kernel panic - not syncing: .*"),
    ("panic", r"traps: PANIC: .*"),
    ("panic", r"PANIC: .*"),
    ("oops", r"Oops: .*"),
    ("oops", r"BUG: unable to handle .*"),
    ("oops", r"BUG: kernel NULL pointer dereference.*"),
    ("oops", r"kernel BUG at .*"),
    ("oops", r"[A-Za-z][\w #,-]*: [0-9a-f]{4} \[#\d+\].*"),  # die() of older kernels
    ("oops", r"(?:kernel tried to execute|unable to handle) .*"),
    ("lockup", r"watchdog: (?:BUG: soft lockup|Watchdog detected hard LOCKUP).*"),
    ("lockup", r"(?:watchdog: )?BUG: (?:soft|workqueue) lockup.*"),
    ("lockup", r"NMI watchdog: .*LOCKUP.*"),
    ("lockup", r"INFO: task .* blocked for more than .*"),
    ("rcu", r"(?:rcu: )?INFO: rcu\w* .*stall.*"),
    ("rcu", r"WARNING: suspicious RCU usage.*"),
    ("lockdep", r"WARNING: (?:possible|inconsistent|lock held|bad unlock|nested lock).*"),
    ("lockdep", r"WARNING: .*(?:lock|irq).*(?:order|inversion|dependency|context).*"),
    ("lockdep", r"(?:BUG: Invalid wait context|\[ BUG: ).*"),
    ("lockdep", r"INFO: trying to register non-static key.*"),
    ("sanitizer", r"BUG: (?:KASAN|KFENCE|KCSAN|KMSAN): .*"),
    ("sanitizer", r"UBSAN: .*"),
    ("sanitizer", r"DMA-API: (?!preallocated |debugging ).*"),
    ("msr", r"unchecked MSR access error: .*"),
    ("atomic", r"BUG: (?:sleeping function called|scheduling while atomic).*"),
    ("warning", r"WARNING: .*"),
    ("bug", r"BUG: .*"),
)

_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in _PATTERNS)
KINDS = tuple(dict.fromkeys(kind for kind, _ in _PATTERNS))
IN = " in "  # "warning in function|function"
# Told by severity when one incident prints several: an oops explains its panic
_SEVERITY = ("oops", "panic", "lockup")


@dataclass(frozen=True)
class Splat:
    """One line of the log that no test may cause."""

    kind: str
    text: str
    index: int  # of the record or line it was found in


def match(line: str) -> tuple[str, str] | None:
    """Kind and text if this line of the log begins a splat."""
    body = strip_prefix(line).strip()
    for kind, pattern in _COMPILED:
        if pattern.match(body):
            return kind, body
    return None


def scan(lines: Iterable[tuple[int, str]]) -> list[Splat]:
    """All splats in (index, line) pairs."""
    found = []
    for index, line in lines:
        hit = match(line)
        if hit:
            found.append(Splat(hit[0], hit[1], index))
    return found


def is_allowed(kind: str, text: str, allowed: Iterable[str]) -> bool:
    """Is it covered by one of these: "kind", or "kind in function|function"?"""
    for word in allowed:
        covered, _, functions = word.partition(IN)
        if covered == kind and (not functions or _is_in(text, functions)):
            return True
    return False


def _is_in(text: str, functions: str) -> bool:
    """Kernels say function+0x12/0x34; compilers make parts of one, function.part+0x12/0x34."""
    return bool(re.search(rf" (?:{functions})(?:\.\w+)*\+0x", text))


def cause(splats: Iterable[Splat]) -> tuple[str, str]:
    """The word and text by which several splats are reported as one incident."""
    every = list(splats)
    for kind in _SEVERITY:
        for splat in every:
            if splat.kind == kind:
                return ("hang" if kind == "lockup" else kind), splat.text
    return ("splat", every[0].text) if every else ("", "")
