# SPDX-License-Identifier: GPL-2.0
"""What is kept of a proof, and its form for people and programs.

    <results>/prove.json              all proofs of a run, and what they are about
              with/                   the side with the fix: results as of `coco check`
              <fix>/proof.json        one proof
                    tested-by.txt     a block to paste
                    without[-<part>]/ results of the other side, and <fix>.diff, the change
              <fix>+<fix>/          the same of two fixes that were taken out together
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coco import errors, files
from coco.model import rest
from coco.prove import verdicts
from coco.prove.verdicts import PROVEN, Change, Judgement, said

SCHEMA_VERSION = 1
SHOWN_CASES = 3  # of one story
SHOWN_STORIES = 6
SHOWN_FLIPS = 8  # in the block to paste
SHOWN_COUNTS = 5
# Kinds of exit that are the guest's own calls, of which the others follow
_CALLS = ("vc ", "ghcb ", "msrproto ", "ve ", "tdvmcall ", "tdcall ")

# What is a finding, and what could not be brought to an end
_FINDINGS = (verdicts.NOT_PROVEN, verdicts.PARTIAL, verdicts.BROKEN, verdicts.NOT_FIXED)
_OPEN = (verdicts.UNKNOWN, verdicts.FIXED)

Record = dict[str, Any]


@dataclass
class PartProof:
    """One part of a fix, taken out alone."""

    name: str  # "": the fix has one part
    how: str
    files: tuple[str, ...]
    judgement: Judgement
    kernel: str = ""  # sha256 of the image without it
    build_seconds: float = 0.0
    seconds: float = 0.0  # build, boot and all
    folder: str = ""  # results of that side
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass
class Proof:
    """One fix on one kernel."""

    id: str
    title: str
    verdict: str
    why: str
    claim: str  # what the source says
    cves: tuple[str, ...] = ()
    parts: list[PartProof] = field(default_factory=list)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # with the fix
    seconds: float = 0.0


def change_record(change: Change) -> Record:
    """One case on both sides."""
    return {
        "run": change.run,
        "id": change.id,
        "with": _case(change.before),
        "without": _case(change.after) if change.after is not None else None,
        "why": change.why,
    }


def _case(case: Mapping[str, Any]) -> Record:
    keys = ("status", "cause", "message", "expected", "got", "events", "boot", "seconds")
    return {key: case[key] for key in keys if key in case}


def record(proof: Proof) -> Record:
    """For programs."""
    return {
        "id": proof.id,
        "title": proof.title,
        "cves": list(proof.cves),
        "verdict": proof.verdict,
        "why": proof.why,
        "source_says": proof.claim,
        "seconds": round(proof.seconds, 1),
        "counts_with": proof.counts,
        "parts": [_part(part) for part in proof.parts],
    }


def _part(part: PartProof) -> Record:
    judged = part.judgement
    return {
        "name": part.name,
        "how": part.how,
        "files": list(part.files),
        "verdict": judged.verdict,
        "why": judged.why,
        "kernel_without_sha256": part.kernel,
        "build_seconds": round(part.build_seconds, 1),
        "results_without": part.folder,
        "flips": [change_record(one) for one in judged.flips],
        "held": [change_record(one) for one in judged.held],
        "other_reason": [change_record(one) for one in judged.odd],
        "others": [change_record(one) for one in judged.others],
        "also": [change_record(one) for one in judged.also],
        "control": [f"{one.id} [{one.run}]" for one in judged.control],
        "counts_without": part.counts,
    }


def write(path: Path, data: Record) -> None:
    """JSON, whole or not at all."""
    with files.disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_json(path, data)


def details(proof: Mapping[str, Any]) -> list[str]:
    """The evidence of one proof, below its verdict."""
    lines: list[str] = []
    for part in proof["parts"]:
        if len(proof["parts"]) > 1:
            lines.append(f"  part {part['name']}: {part['verdict']}: {part['why']}")
        lines.append(f"  taken out  {part['how']}: {', '.join(part['files'])}")
        lines += _changes("flips", part["flips"])
        lines += _changes("holds", part["held"])
        lines += _changes("other reason", part["other_reason"])
        lines += _changes("not named", part["others"])
        lines += _changes("foreseen", part["also"])
        lines += _control(part)
        lines += _counts(proof["counts_with"], part["counts_without"])
        lines.append(f"  logs       {part['results_without']}")
    return lines


def _changes(title: str, changes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Cases with one and the same story are told together."""
    stories: dict[tuple[str, str], list[str]] = {}
    for one in changes:
        stories.setdefault((_story(one), one["why"]), []).append(f"{one['id']} [{one['run']}]")
    lines = []
    for (story, why), names in list(stories.items())[:SHOWN_STORIES]:
        lines.append(f"  {title:<10} {names[0]}")
        lines += [f"  {'':<10} {name}" for name in names[1:SHOWN_CASES]]
        lines += [f"  {'':<10}   {text}" for text in rest(names, SHOWN_CASES)]
        lines.append(f"  {'':<10}   {story}")
        lines += [f"  {'':<10}   ({why})"] if why else []
    if len(stories) > SHOWN_STORIES:
        lines.append(f"  {'':<10} and more: {len(stories) - SHOWN_STORIES} other stories")
    return lines


