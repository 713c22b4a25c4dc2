# SPDX-License-Identifier: GPL-2.0
"""coco soak: the same checks again and again, to find out what does not always come out alike.

    <folder>/soak.json        every run so far
    <folder>/<kernel>-<n>/    results: of the first run of each kernel, to which the others are
                              held, and of every run that differs from it or is not OK

A flake is a case that does otherwise although kernel, suites, machine and QEMU are the same;
whatever of these changes begins a new comparison.  In every third run LOAD= machines per CPU go
side by side, so that each waits for the others.  A soak goes on where it was: ROUNDS= is how
many runs of each kernel there shall be in the end.
"""

import argparse
import copy
import datetime
import hashlib
import json
import os
import shutil
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from coco import check, compare, errors, files, kernels, parts, results, schedule
from coco.errors import UsageError
from coco.model import rest
from coco.screen import Screen

JSON_VERSION = 2
FILE = "soak.json"
ROUNDS = 10
LOAD = 4
LOADED = 3  # every so many runs
MOST_NAMED = 20  # changes of a run that did not come to its end may be thousands
_OWN_WORDS = ("KERNELS", "RESULTS", "ROUNDS", "LOAD")

Document = dict[str, Any]


@dataclass
class SoakRun:
    """One check of a soak."""

    kernel: str  # the word that it was asked for by
    number: int  # of all runs in this folder
    same: str  # kernel, suites, machine and QEMU
    started: str
    seconds: float
    jobs: int  # machines side by side; 0: as many as usual
    cases: int
    code: int
    verdict: str
    changes: list[Document] = field(default_factory=list)
    folder: str = ""  # of its results, if they were kept
    loadavg: float = 0.0  # of five minutes, at its end, for each CPU

    @property
    def kept(self) -> bool:
        """Is it worth a look?"""
        return bool(self.changes) or self.code != errors.OK


def run(options: argparse.Namespace, words: list[str], screen: Screen) -> int:
    """The whole verb."""
    folder = Path(options.results or parts.workplace() / "results/soak").absolute()
    asked = list(dict.fromkeys((options.kernels or kernels.DEFAULT).split()))
    rounds = options.rounds or ROUNDS
    load = LOAD if options.load is None else options.load
    with results.hold(folder):
        done = _before(folder)
        for _ in range(rounds):
            for kernel in asked:
                if sum(one.kernel == kernel for one in done) >= rounds:
                    continue
                jobs = 0 if (len(done) + 1) % LOADED else schedule.crowd(load)
                made = _one(kernel, jobs, options, words, folder, done)
                done.append(made)
                _write(folder, done)
                for line in told(made, folder):
                    screen.line(line)
    for line in summary(done):
        screen.line(line)
    screen.line(f"results: {folder}")
    return errors.FINDING if any(one.kept for one in done) else errors.OK


def _before(folder: Path) -> list[SoakRun]:
    """The runs of a soak that is there."""
    try:
        document = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return [SoakRun(**one) for one in document["runs"]]
    except FileNotFoundError:
        return []
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{folder / FILE} is no soak: {error}", "name another RESULTS=") from error


def _one(
    kernel: str,
    jobs: int,
    options: argparse.Namespace,
    words: list[str],
    folder: Path,
    done: list[SoakRun],
) -> SoakRun:
    """One check, held to the first of its kind."""
    number = len(done) + 1
    place = folder / f"{kernels.folder_name(kernel)}-{number}"
    if place.exists():  # of a run that was interrupted
        shutil.rmtree(place)
    own = copy.copy(options)
    own.kernel, own.results, own.gdb = kernel, str(place), ""
    own.jobs = jobs or options.jobs
    started = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        document = check.within(own, words, _OWN_WORDS, Screen(nowhere))
    made = SoakRun(
        kernel=kernel,
        number=number,
        same=_same(document),
        started=started,
        seconds=document["seconds"],
        jobs=jobs,
        cases=sum(len(run["cases"]) for run in document["runs"]),
        code=document["verdict"]["exit"],
        verdict=f"{document['verdict']['word']}: {document['verdict']['text']}",
        folder=place.name,
        loadavg=round(os.getloadavg()[1] / len(os.sched_getaffinity(0)), 1),
    )
    first = next((one for one in done if one.same == made.same), None)
    if first:
        changes = compare.compare(results.read(folder / first.folder), document)
        made.changes = [asdict(change) for change in changes]
        if not made.kept:
            shutil.rmtree(place)
            made.folder = ""
    return made


def _same(document: Document) -> str:
    """What must be the same for two runs to come out the same."""
    told = [document[name]["sha256"] for name in ("kernel", "machine")]
    told += [document.get("sources"), document["qemu"]["version"], document["tier"]]
    told += [document.get("firmware")]
    told += [*document["repeat"], *(run["name"] for run in document["runs"])]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:20]


def _write(folder: Path, done: list[SoakRun]) -> None:
    body = {"version": JSON_VERSION, "runs": [asdict(one) for one in done]}
    files.write_json(folder / FILE, body)


def told(made: SoakRun, folder: Path) -> list[str]:
    """A run's line, and what differed."""
    crowd = f"  {made.jobs} machines side by side" if made.jobs else ""
    lines = [f"[{made.number}] {made.kernel}  {made.verdict}{crowd}"]
    for change in made.changes[:MOST_NAMED]:
        text = f"    {change['run']} {change['case']}: {change['old']}, now {change['new']}"
        lines.append(f"{text}: {change['text']}" if change["text"] else text)
    lines += [f"    {text}, all in {folder / FILE}" for text in rest(made.changes, MOST_NAMED)]
    if made.kept:
        lines.append(f"    kept: {folder / made.folder}")
    return lines


def summary(done: list[SoakRun]) -> list[str]:
    """All runs, by kernel."""
    head = "runs  loaded  flaky  not OK   seconds: median, most   load a CPU: median, most"
    lines = ["", f"{'kernel':<20}   {head}"]
    for kernel in dict.fromkeys(one.kernel for one in done):
        mine = [one for one in done if one.kernel == kernel]
        seconds = [one.seconds for one in mine]
        loadavg = [one.loadavg for one in mine]
        loaded = sum(one.jobs > 0 for one in mine)
        flaky = sum(bool(one.changes) for one in mine)
        not_ok = sum(one.code != errors.OK for one in mine)
        lines.append(
            f"{kernel:<20} {len(mine):>6} {loaded:>7} {flaky:>6} {not_ok:>7}"
            f"   {statistics.median(seconds):>15.0f}, {max(seconds):.0f}"
            f"   {statistics.median(loadavg):>14.1f}, {max(loadavg):.1f}"
        )
    alike = len({one.same for one in done})
    lines.append(
        f"{len(done)} runs, {sum(one.cases for one in done)} results,"
        f" each held to the first of its kind: {alike} kinds"
    )
    return lines
