# SPDX-License-Identifier: GPL-2.0
"""coco matrix: many kernels, and what each of them supports, has fixed, and costs to boot.

    <folder>/<kernel>/     results of a check, qualify.json, index.html: the evidence
    <folder>/matrix.json   all that the page and the text are made from
    <folder>/index.html    the page; matrix.txt: the same as text

A kernel whose results are there, complete, of this very image and by the same suites, machine,
QEMU and words, is not checked again: an interrupted matrix goes on where it was.
"""

import argparse
import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from coco import audit, check, compare, errors, expect, features, files, kernels
from coco import matrix_page, parts, qemu, qualify, results, witnesses
from coco.catalogue import entries
from coco.catalogue.fix import Fix
from coco.errors import CocoError, InfrastructureError, UsageError
from coco.features import Profile
from coco.kernels import bzimage
from coco.model import PERSONALITIES
from coco.prepare import check_paths
from coco.screen import Screen

JSON_VERSION = 1
FILE = "matrix.json"
DEFAULT_JOBS = 2  # machines at a time: a matrix is for the night, on a machine in use
# Words that change nothing of the results of a kernel; the tier is in the results
_SHAPELESS = ("KERNEL", "KERNELS", "RESULTS", "TIER", "JOBS", "PATIENCE")
_THERE = (qualify.SUPPORTED, qualify.PARTIAL)

Document = dict[str, Any]


@dataclass
class Entry:
    """One kernel of the matrix."""

    word: str  # by which it was asked for
    folder: str
    name: str = ""
    release: str = ""
    sha256: str = ""
    version: list[int] = field(default_factory=list)
    reason: str = ""  # why there is nothing about it
    verdict: str = ""
    technologies: dict[str, str] = field(default_factory=dict)
    features: list[Document] = field(default_factory=list)
    flaws: list[Document] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    fixes: dict[str, list[str]] = field(default_factory=dict)  # id -> verdict, why
    runs: dict[str, str] = field(default_factory=dict)  # run -> its personality
    boots: dict[str, float] = field(default_factory=dict)  # run -> seconds to init


def run(options: argparse.Namespace, words: list[str], screen: Screen) -> int:
    """The whole verb."""
    folder = Path(options.results or parts.workplace() / "results/matrix").absolute()
    asked = list(dict.fromkeys([*_asked_before(folder), *(options.kernels or "").split()]))
    if not asked:
        raise UsageError(
            "matrix needs kernels", 'KERNELS="debian:5.10 debian:6.12", or RESULTS=<an old matrix>'
        )
    check_paths(options)
    setting = _setting(options, words, screen)
    with results.hold(folder):
        made = []
        for number, word in enumerate(asked, 1):
            screen.line(f"[{number}/{len(asked)}] {word}")
            made.append(_one(word, folder, options, words, setting, screen))
            screen.line()
            _write(folder, matrix(made, folder, asked))
        document = matrix(made, folder, asked)
        _write(folder, document)
    for line in matrix_page.text(document):
        screen.line(line)
    screen.line(f"page: {folder}/index.html")
    if any(entry.reason for entry in made):
        return errors.INFRASTRUCTURE
    return errors.FINDING if any(entry.findings for entry in made) else errors.OK


