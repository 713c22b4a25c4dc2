# SPDX-License-Identifier: GPL-2.0
"""The verdict of a proof, from the results of its two sides and from nothing else.

    FIXED           every witness passes on the kernel as it is
    NOT FIXED       one fails, and the source does not claim the fix
    BROKEN          one fails although the source claims the fix
    PROVEN          every witness passes with the fix and fails without it, for the reason
                    named beforehand; nothing else changes; a control passes on both sides
    NOT PROVEN      no witness fails without the fix, or for another reason
    PARTIAL         some do; or other cases change too; or only some parts are proven
    UNKNOWN         a side could not be built, booted or judged
    NOT APPLICABLE  the kernel has no such code, or lacks what every witness needs
    NOT SHOWABLE    the machine cannot show it

A witness is a case in one run that was named beforehand and that the kernel can run.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from coco import witnesses
from coco.catalogue.fix import Fix, Flip
from coco.catalogue.words import FIXED, NOT_APPLICABLE, NOT_FIXED, UNKNOWN
from coco.expect import BOOT
from coco.model import covers, some
from coco.runner import REACHES_INIT

PROVEN, NOT_PROVEN, PARTIAL, BROKEN = "PROVEN", "NOT PROVEN", "PARTIAL", "BROKEN"
NOT_SHOWABLE = "NOT SHOWABLE"
WORDS = (
    *(PROVEN, PARTIAL, NOT_PROVEN, BROKEN, NOT_FIXED, FIXED),
    *(UNKNOWN, NOT_APPLICABLE, NOT_SHOWABLE),
)

Document = Mapping[str, Any]
Case = Mapping[str, Any]
Key = tuple[str, str]  # run, case id


@dataclass(frozen=True)
class Change:
    """A case in one run, on both sides."""

    run: str
    id: str
    before: Case  # with the fix
    after: Case | None  # without it
    why: str = ""

    def __str__(self) -> str:
        return f"{self.id} [{self.run}]"


@dataclass
class Judgement:
    """The verdict, and every case that it rests on."""

    verdict: str
    why: str
    flips: list[Change] = field(default_factory=list)  # as named
    held: list[Change] = field(default_factory=list)  # named, and passing on both sides
    odd: list[Change] = field(default_factory=list)  # named, but failing for another reason
    others: list[Change] = field(default_factory=list)  # not named, and changed all the same
    also: list[Change] = field(default_factory=list)  # changed, as was foreseen
    control: list[Change] = field(default_factory=list)  # not named, passing on both sides


def records(document: Document) -> dict[Key, Case]:
    """All cases of a results document."""
    return {(run["name"], case["id"]): case for run in document["runs"] for case in run["cases"]}


def named(flips: Sequence[Flip], document: Document) -> dict[Key, Flip]:
    """The cases of a document that were named beforehand; a name covers its parameters."""
    found = {}
    for run in document["runs"]:
        for case in run["cases"]:
            for flip in flips:
                if run["personality"] in flip.personalities and covers(flip.case, case["id"]):
                    found[run["name"], case["id"]] = flip
    return found


def as_it_is(flips: Sequence[Flip], document: Document, claimed: bool) -> Judgement:
    """What one side shows alone: FIXED, NOT FIXED or BROKEN, or why nothing."""
    every = records(document)
    names = named(flips, document)
    changes = [Change(run, name, every[run, name], None) for run, name in names]
    bad = [one for one in changes if one.before["status"] == "fail"]
    failed = [one for one in bad if _is_meant(one.before, names[one.run, one.id])]
    passed = [one for one in changes if one.before["status"] == "pass"]
    unclear = [one for one in changes if one.before["status"] in ("error", "miss")]
    unclear += [one for one in bad if one not in failed]
    broken = [run for run in document["runs"] if run["state"] != "done"]
    if failed:
        word = BROKEN if claimed else NOT_FIXED
        return Judgement(word, f"fails on this kernel: {some(failed)}", held=failed)
    if unclear:
        return Judgement(
            UNKNOWN, f"could not be judged: {some(unclear)}: {said(unclear[0].before)}"
        )
    if broken:
        return Judgement(UNKNOWN, f"{broken[0]['name']} could not run: {broken[0]['reason']}")
    if passed:
        return Judgement(FIXED, f"passes on this kernel: {some(passed)}", held=passed)
    return Judgement(*_nothing_ran(flips, document, changes))


def _nothing_ran(
    flips: Sequence[Flip], document: Document, changes: Sequence[Change]
) -> tuple[str, str]:
    """Why no witness spoke."""
    reasons = [one.before["message"] for one in changes]
    built: list[str] = []
    for run in document["runs"]:
        for table, into in (("not_applicable", reasons), ("not_built", built)):
            for name, reason in run.get(table, {}).items():
                if any(name in (flip.case, flip.case.partition(".")[0]) for flip in flips):
                    into.append(reason)
    if built:
        return UNKNOWN, " ".join(built[0].split())
    if reasons:
        return NOT_APPLICABLE, "every case was skipped: " + "; ".join(dict.fromkeys(reasons))
    return NOT_APPLICABLE, "the kernel has no code for the technologies of its cases"


def judge(
    flips: Sequence[Flip], with_fix: Document, without: Document, fix: Fix | None = None
) -> Judgement:
    """Both sides, of which the one with the fix is FIXED; fix: knows what else may change."""
    before, after = records(with_fix), records(without)
    names = named(flips, with_fix)
    judgement = Judgement("", "")
    for key, case in before.items():
        change = Change(*key, case, _then(after, key))
        if key in names and case["status"] == "pass":
            _witness(change, names[key], judgement)
        elif key not in names and case["status"] == "pass" and not differs(change):
            judgement.control.append(change)
    down = {run for (run, name), case in after.items() if _is_boot(name) and _bad(case)}
    for change in (*_others(before, after, names, down), *_problems(with_fix, without)):
        (judgement.also if _is_foreseen(fix, change) else judgement.others).append(change)
    unnamed = sorted(down - {one.run for one in judgement.flips if _is_boot(one.id)})
    unjudged = [one for one in _unjudged(before, after) if not _is_foreseen(fix, one)]
    judgement.verdict, judgement.why = _verdict(judgement, without, unjudged, unnamed)
    return judgement


def _is_foreseen(fix: Fix | None, change: Change) -> bool:
    """Does the fix's entry say that this may change, too?"""
    if fix is None:
        return False
    named = any(covers(name, change.id) for name in fix.also)
    return named or (change.after is not None and witnesses.tells(fix, change.after))


