# SPDX-License-Identifier: GPL-2.0
"""Turn the lines of one case into its result: what it said, what the log says against it."""

import re
from collections.abc import Iterable

from coco import ktap, splat
from coco.model import CaseResult
from coco.stream import Record

SHOWN_EVENTS = 6
# file.c:12: expected a (1) == b (2), and file.c:12:case:Expected 1 (1) == b (2)
_HARNESS = re.compile(r"\.[ch]:\d+:(?:\w+:)? ?[Ee]xpected (.*)$")
_COMPARED = re.compile(r"(.+) \((.*)\) (==|!=|<=?|>=?) (.+) \((.*)\)")
_BREACH = "breach "
PANIC = "panic"
_EVENTS = ("breach", "note", "injected", "expected")


def windows(
    records: list[Record], leaves: Iterable[ktap.Leaf]
) -> tuple[list[list[Record]], list[Record]]:
    """The records up to each leaf's result line, and those after the last one."""
    cut: list[list[Record]] = []
    position = 0
    for leaf in leaves:
        start = position
        while position < len(records) and records[position].index <= leaf.test.last:
            position += 1
        cut.append(records[start:position])
    return cut, records[position:]


def is_breach(text: str) -> bool:
    return text.startswith(_BREACH)


def of_breach(text: str) -> str:
    """A breach without its first word, as a result's message has it."""
    return text.removeprefix(_BREACH)


def breaches(records: Iterable[Record]) -> list[str]:
    """What the machine holds against the guest: "breach kind=... : text"."""
    return [record.text for record in records if record.channel == "m" and is_breach(record.text)]


def kernel_splats(records: Iterable[Record]) -> list[splat.Splat]:
    return splat.scan((record.index, record.text) for record in records if record.channel == "k")


def incident(records: Iterable[Record]) -> tuple[str, str]:
    """Cause and text of what these records tell against the guest, as one; "": nothing."""
    every = list(records)
    return told(kernel_splats(every), breaches(every))


def told(splats: Iterable[splat.Splat], held: list[str]) -> tuple[str, str]:
    """The cause and text by which splats and breaches are told: a splat explains more."""
    cause, text = splat.cause(splats)
    if held and not cause:
        cause, text = "breach", of_breach(held[0])
    return cause, text


def has_oops(records: Iterable[Record]) -> bool:
    return any(hit.kind in ("oops", "panic") for hit in kernel_splats(records))


def explain(result: CaseResult, test: ktap.Test) -> None:
    """Fill in what the KTAP lines themselves say."""
    result.diagnostics = test.diagnostics
    if result.status == "skip":
        result.message = test.reason or "no reason given"
    elif result.status == "fail":
        result.cause = "timeout" if test.directive == "timeout" else "assertion"
        result.expected, result.got = expectation(test.diagnostics)
        result.message = result.expected or test.reason or _last_words(test.diagnostics)


def expectation(diagnostics: list[str]) -> tuple[str, str]:
    """Expected and got of the first failed check, in KUnit's words or the harness's."""
    for number, line in enumerate(diagnostics):
        body = line.lstrip("# ")
        if match := _HARNESS.search(body):
            return _compared(match[1])
        if body.startswith("Expected "):
            expected = body[len("Expected ") :].removesuffix("but").strip().rstrip(",")
            return expected, _got(diagnostics[number + 1 : number + 6])
    return "", ""


def _compared(text: str) -> tuple[str, str]:
    """ "a (1) == b (2)" as what was expected, and the values that were got."""
    match = _COMPARED.fullmatch(text)
    if not match:
        return text, ""
    left, left_value, operator, right, right_value = match.groups()
    values = [f"{left} == {left_value}", f"{right} == {right_value}"]
    got = [value for value in values if value.partition(" == ")[0] != value.partition(" == ")[2]]
    return f"{left} {operator} {right}", "; ".join(got)


def _got(following: list[str]) -> str:
    """The values that KUnit prints below "Expected ..., but"."""
    values = []
    for line in following:
        value = " == " in line or " is " in line or line[:1] == "<"
        if not value or line.startswith(("#", "Expected ")):
            break
        values.append(line.strip())
    return "; ".join(values)


def _last_words(diagnostics: list[str]) -> str:
    words = [line.lstrip("# ") for line in diagnostics if line.startswith("#")]
    return words[-1] if words else "no reason given"


def add(result: CaseResult, window: list[Record]) -> None:
    """Splats and breaches fail a case whatever its result line says; a panic tells more than it.

    Another CPU may come to the case's result after one has panicked.
    """
    splats = kernel_splats(window)
    held = breaches(window)
    events = [r.text for r in window if r.channel == "m" and r.text.partition(" ")[0] in _EVENTS]
    result.events = (result.events + events)[-SHOWN_EVENTS:]
    result.splats += [f"{hit.kind}: {hit.text}" for hit in splats]
    result.splats += held if result.splats else []  # those may be tolerated
    cause, message = told(splats, held)
    if cause and (result.status != "fail" or cause == PANIC):
        result.status, result.cause, result.message = "fail", cause, message


def seconds(window: list[Record], since: float) -> float:
    return round(max(window[-1].when - since, 0.0), 3) if window else 0.0
