# SPDX-License-Identifier: GPL-2.0
"""The results folder: made, filled and closed so that a half-written file is never seen.

    results/<time>/
        result.json         everything, as result.schema.json says
        results.ktap        the same as one KTAP document
        report.txt          what the screen showed
        <run>/boot-<n>/     run, stream.log, console.log, machine.log, qemu.log, command
"""

import contextlib
import dataclasses
import datetime
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from coco import files, parts, schema
from coco.errors import InfrastructureError, UsageError
from coco.model import STATUSES
from coco.runner import Run
from coco.verdict import ERROR, FINDING, KNOWN, Judged, of_problem
from coco.writers import ktap

SCHEMA_VERSION = 1
SCHEMA = Path(__file__).with_name("result.schema.json")
RESULT = "result.json"
KTAP = "results.ktap"
REPORT = "report.txt"
LATEST = "latest"
NEED_MIB = 200
_LOCK = ".lock"

Document = dict[str, Any]


def make_folder(asked: str, prefix: str = "") -> Path:
    """A new folder: RESULTS=, or one named for the time.

    A prefix tells apart what is not the results of a check.
    """
    if asked:
        folder = Path(asked).absolute()
        if (folder / RESULT).exists():
            raise UsageError(f"RESULTS={asked} holds results already", "name a new folder")
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"RESULTS={asked} is no folder", "name a new one")
        begun = next(folder.glob("*/boot-1"), None)
        if begun:
            raise UsageError(
                f"RESULTS={asked} has a {begun.parent.name}/ already, of a run that was cut off",
                "name a new folder",
            )
        with files.disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            files.check_space(folder, NEED_MIB, "a run")
        return folder
    parent = parts.workplace() / "results"
    with files.disk_errors(parent):
        parent.mkdir(exist_ok=True)
        folder = _new_below(parent, prefix)
        files.check_space(folder, NEED_MIB, "a run")
    return folder


def set_latest(folder: Path) -> None:
    """Let results/latest point to the results of a check: to a folder that gets a result.json."""
    with files.disk_errors(folder):
        link = folder.with_name(f".latest-{os.getpid()}")
        link.unlink(missing_ok=True)
        link.symlink_to(folder.name)
        os.replace(link, folder.with_name(LATEST))


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Work in a folder that several runs go on in, one after the other; UsageError: one does."""

    def busy() -> NoReturn:
        hint = "wait for its end, or name another RESULTS="
        raise UsageError(f"another run works in {folder}", hint)

    with files.disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = files.open_lock(folder / _LOCK)
    with files.held(handle, busy):
        yield


def _new_below(parent: Path, prefix: str) -> Path:
    """Two runs that start in the same second get two folders."""
    stamp = prefix + datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    for number in range(1, 1000):
        folder = parent / (stamp if number == 1 else f"{stamp}-{number}")
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            continue
    raise InfrastructureError(f"cannot make a folder in {parent}")


def case_record(judged: Judged, fixes: Iterable[str] = ()) -> Document:
    """One case for the results file."""
    record = dataclasses.asdict(judged.result)
    del record["suite"], record["case"]
    record["id"] = judged.result.id
    record["verdict"] = judged.verdict
    record["note"] = judged.note
    record["reference"] = judged.reference
    record["fixes"] = list(fixes) if judged.verdict == FINDING else []
    if judged.result.status == "pass":
        record["diagnostics"] = []
    return record


def run_record(run: Run, cases: list[Document]) -> Document:
    """What a run leaves in the results file, besides its name and plan."""
    return {
        "state": "interrupted" if run.interrupted else "done",
        "seconds": run.seconds,
        "boot_seconds": run.boots[0].ready_after if run.boots else 0.0,
        "boots": [dataclasses.asdict(boot) for boot in run.boots],
        "cases": cases,
        "summary": summary(cases),
        "problems": [
            {**dataclasses.asdict(problem), "verdict": of_problem(problem.kind)}
            for problem in run.problems
        ],
        "notes": run.notes,
    }


def summary(cases: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many of each status and verdict."""
    counts = {name: 0 for name in (*STATUSES, FINDING, KNOWN, "unjudged")}
    for case in cases:
        counts[case["status"]] += 1
        verdict = "unjudged" if case["verdict"] == ERROR else case["verdict"]
        if verdict in counts:
            counts[verdict] += 1
    return counts


def write(folder: Path, document: Document) -> None:
    """Both forms of the results, whole or not at all."""
    files.write_json(folder / RESULT, document)
    files.write(folder / KTAP, ktap.write(document))


def write_report(folder: Path, lines: Iterable[str]) -> None:
    """What the screen showed."""
    files.write(folder / REPORT, "\n".join(lines) + "\n")


def parse(file: Path, kind: str, verb: str) -> Any:
    """A JSON file of that kind, which that verb of ours writes; what is in it is not checked."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", f"run: {parts.program()} {verb}") from error
    except ValueError as error:
        raise UsageError(f"{file} is no {kind} file: {error}") from error


def read(path: Path) -> Document:
    """A results file, checked; path may be its folder."""
    file = path / RESULT if path.is_dir() else path
    document = parse(file, "results", "check")
    problem = invalid(document)
    if problem:
        raise UsageError(f"{file} is no results file of version {SCHEMA_VERSION}: {problem}")
    return dict(document)


def invalid(document: Any) -> str:
    """What the schema has against it, or nothing."""
    return schema.problem(document, SCHEMA)
