# SPDX-License-Identifier: GPL-2.0
"""From the command line to the exit code of `coco prove`."""

import argparse
import dataclasses
import hashlib
import json
import shlex
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coco import audit, cache, catalogue, check, errors, expect, parts, prepare, results
from coco.catalogue import Catalogue, Fix, Flip, Part
from coco.errors import UsageError
from coco.kernels import Request, altered, tree
from coco.prove import proofs, sides, sources, verdicts
from coco.prove.proofs import PartProof, Proof
from coco.prove.verdicts import Judgement
from coco.screen import Screen
from coco.source import Tree

STATE = "prove.json"
WITH, WITHOUT = "with", "without"
_FINDINGS = (verdicts.NOT_PROVEN, verdicts.PARTIAL, verdicts.BROKEN, verdicts.NOT_FIXED)


@dataclass(frozen=True)
class Task:
    """One fix that has cases and code in this kernel."""

    fix: Fix
    claim: str
    wanted: sides.Wanted


def run(options: argparse.Namespace, words: list[str], screen: Screen) -> int:
    """Everything."""
    check_options(options)
    listing = catalogue.load(options.catalogue or "")
    return Prover(options, words, screen, listing).run()


def check_options(options: argparse.Namespace) -> None:
    """What does not fit together, before anything is built."""
    if not options.kdir:
        raise UsageError(
            "prove builds the kernel with and without a fix, so it needs the source",
            "KDIR=<tree>; of a shipped kernel, coco check and coco audit tell which fixes it has",
        )
    if not options.fix:
        raise UsageError("prove needs a fix", "FIX=<id>, a CVE or a commit, or FIX=all")


