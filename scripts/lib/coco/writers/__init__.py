# SPDX-License-Identifier: GPL-2.0
"""Results in the formats of others: one row a case, a writer a format.

A run that did not finish, and what is wrong with a suite as a whole, are rows too: a reader
that counts test cases, as most do, must not take them for a success.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from coco.model import slug
from coco.verdict import ERROR, FINDING, KNOWN

Document = Mapping[str, Any]

# What a row says: known is a finding that the baseline lists, error could not be judged
OUTCOMES = ("pass", "skip", "known", "fail", "error")

RUN = "run"  # the suite of what a whole run is reported with


@dataclass(frozen=True)
class Row:
    """One test case for other people's readers."""

    run: str
    suite: str
    name: str  # of the case, with its parameter
    outcome: str  # of OUTCOMES
    status: str  # the case's own: pass, fail, skip, error, miss
    what: str = ""  # the cause in a word: assertion, panic, breach, ...
    message: str = ""  # on one line
    detail: tuple[str, ...] = ()
    reference: str = ""  # of a known finding: why it is known
    seconds: float = 0.0
    log: str = ""  # folder of its boot, below the results folder

    @property
    def id(self) -> str:
        return f"{self.suite}.{self.name}"


def rows(document: Document) -> Iterator[Row]:
    """Every case of every run, and what else a run has to say."""
    for run in document["runs"]:
        for case in run["cases"]:
            yield _of_case(run, case)
        seen: dict[str, int] = {}
        for problem in run["problems"]:
            yield _of_problem(run["name"], problem, seen)
        if run["state"] != "done":
            yield _of_state(run)


def _of_case(run: Document, case: Document) -> Row:
    suite, _, name = case["id"].partition(".")
    message = case["message"] or case["note"]
    if case["verdict"] == KNOWN:
        message = case["message"] or case["reference"]
    detail = [case["note"]] if case["note"] and case["note"] != message else []
    if case["expected"]:
        detail += [f"expected: {case['expected']}", f"got:      {case['got']}"]
    detail += [f"log:      {text}" for text in case["splats"]]
    if case["status"] != "skip":
        detail += [f"said:     {text}" for text in case["diagnostics"]]
    detail += [f"machine:  {text}" for text in case["events"]]
    detail += [f"may lack: {text}" for text in case["fixes"]]
    return Row(
        run["name"],
        suite,
        name,
        _outcome(case),
        case["status"],
        case["cause"] or case["status"],
        one_line(message),
        tuple(detail),
        one_line(case["reference"]),
        case["seconds"],
        f"{run['name']}/boot-{case['boot']}" if case["boot"] else "",
    )


def _outcome(case: Document) -> str:
    """An unexpected pass or skip is a finding, too."""
    if case["verdict"] == KNOWN:
        return "known"
    if case["verdict"] == ERROR or case["status"] in ("error", "miss"):
        return "error"
    return "fail" if case["verdict"] == FINDING else str(case["status"])


def _of_problem(run: str, problem: Document, seen: dict[str, int]) -> Row:
    name = f"problem_{slug(problem['kind'])}"
    seen[problem["suite"] + name] = count = seen.get(problem["suite"] + name, 0) + 1
    outcome = "error" if problem["verdict"] == ERROR else "fail"
    return Row(
        run,
        slug(problem["suite"]) or RUN,
        name if count == 1 else f"{name}_{count}",
        outcome,
        outcome,
        problem["kind"],
        one_line(problem["text"]),
    )


def _of_state(run: Document) -> Row:
    reasons = {"waiting": "not run", "interrupted": "interrupted before its end"}
    reason = run["reason"] or reasons.get(run["state"], run["state"])
    return Row(run["name"], RUN, run["state"], "error", "miss", run["state"], one_line(reason))


def one_line(text: str) -> str:
    """A text without line breaks and repeated blanks."""
    return " ".join(str(text).split())


def plain(text: str) -> str:
    """A guest's words without what no document may hold: control characters."""
    return re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", text)


def grouped(document: Document) -> dict[str, dict[str, list[Row]]]:
    """Rows by run, and by suite in a run; in the order they ran."""
    runs: dict[str, dict[str, list[Row]]] = {}
    for row in rows(document):
        runs.setdefault(row.run, {}).setdefault(row.suite, []).append(row)
    return runs


def write(document: Document, name: str, options: Mapping[str, str] = {}) -> str:
    """The document in a format of FORMATS."""
    return FORMATS[name](document, options)


def _ktap(document: Document, _options: Mapping[str, str]) -> str:
    from coco.writers import ktap

    return ktap.write(document)


def _junit(document: Document, _options: Mapping[str, str]) -> str:
    from coco.writers import junit

    return junit.write(document)


def _kcidb(document: Document, options: Mapping[str, str]) -> str:
    from coco.writers import kcidb

    return kcidb.write(document, kcidb.Options(**options))


FORMATS: Mapping[str, Callable[[Document, Mapping[str, str]], str]] = {
    "ktap": _ktap,
    "junit": _junit,
    "kcidb": _kcidb,
}
