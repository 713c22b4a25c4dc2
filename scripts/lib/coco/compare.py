# SPDX-License-Identifier: GPL-2.0
"""coco compare: what changed between two results, and what that is down to.

A case that changed is put down to whatever differs between the two: the kernel's image, the
suite's sources, the machine, QEMU.  If more than one of them does, all are named, and nobody
is blamed; if none does, the case is flaky.  Results that a real guest made (guest/run-guest)
are held against the machine's: where both ran a case and disagree, one of them is wrong.
"""

import argparse
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from coco import errors, files, parts, results
from coco.errors import UsageError
from coco.screen import Screen
from coco.verdict import FINDING

Document = Mapping[str, Any]
JSON_VERSION = 1

GOOD = ("pass",)
RAN = ("pass", "fail")
ABSENT = "absent"  # no such case in those results

# Kinds of change; those that make `compare` end with a finding
WORSE, BETTER, OTHER = "worse", "better", "other"
NEW, GONE = "new", "gone"
DISAGREE, MODEL_ONLY, CONFIRMED = "disagree", "model only", "confirmed"
SILICON_ONLY, NOT_JUDGED = "silicon only", "not judged"
_FINDINGS = (WORSE, DISAGREE)

SHOWN = 40  # changes of one kind that the screen tells


@dataclass(frozen=True)
class Change:
    """One case of one run that is not what it was."""

    run: str
    case: str
    old: str
    new: str
    kind: str
    cause: str = ""  # what it is down to
    text: str = ""  # why, in the results where it is bad


def run(options: argparse.Namespace, _words: list[str], screen: Screen) -> int:
    """The whole verb."""
    if not options.old or not options.new:
        raise UsageError(
            "compare takes two results", f"{parts.program()} compare <old> <new>: files or folders"
        )
    old, new = results.read(Path(options.old)), results.read(Path(options.new))
    silicon = is_silicon(old) != is_silicon(new)
    if silicon:
        changes = against_silicon(old, new) if is_silicon(old) else against_silicon(new, old)
    else:
        changes = compare(old, new)
    for line in told(old, new, changes, silicon):
        screen.line(line)
    if options.json:
        body = {"version": JSON_VERSION, "changes": [asdict(change) for change in changes]}
        files.write_json(Path(options.json), body, files.JSON)
    return errors.FINDING if any(change.kind in _FINDINGS for change in changes) else errors.OK


def is_silicon(document: Document) -> bool:
    """Made by a real guest?"""
    guest = document.get("guest") or {"machine": "", "technology": "none"}
    return bool(guest["machine"] == "no" and guest["technology"] != "none")


# ---- two results of one kind ----
def compare(old: Document, new: Document) -> list[Change]:
    """Every case whose status, cause or verdict changed, and each suite's problems, in runs that
    both have."""
    shared = _begun(old) & _begun(new)
    changes = _of_problems(old, new, shared)
    before, after = _cases(old), _cases(new)
    for key in dict.fromkeys([*before, *after]):
        if key[0] not in shared:
            continue
        was, now = before.get(key), after.get(key)
        words = _words(was, now)
        if words[0] == words[1]:
            continue
        kind = _kind(was, now)
        if now is None and _is_partial(new):
            kind = GONE
        suite = key[1].partition(".")[0]
        cause = "" if kind in (NEW, GONE) else ", ".join(differing(old, new, suite)) or "flaky"
        if was and now and all(was[name] == now[name] for name in ("status", "cause")):
            cause = "what is expected of it"
        changes.append(Change(*key, *words, kind, cause, _why(now or was)))
    return changes


def _of_problems(old: Document, new: Document, shared: Collection[str]) -> list[Change]:
    """What is wrong with a suite as a whole, in one of them only."""
    changes = []
    before, after = _problems(old), _problems(new)
    for key in dict.fromkeys([*before, *after]):
        run, suite, kind = key
        if run not in shared or key in before and key in after:
            continue
        words = (ABSENT, kind) if key in after else (kind, ABSENT)
        change = WORSE if key in after else GONE if _is_partial(new) else BETTER
        cause = ", ".join(differing(old, new, suite)) or "flaky"
        text = " ".join((before | after)[key].split())
        changes.append(Change(run, suite, *words, change, cause, text))
    return changes


def _problems(document: Document) -> dict[tuple[str, str, str], str]:
    """Run, suite and kind -> text, of those that are findings."""
    return {
        (run["name"], one["suite"], one["kind"]): one["text"]
        for run in document["runs"]
        for one in run["problems"]
        if one["verdict"] == FINDING
    }


def _cases(document: Document) -> dict[tuple[str, str], Document]:
    return {(run["name"], case["id"]): case for run in document["runs"] for case in run["cases"]}


def _begun(document: Document) -> set[str]:
    """Names of the runs of which something is known, if only that they have no case."""
    return {run["name"] for run in document["runs"] if run["state"] != "waiting"}


def _is_partial(document: Document) -> bool:
    """Was it interrupted, or were only some suites or cases asked for?"""
    asked = any(word.partition("=")[0] in ("SUITE", "CASE") for word in document["words"])
    return asked or not document["complete"]


def _words(was: Document | None, now: Document | None) -> tuple[str, str]:
    """What it was and is, and by which cause if that is all that differs."""
    old, new = _word(was), _word(now)
    if was and now and old == new and was["cause"] != now["cause"]:
        return f"{old} by {was['cause']}", f"{new} by {now['cause']}"
    return old, new


def _word(case: Document | None) -> str:
    """A status, or known for a finding that the baseline lists."""
    if case is None:
        return ABSENT
    return str("known" if case["verdict"] == "known" else case["status"])


def _why(case: Document | None) -> str:
    if case is None or case["status"] == "pass":
        return ""
    return " ".join(str(case["message"] or case["note"]).split())


