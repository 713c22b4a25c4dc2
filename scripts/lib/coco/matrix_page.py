# SPDX-License-Identifier: GPL-2.0
"""The matrix as a page and as text, from matrix.json and nothing else.

The page is one file without anything from elsewhere: all is in it without JavaScript, which
only hides rows.
"""

import collections
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from coco import audit, plot, qualify, report
from coco.qemu import CONSOLE, MACHINE_LOG, STREAM

Document = Mapping[str, Any]

TEMPLATES = Path(__file__).with_name("pages")
MARKS = {
    qualify.SUPPORTED: "✓",
    qualify.PARTIAL: "◐",
    qualify.ABSENT: "–",
    qualify.BROKEN: "✗",
    qualify.UNKNOWN: "?",
    audit.FIXED: "✓",
    audit.NOT_FIXED: "✗",
}
_LETTERS = {"✓": "yes", "◐": "part", "–": "-", "✗": "NO", "?": "?"}


def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["slug"] = lambda text: str(text).replace(" ", "-").lower()
    made.filters["mark"] = lambda state: MARKS.get(state, "?")
    return made


def page(matrix: Document) -> str:
    """index.html."""
    kernels = matrix["kernels"]
    return (
        _environment()
        .get_template("matrix.html")
        .render(
            matrix=matrix,
            kernels=kernels,
            rows=_rows(matrix),
            fixes=_fixes(matrix),
            plot=plot.bars(
                {kernel["word"]: kernel["boots"] for kernel in kernels if kernel["boots"]},
                matrix["runs"],
                "s",
                "seconds from QEMU's start to init, by kernel and personality",
            ),
            legend=[(state, MARKS[state]) for state in qualify.STATES],
        )
    )


def _rows(matrix: Document) -> list[dict[str, Any]]:
    """A row for each feature of each technology, with a cell for each kernel."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for kernel in matrix["kernels"]:
        for one in kernel["features"]:
            found.setdefault((one["technology"], one["feature"]), {})[kernel["word"]] = one
    order = list(matrix["features"])
    technologies = list(matrix["technologies"])
    keys = sorted(found, key=lambda key: (technologies.index(key[0]), order.index(key[1])))
    return [
        {
            "technology": technology,
            "feature": feature,
            "title": matrix["features"][feature],
            "cells": found[technology, feature],
            "first": matrix["first"].get(f"{technology} {feature}", ""),
            "differs": len({one["state"] for one in found[technology, feature].values()}) > 1,
        }
        for technology, feature in keys
    ]


def _fixes(matrix: Document) -> list[dict[str, Any]]:
    rows = []
    for name, fix in matrix["fixes"].items():
        cells = {
            kernel["word"]: kernel["fixes"][name]
            for kernel in matrix["kernels"]
            if name in kernel["fixes"]
        }
        differs = len({verdict for verdict, _ in cells.values()}) > 1
        rows.append({"id": name, "cells": cells, "differs": differs, **fix})
    return rows


def evidence(kernel: Document, document: Document, matrix: Document) -> str:
    """<kernel>/index.html: what each statement rests on, and the logs."""
    known = [fix for name, fix in kernel["fixes"].items() if name in matrix["fixes"]]
    return (
        _environment()
        .get_template("kernel.html")
        .render(
            kernel=kernel,
            document=document,
            again=report.again(document),
            titles=matrix["features"],
            fixes=matrix["fixes"],
            known=known,
            counts=[
                collections.Counter(case["status"] for case in run["cases"])
                for run in document["runs"]
            ],
            logs=(STREAM, CONSOLE, MACHINE_LOG),
        )
    )


# ---- text ----
def text(matrix: Document) -> list[str]:
    """The same for a terminal: a column a kernel."""
    kernels = matrix["kernels"]
    words = [kernel["word"].removeprefix("debian:") for kernel in kernels]
    width = max([8, *map(len, words)]) + 2
    head = f"{'':<38}" + "".join(f"{word:<{width}}" for word in words)
    lines = [head.rstrip()]
    technology = ""
    for row in _rows(matrix):
        if row["technology"] != technology:
            technology = row["technology"]
            states = (kernel["technologies"].get(technology, "") for kernel in kernels)
            cells = "".join(f"{_letters(state):<{width}}" for state in states)
            lines += ["", f"{technology:<38}{cells}".rstrip()]
        cells = "".join(
            f"{_letters(row['cells'].get(kernel['word'], {}).get('state', '')):<{width}}"
            for kernel in kernels
        )
        lines.append(f"  {row['feature']:<36}{cells}".rstrip())
    lines += ["", "fixes that cases tell of"]
    for row in _fixes(matrix):
        verdicts = (row["cells"].get(kernel["word"], ["", ""])[0] for kernel in kernels)
        cells = "".join(f"{_letters(verdict):<{width}}" for verdict in verdicts)
        lines.append(f"  {row['id']:<36}{cells}".rstrip())
    lines += ["", f"{'boot to init, seconds':<38}".rstrip()]
    for name in matrix["runs"]:
        times = (kernel["boots"].get(name) for kernel in kernels)
        cells = "".join(f"{f'{one:.1f}' if one else '':<{width}}" for one in times)
        lines.append(f"  {name:<36}{cells}".rstrip())
    for kernel in kernels:
        if kernel["reason"]:
            lines.append(f"{kernel['word']}: could not run: {kernel['reason']}")
        lines += [f"{kernel['word']}: {finding}" for finding in kernel["findings"]]
    return [
        *lines,
        "yes supported or fixed, part partial, - absent, NO broken or not fixed, ? unknown",
    ]


def _letters(state: str) -> str:
    return _LETTERS[MARKS.get(state, "?")] if state else ""
