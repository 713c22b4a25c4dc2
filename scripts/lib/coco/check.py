# SPDX-License-Identifier: GPL-2.0
"""coco check: run the suites on a kernel in its personalities, and give the verdict."""

import argparse
import datetime
import threading
import time
import traceback
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from coco import (
    errors,
    expect,
    files,
    parts,
    plan,
    qemu,
    report,
    results,
    runner,
    schedule,
    verdict,
    witnesses,
)
from coco.catalogue import entries
from coco.errors import CocoError, InfrastructureError, NothingApplicable, UsageError
from coco.kernels import bzimage, firmware
from coco.model import PERSONALITIES, CaseResult, SuiteProblem
from coco.prepare import Prepared, prepare
from coco.screen import Screen
from coco.watch import Budgets

_WORST_FIRST = ("fail", "error", "miss", "skip", "pass")
# Words that choose what runs are replaced, and those of one place or moment left out
_NOT_REPEATED = ("PERSONALITY", "VCPUS", "SUITE", "CASE", "TIER", "RESULTS", "JOBS", "GDB", "AREA")


@dataclass
class Job:
    """One run with its place in the results."""

    order: runner.RunOrder
    vcpus: int
    record: results.Document
    parts: list[runner.Part]
    lacking: list[SuiteProblem]  # suites that were asked for by name and could not be built
    outcomes: dict[int, runner.Run] = field(default_factory=dict)


WAITING = "waiting"  # the state of a run that has no verdict yet
Task = tuple[Job, int]  # one of its parts


def check(options: argparse.Namespace, words: list[str], screen: Screen) -> int:
    """Everything from the command line to the exit code; options.results: where it went."""
    start = time.monotonic()
    expectations = expect.load(expect.EXPECTATIONS)
    selection = plan.Selection(
        options.suite or (), options.case or (), options.tier or expect.SMOKE
    )
    plan.check_selection(selection, expectations)
    prepared = prepare(options, screen.say)
    wanted = plan.wants(expectations, selection, qemu.FIRMWARE)
    prepared = prepared.with_firmware(firmware.find(options, wanted))
    personalities = choose_personalities(options.personality, prepared)
    folder = results.make_folder(options.results or "")
    document = document_of(options, words, prepared, selection)
    jobs = jobs_of(options, selection, personalities, prepared, expectations, folder)
    document["runs"] = [job.record for job in jobs]
    _check_debugger(options, jobs)
    if not options.results:
        results.set_latest(folder)
        options.results = str(folder)
    for line in report.header(document):
        screen.line(line)
    screen.line()
    try:
        work_off(options, jobs, prepared, expectations, screen, folder, document)
    except KeyboardInterrupt:
        screen.clear()
        _conclude(document, start, folder, screen, interrupted=True)
        return errors.INTERRUPTED
    return _conclude(document, start, folder, screen, interrupted=False)


def within(
    options: argparse.Namespace, words: list[str], leave: Collection[str], screen: Screen
) -> results.Document:
    """The results of a check of options.kernel that some other command makes, into its folder.

    words are that command's; those named in leave say nothing to a check.
    """
    own = [word for word in words if word.partition("=")[0] not in leave]
    if check(options, [f"KERNEL={options.kernel}", *own], screen) == errors.INTERRUPTED:
        raise KeyboardInterrupt
    return results.read(Path(options.results))


def choose_personalities(asked: Iterable[str] | None, prepared: Prepared) -> list[str]:
    """Those that were asked for, or all, as far as the kernel has code for them."""
    has = prepared.kernel.technologies
    chosen = [name for name in PERSONALITIES if name in has and (not asked or name in asked)]
    if not chosen:
        wanted = ", ".join(asked or PERSONALITIES)
        raise NothingApplicable(
            f"{prepared.kernel.name} has no code for {wanted}", f"it has: {', '.join(has)}"
        )
    return chosen


