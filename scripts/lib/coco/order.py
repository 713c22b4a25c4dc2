# SPDX-License-Identifier: GPL-2.0
"""Bring a program's lines and the kernel's log into one order.

A test program's lines reach the stream by way of a pipe and init, the kernel's and the
machine's at once: the splat of a case may stand before the result of the case before it.
So the harness says in the kernel's log, too, which case it begins (coco_mark() in
selftests/lib/coco_harness_run.h), and both sides are cut there.
"""

import re
from dataclasses import replace

from coco.ktap import strip_prefix
from coco.stream import Record

_MARK = re.compile(r"coco: running (\S+)$")
_RUN = re.compile(r"# RUN\s+(\S+)")


def marked(record: Record) -> str:
    """The case that this line of the kernel's log says to begin, or ''."""
    match = _MARK.match(strip_prefix(record.text)) if record.channel == "k" else None
    return match[1] if match else ""


def by_case(records: list[Record]) -> list[Record]:
    """The records of one program, each among those of its case, numbered anew."""
    begun: dict[str, int] = {}
    for record in records:
        case = marked(record)
        if case:
            begun.setdefault(case, len(begun) + 1)
    kernel = program = 0
    places = []
    for record in records:
        if record.channel == "t":
            run = _RUN.match(record.text)
            program = begun.get(run[1], program) if run else program
            # Within a case the result is the last word, however late the log comes
            places.append((program, program > 0))
        else:
            kernel = begun.get(marked(record), kernel)
            places.append((kernel, False))
    order = sorted(range(len(records)), key=lambda n: places[n])
    return [replace(records[n], index=index) for index, n in enumerate(order)]


def last_marked(records: list[Record]) -> str:
    """The case that the kernel's log said last to begin, or ''."""
    return next((case for case in map(marked, reversed(records)) if case), "")


def from_last_mark(records: list[Record]) -> list[Record]:
    """The records of the case that began last; all of them, if none is marked."""
    start = next((n for n in range(len(records) - 1, -1, -1) if marked(records[n])), 0)
    return records[start:]
