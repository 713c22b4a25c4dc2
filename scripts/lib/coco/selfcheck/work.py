# SPDX-License-Identifier: GPL-2.0
"""From the command line to the exit code of `coco selfcheck`.

Both sides of a recipe are those of `coco prove`: the kernel as it is, and the one that the
recipe breaks, or the same one in a machine that is broken.  There it is the kernel that has to be
shown to be right, here it is the cases: each that is named has to see the difference.
"""

import argparse
import dataclasses
import fnmatch
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from coco import audit, errors, expect, parts, prepare, results, witnesses
from coco.catalogue import entries
from coco.catalogue.fix import Catalogue, Fix, Part
from coco.errors import UsageError, did_you_mean
from coco.prove import proofs, sources, verdicts
from coco.prove.batches import Removal
from coco.prove.proofs import PartProof
from coco.prove.sources import Sources
from coco.prove.work import Prover
from coco.screen import Screen
from coco.selfcheck import mistakes, report

FILE = "selfcheck.json"
MACHINE = "machine"  # the folder of what is no file of the kernel's


def run(options: argparse.Namespace, words: list[str], screen: Screen) -> int:
    """Everything."""
    if not options.kdir:
        raise UsageError("selfcheck breaks a kernel and builds it: give its source", "KDIR=<tree>")
    written = expect.load(expect.EXPECTATIONS)
    listing = entries.load()
    every = recipes(listing, mistakes.load(), written)
    asked = select(every, options.mistake or (), options.suite or (), written)
    if not asked:
        raise UsageError(f"no recipe is for a case of {', '.join(options.suite)}")
    return Checker(options, words, screen, Catalogue(every, listing.date, ()), asked).run()


def recipes(
    listing: Catalogue, own: Mapping[str, Fix], written: expect.Expectations
) -> Mapping[str, Fix]:
    """All that a kernel can be broken by; an id is a fix or a mistake, never both."""
    for problem in mistakes.problems(own, written):
        raise UsageError(f"backports/mistakes: {problem}")
    fixes = {fix.id: fix for fix in listing.fixes.values() if fix.recipe and fix.cases}
    if both := sorted(set(fixes) & set(own)):
        raise UsageError(f"{both[0]} is a fix and a mistake", "rename backports/mistakes/...")
    return {**own, **fixes}


def select(
    every: Mapping[str, Fix],
    globs: Sequence[str],
    suites: Sequence[str],
    written: expect.Expectations,
) -> list[Fix]:
    """Those of MISTAKE= and SUITE=; all if nothing is asked for."""
    written.check_suites(suites)
    chosen: dict[str, Fix] = {}
    for glob in globs or ("*",):
        found = {name: one for name, one in every.items() if fnmatch.fnmatchcase(name, glob)}
        if not found:
            raise UsageError(f"no mistake {glob!r}", did_you_mean(glob, every))
        chosen.update(found)
    return [one for one in chosen.values() if not suites or suites_of(one) & set(suites)]


def suites_of(fix: Fix) -> set[str]:
    """The suites of the cases that have to turn red."""
    return {flip.case.partition(".")[0] for flip in fix.cases}


def sample(every: Sequence[Fix]) -> list[Fix]:
    """One recipe a suite, as few as can be: those first that show most suites not shown yet."""
    left = {suite for one in every for suite in suites_of(one)}
    rest, chosen = list(every), []
    while left:
        best = max(rest, key=lambda one: len(suites_of(one) & left))
        rest.remove(best)
        chosen.append(best)
        left -= suites_of(best)
    return [one for one in every if one in chosen]