def _whole(key: Key) -> Key:
    """The case without its parameter."""
    return key[0], ".".join(key[1].split(".")[:2])


def _then(after: Mapping[Key, Case], key: Key) -> Case | None:
    """Who ends the guest is blamed without its parameter, which it never got to tell."""
    case = after.get(key)
    ended = after.get(_whole(key))
    return ended if ended and _bad(ended) and (case is None or case["status"] == "miss") else case


def _others(
    before: Mapping[Key, Case], after: Mapping[Key, Case], names: Mapping[Key, Flip], down: set[str]
) -> Iterator[Change]:
    """What changed and was not named; of a run that did not boot, nothing else is said."""
    for key in {**before, **after}:
        if key in names or (key[0] in down and not _is_boot(key[1])):
            continue
        if key in before:
            change = Change(*key, before[key], after.get(key))
            if differs(change):
                yield change
        elif _bad(after[key]) and not any(_whole(one) == key for one in names):
            yield Change(*key, _absent(key[1]), after[key])


def _unjudged(before: Mapping[Key, Case], after: Mapping[Key, Case]) -> Iterator[Change]:
    """What has no verdict on the side without the fix alone, as where the disk became full."""
    for key, case in after.items():
        known = before.get(key, _absent(key[1]))
        if case["status"] == "error" and known["status"] != "error":
            yield Change(*key, known, case)


def _problems(with_fix: Document, without: Document) -> Iterator[Change]:
    """Troubles of a suite as a whole that only the side without the fix has."""
    known = {
        (run["name"], one["suite"], one["kind"])
        for run in with_fix["runs"]
        for one in run["problems"]
    }
    for run in without["runs"]:
        for one in run["problems"]:
            if (run["name"], one["suite"], one["kind"]) not in known:
                name = f"{one['suite']}: {one['kind']}"
                after = {**_absent(name), "status": "fail", "message": one["text"]}
                yield Change(run["name"], name, {**_absent(name), "status": "pass"}, after)


def _witness(change: Change, flip: Flip, judgement: Judgement) -> None:
    """Sort one named case."""
    after = change.after
    if after is not None and after["status"] == "pass":
        judgement.held.append(change)
        return
    why = _wrong_reason(after, flip)
    into = judgement.odd if why else judgement.flips
    into.append(Change(change.run, change.id, change.before, after, why or flip.reason))