class Prover:
    """All proofs of one run; they share the side with the fix."""

    def __init__(
        self, options: argparse.Namespace, words: list[str], screen: Screen, listing: Catalogue
    ) -> None:
        self._options = options
        self._words = words
        self._screen = screen
        self._listing = listing
        self._request = Request.of(options)
        self._tree = Tree(tree.check_tree(Path(options.kdir)))
        self._written = expect.load(check.EXPECTATIONS)
        self._all = "all" in options.fix
        self._proofs: list[Proof] = []
        self._kept: dict[str, proofs.Record] = {}  # of an earlier run that was interrupted
        self._about: proofs.Record = {}

    def run(self) -> int:
        start = time.monotonic()
        fixes = self._sort_out(self._listing.select(self._options.fix))
        if not fixes:
            return self._finish(start, Path(self._options.results or "."), keep=False)
        prepared = prepare.prepare(self._options, self._screen.say)
        tasks = self._tasks(fixes, prepared)
        folder = results.make_folder(parts.REPOSITORY, self._options.results or "", "prove-")
        self._about = self._describe(prepared)
        for line in header(self._about):
            self._screen.line(line)
        self._take_up(folder, tasks)
        try:
            self._work(tasks, prepared, folder)
        except KeyboardInterrupt:
            self._screen.clear()
            self._save(folder)
            rest = [word for word in self._words if not word.startswith("RESULTS=")]
            again = shlex.join(["scripts/coco", "prove", *rest, f"RESULTS={folder}"])
            self._screen.line(f"INTERRUPTED: go on with {again}")
            return errors.INTERRUPTED
        return self._finish(start, folder)

    # ---- which fixes ----

    def _sort_out(self, fixes: Sequence[Fix]) -> list[tuple[Fix, str]]:
        """(fix, claim) of those that can be tried; the verdict on the others."""
        found = []
        for fix in fixes:
            claim, why = audit.by_source(fix, self._tree)
            if claim == audit.NOT_APPLICABLE:
                self._add(fix, claim, verdicts.NOT_APPLICABLE, why)
            elif not fix.cases:
                shown = fix.kind in ("hardware", "source")
                word = verdicts.NOT_SHOWABLE if shown else verdicts.UNKNOWN
                self._add(fix, claim, word, f"no case shows it: {fix.why}")
            else:
                found.append((fix, claim))
        return found

    def _add(self, fix: Fix, claim: str, verdict: str, why: str) -> None:
        self._proofs.append(Proof(fix.id, fix.title, verdict, why, claim, fix.cves))

    def _tasks(self, fixes: Sequence[tuple[Fix, str]], prepared: prepare.Prepared) -> list[Task]:
        """Those with a case that this kernel can run in some personality."""
        has = prepared.kernel.technologies
        tasks = []
        for fix, claim in fixes:
            one = sides.wanted(fix.cases, self._written, has, self._options.personality)
            if one.personalities:
                tasks.append(Task(fix, claim, one))
                continue
            where = {name for flip in fix.cases for name in flip.personalities}
            asked = set(self._options.personality or where)
            why = f"this kernel has no code for {', '.join(sorted(where & asked)) or 'those'}"
            self._add(fix, claim, verdicts.NOT_APPLICABLE, why)
        return tasks

    # ---- the sides ----

    def _work(self, tasks: Sequence[Task], prepared: prepare.Prepared, folder: Path) -> None:
        to_do = [task for task in tasks if not self._take_over(task)]
        if not to_do:
            return
        with_fix = self._side_with(to_do, prepared, folder)
        start = time.monotonic()
        for number, task in enumerate(to_do, 1):
            self._screen.status("prove", f"{number} of {len(to_do)}: {task.fix.id}")
            proof = self._prove(task, prepared, with_fix, folder)
            self._proofs.append(proof)
            self._save(folder)
            left = (time.monotonic() - start) / number * (len(to_do) - number)
            self._tell(proof, f"{number}/{len(to_do)}", left)
        self._screen.gone("prove")

    def _side_with(
        self, tasks: Sequence[Task], prepared: prepare.Prepared, folder: Path
    ) -> results.Document:
        """All that the proofs want of the kernel as it is, in as few boots as can be."""
        place = folder / WITH
        shutil.rmtree(place, ignore_errors=True)
        return sides.run(
            self._options,
            self._words,
            prepared,
            sides.together([task.wanted for task in tasks]),
            self._written,
            place,
            sides.Prefixed(self._screen, WITH, quiet=False),
        )

    def _prove(
        self,
        task: Task,
        prepared: prepare.Prepared,
        with_fix: results.Document,
        folder: Path,
    ) -> Proof:
        start = time.monotonic()
        fix = task.fix
        before = sides.narrow(with_fix, task.wanted)
        found = verdicts.as_it_is(fix.cases, before, task.claim == audit.CLAIMED)
        proof = Proof(fix.id, fix.title, found.verdict, found.why, task.claim, fix.cves)
        proof.counts = sides.counts(before)
        if found.verdict == verdicts.FIXED and fix.recipe is None:
            proof.why = f"{found.why}; not proven: no recipe takes it out"
        elif found.verdict == verdicts.FIXED:
            shutil.rmtree(folder / fix.id, ignore_errors=True)
            for part in fix.parts:
                try:
                    side = sources.by_recipe(fix, part, self._tree.path)
                except sources.NoOtherSide as error:
                    proof.why = f"{found.why}; not proven: {error.message}"
                    break
                proof.parts.append(self._part(task, part, side, prepared, before, folder))
            else:
                judged = {one.name: one.judgement for one in proof.parts}
                proof.verdict, proof.why = verdicts.together(judged)
        proof.seconds = time.monotonic() - start
        return proof

    def _part(
        self,
        task: Task,
        part: Part,
        side: sources.Sources,
        prepared: prepare.Prepared,
        before: Mapping[str, Any],
        folder: Path,
    ) -> PartProof:
        """Build and run the kernel without this part, and judge."""
        name = f"{WITHOUT}-{part.name}" if part.name else WITHOUT
        place = folder / task.fix.id / name
        with cache.disk_errors(place):
            place.mkdir(parents=True)
            (place / "taken-out.diff").write_text(side.diff(self._tree.path), encoding="utf-8")
        proof = PartProof(
            part.name,
            side.how,
            tuple(side.without),
            Judgement(verdicts.UNKNOWN, ""),
            folder=str(place),
        )
        self._screen.status("build", f"{WITHOUT} {task.fix.id} {part.name}")
        try:
            built = altered.build(self._request, prepared.kernel, side.without)
        except altered.DoesNotBuild as error:
            proof.judgement.why = f"without the fix the kernel does not build: {error.message}"
            return proof
        finally:
            self._screen.gone("build")
        proof.kernel, proof.build_seconds = built.kernel.sha256, built.seconds
        if built.kernel.modules == prepared.kernel.modules:
            proof.judgement.why = "this kernel is the same without it: its code is not configured"
            return proof
        other = prepare.again(prepared, built.kernel, built.headers, cache.quiet)
        document = sides.run(
            self._options,
            self._words,
            other,
            [task.wanted],
            self._written,
            place,
            sides.Prefixed(self._screen, WITHOUT, quiet=self._all),
        )
        proof.counts = sides.counts(document)
        proof.judgement = verdicts.judge(flips_of(task.fix, part), before, document)
        return proof

    # ---- what is kept ----

    def _describe(self, prepared: prepare.Prepared) -> proofs.Record:
        kernel = prepared.kernel
        own = self._options.config
        return {
            "kernel": kernel.name,
            "kernel_sha256": kernel.sha256,
            "config": f"configuration {own}" if own else "our configuration",
            "compiler": kernel.compiler,
            "suite_version": parts.version(),
            "suites": prepared.suites,
            "tests": prepared.initramfs.parent.name,
            "catalogue": self._listing.date,
            "qemu": prepared.program.version,
            "machine_sha256": prepare.sha256(prepared.machine),
        }

    def _take_up(self, folder: Path, tasks: Sequence[Task]) -> None:
        """What an interrupted run left in RESULTS=, if it was about the same."""
        state = folder / STATE
        if not state.is_file():
            return
        data = json.loads(state.read_text(encoding="utf-8"))
        same = ("kernel_sha256", "tests", "qemu", "machine_sha256")
        if any(data["about"].get(key) != self._about[key] for key in same):
            raise UsageError(
                f"RESULTS={folder} holds proofs of another kernel, or by other tests",
                "name a new folder",
            )
        digests = {task.fix.id: digest(task.fix) for task in tasks}
        for kept in data["proofs"]:
            if kept.get("entry") == digests.get(kept["id"], "") != "":
                self._kept[kept["id"]] = kept

    def _take_over(self, task: Task) -> bool:
        """Whether an earlier run did this one."""
        kept = self._kept.get(task.fix.id)
        if kept is None or kept["verdict"] == verdicts.UNKNOWN:
            self._kept.pop(task.fix.id, None)
            return False
        self._screen.line(f"{kept['verdict']:<15} {task.fix.id}  (from the run before)")
        return True

    def _records(self) -> list[proofs.Record]:
        made = [proofs.record(proof) for proof in self._proofs]
        for one in made:
            one["entry"] = digest(self._listing.fixes[one["id"]])
        return [*self._kept.values(), *made]

    def _save(self, folder: Path) -> None:
        """After each proof, so that nothing is lost."""
        every = self._records()
        proofs.write(folder / STATE, self._document(every, complete=False))
        for one in every:
            if not one["parts"]:
                continue
            proofs.write(folder / one["id"] / "proof.json", one)
            text = "\n".join(proofs.block(one, self._about)) + "\n"
            cache.write(folder / one["id"] / "tested-by.txt", text)

    def _document(self, every: Sequence[proofs.Record], complete: bool) -> proofs.Record:
        return {
            "schema": proofs.SCHEMA_VERSION,
            "complete": complete,
            "words": self._words,
            "about": self._about,
            "exit": exit_code(every, self._all),
            "proofs": list(every),
        }

    # ---- what is said ----

    def _tell(self, proof: Proof, progress: str, left: float) -> None:
        """One proof, as soon as it is done."""
        name = f"{proof.verdict:<15} {proof.id}"
        if not self._all:
            return
        rest = f", about {left / 60:.0f} min left" if left >= 90 else ""
        self._screen.line(f"{name:<45} {proof.seconds:>4.0f} s   ({progress}{rest})")
        if proof.verdict != verdicts.PROVEN:
            self._screen.line(f"{'':<15} {proof.why}")

    def _finish(self, start: float, folder: Path, keep: bool = True) -> int:
        every = self._records()
        code = exit_code(every, self._all)
        for one in every:
            tried = bool(one["parts"])
            if self._all and one["verdict"] not in _FINDINGS:
                continue
            self._screen.line()
            self._screen.line(f"{one['verdict']}: {one['id']}, {one['title']}")
            self._screen.line(f"  {one['why']}")
            for line in proofs.details(one) if tried else ():
                self._screen.line(line)
            if tried and not self._all:
                self._screen.line(f"  to paste   {folder / one['id'] / 'tested-by.txt'}")
        self._screen.line()
        if keep:
            self._save(folder)
            proofs.write(folder / STATE, self._document(every, complete=True))
            results.write_report(folder, self._screen.kept)
            self._screen.line(f"results: {folder}")
        if self._options.json:
            proofs.write(Path(self._options.json), self._document(every, complete=True))
        seconds = time.monotonic() - start
        counted = Counter(one["verdict"] for one in every)
        text = ", ".join(f"{counted[word]} {word}" for word in verdicts.WORDS if counted[word])
        self._screen.line(f"{text} (catalogue of {self._listing.date}, {seconds:.0f} s)")
        return code


