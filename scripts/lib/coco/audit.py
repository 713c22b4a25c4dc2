# SPDX-License-Identifier: GPL-2.0
"""Which fixes a kernel has: by what its cases did, or else by what its source says.

    FIXED, NOT FIXED        cases that ran on this kernel say so
    CLAIMED, NOT CLAIMED    only the source says so, or else its changelog or git log, or
                            the release's number
    NOT APPLICABLE          the kernel has no such code
    UNKNOWN                 neither can tell

A behaviour always beats the source: what the source only claims can be broken.
"""

import argparse
import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coco import claims, errors, expect, files, kernels, parts, results, witnesses
from coco.catalogue.entries import load
from coco.catalogue.fix import Catalogue, Condition, Fix, Flip
from coco.catalogue.words import (
    CLAIMED,
    FIXED,
    NOT_APPLICABLE,
    NOT_CLAIMED,
    NOT_FIXED,
    UNKNOWN,
)
from coco.claims import Log
from coco.errors import UsageError
from coco.kernels import tree as trees
from coco.model import covers, some
from coco.releases import Release, by_release
from coco.screen import Screen
from coco.source import Tree

WORDS = (NOT_FIXED, NOT_CLAIMED, UNKNOWN, FIXED, CLAIMED, NOT_APPLICABLE)
HAVE = (FIXED, CLAIMED)
LACK = (NOT_FIXED, NOT_CLAIMED)
JSON_VERSION = 1


@dataclass(frozen=True)
class Audited:
    """One fix on one kernel."""

    fix: Fix
    verdict: str
    why: str
    problems: tuple[str, ...] = ()  # a follow-up or prerequisite that is missing


def by_source(fix: Fix, tree: Tree) -> tuple[str, str]:
    """(verdict, why) from the tree's files alone."""
    for condition in fix.applies:
        lacking = unmet(condition, tree)
        if lacking:
            return NOT_APPLICABLE, lacking
    have: list[str] = []
    lack: list[str] = []
    for probe in fix.probes:
        files = tree.existing(probe.files)
        if probe.function:
            files = tree.holding(files, probe.function)
        if not files:
            continue
        fixed = tree.find(files, probe.fixed, probe.function) if probe.fixed else ""
        unfixed = tree.find(files, probe.unfixed, probe.function) if probe.unfixed else ""
        where = fixed or unfixed or files[0]
        place = f"{probe.function}() in {where}" if probe.function else where
        if fixed and unfixed:
            return UNKNOWN, f"{place} looks fixed and unfixed"
        if not fixed and not unfixed and probe.fixed and probe.unfixed:
            return UNKNOWN, f"{place} looks neither fixed nor unfixed"
        if fixed or not probe.fixed and not unfixed:
            have.append(place)
        else:
            lack.append(place)
    if lack:
        part = f"; only in part: {', '.join(have)} has it" if have else ""
        return NOT_CLAIMED, f"not in {', '.join(lack)}{part}"
    if have:
        return CLAIMED, ", ".join(have)
    return UNKNOWN, f"none of the places where it is looked for is here: {_places(fix)}"


def known_by(word: Callable[[str], str], tree: Tree | None) -> witnesses.Known:
    """What the verdicts on other fixes, and the source if there is one, say of a kernel."""
    return witnesses.Known(
        lacks=lambda name: word(name) in LACK,
        has=lambda name: word(name) in HAVE,
        unmet=lambda condition: unmet(condition, tree),
    )


def _places(fix: Fix) -> str:
    return ", ".join(
        dict.fromkeys(
            f"{probe.function}()" if probe.function else probe.files[0] for probe in fix.probes
        )
    )


def unmet(condition: Condition, tree: Tree | None) -> str:
    """Why the condition does not hold, "" if it does; without a source it does not."""
    if tree is None:
        return f"no source to tell what {condition.files[0]} has"
    files = tree.existing(condition.files)
    if condition.absent:
        found = tree.find(files, condition.pattern) if condition.pattern else "".join(files[:1])
        return f"{found} has {condition.pattern or 'that file'}" if found else ""
    if not files:
        more = (
            f", nor its {len(condition.files) - 1} other places" if len(condition.files) > 1 else ""
        )
        return f"no {condition.files[0]}{more}"
    if condition.pattern and not tree.find(files, condition.pattern):
        return f"no {condition.pattern} in {', '.join(files)}"
    return ""


