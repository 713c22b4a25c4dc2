# SPDX-License-Identifier: GPL-2.0
"""Coverage as figures: per file and function, with every line that was not reached."""

import bisect
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from coco.coverage.debuginfo import Code, Line
from coco.coverage.explained import Reason, reason_for
from coco.coverage.trace import Executed

Document = dict[str, Any]
LIMITS = (
    "lines of files that are compiled twice (kernel and decompressor) count once",
    "a block that a fault cut short counts whole",
    "branches are conditional jumps of the compiled code, not of the source",
    "code without debug information (assembly) and headers are left out",
)


def figures(code: Code, executed: Executed, tree: Path, reasons: Sequence[Reason]) -> Document:
    """Everything that the report says, as plain data."""
    lines = reached(code, executed)
    by_function: dict[tuple[str, str], Document] = {}
    for file in sorted({line[0] for line in lines}):
        text = _text(tree / file)
        for number in sorted(n for f, n in lines if f == file):
            name = function_of(code, file, number)
            entry = by_function.setdefault((file, name), _empty(name))
            entry["lines"] += 1
            if lines[(file, number)]:
                entry["reached"] += 1
                continue
            source = text[number - 1].strip() if number <= len(text) else ""
            why = reason_for(reasons, file, name, source)
            entry["explained"] += bool(why)
            entry["missed"].append({"line": number, "text": source, "reason": why})
    for jump in code.jumps:
        entry = by_function[(jump.line[0], function_of(code, *jump.line))]
        for way in jump.ways:
            entry["ways"] += 1
            if (jump.address, way) in executed.ways:
                entry["ways_reached"] += 1
            else:
                entry["ways_missed"].append(f"{jump.address:#x}-{way:#x}")
    files: dict[str, list[Document]] = {}
    for (file, _), entry in by_function.items():
        files.setdefault(file, []).append(entry)
    return summed(files)


def _empty(name: str) -> Document:
    counts = dict.fromkeys(("lines", "reached", "explained", "ways", "ways_reached"), 0)
    return {"name": name, **counts, "missed": [], "ways_missed": []}


def summed(functions: Mapping[str, list[Document]]) -> Document:
    """The functions of each file, with the sums of files and of all."""
    files: Document = {file: {"functions": each, **total(each)} for file, each in functions.items()}
    return {"files": files, **total(files.values()), "limits": list(LIMITS)}


def total(parts: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The sums of some figures."""
    parts = list(parts)
    words = ("lines", "reached", "explained", "ways", "ways_reached")
    return {word: sum(part[word] for part in parts) for word in words}


def reached(code: Code, executed: Executed) -> dict[Line, bool]:
    """Every line that has code, and whether any of it ran."""
    lines = {one.line: False for one in code.ranges}
    for address in executed.instructions:
        line = code.line_at(address)
        if line:
            lines[line] = True
    return lines


def function_of(code: Code, file: str, number: int) -> str:
    """The last function that begins at or before a line."""
    begins = sorted(code.functions.get(file, {}))
    place = bisect.bisect_right(begins, number) - 1
    return code.functions[file][begins[place]] if place >= 0 else "?"


def _text(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def screen_lines(document: Document) -> list[str]:
    """For people: a line a file, a line a function, and what was missed, with its reason."""
    lines = []
    for file, one in document["files"].items():
        lines += ["", f"{file}   {_counts(one)}"]
        for entry in one["functions"]:
            lines.append(f"  {entry['name']:<36} {_counts(entry)}")
            for why, numbers in _by_reason(entry["missed"]).items():
                lines.append(f"      {spans(numbers)}   {why or 'not reached'}")
    lines += ["", f"all   {_counts(document)}"]
    return [*lines, *(f"  limit: {one}" for one in document["limits"])]


def _by_reason(missed: Iterable[Mapping[str, Any]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for one in missed:
        found.setdefault(one["reason"], []).append(one["line"])
    return found


def _counts(one: Mapping[str, Any]) -> str:
    words = f"lines {one['reached']}/{one['lines']} {_percent(one['reached'], one['lines'])}"
    if one["explained"]:
        rest = one["lines"] - one["explained"]
        words += f", {one['explained']} explained: {_percent(one['reached'], rest)} of the rest"
    if one["ways"]:
        words += f"   branches {one['ways_reached']}/{one['ways']}"
        words += f" {_percent(one['ways_reached'], one['ways'])}"
    return words


def _percent(part: int, whole: int) -> str:
    return f"{100 * part // whole}%" if whole else "-"


def spans(numbers: Iterable[int]) -> str:
    """1, 2, 3, 7 as "1-3, 7"."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in found)
