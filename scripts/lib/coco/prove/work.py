# SPDX-License-Identifier: GPL-2.0
"""From the command line to the exit code of `coco prove`."""

import argparse
import shlex
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from coco import audit, cache, command, errors, expect, plan, prepare
from coco import parts, qemu, results, witnesses
from coco.catalogue import entries
from coco.catalogue.fix import Catalogue, Fix, Part
from coco.errors import InfrastructureError
from coco.kernels import Request, altered, firmware, tree
from coco.prove import asked, batches, proofs, reference, sides, sources, verdicts
from coco.prove.batches import Removal, Task
from coco.prove.proofs import PartProof, Proof
from coco.prove.sources import Sources
from coco.prove.state import State
from coco.prove.verdicts import Judgement
from coco.screen import Screen
from coco.source import Tree

WITH, WITHOUT = "with", "without"


def run(options: argparse.Namespace, words: list[str], screen: Screen) -> int:
    """Everything."""
    asked.check(options)
    listing = entries.load(options.catalogue or "")
    if not options.bisect:
        return Prover(options, words, screen, listing).run()
    try:
        return Prover(options, words, screen, listing).bisect()
    except command.CommandFailed as error:
        screen.line(f"SKIP: {error.message}")
        return errors.BISECT_SKIP


class Prover:
    """All proofs of one run; they share the side with the fix."""

    VERB = "prove"

    def __init__(
        self, options: argparse.Namespace, words: list[str], screen: Screen, listing: Catalogue
    ) -> None:
        self._options = options
        self._words = words
        self._screen = screen
        self._request = Request.of(options)
        self._tree = Tree(tree.check_tree(Path(options.kdir)))
        if options.reference:
            tree.check_tree(Path(options.reference), "REFERENCE")
        self._written = expect.load(expect.EXPECTATIONS)
        self._listing = listing
        self._fixes = asked.fixes(options, listing, self._written)
        self._series = asked.series(options, self._tree.path)
        self._brief = "all" in (options.fix or ())
        self._state = State(words, listing.date, self._fixes, self._brief, self._series)
        self._first: prepare.Prepared | None = None  # the side with the fix
        self._read = 0.0  # when the tree was

    def run(self) -> int:
        """Prove what is asked for; the exit code."""
        start = time.monotonic()
        fixes = self._sort_out()
        if not fixes:
            return self._finish(start, None)
        prepared = self._prepared(fixes)
        tasks = self._tasks(fixes, prepared)
        folder = results.make_folder(self._options.results or "", f"{self.VERB}-")
        self._state.begin(folder, prepared, self._options.config)
        for line in proofs.header(self._state.about):
            self._screen.line(line)
        try:
            self._work(tasks, prepared, folder)
        except KeyboardInterrupt:
            self._screen.clear()
            self._state.save(complete=False)
            rest = [word for word in self._words if not word.startswith("RESULTS=")]
            again = shlex.join([parts.program(), self.VERB, *rest, f"RESULTS={folder}"])
            self._screen.line(f"INTERRUPTED: go on with {again}")
            return errors.INTERRUPTED
        return self._finish(start, folder)

    def bisect(self) -> int:
        """Just whether this tree behaves as fixed, for `git bisect run`."""
        fixes = self._sort_out()
        prepared = self._prepared(fixes) if fixes else None
        tasks = self._tasks(fixes, prepared) if prepared else []
        if not prepared or not tasks:
            self._screen.line("SKIP: this kernel has no such code")
            return errors.BISECT_SKIP
        folder = results.make_folder(self._options.results or "", "prove-")
        document = self._side(tasks, prepared, folder / WITH, WITH)
        words = []
        for task in tasks:
            found = verdicts.as_it_is(
                task.fix.cases, sides.narrow(document, task.wanted), task.claim == audit.CLAIMED
            )
            self._screen.line(f"{found.verdict}: {task.fix.id}: {found.why}")
            words.append(found.verdict)
        if any(word in (verdicts.NOT_FIXED, verdicts.BROKEN) for word in words):
            return errors.FINDING
        return errors.OK if set(words) == {verdicts.FIXED} else errors.BISECT_SKIP

    def _prepared(self, fixes: Sequence[tuple[Fix, str]]) -> prepare.Prepared:
        """The kernel as it is, and firmware where a case starts its guest in some."""
        self._read = time.time()
        prepared = prepare.prepare(self._options, self._screen.say)
        cases = tuple(flip.case for fix, _ in fixes for flip in fix.cases)
        wanted = plan.wants(self._written, plan.Selection(cases=cases), qemu.FIRMWARE)
        return prepared.with_firmware(firmware.find(self._options, wanted))

    # ---- which fixes ----

    def _sort_out(self) -> list[tuple[Fix, str]]:
        """(fix, claim) of those that can be tried; the verdict on the others."""
        found = []
        known = audit.known_by(self._says, self._tree)
        for fix in self._fixes:
            claim, why = audit.by_source(fix, self._tree)
            if self._series:
                claim = audit.CLAIMED  # by whoever brings the other side
            fix, left = witnesses.telling(fix, known)
            self._state.left_out[fix.id] = left
            if claim == audit.NOT_APPLICABLE:
                self._state.add(fix, claim, verdicts.NOT_APPLICABLE, why)
            elif left and not fix.cases:
                self._state.add(fix, claim, verdicts.UNKNOWN, "no case tells of it here")
            elif not fix.cases:
                hidden = fix.kind in ("hardware", "source")
                word = verdicts.NOT_SHOWABLE if hidden else verdicts.UNKNOWN
                self._state.add(fix, claim, word, f"no case shows it: {fix.why}")
            else:
                found.append((fix, claim))
        return found

    def _says(self, name: str) -> str:
        """Of another fix, by the source: no case of it has run yet."""
        other = self._listing.fixes.get(name)
        return audit.by_source(other, self._tree)[0] if other else audit.UNKNOWN

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
            chosen = where & set(self._options.personality or where)
            why = f"this kernel has no code for {', '.join(sorted(chosen)) or 'those'}"
            self._state.add(fix, claim, verdicts.NOT_APPLICABLE, why)
        return tasks

    # ---- the work ----

    def _work(self, tasks: Sequence[Task], prepared: prepare.Prepared, folder: Path) -> None:
        to_do = []
        for task in tasks:
            kept = self._state.take_over(task.fix)
            if kept:
                self._screen.line(f"{kept['verdict']:<15} {task.fix.id}  (from the run before)")
            else:
                to_do.append(task)
        if self._options.reference and to_do:
            to_do = self._shown_before(to_do, folder)
        if not to_do:
            return
        self._first = self._with_series(prepared)
        document = self._side(to_do, self._first, folder / WITH, WITH)
        removals, pending = self._as_they_are(to_do, document)
        self._take_out(removals, pending, prepared, document, folder)

    def _shown_before(self, tasks: Sequence[Task], folder: Path) -> list[Task]:
        """Those whose cases pass on REFERENCE=; nobody is judged by the rest."""
        fixes = [task.fix for task in tasks]
        release, unfit = reference.unfit(
            self._options, self._words, fixes, self._written, folder, self._screen
        )
        self._state.about["reference"] = release
        for task in tasks:
            if task.fix.id in unfit:
                why = unfit[task.fix.id]
                self._state.add(task.fix, task.claim, verdicts.UNKNOWN, why)
        return [task for task in tasks if task.fix.id not in unfit]

    def _with_series(self, prepared: prepare.Prepared) -> prepare.Prepared:
        """The kernel with the fix: the tree as it is, unless the series has to be put in."""
        if not self._series or not self._series.with_fix:
            return prepared
        self._screen.say(f"building with {self._series.how}")
        with altered.alone(self._request, self._screen.say):
            try:
                built = altered.build(
                    self._request, prepared.kernel, self._series.with_fix, self._read
                )
            except altered.DoesNotBuild as error:
                raise InfrastructureError(f"with the fix: {error.message}", error.hint) from error
            if not self._series.without and built.kernel.modules == prepared.kernel.modules:
                raise InfrastructureError(
                    f"{self._series.how}: this kernel is the same with it",
                    "its code is not configured: give a CONFIG= that has it",
                )
            return prepare.again(prepared, built.kernel, built.headers, cache.quiet)

    def _side(
        self, tasks: Sequence[Task], prepared: prepare.Prepared, place: Path, prefix: str
    ) -> results.Document:
        """All that these tasks want of one kernel, in as few boots as can be."""
        shutil.rmtree(place, ignore_errors=True)
        return sides.run(
            self._options,
            self._words,
            prepared,
            sides.together([task.wanted for task in tasks]),
            self._written,
            place,
            sides.Prefixed(self._screen, prefix, quiet=self._brief and prefix == WITHOUT),
        )

    def _as_they_are(
        self, tasks: Sequence[Task], document: results.Document
    ) -> tuple[list[Removal], dict[str, Proof]]:
        """Judge the side with the fix; what is to be taken out of those that are FIXED."""
        removals: list[Removal] = []
        pending: dict[str, Proof] = {}
        for task in tasks:
            fix = task.fix
            before = sides.narrow(document, task.wanted)
            found = verdicts.as_it_is(fix.cases, before, task.claim == audit.CLAIMED)
            proof = Proof(fix.id, fix.title, found.verdict, found.why, task.claim, fix.cves)
            if len(tasks) == 1:  # else they tell of all the fixes' cases
                proof.counts = sides.counts(before)
            if found.verdict == verdicts.FIXED:
                try:
                    removals += [Removal(task, *one) for one in self._other_sides(fix)]
                    pending[fix.id] = proof
                    continue
                except sources.NoOtherSide as error:
                    proof.why = f"{found.why}; not proven: {error.message}"
            self._state.keep(proof)
            self._tell(proof)
        return removals, pending

    def _other_sides(self, fix: Fix) -> list[tuple[Part, Sources]]:
        """The parts of a fix, and how to be without each."""
        if self._series:
            return [(Part(), self._series)]
        if fix.recipe is None:
            raise sources.NoOtherSide("no recipe takes it out")
        return [(part, sources.by_recipe(fix, part, self._tree.path)) for part in fix.parts]

    def _take_out(
        self,
        removals: Sequence[Removal],
        pending: Mapping[str, Proof],
        prepared: prepare.Prepared,
        document: results.Document,
        folder: Path,
    ) -> None:
        """Build and run the other sides, and tell each verdict as soon as it stands."""
        start = time.monotonic()
        left = {name: sum(one.task.fix.id == name for one in removals) for name in pending}
        queue = batches.batches(removals)
        done = 0
        while queue:
            batch = queue.pop(0)
            names = ", ".join(one.task.fix.id for one in batch)
            self._screen.status("prove", f"{done} of {len(removals)} done, now {names}")
            made = self._without(batch, prepared, document, folder)
            if len(batch) > 1 and any(one.judgement.verdict != verdicts.PROVEN for one in made):
                again = [one for one, part in zip(batch, made) if not _proven(part)]
                queue = [*([one] for one in again), *queue]
            for removal, part in zip(batch, made):
                if len(batch) > 1 and not _proven(part):
                    continue
                done += 1
                proof = pending[removal.task.fix.id]
                proof.parts.append(part)
                left[proof.id] -= 1
                if left[proof.id] == 0:
                    self._conclude(proof)
                    each = (time.monotonic() - start) / done
                    self._tell(proof, f"{done}/{len(removals)}", each * (len(removals) - done))
        self._screen.gone("prove")

    def _conclude(self, proof: Proof) -> None:
        judged = {one.name: one.judgement for one in proof.parts}
        proof.verdict, proof.why = verdicts.together(judged)
        proof.seconds = sum(one.seconds for one in proof.parts)
        self._state.keep(proof)

    def _without(
        self,
        batch: Sequence[Removal],
        prepared: prepare.Prepared,
        document: results.Document,
        folder: Path,
    ) -> list[PartProof]:
        """One kernel without what the batch takes out, and the verdict on each."""
        start = time.monotonic()
        part = batch[0].part.name
        place = folder / "+".join(one.task.fix.id for one in batch)
        place /= f"{WITHOUT}-{part}" if part else WITHOUT
        made = [self._part(one, place) for one in batch]
        try:
            other = self._build(batch, prepared, made)
        except (altered.DoesNotBuild, sources.NoOtherSide) as error:
            self._keep_diffs(batch, place)
            for one in made:
                one.judgement = Judgement(verdicts.UNKNOWN, error.message)
            return made
        after = self._side([one.task for one in batch], other, place, WITHOUT)
        self._keep_diffs(batch, place)
        for one, removal in zip(made, batch):
            wanted = removal.task.wanted
            side = sides.narrow(after, wanted)
            one.counts = sides.counts(side)
            flips = asked.flips_of(removal.task.fix, removal.part)
            before = sides.narrow(document, wanted)
            one.judgement = verdicts.judge(flips, before, side, removal.task.fix)
            one.seconds = (time.monotonic() - start) / len(made)
        return made

    def _keep_diffs(self, batch: Sequence[Removal], place: Path) -> None:
        """What was taken out, also where the kernel without it could not be built."""
        place.mkdir(parents=True, exist_ok=True)
        for one in batch:
            text = one.sources.diff(self._tree.path)
            (place / f"{one.task.fix.id}.diff").write_text(text, encoding="utf-8")

    def _part(self, removal: Removal, place: Path) -> PartProof:
        files = sorted({*removal.sources.with_fix, *removal.sources.without})
        return PartProof(
            removal.part.name,
            removal.sources.how,
            tuple(files),
            Judgement(verdicts.UNKNOWN, ""),
            folder=str(place),
        )

    def _build(
        self, batch: Sequence[Removal], prepared: prepare.Prepared, made: Sequence[PartProof]
    ) -> prepare.Prepared:
        """The kernel without them."""
        files = {name: content for one in batch for name, content in one.files.items()}
        if not files:  # a series that the tree does not have
            made[0].kernel = prepared.kernel.sha256
            return prepared
        self._screen.status("build", WITHOUT)
        try:
            with altered.alone(self._request, self._screen.say):
                built = self._altered(prepared, files)
                for one in made:
                    one.kernel, one.build_seconds = built.kernel.sha256, built.seconds
                return prepare.again(prepared, built.kernel, built.headers, cache.quiet)
        finally:
            self._screen.gone("build")

    def _altered(self, prepared: prepare.Prepared, files: altered.Files) -> altered.Altered:
        """The tree with other files, built: it has to be another kernel then."""
        try:
            built = altered.build(self._request, prepared.kernel, files, self._read)
        except altered.DoesNotBuild as error:
            raise altered.DoesNotBuild(
                f"without the fix the kernel does not build: {error.message}", error.hint
            ) from error
        if built.kernel.modules == (self._first or prepared).kernel.modules:
            raise sources.NoOtherSide(
                "this kernel is the same without it: its code is not configured"
            )
        return built

    # ---- what is said ----

    def _tell(self, proof: Proof, progress: str = "", left: float = 0.0) -> None:
        """One proof, as soon as it is done."""
        if not self._brief:
            return
        name = f"{proof.verdict:<15} {proof.id}"
        rest = f", about {left / 60:.0f} min left" if left >= 90 else ""
        more = f"{proof.seconds:>4.0f} s   ({progress}{rest})" if progress else ""
        self._screen.line(f"{name:<45} {more}".rstrip())
        if proof.verdict != verdicts.PROVEN:
            self._screen.line(f"{'':<15} {proof.why}")

    def _finish(self, start: float, folder: Path | None) -> int:
        document = self._state.document(complete=True)
        for line in proofs.report(document, folder, self._brief):
            self._screen.line(line)
        if folder:
            self._state.save(complete=True)
            self._screen.line(f"results: {folder}")
        if self._options.json:
            proofs.write(Path(self._options.json), document)
        self._screen.line(proofs.summary(document, time.monotonic() - start))
        if folder:
            results.write_report(folder, self._screen.kept)
        return int(document["exit"])


def _proven(part: PartProof) -> bool:
    return part.judgement.verdict == verdicts.PROVEN