def by_behaviour(fix: Fix, document: Mapping[str, Any]) -> tuple[str, str]:
    """(verdict, why) from the cases that a check ran, ("", why) if they do not tell."""
    passed, failed, silent = [], [], []
    for flip in fix.cases:
        records = _records(flip, document)
        if not records:
            silent.append(f"{flip.case} did not run")
        for run, case in records:
            name = f"{case['id']} ({run['name']})"
            if case["status"] == "pass":
                passed.append(name)
            elif case["status"] == flip.without and not _shows(flip, case):
                silent.append(f"{name} failed otherwise: {case.get('message', '')}")
            elif case["status"] == flip.without:
                failed.append(name)
            elif case["status"] != "skip":
                silent.append(f"{name}: {case['status']}")
    if failed:
        return NOT_FIXED, "failed: " + some(failed)
    if passed and not silent:
        return FIXED, "passed: " + some(passed)
    if silent:
        return "", some(silent)
    return "", "every case was skipped" if fix.cases else ""


def _records(
    flip: Flip, document: Mapping[str, Any]
) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    return [
        (run, case)
        for run in document["runs"]
        if run["personality"] in flip.personalities
        for case in run["cases"]
        if covers(flip.case, case["id"])
    ]


def _shows(flip: Flip, case: Mapping[str, Any]) -> bool:
    """Is it the failure that the lack of this fix causes?"""
    if witnesses.stray(flip, case):
        return False
    words = [case.get("message", ""), *case.get("diagnostics", ()), *case.get("splats", ())]
    return any(re.search(flip.shows, text) for text in words)


def verdict_of(
    fix: Fix,
    tree: Tree | None,
    document: Mapping[str, Any] | None,
    release: Release | None = None,
    log: Log | None = None,
) -> tuple[str, str]:
    """Behaviour where it tells; else the source, its log, or the release's number."""
    source, why = UNKNOWN, "no source given (KDIR=)"
    if tree:
        source, why = by_source(fix, tree)
    elif release:
        source, why = by_release(fix, release)
    # A log knows better than a release's number, and nothing better than the source
    silent = source == UNKNOWN or not tree and source != NOT_APPLICABLE
    if log and silent and (claim := log.claim(fix)):
        source, why = CLAIMED, claim
    if source == NOT_APPLICABLE or document is None:
        return source, why
    shown, reason = by_behaviour(fix, document)
    if not shown:
        return source, f"{why} ({reason})" if reason else why
    if tree and (shown == FIXED) != (source == CLAIMED):
        return shown, f"{reason}; the source says {source}: {why}"
    return shown, reason


def audit(
    catalogue: Catalogue,
    fixes: Sequence[Fix],
    tree: Tree | None,
    document: Mapping[str, Any] | None = None,
    release: Release | None = None,
    log: Log | None = None,
) -> list[Audited]:
    """Every fix that is asked for, with what it needs and is followed by."""
    known: dict[str, tuple[str, str]] = {}

    def word(name: str) -> str:
        if name not in catalogue.fixes:
            return UNKNOWN
        if name not in known:
            known[name] = UNKNOWN, "its cases need each other"
            fix, left = witnesses.telling(catalogue.fixes[name], kernel)
            found, why = verdict_of(fix, tree, document, release, log)
            known[name] = found, "; ".join([why, *left] if document else [why])
        return known[name][0]

    kernel = known_by(word, tree)
    audited = []
    for fix in fixes:
        found, why = word(fix.id), known[fix.id][1]
        missing: list[str] = []
        absent = [name for name in fix.prerequisites if kernel.lacks(name)]
        if found == FIXED and absent and tree is None:
            # The code that it mends is not there, and so nothing is wrong with it
            found, why = NOT_APPLICABLE, f"it mends {absent[0]}, which is lacking; {why}"
        if found in HAVE:
            for what, names in (
                ("prerequisite", fix.prerequisites),
                ("follow-up", fix.follow_ups),
            ):
                missing += [
                    f"{what} missing: {name}, {catalogue.fixes[name].title}"
                    for name in names
                    if kernel.lacks(name)
                ]
        if log and found in LACK and (claim := log.claim(fix)):
            missing.append(f"but {claim} claims it")
        audited.append(Audited(fix, found, why, tuple(missing)))
    return audited


def report(audited: Sequence[Audited]) -> list[str]:
    """What is lacking first."""
    lines = []
    for word in WORDS:
        for one in (one for one in audited if one.verdict == word):
            lines.append(f"{word:<15} {one.fix.id:<28} {one.fix.title}")
            if word in (*LACK, UNKNOWN):
                lines.append(f"{'':<15} {one.fix.harm}")
                lines += [f"{'':<15} no case: {one.fix.why}"] if one.fix.why else []
            if word != CLAIMED:
                lines.append(f"{'':<15} {one.why}")
            lines += [f"{'':<15} {problem}" for problem in one.problems]
    return lines


def summary(audited: Sequence[Audited]) -> str:
    number = Counter(one.verdict for one in audited)
    counted = ", ".join(f"{number[word]} {word}" for word in WORDS if number[word])
    half = sum(bool(one.problems) for one in audited)
    return counted + (f"; {half} without what belongs to them" if half else "")


