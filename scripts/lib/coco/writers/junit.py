# SPDX-License-Identifier: GPL-2.0
"""JUnit XML as Jenkins, GitLab and others read it: a testsuite for each suite of each run.

A known finding is a skipped case there: it must neither fail a build nor count as passed.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable

from coco.writers import Document, Row, grouped, plain

_ELEMENTS = {"fail": "failure", "error": "error", "known": "skipped", "skip": "skipped"}


def write(document: Document) -> str:
    """The results as JUnit XML."""
    root = ET.Element("testsuites", {"name": "coco-guest-tests"})
    every: list[Row] = []
    for run, suites in grouped(document).items():
        for suite, rows in suites.items():
            every += rows
            root.append(_suite(document, run, suite, rows))
    _count(root, every)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _suite(document: Document, run: str, suite: str, rows: list[Row]) -> ET.Element:
    kernel = document["kernel"]
    # Jenkins' schema takes a time of day without its zone
    stamp = document["started"][:19]
    element = ET.Element(
        "testsuite", {"name": f"{run}.{suite}", "timestamp": stamp, "hostname": "localhost"}
    )
    _count(element, rows)
    properties = ET.SubElement(element, "properties")
    for name, value in (
        ("kernel", kernel["name"]),
        ("kernel.release", kernel["release"]),
        ("kernel.sha256", kernel["sha256"]),
        ("suite_version", document["suite_version"]),
        ("run", run),
    ):
        ET.SubElement(properties, "property", {"name": name, "value": plain(value)})
    element.extend(_case(row) for row in rows)
    return element


def _count(element: ET.Element, rows: Iterable[Row]) -> None:
    rows = list(rows)
    outcomes = [_ELEMENTS.get(row.outcome, "") for row in rows]
    element.set("tests", str(len(rows)))
    element.set("failures", str(outcomes.count("failure")))
    element.set("errors", str(outcomes.count("error")))
    element.set("skipped", str(outcomes.count("skipped")))
    element.set("time", f"{sum(row.seconds for row in rows):.3f}")


def _case(row: Row) -> ET.Element:
    element = ET.Element(
        "testcase",
        {"classname": f"{row.run}.{row.suite}", "name": row.name, "time": f"{row.seconds:.3f}"},
    )
    detail = [*row.detail, *([f"logs:     {row.log}"] if row.log else [])]
    kind = _ELEMENTS.get(row.outcome)
    if kind:
        reason = f"known: {row.reference}" if row.outcome == "known" else row.message
        child = ET.SubElement(element, kind, {"message": plain(reason)})
        if kind != "skipped":
            child.set("type", plain(row.what))
            child.text = plain("\n".join(detail))
    if kind in (None, "skipped"):
        ET.SubElement(element, "system-out").text = plain("\n".join(detail))
    return element