def jobs_of(
    options: argparse.Namespace,
    selection: plan.Selection,
    personalities: list[str],
    prepared: Prepared,
    expectations: expect.Expectations,
    folder: Path,
) -> list[Job]:
    jobs = []
    for vcpus in options.vcpus or (1,):
        features = plan.features_of(prepared.kernel.config, prepared.available, vcpus)
        for personality in personalities:
            work = plan.make(expectations, selection, personality, features, prepared.available)
            if work.empty and not work.not_built:
                continue
            name = personality if vcpus == 1 else f"{personality}-{vcpus}cpu"
            order = runner.RunOrder(
                name=name,
                folder=folder / name,
                program=prepared.program,
                guest=prepared.guest(options, personality, vcpus),
                plan=work,
                expectations=expectations,
                budgets=Budgets().scaled(options.patience or 1.0),
            )
            record = _waiting(order, personality, vcpus)
            lacking = [
                SuiteProblem(suite, verdict.NOT_BUILT, reason)
                for suite, reason in work.not_built.items()
                if selection.names(suite)
            ]
            jobs.append(Job(order, vcpus, record, runner.parts(order), lacking))
    if not any(not job.order.plan.empty for job in jobs):
        reasons = [reason for job in jobs for reason in job.order.plan.not_built.values()]
        why = reasons[0] if reasons else "no case of this selection applies"
        raise NothingApplicable(f"nothing to run on {prepared.kernel.name}: {why}")
    return jobs


def _waiting(order: runner.RunOrder, personality: str, vcpus: int) -> results.Document:
    """A run's record before it began."""
    return {
        "name": order.name,
        "personality": personality,
        "vcpus": vcpus,
        "reason": "",
        **results.run_record(runner.Run(order.name), []),
        "state": WAITING,
        "not_applicable": order.plan.not_applicable,
        "not_built": order.plan.not_built,
    }


def document_of(
    options: argparse.Namespace, words: list[str], prepared: Prepared, selection: plan.Selection
) -> results.Document:
    """The results before anything ran."""
    kernel = prepared.kernel
    return {
        "schema": results.SCHEMA_VERSION,
        "complete": False,
        "started": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "seconds": 0.0,
        "words": words,
        "repeat": [word for word in words if word.partition("=")[0] not in _NOT_REPEATED],
        "suite_version": parts.version(),
        "machine": {"sha256": files.sha256(prepared.machine), "options": options.machine or ""},
        "qemu": {"path": prepared.program.path, "version": prepared.program.version},
        **_firmware(prepared),
        "compiler": parts.compiler(),
        "sources": parts.suite_sources(),
        "kernel": {
            "name": kernel.name,
            "source": kernel.source,
            "release": kernel.release,
            "sha256": kernel.sha256,
            "compiler": kernel.compiler,
            "suites": prepared.suites,
            "technologies": list(kernel.technologies),
            "notes": list(kernel.notes),
        },
        "tier": selection.tier,
        "runs": [],
        "not_exercised": [],
        "verdict": {"exit": errors.INFRASTRUCTURE, "word": "RUNNING", "text": "not finished"},
    }


def _firmware(prepared: Prepared) -> results.Document:
    """That of the suites which start their guests in one, if there is any."""
    file = prepared.available.firmware
    return {"firmware": {"path": str(file), "sha256": files.sha256(file)}} if file else {}


def _check_debugger(options: argparse.Namespace, jobs: list[Job]) -> None:
    if options.gdb and len(jobs) > 1:
        raise UsageError("GDB= needs one guest", "name one: PERSONALITY=<name> VCPUS=<n>")


def work_off(
    options: argparse.Namespace,
    jobs: list[Job],
    prepared: Prepared,
    expectations: expect.Expectations,
    screen: Screen,
    folder: Path,
    document: results.Document,
) -> None:
    """Run all jobs, several of their parts side by side, and write the results after each."""
    cancel = threading.Event()
    kernel = prepared.kernel
    version = expect.kernel_version(kernel.name, kernel.release, bzimage.banner(kernel.vmlinuz))
    if options.gdb:
        screen.line(f"  waiting for a debugger: gdb -ex 'target remote {options.gdb[4:]}' vmlinux")

    def work(task: Task) -> runner.Run:
        job, number = task
        name = f"{job.order.name} {number + 1}" if len(job.parts) > 1 else job.order.name
        progress = _Progress(screen, name)
        try:
            return runner.run(job.parts[number], cancel, progress)
        finally:
            screen.gone(name)

    def done(task: Task, outcome: runner.Run | BaseException) -> None:
        job, number = task
        if isinstance(outcome, BaseException):  # the runner keeps those of a boot itself
            outcome = runner.Run(job.order.name, error=outcome)
        job.outcomes[number] = outcome
        if len(job.outcomes) == len(job.parts):
            finish(job)

    def finish(job: Job) -> None:
        context = verdict.Context(
            expectations.of(kernel.config),
            job.order.plan,
            job.record["personality"],
            version,
            datetime.date.today(),
        )
        _judge(job, context)
        screen.line(report.run_line(job.record))
        results.write(folder, document)

    results.write(folder, document)
    tasks = [(job, number) for job in jobs for number in range(len(job.parts))]
    count = 1 if options.gdb else options.jobs or schedule.default_jobs()
    try:
        schedule.in_parallel(tasks, work, count, cancel, done)
    except KeyboardInterrupt:
        for job in jobs:
            if job.outcomes and job.record["state"] == WAITING:
                finish(job)
        raise


