# SPDX-License-Identifier: GPL-2.0
"""What a selfcheck found, for people and as an exit code.

    red        the case failed on the broken kernel, in the way that was said beforehand
    green      it passed: it does not see this mistake
    otherwise  it failed for another reason, or did not run
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from coco import errors, expect
from coco.catalogue.fix import Fix, same_case
from coco.model import rest
from coco.prove import verdicts
from coco.prove.verdicts import said

RED, GREEN, OTHERWISE = "red", "green", "otherwise"
_TABLES = ((RED, "flips"), (GREEN, "held"), (OTHERWISE, "other_reason"))
_NOT_HERE = (verdicts.NOT_APPLICABLE, verdicts.NOT_SHOWABLE)
_MOST = 4  # cases of one story that are named

Record = Mapping[str, Any]


def cases(proof: Record) -> list[tuple[str, Record]]:
    """(red, green or otherwise; the case on both sides) of all parts of one recipe."""
    return [
        (word, one) for part in proof["parts"] for word, table in _TABLES for one in part[table]
    ]


def state(proof: Record) -> str:
    """In one word: ok, finding, open, or none for what this kernel has no code for."""
    found = [word for word, _ in cases(proof)]
    if proof["verdict"] in _NOT_HERE:
        return "none"
    if proof["verdict"] == verdicts.UNKNOWN:
        return "open"
    if GREEN in found or OTHERWISE in found:
        return "finding"
    if proof["verdict"] in (verdicts.BROKEN, verdicts.NOT_FIXED):
        return "finding"
    return "ok" if found else "open"


def exit_code(proofs: Sequence[Record]) -> int:
    """1: a case that should be red is not; 3: it could not be found out."""
    states = {state(one) for one in proofs}
    if "finding" in states:
        return errors.FINDING
    if "open" in states:
        return errors.INFRASTRUCTURE
    return errors.OK if "ok" in states else errors.NOTHING_APPLICABLE


def lines(proof: Record) -> Iterator[str]:
    """One recipe: how many of its cases turned red, and all that did not."""
    found = cases(proof)
    red = sum(word == RED for word, _ in found)
    word = state(proof)
    if word == "none":
        yield f"{'-':<10} {proof['id']}: {proof['why']}"
        return
    title = f"{proof['id']}: {_subject(proof['title'])}"
    if not found or word == "open":
        yield f"{'NOT RUN':<10} {title}"
        yield f"{'':<10}   {proof['why']}"
        return
    seconds = f"{proof['seconds']:.0f} s"
    yield f"{'ok' if word == 'ok' else 'FINDING':<10} {title}"
    yield f"{'':<10}   {red} of {len(found)} cases red, {seconds}"
    for how, names in _stories(found):
        yield f"{'':<10}   {how}"
        yield from (f"{'':<10}     {name}" for name in names[:_MOST])
        yield from (f"{'':<10}     {text}" for text in rest(names, _MOST))
    others = [one for part in proof["parts"] for one in part["others"]]
    if others:
        yield f"{'':<10}   and {len(others)} more that nobody named, of {_some_suites(others)}"


def _subject(title: str) -> str:
    """What a mistake does, or the commit that a fix was."""
    return title.removeprefix("no commit known (").removesuffix(")").strip('"')


def _stories(found: Iterable[tuple[str, Record]]) -> list[tuple[str, list[str]]]:
    """Cases with one and the same story together."""
    told: dict[str, list[str]] = {}
    for word, one in found:
        without = one["without"] or {}
        text = {
            RED: f"red: {without.get('cause', '')}: {said(without)}",
            GREEN: "stays GREEN",
            OTHERWISE: f"red, but OTHERWISE: {one['why']}",
        }[word]
        told.setdefault(text, []).append(f"{one['id']} [{one['run']}]")
    return sorted(told.items(), key=lambda story: story[0].startswith("red: "))


def _some_suites(changes: Iterable[Record]) -> str:
    return ", ".join(sorted({one["id"].partition(".")[0] for one in changes}))


def unnamed(
    recipes: Iterable[Fix], written: expect.Expectations, suites: Sequence[str]
) -> dict[str, list[str]]:
    """Suite -> its cases that no recipe at all is to turn red."""
    named = {flip.case for one in recipes for flip in one.cases}
    found = {}
    for name in suites:
        rest = [
            case.id
            for case in written.suites[name].cases
            if not any(same_case(one, f"{name}.{case.id}") for one in named)
        ]
        if rest:
            found[name] = rest
    return found
