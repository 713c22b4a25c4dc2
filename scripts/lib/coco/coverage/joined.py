# SPDX-License-Identifier: GPL-2.0
"""Several runs of coverage on one kernel as one: reached is what any of them reached.

No single run has every technology, number of vCPUs and way to start; together they say what the
suites reach.  Branches are those of the runs that looked at them (BRANCHES=).
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from coco import parts, results
from coco.coverage.explained import Reason, reason_for
from coco.coverage.report import Document, summed
from coco.errors import UsageError

FILE = "coverage.json"


def read(names: Iterable[str]) -> list[Document]:
    """The coverage of some results folders (or files), which must be of one kernel and area."""
    paths = [Path(name) / FILE if Path(name).is_dir() else Path(name) for name in names]
    if not paths:
        raise UsageError(
            "JOIN= names no results", "JOIN=<results>[,<results>], folders of coverage"
        )
    documents = [_read(path) for path in paths]
    for path, one in zip(paths, documents):
        if one["kernel"]["sha256"] != documents[0]["kernel"]["sha256"]:
            raise UsageError(f"{path} is of another kernel than {paths[0]}")
        if _code(one) != _code(documents[0]):
            raise UsageError(f"{path} is of another AREA= than {paths[0]}")
    return documents


def _read(path: Path) -> Document:
    document = results.parse(path, "coverage", "coverage")
    try:
        document["kernel"]["sha256"]
        for one in document["files"].values():
            for function in one["functions"]:
                function["missed"], function["ways_missed"]
    except (KeyError, TypeError, AttributeError) as error:
        hint = f"run that again: {parts.program()} coverage"
        raise UsageError(f"{path} is no coverage file that can be joined", hint) from error
    return dict(document)


def _code(document: Document) -> list[tuple[str, str, int]]:
    """What could be reached: functions, and how many lines they have."""
    return [
        (file, entry["name"], entry["lines"])
        for file, one in document["files"].items()
        for entry in one["functions"]
    ]


def join(documents: Sequence[Document], reasons: Sequence[Reason]) -> Document:
    """One report of them all, explained by the reasons of today."""
    files = {
        file: [
            _function(
                file, [each["files"][file]["functions"][place] for each in documents], reasons
            )
            for place in range(len(one["functions"]))
        ]
        for file, one in documents[0]["files"].items()
    }
    return {**summed(files), "kernel": documents[0]["kernel"]}


def _function(file: str, runs: Sequence[Document], reasons: Sequence[Reason]) -> Document:
    name = runs[0]["name"]
    lines = set.intersection(*({one["line"] for one in run["missed"]} for run in runs))
    followed = [run for run in runs if run["ways"]] or runs[:1]
    ways = set.intersection(*(set(run["ways_missed"]) for run in followed))
    missed = [
        {**one, "reason": reason_for(reasons, file, name, one["text"])}
        for one in runs[0]["missed"]
        if one["line"] in lines
    ]
    return {
        **runs[0],
        "reached": runs[0]["lines"] - len(missed),
        "explained": sum(bool(one["reason"]) for one in missed),
        "missed": missed,
        "ways": followed[0]["ways"],
        "ways_reached": followed[0]["ways"] - len(ways),
        "ways_missed": [way for way in followed[0]["ways_missed"] if way in ways],
    }