class Checker(Prover):
    """All recipes of one run; they share the side that is not broken."""

    VERB = "selfcheck"

    def __init__(
        self,
        options: argparse.Namespace,
        words: list[str],
        screen: Screen,
        every: Catalogue,
        asked: Sequence[Fix],
    ) -> None:
        names = tuple(one.id for one in asked)
        others = ("base", "head", "patch", "mbox", "case", "reference", "json", "catalogue")
        none = dict.fromkeys(others)
        settled = argparse.Namespace(
            **{**vars(options), **none, "fix": names, "suite": None, "bisect": False}
        )
        # No commits: an entry of the catalogue is asked for by its id alone
        super().__init__(settled, words, screen, every)
        self._every = every.fixes
        self._broken: dict[str, list[tuple[Part, Sources]]] = {}
        self._whole = options.tier == expect.FULL or bool(options.mistake)
        self._told: set[str] = set()

    def _sort_out(self) -> list[tuple[Fix, str]]:
        """Those whose recipe breaks this tree; of them a sample, unless all are asked for."""
        able = []
        known = audit.known_by(self._says, self._tree)
        for whole in self._fixes:
            claim, why = self._claim(whole)
            fix, left = witnesses.telling(whole, known)
            self._state.left_out[fix.id] = left
            if claim == audit.CLAIMED and fix.cases:
                able.append(fix)
            else:
                self._state.add(fix, claim, verdicts.NOT_APPLICABLE, why or "; ".join(left))
        chosen = able if self._whole else sample(able)
        if len(chosen) < len(able):
            self._screen.say(
                f"{len(chosen)} of {len(able)} recipes, at least one a suite; TIER=full: all"
            )
        return [(fix, audit.CLAIMED) for fix in chosen]

    def _claim(self, fix: Fix) -> tuple[str, str]:
        """Whether there is something to break, and if not why."""
        if fix.kind != mistakes.KIND:
            claim, why = audit.by_source(fix, self._tree)
            if claim != audit.CLAIMED:
                return audit.NOT_APPLICABLE, f"the fix is not in this tree: {why}"
        try:
            self._other_sides(fix)
        except sources.NoOtherSide as error:
            return audit.NOT_APPLICABLE, error.message
        return audit.CLAIMED, ""

    def _other_sides(self, fix: Fix) -> list[tuple[Part, Sources]]:
        """Made once: first to see whether there are any, and then to build them."""
        if fix.id not in self._broken:
            own = self._own_side(fix)
            self._broken[fix.id] = [(Part(), own)] if own else super()._other_sides(fix)
        return self._broken[fix.id]

    def _own_side(self, fix: Fix) -> Sources | None:
        """What no recipe makes: a mistake in assembly, or in the machine."""
        change = mistakes.of_the_machine(fix)
        if change:
            name, old, new = f"{MACHINE}/{change[0]}", *change[1:]
            return Sources(f"by a change of {name}", {name: old}, {name: new})
        files = mistakes.of_assembly(fix, self._tree.path)
        if files is None:
            return None
        if not files:
            raise sources.NoOtherSide(f"{fix.file.name} finds nothing to change in this tree")
        return Sources(f"by a change of {', '.join(files)}", without=files)

    def _build(
        self, batch: Sequence[Removal], prepared: prepare.Prepared, made: Sequence[PartProof]
    ) -> prepare.Prepared:
        """The broken kernel, or the same one in a broken machine."""
        if not mistakes.of_the_machine(batch[0].task.fix):
            return super()._build(batch, prepared, made)
        files = {Path(name).name: new for name, new in batch[0].files.items() if new is not None}
        made[0].kernel = prepared.kernel.sha256
        return dataclasses.replace(prepared, machine=parts.altered_machine(files))

    def _tell(self, proof: proofs.Proof, progress: str = "", left: float = 0.0) -> None:
        """One recipe, as soon as it is done."""
        self._told.add(proof.id)
        for line in report.lines(proofs.record(proof)):
            self._screen.line(line)

    def _finish(self, start: float, folder: Path | None) -> int:
        document = self._state.document(complete=True)
        found = document["proofs"]
        rest = report.unnamed(self._every.values(), self._written, self._shown(found))
        status = report.exit_code(found)
        untold = [one for one in found if one["id"] not in self._told]
        for one in untold:
            if one["parts"]:  # taken over from a run that was interrupted
                for line in report.lines(one):
                    self._screen.line(line)
        if silent := sum(not one["parts"] for one in untold):
            self._screen.line(f"{silent} recipes do not apply to this tree: {FILE}")
        if rest:
            count = sum(map(len, rest.values()))
            self._screen.line(f"no recipe is for {count} other cases of these suites: {FILE}")
        if folder:
            self._state.save(complete=True)
            kept = {**document, "exit": status, "no_recipe": rest}
            proofs.write(folder / FILE, kept)
            self._screen.line(f"results: {folder}")
        self._screen.line(_summary(found, time.monotonic() - start))
        if folder:
            results.write_report(folder, self._screen.kept)
        return status

    def _shown(self, found: Iterable[report.Record]) -> list[str]:
        names = {
            suite for one in found if one["parts"] for suite in suites_of(self._every[one["id"]])
        }
        return sorted(names & set(self._written.suites))


def _summary(found: Sequence[report.Record], seconds: float) -> str:
    words = [word for one in found for word, _ in report.cases(one)]
    counts = [
        f"{words.count(word)} {word}" for word in (report.RED, report.GREEN, report.OTHERWISE)
    ]
    tried = sum(bool(one["parts"]) for one in found)
    title = {
        errors.OK: "OK",
        errors.FINDING: "FINDINGS",
        errors.INFRASTRUCTURE: "COULD NOT RUN",
        errors.NOTHING_APPLICABLE: "NOTHING APPLIES",
    }[report.exit_code(found)]
    return f"{title}: {', '.join(counts)}; {tried} broken kernels ({seconds:.0f} s)"