def exit_code(audited: Sequence[Audited]) -> int:
    """1: something is lacking; 3: of nothing could be told; 77: nothing concerns this kernel."""
    if any(one.verdict in LACK or one.problems for one in audited):
        return errors.FINDING
    words = {one.verdict for one in audited}
    if words <= {NOT_APPLICABLE}:
        return errors.NOTHING_APPLICABLE
    return errors.INFRASTRUCTURE if words <= {NOT_APPLICABLE, UNKNOWN} else errors.OK


def as_json(
    audited: Sequence[Audited], catalogue: Catalogue, kernel: str, evidence: str
) -> dict[str, Any]:
    """For programs."""
    return {
        "schema": JSON_VERSION,
        "kernel": kernel,
        "results": evidence,
        "catalogue": catalogue.date,
        "suite_version": parts.version(),
        "exit": exit_code(audited),
        "fixes": [
            {
                "id": one.fix.id,
                "upstream": list(one.fix.upstream),
                "subject": one.fix.subject,
                "cves": list(one.fix.cves),
                "verdict": one.verdict,
                "why": one.why,
                "problems": list(one.problems),
                "cases": [dataclasses.asdict(flip) for flip in one.fix.cases],
            }
            for one in audited
        ],
    }


def run(options: argparse.Namespace, words: list[str], screen: Screen) -> int:
    """coco audit: the verdicts, on the screen and perhaps in JSON=."""
    if not (options.kdir or options.results or options.kernel or options.kbuild_output):
        raise UsageError(
            "audit needs a kernel: its source, itself, or results",
            "KDIR=<tree>, KERNEL=<kernel>, KBUILD_OUTPUT=<build>, or RESULTS=<folder> of a check",
        )
    if options.kernel and options.kdir:
        raise UsageError("KERNEL= and KDIR= name two kernels", "give one of them")
    catalogue = load(options.catalogue or "")
    fixes = catalogue.select(options.fix or ())
    folder = _source(options)
    tree = Tree(trees.check_source(folder)) if folder else None
    document = _document(options, words, fixes, screen)
    if document and tree:
        _same_kernel(tree, document["kernel"], options.results)
    kernel = str(tree) if tree else str(document["kernel"]["name"] if document else "")
    log = _log(options, folder, fixes, catalogue.shared_cves)
    audited = audit(catalogue, fixes, tree, document, release_of(document), log)
    for line in report(audited):
        screen.line(line)
    screen.line()
    evidence = f", results of {document['started']}" if document else ""
    screen.line(f"{kernel}{evidence}; catalogue of {catalogue.date}")
    screen.line(summary(audited))
    if options.json:
        data = as_json(audited, catalogue, kernel, options.results or "")
        files.write_json(Path(options.json), data, files.JSON)
    return exit_code(audited)


def _document(
    options: argparse.Namespace, words: list[str], fixes: Sequence[Fix], screen: Screen
) -> Mapping[str, Any] | None:
    """Results that are there already, or those of a run of the fixes' cases."""
    if options.kernel or options.kbuild_output:
        from coco.prove import shown  # which needs this module

        return shown.results_of(options, words, fixes, screen)
    return results.read(Path(options.results)) if options.results else None


def _source(options: argparse.Namespace) -> Path | None:
    """The tree that is named, or that the build was made of."""
    if options.kdir:
        return Path(options.kdir)
    link = Path(options.kbuild_output) / "source" if options.kbuild_output else None
    return link.resolve() if link and link.is_dir() else None


def _log(
    options: argparse.Namespace, tree: Path | None, fixes: Sequence[Fix], shared: frozenset[str]
) -> Log | None:
    """The changelog that is named or came with the kernel, or the git log of the tree."""
    if options.changelog:
        return claims.of_changelog(Path(options.changelog), shared)
    if tree:
        return claims.of_git(tree, fixes, shared)
    own = kernels.resolve(options).changelog if options.kernel else None
    return claims.of_changelog(own, shared) if own else None


def release_of(document: Mapping[str, Any] | None) -> Release | None:
    """The kernel that results are about."""
    if document is None:
        return None
    kernel = document["kernel"]
    version = expect.kernel_version(str(kernel["name"]), str(kernel["release"]), "")
    return Release(version, tuple(kernel["technologies"]))


def _same_kernel(tree: Tree, kernel: Mapping[str, Any], folder: str) -> None:
    # A distribution's release may leave the last number to its name
    said = [expect.parse_version(str(kernel[key])) for key in ("release", "name")]
    if tree.version and tree.version not in (one[: len(tree.version)] for one in said):
        raise UsageError(
            f"RESULTS={folder} is about {kernel['name']}, KDIR= is {tree}",
            f"check this tree first: {parts.program()} check KDIR=<tree> RESULTS=<new folder>",
        )
