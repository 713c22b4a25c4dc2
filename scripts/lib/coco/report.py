# SPDX-License-Identifier: GPL-2.0
"""What a person reads at the end, from a results document and nothing else."""

import argparse
import collections
import json
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from coco import expect, parts, results, writers
from coco.errors import UsageError
from coco.model import PERSONALITIES, counted, rest, some
from coco.qemu import CONSOLE, MACHINE_LOG, STREAM
from coco.screen import Screen
from coco.verdict import UNLISTED

Document = Mapping[str, Any]
Case = Mapping[str, Any]

MOST_DETAILED = 12  # findings told in full
SHOWN_NAMES = 4  # on a line
SHOWN_EVENTS = 4
SHOWN_DIAGNOSTICS = 5
SHOWN_TRACE = 10
_ORDER = ("fail", "error", "miss", "pass", "skip")  # what to tell first
_NOT_AGAIN = ("TIER", "RESULTS", "JOBS")  # of another place or moment, or said anyway
WIDTH = 13  # of a run's name


def run(options: argparse.Namespace, _words: list[str], screen: Screen) -> int:
    """Results that are there already, with their exit code."""
    folder = Path(options.results) if options.results else parts.workplace() / "results/latest"
    document = results.read(folder)
    for line in lines(document, folder, options):
        screen.line(line)
    return int(document["verdict"]["exit"])


def lines(document: Document, folder: Path, options: argparse.Namespace) -> list[str]:
    """A whole document, for people or in a format of others."""
    name = options.format or "text"
    words = {word: getattr(options, word) for word in ("origin", "build_id", "url")}
    given = {word: value for word, value in words.items() if value}
    if given and name != "kcidb":
        raise UsageError(f"{next(iter(given)).upper()}= is for FORMAT=kcidb alone")
    if name == "text":
        runs = map(run_line, document["runs"])
        end = [*body(document, folder), *verdict(document, folder)]
        return [*header(document), "", *runs, *end]
    if name == "json":
        return json.dumps(document, indent=1).splitlines()
    return writers.write(document, name, given).splitlines()


def header(document: Document) -> list[str]:
    """What ran against what."""
    kernel, qemu = document["kernel"], document["qemu"]
    machine = document["machine"]
    release = "" if kernel["release"] in kernel["name"] else f"   {kernel['release']}"
    guest = document.get("guest")
    if guest:
        where = f"run by the {guest['technology']} guest itself, machine: {guest['machine']}"
    else:
        where = f"machine {machine['sha256'][:12]}   QEMU {qemu['version']}"
    lines = [
        f"coco-guest-tests {document['suite_version']}   {where}",
        f"kernel  {kernel['name']}{release}   sha256 {kernel['sha256'][:12] or 'unknown'}",
    ]
    if kernel.get("compiler"):
        lines.append(f"        built by {kernel['compiler']}")
    if "firmware" in document:
        firmware = document["firmware"]
        lines.append(f"UEFI    {firmware['path']}   sha256 {firmware['sha256'][:12]}")
    lines.append(f"suites  {kernel.get('suites') or 'none built'}   tier {document['tier']}")
    return [*lines, *(f"note    {note}" for note in kernel.get("notes", []))]


def run_line(run: Document) -> str:
    """One run on one line."""
    name = f"  {run['name']:<{WIDTH}}"
    if run["state"] == "broken":
        return f"{name}could not run: {run['reason']}"
    if run["state"] == "waiting":
        return f"{name}not run"
    counts = collections.Counter(
        "known" if case["verdict"] == "known" else case["status"] for case in run["cases"]
    )
    parts = [f"{word} {counts[word]:<4}" for word in ("pass", "fail", "skip")]
    parts += [f"{word} {counts[word]:<4}" for word in ("miss", "error", "known") if counts[word]]
    line = f"{name}{'  '.join(parts)}{run['seconds']:>7.1f} s"
    if len(run["boots"]) > 1:
        line += f"   {len(run['boots'])} boots"
    if run["problems"]:
        line += f"   {counted(len(run['problems']), 'problem')}"
    return line + ("   interrupted" if run["state"] == "interrupted" else "")