def _asked_before(folder: Path) -> list[str]:
    """The kernels of a matrix that is there, but for words by which none was ever found."""
    try:
        before = json.loads((folder / FILE).read_text(encoding="utf-8"))
        unknown = [one["word"] for one in before["kernels"] if not one["sha256"]]
        return [
            word
            for word in before["asked"]
            if word not in unknown or (folder / kernels.folder_name(word)).is_dir()
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _one(
    word: str,
    folder: Path,
    options: argparse.Namespace,
    words: list[str],
    setting: Document,
    screen: Screen,
) -> Entry:
    """One kernel: checked, or taken from its folder; what prevents it becomes its reason."""
    entry = Entry(word, kernels.folder_name(word))
    own = copy.copy(options)
    own.kernel, own.results = word, str(folder / entry.folder)
    own.jobs = options.jobs or DEFAULT_JOBS
    own.gdb, own.tier = "", setting["tier"]
    try:
        kernel = kernels.resolve(own, screen.say)
        entry.sha256 = kernel.sha256
        document = _results(own, kernel, words, setting, screen)
    except CocoError as error:
        entry.reason = " ".join("; ".join(filter(None, (error.message, error.hint))).split())
        screen.line(f"  {entry.reason}")
        return entry
    _fill(entry, kernel, document, folder / entry.folder)
    return entry


def _results(
    options: argparse.Namespace,
    kernel: kernels.Kernel,
    words: list[str],
    setting: Document,
    screen: Screen,
) -> Document:
    """Results that are there and still hold, or new ones."""
    folder = Path(options.results)
    if (folder / results.RESULT).is_file():
        document = results.read(folder)
        why = _against(document, {"image": kernel.sha256, **setting})
        if not why:
            screen.line(f"  results of {document['started']} are there")
            return document
        old = next(
            path
            for n in range(1, 1000)
            if not (path := folder.with_name(f"{folder.name}.old{n}")).exists()
        )
        folder.rename(old)
        told = f"results of {document['started']} do not hold"
        screen.line(f"  {told} ({', '.join(why)}), moved to {old.name}")
    return check.within(options, words, ("KERNELS", "RESULTS"), screen)


def _setting(options: argparse.Namespace, words: Iterable[str], screen: Screen) -> Document:
    """What decides the results besides the kernel."""
    return {
        "suites": parts.suite_sources(),
        "machine": files.sha256(parts.machine(screen.say)),
        "QEMU": qemu.find(options.qemu or "").version,
        "tier": options.tier or expect.FULL,
        "words": _shaping(words),
    }


def _shaping(words: Iterable[str]) -> list[str]:
    return sorted(word for word in words if word.partition("=")[0] not in _SHAPELESS)


def _against(document: Document, now: Mapping[str, Any]) -> list[str]:
    """Why results do not hold: what differs, or was not whole and is tried again."""
    then = {
        "image": document["kernel"]["sha256"],
        "suites": document.get("sources"),
        "machine": document["machine"]["sha256"],
        "QEMU": document["qemu"]["version"],
        "tier": document["tier"],
        "words": _shaping(document["words"]),
    }
    why = [f"other {name}" for name in now if now[name] != then[name]]
    whole = document["complete"] and document["verdict"]["exit"] != errors.INFRASTRUCTURE
    whole = whole and all(run["state"] == "done" for run in document["runs"])
    return why if whole else [*why, "not whole"]


def _fill(entry: Entry, kernel: kernels.Kernel, document: Document, folder: Path) -> None:
    profile = Profile()
    found = qualify.judge(kernel, document, features.load(), profile)
    qualify.write(folder, kernel, document, profile, found)
    entry.name, entry.release = kernel.name, kernel.release
    entry.version = list(
        expect.kernel_version(kernel.name, kernel.release, bzimage.banner(kernel.vmlinuz))
    )
    entry.verdict = document["verdict"]["word"]
    entry.technologies = found.technologies
    entry.features = [asdict(one) for one in found.features]
    entry.flaws = [{**asdict(one), "text": one.text} for one in found.flaws]
    entry.findings = found.findings
    entry.fixes = _fixes(document)
    entry.runs = {run["name"]: run["personality"] for run in document["runs"]}
    entry.boots = {
        run["name"]: run["boot_seconds"] for run in document["runs"] if run.get("boot_seconds")
    }
    broken = [run for run in document["runs"] if run["state"] != "done"]
    if broken:
        entry.reason = f"{broken[0]['name']}: {broken[0]['reason'] or broken[0]['state']}"
    elif document["verdict"]["exit"] == errors.INFRASTRUCTURE:
        entry.reason = document["verdict"]["text"]


def _fixes(document: Document) -> dict[str, list[str]]:
    """Fixes that a case of these results tells of."""
    found = {}
    known = entries.load("").fixes
    words = {name: audit.by_behaviour(known[name], document)[0] for name in known}
    kernel = audit.known_by(lambda name: words.get(name, audit.UNKNOWN), None)
    for whole in known.values():
        fix, _ = witnesses.telling(whole, kernel)
        verdict, why = audit.by_behaviour(fix, document)
        if verdict or why and "did not run" not in why:
            found[fix.id] = [verdict or audit.UNKNOWN, why]
    return found


# ---- all of them together ----
def matrix(checked: Iterable[Entry], folder: Path, asked: list[str]) -> Document:
    """matrix.json: kernels by version, and what follows from their order."""
    ordered = sorted(checked, key=lambda entry: (not entry.version, entry.version, entry.word))
    listed = {feature.name: feature.title for feature in features.load().features}
    known = entries.load("").fixes
    seen = {name for entry in ordered for name in entry.fixes}
    runs = {name: which for entry in ordered for name, which in entry.runs.items()}
    by_personality = sorted(runs, key=lambda name: (PERSONALITIES.index(runs[name]), name))
    return {
        "version": JSON_VERSION,
        "asked": asked,
        "suite_version": parts.version(),
        "technologies": list(PERSONALITIES),
        "runs": {name: runs[name] for name in by_personality},
        "features": listed,
        "fixes": {name: _fix(known[name]) for name in sorted(seen) if name in known},
        "silent_fixes": len(known) - len(seen),
        "kernels": [asdict(entry) for entry in ordered],
        "first": first(ordered),
        "changes": changes(ordered, folder),
    }


def _fix(fix: Fix) -> Document:
    return {"title": fix.title, "cves": list(fix.cves), "harm": fix.harm}


def _states(entry: Entry) -> dict[str, str]:
    return {f"{one['technology']} {one['feature']}": one["state"] for one in entry.features}


def first(ordered: Iterable[Entry]) -> dict[str, str]:
    """ "technology feature" -> the first kernel in which it is there."""
    found: dict[str, str] = {}
    for entry in ordered:
        for name, state in _states(entry).items():
            if state in _THERE:
                found.setdefault(name, entry.word)
    return found


def changes(ordered: Iterable[Entry], folder: Path) -> list[Document]:
    """From each kernel to the next: features, fixes, and cases in number."""
    found = []
    there = [entry for entry in ordered if entry.features]
    for old, new in zip(there, there[1:]):
        before, after = _states(old), _states(new)
        moved = [
            [name, before[name], after[name]]
            for name in after
            if name in before and before[name] != after[name]
        ]
        fixed = [
            [name, old.fixes[name][0], new.fixes[name][0]]
            for name in new.fixes
            if name in old.fixes and old.fixes[name][0] != new.fixes[name][0]
        ]
        cases: dict[str, int] = {}
        documents = (results.read(folder / one.folder) for one in (old, new))
        for change in compare.compare(*documents):
            cases[change.kind] = cases.get(change.kind, 0) + 1
        found.append(
            {"old": old.word, "new": new.word, "features": moved, "fixes": fixed, "cases": cases}
        )
    return found


def _write(folder: Path, document: Mapping[str, Any]) -> None:
    files.write_json(folder / FILE, document)
    files.write(folder / "matrix.txt", "\n".join(matrix_page.text(document)) + "\n")
    files.write(folder / "index.html", matrix_page.page(document))
    for kernel in document["kernels"]:
        place = folder / kernel["folder"]
        if not kernel["features"]:
            continue
        try:
            page = matrix_page.evidence(kernel, results.read(place), document)
        except UsageError as error:
            raise InfrastructureError(f"{place}: {error.message}") from error
        files.write(place / "index.html", page)