class _Progress:
    """Words for what a part of a run does now."""

    def __init__(self, screen: Screen, name: str) -> None:
        self._screen = screen
        self._name = name
        self._suite = "boots"
        self._cases = 0
        screen.status(self._name, self._suite)

    def __call__(self, text: str) -> None:
        if text == "case":
            self._cases += 1
        elif text.startswith("begin "):
            self._suite = text.split(" ")[1]
        self._screen.status(self._name, f"{self._suite:<24} {self._cases} results")


def _judge(job: Job, context: verdict.Context) -> None:
    """What became of a run: of all its parts, or after ^C of those that were begun."""
    ended = [job.outcomes[number] for number in sorted(job.outcomes)]
    run = runner.join(job.order.name, ended)
    run.interrupted |= len(ended) < len(job.parts)
    run.problems += job.lacking
    job.record.update(_judged(run, context))
    if run.error:
        _broken(job, run.error)


def _broken(job: Job, error: BaseException) -> None:
    """A run that could not be done; a bug of ours leaves its traceback."""
    job.record["state"] = "broken"
    if isinstance(error, CocoError):
        job.record["reason"], job.record["hint"] = error.message, error.hint
        return
    trace = job.order.folder / "traceback.txt"
    job.record["reason"] = f"a bug of coco itself: {type(error).__name__}: {error}"
    job.record["hint"] = f"please report it, with {trace}"
    job.order.folder.mkdir(parents=True, exist_ok=True)
    trace.write_text("".join(traceback.format_exception(error)), encoding="utf-8")


def _judged(run: runner.Run, context: verdict.Context) -> results.Document:
    every = verdict.judge(unique(run.results), context)
    known = entries.load() if any(_is_incident(one) for one in every) else None
    cases = []
    for one in every:
        case = context.expectations.case(one.result.suite, one.result.case)
        fixes = list(case.fixes) if case else []
        if known and _is_incident(one):
            fixes += [fix.reference for fix in known.told_by(one.result.message)]
        cases.append(results.case_record(one, dict.fromkeys(fixes)))
    return results.run_record(run, cases)


def _is_incident(judged: verdict.Judged) -> bool:
    """A finding by what the machine or the kernel said meanwhile: the catalogue may know it."""
    return judged.verdict == verdict.FINDING and judged.result.cause in witnesses.INCIDENTS


def unique(found: Iterable[CaseResult]) -> list[CaseResult]:
    """One result a case: of two, which no honest log has, the worse."""
    by_id: dict[str, CaseResult] = {}
    for result in found:
        other = by_id.get(result.id)
        if other is None or _rank(result) < _rank(other):
            by_id[result.id] = result
    return list(by_id.values())


def _rank(result: CaseResult) -> int:
    return _WORST_FIRST.index(result.status)


def _conclude(
    document: results.Document, start: float, folder: Path, screen: Screen, interrupted: bool
) -> int:
    """The verdict, on the screen and in the results."""
    code = close(document, start, interrupted)
    for line in [*report.body(document, folder), *report.verdict(document, folder)]:
        screen.line(line)
    results.write(folder, document)
    wrong = results.invalid(document)
    if wrong:
        raise InfrastructureError(f"a bug of coco itself: its result file is invalid: {wrong}")
    results.write_report(folder, screen.kept)
    return code


def close(document: results.Document, start: float, interrupted: bool) -> int:
    """Enter the verdict; the exit code."""
    runs = document["runs"]
    verdicts = {one["verdict"] for run in runs for one in (*run["cases"], *run["problems"])}
    code = verdict.exit_code(
        verdicts,
        any(run["state"] != "done" for run in runs),
        any(run["summary"]["pass"] + run["summary"]["known"] for run in runs),
    )
    if interrupted:
        code = errors.INTERRUPTED
    document["seconds"] = round(time.monotonic() - start, 1)
    document["complete"] = not interrupted
    document["not_exercised"] = report.not_exercised(document)
    document["verdict"] = {"exit": code, **verdict.sentence(code, runs)}
    return code