def body(document: Document, folder: Path) -> list[str]:
    """What was not exercised, and everything that is not as it should be."""
    lines = ["", "not exercised:"]
    lines += [f"  {text}" for text in document["not_exercised"]]
    lines += _known(document)
    findings = list(_grouped(document))
    for group in findings[:MOST_DETAILED]:
        lines += ["", *_finding(document, folder, group)]
    for text in rest(findings, MOST_DETAILED):
        lines += ["", f"... {text}: {folder}/result.json"]
    for run in document["runs"]:
        for problems in _alike(run["problems"]):
            suites = some(dict.fromkeys(one["suite"] for one in problems), SHOWN_NAMES)
            lines += ["", f"PROBLEM {suites} [{run['name']}]  {problems[0]['kind']}"]
            lines.append(f"  {problems[0]['text']}")
            lines.append(f"  logs:     {folder / run['name']}")
        if run["state"] == "broken":
            lines += ["", f"NOT RUN [{run['name']}]  {run['reason']}"]
            lines += [f"  hint:     {run['hint']}"] if run.get("hint") else []
    return lines


def verdict(document: Document, folder: Path) -> list[str]:
    """The last lines."""
    return [
        "",
        f"results: {folder}",
        f"{document['verdict']['word']}: {document['verdict']['text']}"
        f" ({document['seconds']:.0f} s)",
    ]


def not_exercised(document: Document) -> list[str]:
    """What a green result does not speak of."""
    lines = ["silicon, timing and caches: the machine is a software model"]
    passed = {
        case["id"] for run in document["runs"] for case in run["cases"] if case["status"] == "pass"
    }
    if not any(name.startswith("ovmf") for name in passed):
        lines.append("firmware: the machine does the work of its services, and measures nothing")
    if not any(name.startswith(("efi_stub", "ovmf", "uki")) for name in passed):
        lines.append("the EFI stub: the kernel is entered as a boot loader enters it")
    ran = {run["personality"] for run in document["runs"] if run["state"] == "done"}
    planned = {run["personality"] for run in document["runs"]}
    has = document["kernel"]["technologies"]
    for name in PERSONALITIES:
        if name in planned - ran:
            lines.append(f"{name}: did not finish")
        elif name not in ran:
            why = "not asked for" if name in has else "the kernel has no code for it"
            lines.append(f"{name}: {why}")
    if all(run["vcpus"] == 1 for run in document["runs"]):
        lines.append("more than one vCPU: VCPUS=2")
    if document["tier"] == expect.SMOKE:
        lines.append("cases of tier full: TIER=full")
    reasons: dict[str, str] = {}
    for run in document["runs"]:
        reasons |= run.get("not_built", {})
        reasons |= run.get("not_applicable", {})
    by_reason: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        by_reason.setdefault(" ".join(reason.split()), []).append(name)
    lines += [f"{some(names, SHOWN_NAMES)}: {reason}" for reason, names in by_reason.items()]
    return lines


def _known(document: Document) -> list[str]:
    runs: dict[tuple[str, ...], list[str]] = {}
    for run in document["runs"]:
        for case in run["cases"]:
            if case["verdict"] == "known":
                key = (case["id"], case["status"], case["note"], case["reference"])
                runs.setdefault(key, []).append(run["name"])
    lines = [
        f"  {name} [{', '.join(names)}]  {status}, {note}\n    {reference}"
        for (name, status, note, reference), names in runs.items()
    ]
    return ["", "known findings:", *lines] if lines else []


def _alike(problems: Iterable[Document]) -> list[list[Document]]:
    """One flaw is told once, whatever guest it was seen in."""
    groups: dict[tuple[str, str], list[Document]] = {}
    for problem in problems:
        groups.setdefault((problem["kind"], _words(problem["text"])), []).append(problem)
    return list(groups.values())


def _words(text: str) -> str:
    """A message without what is another one each time: addresses and values."""
    return re.sub(r"0x[0-9a-f]+", "0x", text)