def _story(one: Mapping[str, Any]) -> str:
    """What a case did on both sides."""
    without = one["without"]
    if without is None:
        return f"{one['with']['status']} with it, not run without"
    if without["status"] == one["with"]["status"]:
        return f"{without['status']} on both sides"
    how = f"{without['status']}, {without['cause']}" if without.get("cause") else without["status"]
    text = said(without)
    more = f": {text}" if text not in how else ""
    return f"{one['with']['status']} with it; without: {how}{more}"


def _control(part: Mapping[str, Any]) -> list[str]:
    """A case that passes on both sides: the nearest one, and never just the boot if need not be."""
    names = part["control"]
    if not names:
        return ["  control    none passes on both sides"]
    more = f", and {len(names) - 1} more" if len(names) > 1 else ""
    suites = [one["id"].partition(".")[0] for one in part["flips"]]
    names = sorted(names, key=lambda name: name.startswith("boot."))
    best = next((one for one in names if one.partition(".")[0] in suites), names[0])
    return [f"  control    {best}{more}: pass on both sides"]


def _counts(
    with_fix: Mapping[str, Mapping[str, int]], without: Mapping[str, Mapping[str, int]]
) -> list[str]:
    """The guest's calls of either side, those that differ first."""
    lines = []
    for run, sums in without.items():
        other = with_fix.get(run, {})
        kinds = [kind for kind in {**other, **sums} if kind.startswith(_CALLS)]
        kinds.sort(key=lambda kind: (other.get(kind, 0) == sums.get(kind, 0), kind))
        title, texts = "without", [f"{kind}: {sums.get(kind, 0)}" for kind in kinds]
        if other:
            title = "with/without"
            texts = [f"{kind}: {other.get(kind, 0)}/{sums.get(kind, 0)}" for kind in kinds]
        if texts:
            lines.append(f"  exits      {run}, {title}: {', '.join(texts[:SHOWN_COUNTS])}")
    return lines


def block(proof: Mapping[str, Any], about: Mapping[str, Any]) -> list[str]:
    """What can be pasted above a Tested-by."""
    lines = [
        f"{proof['verdict']}: {proof['title']}",
        f"on {about['release']} (image {about['kernel_sha256'][:12]}, {about['config']},",
        f"{about['compiler']})",
        f"with coco-guest-tests {about['suite_version']}, catalogue of {about['catalogue']},",
        f"QEMU {about['qemu']} (TCG), machine {about['machine_sha256'][:12]}:",
        *([f"its cases pass on {about['reference']}"] if "reference" in about else []),
    ]
    for part in proof["parts"]:
        name = f" ({part['name']})" if part["name"] else ""
        lines.append(f"without it{name}, image {part['kernel_without_sha256'][:12] or 'none'}:")
        for one in part["flips"][:SHOWN_FLIPS]:
            lines.append(f"  {one['id']} [{one['run']}]: pass -> fail")
            lines.append(f"    {said(one['without'])}")
        lines += [f"  {text}" for text in rest(part["flips"], SHOWN_FLIPS)]
        lines += [" ".join(line.split()) for line in _control(part)]
    lines += [f"left out: {why}" for why in proof.get("left_out", ())]
    if proof["verdict"] != PROVEN:
        lines.append(proof["why"])
    return lines


def header(about: Mapping[str, Any]) -> list[str]:
    """What is proven on what."""
    return [
        f"coco-guest-tests {about['suite_version']}   catalogue of {about['catalogue']}   "
        f"machine {about['machine_sha256'][:12]}   QEMU {about['qemu']}",
        f"kernel  {about['kernel']}   sha256 {about['kernel_sha256'][:12]}",
        f"        {about['config']}, built by {about['compiler']}",
        "",
    ]


def report(document: Mapping[str, Any], folder: Path | None, brief: bool) -> list[str]:
    """Every verdict with its evidence; of FIX=all, only what is a finding."""
    lines = []
    for one in document["proofs"]:
        if brief and one["verdict"] not in _FINDINGS:
            continue
        lines += ["", f"{one['verdict']}: {one['id']}, {one['title']}", f"  {one['why']}"]
        lines += [f"  left out   {why}" for why in one.get("left_out", ())]
        if one["parts"]:
            lines += details(one)
        if one["parts"] and folder and not brief:
            lines.append(f"  to paste   {folder / one['id'] / 'tested-by.txt'}")
    return [*lines, ""]


def summary(document: Mapping[str, Any], seconds: float) -> str:
    """How many of each verdict."""
    counted = Counter(one["verdict"] for one in document["proofs"])
    text = ", ".join(f"{counted[word]} {word}" for word in verdicts.WORDS if counted[word])
    return f"{text} (catalogue of {document['catalogue']}, {seconds:.0f} s)"


def exit_code(every: Sequence[Mapping[str, Any]], brief: bool) -> int:
    """0: all that could be tried is proven; FIX=all leaves out what no case or recipe is for."""
    words = [
        one["verdict"] for one in every if not brief or one["parts"] or one["verdict"] in _FINDINGS
    ]
    if any(word in _FINDINGS for word in words):
        return errors.FINDING
    if any(word in _OPEN for word in words):
        return errors.INFRASTRUCTURE
    return errors.OK if PROVEN in words else errors.NOTHING_APPLICABLE