def _kind(was: Document | None, now: Document | None) -> str:
    if was is None:
        return NEW if now and now["verdict"] in ("ok", "known") else WORSE
    if now is None:
        return WORSE if was["status"] == "pass" else GONE
    ranks = {"ok": 2, "known": 1}
    better = ranks.get(now["verdict"], 0) - ranks.get(was["verdict"], 0)
    if not better:
        better = (now["status"] in GOOD) - (was["status"] in GOOD)
    return BETTER if better > 0 else WORSE if better < 0 else OTHER


def differing(old: Document, new: Document, suite: str) -> list[str]:
    """What could have changed a case of that suite: its own sources rather than any version."""
    found = []
    if old["kernel"]["sha256"] != new["kernel"]["sha256"]:
        found.append("the kernel")
    sources = [document.get("sources", {}).get(suite) for document in (old, new)]
    if all(sources):
        if sources[0] != sources[1]:
            found.append("the suite")
    elif suite != "boot" and old["suite_version"] != new["suite_version"]:
        found.append("the suite, perhaps")
    if old["machine"]["sha256"] != new["machine"]["sha256"]:
        found.append("the machine")
    if old["qemu"]["version"] != new["qemu"]["version"]:
        found.append("QEMU")
    # Results of before it was noted, or of other suites, have none
    firmware = [document.get("firmware", {}).get("sha256") for document in (old, new)]
    if all(firmware) and firmware[0] != firmware[1]:
        found.append("the firmware")
    return found


# ---- silicon and model ----
def against_silicon(silicon: Document, model: Document) -> list[Change]:
    """Each case of the technology that silicon has, as both saw it."""
    real = {case: found for (_, case), found in _cases(silicon).items()}
    technology = silicon["guest"]["technology"]
    runs = [run for run in model["runs"] if run["personality"] == technology and run["vcpus"] == 1]
    if not runs:
        raise UsageError(
            f"the model's results have no run of {technology}",
            f"make them: {parts.program()} check PERSONALITY={technology}",
        )
    modelled = {case["id"]: case for case in runs[0]["cases"]}
    changes = []
    for name in dict.fromkeys([*modelled, *real]):
        kind = _agreement(real.get(name), modelled.get(name))
        words = _status(real.get(name)), _status(modelled.get(name))
        why = _why(real.get(name)) or _why(modelled.get(name))
        changes.append(Change(technology, name, *words, kind, "", why))
    return changes


def _status(case: Document | None) -> str:
    return str(case["status"]) if case else ABSENT


def _agreement(real: Document | None, model: Document | None) -> str:
    on_silicon, on_model = _status(real) in RAN, _status(model) in RAN
    if on_silicon and on_model:
        return CONFIRMED if _status(real) == _status(model) else DISAGREE
    if on_model:
        return MODEL_ONLY
    return SILICON_ONLY if on_silicon else NOT_JUDGED


# ---- for people ----
def told(old: Document, new: Document, changes: Iterable[Change], silicon: bool) -> list[str]:
    """The whole text."""
    lines = [f"old  {_name(old)}", f"new  {_name(new)}", ""]
    if not silicon:
        lines += _setting(old, new)
    elif old["kernel"]["release"] != new["kernel"]["release"]:
        lines += ["note: two kernels; what follows may be down to that", ""]
    changes = list(changes)
    for kind in dict.fromkeys(change.kind for change in sorted(changes, key=_order)):
        if kind in (CONFIRMED, NOT_JUDGED):
            continue
        lines += _group(kind, [change for change in changes if change.kind == kind], silicon)
    counts = Counter(change.kind for change in changes)
    summary = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    return [*lines, summary or "no change"]


def _order(change: Change) -> int:
    kinds = (DISAGREE, WORSE, OTHER, BETTER, GONE, NEW, SILICON_ONLY, MODEL_ONLY)
    return kinds.index(change.kind) if change.kind in kinds else len(kinds)


def _name(document: Document) -> str:
    kernel = document["kernel"]
    machine = document["machine"]["sha256"][:12]
    where = "silicon" if is_silicon(document) else f"machine {machine or 'none'}"
    return f"{kernel['name']}   suites {document['suite_version']}   {where}"


def _setting(old: Document, new: Document) -> list[str]:
    """What differs beside the results."""
    names = ("kernel", "suite_version", "machine", "qemu", "firmware", "tier")
    both = [(name, _plain(old.get(name, {})), _plain(new.get(name, {}))) for name in names]
    lines = [f"  {name:<14} {a} -> {b}" for name, a, b in both if a != b]
    runs = [[run["name"] for run in document["runs"]] for document in (old, new)]
    lines += [f"  only in old    run {name}" for name in runs[0] if name not in runs[1]]
    lines += [f"  only in new    run {name}" for name in runs[1] if name not in runs[0]]
    return ["what differs:", *(lines or ["  nothing: any change is flaky"]), ""]


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(value.get("version") or value.get("sha256", "")[:12] or "none")


def _group(kind: str, changes: list[Change], silicon: bool) -> list[str]:
    lines = [f"{kind}:"]
    for change in changes[:SHOWN]:
        names = ("silicon", "model") if silicon else ("", "")
        words = zip(names, (change.old, change.new))
        before, after = (f"{name} {word}".strip() for name, word in words)
        cause = f"   ({change.cause})" if change.cause else ""
        lines.append(f"  {change.case} [{change.run}]  {before} -> {after}{cause}")
        lines += [f"      {change.text}"] if change.text and kind in _FINDINGS else []
    if len(changes) > SHOWN:
        lines.append(f"  ... and {len(changes) - SHOWN} more: JSON=<file> has them all")
    return [*lines, ""]