def _grouped(document: Document) -> Iterable[list[tuple[Document, Case]]]:
    """The same finding in several runs is told once; so are cases with one reason for all, and
    those during which the guest committed one and the same breach.
    """
    groups: dict[tuple[str, ...], list[tuple[Document, Case]]] = {}
    for run in document["runs"]:
        for case in run["cases"]:
            if case["verdict"] not in ("finding", "error"):
                continue
            key: tuple[str, ...]
            if case["cause"] == "not-run":
                key = (run["name"], case["message"])
            elif case["note"] == UNLISTED and case["status"] == "pass":
                key = (UNLISTED, case["id"].partition(".")[0])
            elif case["cause"] == "breach":
                key = (case["status"], "breach", _words(case["message"]), case["note"])
            else:
                key = (case["id"], case["status"], case["cause"], case["message"], case["note"])
            groups.setdefault(key, []).append((run, case))
    return sorted(groups.values(), key=lambda group: _ORDER.index(group[0][1]["status"]))


def _finding(document: Document, folder: Path, group: list[tuple[Document, Case]]) -> list[str]:
    """One finding, and how to see it again."""
    run, case = group[0]
    names = ", ".join(dict.fromkeys(run["name"] for run, _ in group))
    ids = list(dict.fromkeys(case["id"] for _, case in group))
    if case["cause"] == "not-run":
        return [f"NOT RUN {some(ids, SHOWN_NAMES)} [{names}]", f"  {case['message']}"]
    if case["note"] == UNLISTED and case["status"] == "pass":
        return [f"UNLISTED {some(ids, SHOWN_NAMES)} [{names}]", f"  {UNLISTED}"]
    what = case["cause"] or ("unexpected" if case["status"] in ("pass", "skip") else "")
    lines = [f"{case['status'].upper()} {some(ids, SHOWN_NAMES)} [{names}]  {what}".rstrip()]
    if case["note"]:
        lines.append(f"  {case['note']}")
    if case["expected"]:
        lines.append(f"  expected: {case['expected']}")
        lines += [f"  got:      {case['got']}"] if case["got"] else []
    elif case["message"]:
        lines.append(f"  {case['message']}")
    fixes = [fix for fix in case["fixes"] if all(fix in other["fixes"] for _, other in group)]
    lines += _evidence(case, fixes)
    if case["boot"]:  # else no guest was started for it
        boot = folder / run["name"] / f"boot-{case['boot']}"
        lines.append(f"  logs:     {boot}/ {STREAM}, {CONSOLE}, {MACHINE_LOG}")
    lines.append(f"  repeat:   {repeat(document, run, case)}")
    lines.append("            with GDB=1 for a debugger")
    return lines


def _evidence(case: Case, fixes: list[str]) -> list[str]:
    lines = [f"  log:      {text}" for text in case["splats"][:SHOWN_EVENTS]]
    if not case["expected"] and case["status"] != "skip":
        lines += [f"  said:     {text}" for text in _said(case)]
    lines += [f"  machine:  {text}" for text in case["events"][-SHOWN_EVENTS:]]
    lines += [f"  may lack: {text}" for text in fixes]
    lines += [f"  see:      {case['reference']}"] if case["reference"] else []
    return lines


def _said(case: Case) -> list[str]:
    """The log from the splat on, or its last lines."""
    said = [text.strip() for text in case["diagnostics"]]
    for splat in case["splats"][:1]:
        text = splat.partition(": ")[2]
        for number, line in enumerate(said):
            if text in line:
                return said[number + 1 : number + 1 + SHOWN_TRACE]
    return said[-SHOWN_DIAGNOSTICS:]


def again(document: Document) -> str:
    """The command that checks all of it again."""
    words = [word for word in document["words"] if word.partition("=")[0] not in _NOT_AGAIN]
    return shlex.join([parts.program(), "check", *words, f"TIER={document['tier']}"])


def repeat(document: Document, run: Document, case: Case) -> str:
    """The command that runs just this case again."""
    suite, name, *_ = case["id"].split(".")
    words = [*document["repeat"], f"PERSONALITY={run['personality']}"]
    words += [f"VCPUS={run['vcpus']}"] if run["vcpus"] != 1 else []
    return shlex.join([parts.program(), "check", *words, f"CASE={suite}.{name}"])
