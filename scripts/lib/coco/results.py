# SPDX-License-Identifier: GPL-2.0
"""The results folder: made, filled and closed so that a half-written file is never seen.

    results/<time>/
        result.json         everything, as result.schema.json says
        results.ktap        the same as one KTAP document
        report.txt          what the screen showed
        <run>/boot-<n>/     run, stream.log, console.log, machine.log, qemu.log, command
"""

import dataclasses
import datetime
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jsonschema

from coco import cache, ktap
from coco.boot import results_disk
from coco.errors import InfrastructureError, UsageError
from coco.model import STATUSES
from coco.runner import Run
from coco.verdict import ERROR, FINDING, KNOWN, Judged, of_problem

SCHEMA_VERSION = 1
SCHEMA = Path(__file__).with_name("result.schema.json")
RESULT = "result.json"
KTAP = "results.ktap"
REPORT = "report.txt"
LATEST = "latest"
NEED_MIB = 200

Document = dict[str, Any]


def make_folder(repository: Path, asked: str) -> Path:
    """A new folder: RESULTS=, or one named for the time, with results/latest pointing to it."""
    if asked:
        folder = Path(asked).absolute()
        if (folder / RESULT).exists():
            raise UsageError(f"RESULTS={asked} holds results already", "name a new folder")
        with results_disk(folder):
            folder.mkdir(parents=True, exist_ok=True)
            cache.check_space(folder, NEED_MIB, "a run")
        return folder
    parent = repository / "results"
    with results_disk(parent):
        parent.mkdir(exist_ok=True)
        folder = _new_below(parent)
        link = parent / f".latest-{os.getpid()}"
        link.unlink(missing_ok=True)
        link.symlink_to(folder.name)
        os.replace(link, parent / LATEST)
        cache.check_space(folder, NEED_MIB, "a run")
    return folder


def _new_below(parent: Path) -> Path:
    """Two runs that start in the same second get two folders."""
    stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
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
    with results_disk(folder):
        cache.write(folder / RESULT, json.dumps(document, indent=1) + "\n")
        cache.write(folder / KTAP, to_ktap(document))


def write_report(folder: Path, lines: Iterable[str]) -> None:
    """What the screen showed."""
    with results_disk(folder):
        cache.write(folder / REPORT, "\n".join(lines) + "\n")


def read(path: Path) -> Document:
    """A results file, checked; path may be its folder."""
    file = path / RESULT if path.is_dir() else path
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", "run: scripts/coco check") from error
    except ValueError as error:
        raise UsageError(f"{file} is no results file: {error}") from error
    problem = invalid(document)
    if problem:
        raise UsageError(f"{file} is no results file of version {SCHEMA_VERSION}: {problem}")
    return dict(document)


def invalid(document: Any) -> str:
    """What the schema has against it, or nothing."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    worst = jsonschema.exceptions.best_match(
        jsonschema.Draft7Validator(schema).iter_errors(document)
    )
    if worst is None:
        return ""
    return f"{'.'.join(str(step) for step in worst.absolute_path) or 'the file'}: {worst.message}"


def to_ktap(document: Document) -> str:
    """One KTAP document with one plan: runs, suites, cases."""
    runs = [run for run in document["runs"] if run["cases"]]
    lines = ["KTAP version 1", f"1..{len(runs)}" + ("" if runs else " # SKIP nothing ran")]
    for number, run in enumerate(runs, 1):
        lines += _ktap_run(run, number)
    text = "\n".join(lines) + "\n"
    wrong = ktap.problems(ktap.parse(text.splitlines()))
    if wrong:  # a bug of ours: better loud than a document that others misread
        raise InfrastructureError(f"the KTAP document is not well-formed: {wrong[0].text}")
    return text


def _ktap_run(run: Document, number: int) -> list[str]:
    suites: dict[str, list[Document]] = {}
    for case in run["cases"]:
        suites.setdefault(case["id"].partition(".")[0], []).append(case)
    lines = [f"    {line}" for line in ("KTAP version 1", f"# Subtest: {run['name']}")]
    lines.append(f"    1..{len(suites)}")
    for place, (suite, cases) in enumerate(suites.items(), 1):
        lines += [f"        {line}" for line in ("KTAP version 1", f"# Subtest: {suite}")]
        lines.append(f"        1..{len(cases)}")
        for position, case in enumerate(cases, 1):
            lines += [f"        {line}" for line in _ktap_case(case, position)]
        bad = any(_is_bad(case) for case in cases)
        lines.append(f"    {'not ok' if bad else 'ok'} {place} {suite}")
    bad = any(_is_bad(case) for case in run["cases"]) or bool(run["problems"])
    lines += [f"    # {p['suite']}: {p['kind']}: {_one_line(p['text'])}" for p in run["problems"]]
    return [*lines, f"{'not ok' if bad else 'ok'} {number} {run['name']}"]


def _is_bad(case: Document) -> bool:
    return case["verdict"] in (FINDING, ERROR)


def _ktap_case(case: Document, number: int) -> list[str]:
    name = case["id"].partition(".")[2]
    lines = []
    if case["status"] != "pass":
        what = case["cause"] or case["status"]
        lines.append(f"# {case['id']}: {what}: {_one_line(case['message'])}")
    if case["note"]:
        lines.append(f"# {case['id']}: {_one_line(case['note'])}")
    reason = _one_line(case["message"] if case["status"] == "skip" else case["reference"])
    if _is_bad(case):
        directive = ""
    elif case["verdict"] == KNOWN:
        directive = f" # SKIP known: {reason}"
    else:
        directive = f" # SKIP {reason}" if case["status"] == "skip" else ""
    return [*lines, f"{'not ok' if _is_bad(case) else 'ok'} {number} {name}{directive}"]


def _one_line(text: str) -> str:
    return " ".join(str(text).split())