def flips_of(fix: Fix, part: Part) -> list[Flip]:
    """The cases that flip when this part alone is taken out."""
    if not part.cases:
        return list(fix.cases)
    flips = []
    for name in part.cases:
        for flip in fix.cases:
            if name == flip.case:
                flips.append(flip)
            elif name.startswith(flip.case + "."):
                flips.append(dataclasses.replace(flip, case=name))
    return flips


def digest(fix: Fix) -> str:
    """Of everything that the catalogue says about a fix."""
    made = hashlib.sha256(fix.file.read_bytes())
    if fix.recipe:
        made.update(fix.recipe.read_bytes())
    return made.hexdigest()


def header(about: Mapping[str, Any]) -> list[str]:
    """What is proven on what."""
    return [
        f"coco-guest-tests {about['suite_version']}   catalogue of {about['catalogue']}   "
        f"machine {about['machine_sha256'][:12]}   QEMU {about['qemu']}",
        f"kernel  {about['kernel']}   sha256 {about['kernel_sha256'][:12]}",
        f"        {about['config']}, built by {about['compiler']}",
        "",
    ]


def exit_code(every: Sequence[Mapping[str, Any]], everything: bool) -> int:
    """0: all that could be tried is proven; FIX=all leaves out what no case or recipe is for."""
    words = [
        one["verdict"]
        for one in every
        if not everything or one["parts"] or one["verdict"] in _FINDINGS
    ]
    if any(word in _FINDINGS for word in words):
        return errors.FINDING
    if any(word in (verdicts.UNKNOWN, verdicts.FIXED) for word in words):
        return errors.INFRASTRUCTURE
    return errors.OK if verdicts.PROVEN in words else errors.NOTHING_APPLICABLE
