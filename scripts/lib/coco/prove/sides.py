# SPDX-License-Identifier: GPL-2.0
"""One side of a proof: some cases of some suites on one kernel.

Which cases: those that were named, all the others of their suites (but for those
that end the guest, which cost a boot each), and the technology suite as a control.
"""

import argparse
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coco import check, expect, files, results
from coco.catalogue.fix import Flip
from coco.errors import NothingApplicable
from coco.expect import SMP, Expectations
from coco.model import PERSONALITIES
from coco.plan import Selection
from coco.prepare import Prepared
from coco.screen import Screen

PLAIN = PERSONALITIES[0]
CONTROL = "technology"  # a suite of a few cheap cases that every kernel passes

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What a side has to run."""

    cases: frozenset[str]  # suite.case
    personalities: tuple[str, ...]
    vcpus: int = 1

    def has(self, run: Mapping[str, Any], name: str) -> bool:
        """Whether a result belongs to it."""
        return (
            run["personality"] in self.personalities
            and run["vcpus"] == self.vcpus
            and (
                name in self.cases  # a case that is written down with its parameter
                or ".".join(name.split(".")[:2]) in self.cases
                or name.startswith(expect.BOOT + ".")
            )
        )


def wanted(
    flips: Sequence[Flip],
    written: Expectations,
    technologies: Iterable[str],
    asked: Iterable[str] | None = None,
) -> Wanted:
    """What it takes to see these cases flip, and nothing else."""
    cases: set[str] = set()
    known: list[tuple[str, Flip, expect.Case]] = []
    for flip in flips:
        suite, _, name = flip.case.partition(".")
        case = written.case(suite, name)
        if case:
            known.append((f"{suite}.{case.id}", flip, case))
    named = {name for name, _, _ in known}
    for name in dict.fromkeys([*(one.partition(".")[0] for one, _, _ in known), CONTROL]):
        suite_written = written.suites.get(name)
        for case in suite_written.cases if suite_written else ():
            full = f"{name}.{case.id}"
            if full in named or (not case.fatal and case.tier == expect.SMOKE):
                cases.add(full)
    where = {
        one for _, flip, case in known for one in set(flip.personalities) & set(case.personalities)
    }
    has = set(technologies) & where & set(asked or PERSONALITIES)
    if has and any(name.startswith(expect.BOOT + ".") for name in named):
        has |= _control(set(technologies), has)
    smp = any(SMP in case.needs for _, _, case in known)
    ordered = tuple(name for name in PERSONALITIES if name in has)
    return Wanted(frozenset(cases), ordered, 2 if smp else 1)


def _control(technologies: set[str], has: set[str]) -> set[str]:
    """A guest that boots on both sides: the plain one, or another where that one does not."""
    return {PLAIN} if has != {PLAIN} else set(sorted(technologies - has)[:1])


def together(every: Sequence[Wanted]) -> list[Wanted]:
    """As few runs as serve all of them, one a number of vCPUs."""
    found = []
    for vcpus in sorted({one.vcpus for one in every}):
        alike = [one for one in every if one.vcpus == vcpus and one.personalities]
        names = {name for one in alike for name in one.personalities}
        found.append(
            Wanted(
                frozenset(case for one in alike for case in one.cases),
                tuple(name for name in PERSONALITIES if name in names),
                vcpus,
            )
        )
    return [one for one in found if one.personalities]


def run(
    options: argparse.Namespace,
    words: list[str],
    prepared: Prepared,
    work: Sequence[Wanted],
    written: Expectations,
    folder: Path,
    screen: Screen,
) -> results.Document:
    """Boot, run, and keep the results, in the form that check gives them."""
    start = time.monotonic()
    with files.disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    jobs: list[check.Job] = []
    plain = argparse.Namespace(**{**vars(options), "gdb": ""})
    for one in work:
        selection = Selection(cases=tuple(sorted(one.cases)), tier=expect.FULL)
        settled = argparse.Namespace(**{**vars(plain), "vcpus": (one.vcpus,)})
        try:
            jobs += check.jobs_of(
                settled, selection, list(one.personalities), prepared, written, folder
            )
        except NothingApplicable:
            continue  # the verdict says which case did not run
    document = check.document_of(options, words, prepared, Selection(tier=expect.FULL))
    document["runs"] = [job.record for job in jobs]
    try:
        check.work_off(plain, jobs, prepared, written, screen, folder, document)
    except KeyboardInterrupt:
        check.close(document, start, interrupted=True)
        results.write(folder, document)
        raise
    check.close(document, start, interrupted=False)
    results.write(folder, document)
    return document


def narrow(document: Document, one: Wanted) -> Document:
    """The part of a side's results that one proof is about."""
    runs = []
    for record in document["runs"]:
        if record["personality"] in one.personalities and record["vcpus"] == one.vcpus:
            cases = [case for case in record["cases"] if one.has(record, case["id"])]
            runs.append({**record, "cases": cases})
    return {**document, "runs": runs}


def counts(document: Document) -> dict[str, dict[str, int]]:
    """Run -> how often each kind of exit happened in all its boots."""
    found: dict[str, dict[str, int]] = {}
    for record in document["runs"]:
        sums = found.setdefault(record["name"], {})
        for boot in record["boots"]:
            for kind, number in boot.get("counts", {}).items():
                sums[kind] = sums.get(kind, 0) + number
    return found


class Prefixed(Screen):
    """What a side says, on another screen and marked as its own; or just its moving lines."""

    def __init__(self, screen: Screen, prefix: str, quiet: bool) -> None:
        super().__init__()
        self._screen, self._prefix, self._quiet = screen, prefix, quiet

    def line(self, text: str = "") -> None:
        if not self._quiet:
            self._screen.line(f"  {self._prefix:<10}{text}")

    def status(self, name: str, text: str) -> None:
        self._screen.status(name, f"{self._prefix} {text}")

    def gone(self, name: str) -> None:
        self._screen.gone(name)

    def clear(self) -> None:
        self._screen.clear()
