# SPDX-License-Identifier: GPL-2.0
"""KTAP version 1 (Documentation/dev-tools/ktap.rst): one document, one plan; runs, suites, cases.

kunit.py counts the innermost results alone, so nothing may fail only further out.
"""

from coco import ktap
from coco.errors import InfrastructureError
from coco.writers import Document, Row, grouped, one_line, plain

_BAD = ("fail", "error")


def write(document: Document) -> str:
    """The results as one KTAP document."""
    runs = grouped(document)
    lines = ["KTAP version 1", f"1..{len(runs)}" + ("" if runs else " # SKIP nothing ran")]
    for number, (name, suites) in enumerate(runs.items(), 1):
        lines += _run(name, suites, number)
    text = "\n".join(lines) + "\n"
    wrong = ktap.problems(ktap.parse(text.splitlines()))
    if wrong:  # a bug of ours: better loud than a document that others misread
        raise InfrastructureError(f"the KTAP document is not well-formed: {wrong[0].text}")
    return text


def _run(name: str, suites: dict[str, list[Row]], number: int) -> list[str]:
    lines = [f"    {line}" for line in ("KTAP version 1", f"# Subtest: {name}")]
    lines.append(f"    1..{len(suites)}")
    for place, (suite, rows) in enumerate(suites.items(), 1):
        lines += [f"        {line}" for line in ("KTAP version 1", f"# Subtest: {suite}")]
        lines.append(f"        1..{len(rows)}")
        for position, row in enumerate(rows, 1):
            lines += [f"        {line}" for line in _case(row, position)]
        lines.append(f"    {_word(any(row.outcome in _BAD for row in rows))} {place} {suite}")
    bad = any(row.outcome in _BAD for rows in suites.values() for row in rows)
    return [*lines, f"{_word(bad)} {number} {name}"]


def _case(row: Row, number: int) -> list[str]:
    lines = []
    if row.status != "pass":
        lines.append(f"# {row.id}: {row.what}: {row.message}")
    if row.outcome in (*_BAD, "known"):
        lines += [f"# {row.id}: {one_line(text)}" for text in row.detail[:1]]
    directive = ""
    if row.outcome == "known":
        directive = f" # SKIP known: {row.reference}"
    elif row.outcome == "skip":
        directive = f" # SKIP {row.message}"
    result = f"{_word(row.outcome in _BAD)} {number} {row.name}{directive}"
    return [plain(line) for line in (*lines, result)]


def _word(bad: bool) -> str:
    return "not ok" if bad else "ok"