def _cause_behind(case: Case) -> str:
    """Of a panic that says no more than that an oops was its cause."""
    told = case["cause"] == "panic" and "Fatal exception" in said(case)
    return "oops" if told else ""


def _wrong_reason(case: Case | None, flip: Flip) -> str:
    """What is wrong with the way in which a witness failed, or nothing."""
    if case is None or case["status"] == "miss":
        return "it did not run"
    if case["status"] != "fail":
        return f"{case['status']}: {said(case)}"
    if flip.causes and not {case["cause"], _cause_behind(case)} & set(flip.causes):
        return f"expected {flip.cause}, got {case['cause']}: {said(case)}"
    if flip.shows and not re.search(flip.shows, evidence(case)):
        return f"expected {flip.shows!r} in what it says, got: {said(case)}"
    return ""


def _is_meant(case: Case, flip: Flip) -> bool:
    """Whether a failing witness fails as it does for want of the fix, where that was said."""
    if witnesses.stray(flip, case):
        return False
    return not flip.shows or bool(re.search(flip.shows, evidence(case)))


def differs(change: Change) -> bool:
    """Whether a case that was not named changed; skipping on one side is a change, too."""
    after = change.after
    if after is None:
        return change.before["status"] == "pass"
    return bool(change.before["status"] != after["status"])


def _verdict(
    judgement: Judgement, without: Document, unjudged: Sequence[Change], down: Sequence[str]
) -> tuple[str, str]:
    flips, held, odd, others = (
        judgement.flips,
        judgement.held,
        judgement.odd,
        judgement.others,
    )
    witnesses = len(flips) + len(held) + len(odd)
    broken = [run for run in without["runs"] if run["state"] != "done"]
    if broken:
        return UNKNOWN, f"without the fix {broken[0]['name']} could not run: {broken[0]['reason']}"
    if unjudged:
        text = said(unjudged[0].after or {})
        return UNKNOWN, f"without the fix {unjudged[0]} could not be judged: {text}"
    if down:
        return UNKNOWN, f"without the fix the kernel does not boot in {', '.join(down)}"
    if not flips and odd:
        return NOT_PROVEN, f"{odd[0]} fails without the fix, but: {odd[0].why}"
    if not flips:
        return NOT_PROVEN, f"passes on both sides: {some(held)}"
    if held or odd:
        rest = f"{held[0]} passes on both sides" if held else f"{odd[0]}: {odd[0].why}"
        return PARTIAL, f"{len(flips)} of {witnesses} cases flip; {rest}"
    if others:
        return PARTIAL, f"all {witnesses} cases flip, and others that nobody named: {some(others)}"
    if not judgement.control:
        return UNKNOWN, "no control case passes on both sides"
    return PROVEN, f"{witnesses} of {witnesses} cases flip, and nothing else"


def together(parts: Mapping[str, Judgement]) -> tuple[str, str]:
    """The verdict on a fix of several parts, each taken out alone."""
    words = {name: one.verdict for name, one in parts.items()}
    if len(parts) == 1:
        only = next(iter(parts.values()))
        return only.verdict, only.why
    proven = [name for name, word in words.items() if word == PROVEN]
    if len(proven) == len(words):
        return PROVEN, f"each of {len(words)} parts: {', '.join(words)}"
    rest = "; ".join(
        f"{name} is {one.verdict} ({one.why})"
        for name, one in parts.items()
        if one.verdict != PROVEN
    )
    if proven or PARTIAL in words.values():
        return PARTIAL, f"proven: {', '.join(proven) or 'no part as a whole'}; {rest}"
    worst = next(word for word in (NOT_PROVEN, UNKNOWN) if word in words.values())
    return worst, rest


def _absent(name: str) -> Case:
    texts = {key: "" for key in ("cause", "expected", "got")}
    return {"id": name, "status": "miss", "message": "it is not there", **texts}


def _is_boot(name: str) -> bool:
    return name == f"{BOOT}.{REACHES_INIT}"


def _bad(case: Case) -> bool:
    return case["status"] not in ("pass", "skip")


def evidence(case: Case) -> str:
    """All that a case says about its failure."""
    texts = [case["message"], case["expected"], case["got"]]
    return "\n".join([*texts, *case["diagnostics"], *case["events"], *case["splats"]])


def said(case: Case) -> str:
    """The same in one line; of a record that was kept, what is empty may be missing."""
    if case.get("expected"):
        return f"expected {case['expected']}, got {case.get('got') or 'otherwise'}"
    return str(case.get("message") or case.get("cause") or case.get("status", ""))
