# SPDX-License-Identifier: GPL-2.0
"""coco qualify: what a kernel supports as a confidential guest, and what that rests on.

    supported           its cases ran and passed, and its driver is there and loads
    partial             some of its cases failed, known findings included, or were not judged
    absent by design    the kernel has no code for it, or has it switched off
    broken              the kernel says that it has it, and nothing of it works; or it is
                        declared supported and not there
    unknown             nothing exercised it

A profile (PROFILE=) declares what the image is to support.  What it declares and is not shown
is a finding; what it does not mention is stated all the same.
"""

import argparse
import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from coco import check, errors, expect, features, files, kernels, package, prepare, results
from coco import variables
from coco.errors import UsageError
from coco.features import Catalogue, Feature, Profile
from coco.model import PERSONALITIES, rest, some
from coco.package import Flaw
from coco.screen import Screen
from coco.verdict import FINDING

Document = Mapping[str, Any]
JSON_VERSION = 1
FILE = "qualify.json"

SUPPORTED, PARTIAL, ABSENT = "supported", "partial", "absent by design"
BROKEN, UNKNOWN = "broken", "unknown"
STATES = (SUPPORTED, PARTIAL, ABSENT, BROKEN, UNKNOWN)
BOOT = "boot"  # the feature without which a technology has no other

SHOWN_CASES = 3
_DECLARED_OK = {
    "supported": (SUPPORTED,),
    "partial": (SUPPORTED, PARTIAL),
    "absent": STATES,
}


@dataclass
class Stated:
    """One feature on one technology."""

    feature: str
    technology: str
    state: str
    evidence: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


@dataclass
class Qualification:
    """All that is stated of a kernel."""

    technologies: dict[str, str]
    features: list[Stated]
    flaws: list[Flaw]
    findings: list[str]
    notes: list[str]


def run(options: argparse.Namespace, words: list[str], screen: Screen) -> int:
    """The whole verb: check the kernel, or take results of it, and judge."""
    catalogue = features.load()
    profile = features.load_profile(options.profile or "", catalogue)
    there = _there(options)
    prepare.check_paths(options)
    kernel = kernels.resolve(options, screen.say)
    folder, document, code = _results(options, words, kernel, there, screen)
    if code == errors.INTERRUPTED:
        return code
    found = judge(kernel, document, catalogue, profile)
    write(folder, kernel, document, profile, found)
    for line in told(kernel, document, catalogue, profile, found):
        screen.line(line)
    screen.line(f"evidence: {folder}/{FILE}, {results.RESULT}")
    broken = any(run["state"] != "done" for run in document["runs"])
    if broken or document["verdict"]["exit"] == errors.INFRASTRUCTURE:
        return errors.INFRASTRUCTURE
    return errors.FINDING if found.findings else errors.OK


def _there(options: argparse.Namespace) -> Document | None:
    """The results of RESULTS=, if it holds any; where only that is given, theirs is the kernel."""
    if not options.results:
        return None
    folder = Path(options.results)
    there = results.read(folder) if (folder / results.RESULT).exists() else None
    if options.kernel or options.kdir or options.kbuild_output:
        return there
    if there is None:
        raise UsageError(
            f"RESULTS={options.results} holds no results",
            "name those of a check, or the kernel to check into a new folder: KERNEL=<kernel>",
        )
    for word in there["words"]:
        name, _, text = word.partition("=")
        if name in variables.KERNEL_WORDS:
            setattr(options, name.lower(), variables.VARIABLES[name].parse(text))
    return there


def _results(
    options: argparse.Namespace,
    words: list[str],
    kernel: kernels.Kernel,
    there: Document | None,
    screen: Screen,
) -> tuple[Path, Document, int]:
    """A folder with results of this very kernel: those that are there, or made now."""
    if there is None:
        chosen = [word for word in words if not word.startswith("PROFILE=")]
        # All that applies, unless TIER= says otherwise: what no case showed is unknown
        options.tier = options.tier or expect.FULL
        code = check.check(options, chosen, screen)
        screen.line()
        folder = Path(options.results)
        return folder, results.read(folder), code
    folder = Path(options.results).absolute()
    if there["kernel"]["sha256"] != kernel.sha256:
        raise UsageError(
            f"RESULTS={folder} are of {there['kernel']['name']}, not of {kernel.name}",
            "name a new folder, or the kernel that they are of",
        )
    return folder, there, errors.OK


# ---- judging ----
def judge(
    kernel: kernels.Kernel, document: Document, catalogue: Catalogue, profile: Profile
) -> Qualification:
    """Everything, from the package and the results."""
    flaws = package.flaws(kernel, catalogue)
    stated = [
        state(feature, technology, kernel, document, flaws)
        for technology in PERSONALITIES
        for feature in catalogue.features
        if technology in feature.technologies
    ]
    for one in stated:
        if one.state == ABSENT and _declared(profile, one) in ("supported", "partial"):
            one.state = BROKEN
    technologies = {
        name: _technology(name, kernel, [one for one in stated if one.technology == name])
        for name in PERSONALITIES
    }
    found = Qualification(technologies, stated, flaws, [], [])
    _against_profile(found, profile)
    _findings_of_check(found, document)
    return found


def _declared(profile: Profile, stated: Stated) -> str:
    """What a profile says of a feature; of the boot, what it says of the technology."""
    key = (stated.technology, stated.feature)
    if stated.feature == BOOT and key not in profile.features:
        return profile.technologies.get(stated.technology, "")
    return profile.features.get(key, "")


def state(
    feature: Feature,
    technology: str,
    kernel: kernels.Kernel,
    document: Document,
    flaws: Iterable[Flaw],
) -> Stated:
    """One feature on one technology: never supported for what was not exercised."""
    lacking = package.lacks(feature, technology, kernel)
    if lacking:
        return Stated(feature.name, technology, ABSENT, lacking)
    runs = [run for run in document["runs"] if run["personality"] == technology]
    cases = [case for run in runs for case in run["cases"] if _shows(feature, case["id"])]
    counts = {"pass": 0, "fail": 0, "skip": 0, "error": 0}
    for case in cases:
        counts["fail" if _is_bad(case) else case["status"]] += 1
    own = [one for one in flaws if feature.driver and one.what.startswith(f"{feature.driver}.ko")]
    found = Stated(feature.name, technology, _word(counts, own), counts=counts)
    if found.state == UNKNOWN:
        found.evidence = _why_unknown(feature, technology, runs, cases)
    else:
        unjudged = f", {counts['error']} could not be judged" if counts["error"] else ""
        found.evidence = [f"{counts['pass']} passed, {counts['fail']} failed{unjudged}"]
        found.evidence += _failures(cases)
    found.evidence += [one.text for one in own]
    return found


def _shows(feature: Feature, case: str) -> bool:
    return any(fnmatch.fnmatchcase(case, glob) for glob in feature.shown_by)


def _is_bad(case: Document) -> bool:
    """Failed, or not run although the kernel has what it needs."""
    skipped = case["status"] == "skip" and case["verdict"] == FINDING
    return skipped or case["status"] in ("fail", "miss")


def _word(counts: Mapping[str, int], flaws: Iterable[Flaw]) -> str:
    if any(flaw.kind == package.NOT_PACKAGED for flaw in flaws):
        return BROKEN
    if counts["fail"]:
        return PARTIAL if counts["pass"] else BROKEN
    if not counts["pass"]:
        return UNKNOWN
    return PARTIAL if list(flaws) or counts["error"] else SUPPORTED


def _failures(cases: Iterable[Document]) -> list[str]:
    bad = [case for case in cases if _is_bad(case)]
    lines = []
    for case in bad[:SHOWN_CASES]:
        why = case["reference"] or case["message"] or case["note"]
        lines.append(f"{case['id']}: {' '.join(str(why).split())}")
    return lines + rest(bad, SHOWN_CASES)


def _why_unknown(
    feature: Feature, technology: str, runs: list[Document], cases: list[Document]
) -> list[str]:
    if not runs:
        return [f"no run of {technology}"]
    broken = [run["reason"] for run in runs if run["state"] == "broken"]
    if broken:
        return [f"the run could not be done: {broken[0]}"]
    not_built = {
        reason
        for run in runs
        for suite, reason in run.get("not_built", {}).items()
        if _shows(feature, f"{suite}.x")
    }
    if not_built:
        return sorted(" ".join(reason.split()) for reason in not_built)
    if not cases:
        return ["no case that ran exercises it"]
    words = {"skip": "skipped", "error": "could not be judged"}
    said = {f"{words[case['status']]}: {case['message']}" for case in cases}
    return sorted(said)[:SHOWN_CASES]


def _technology(name: str, kernel: kernels.Kernel, stated: list[Stated]) -> str:
    """A technology is as good as its boot, and whole if no feature that is there has failures."""
    boot = next((one for one in stated if one.feature == BOOT), None)
    if boot is None or boot.state != SUPPORTED:
        return boot.state if boot else UNKNOWN
    return PARTIAL if any(one.state in (PARTIAL, BROKEN) for one in stated) else SUPPORTED


def _against_profile(found: Qualification, profile: Profile) -> None:
    for one in found.features:
        declared = _declared(profile, one)
        place = f"{one.technology}: {one.feature}"
        why = f" ({one.evidence[0]})" if one.evidence else ""
        if declared and one.state not in _DECLARED_OK[declared]:
            found.findings.append(f"{place} is declared {declared}, and is {one.state}{why}")
        elif declared == "absent" and one.state in (SUPPORTED, PARTIAL, BROKEN):
            found.notes.append(f"{place} is declared absent, and is {one.state}")
        elif not declared and one.state == BROKEN:
            found.findings.append(f"{place} is broken{why}")
        elif profile.name and not declared and one.state in (SUPPORTED, PARTIAL):
            found.notes.append(f"{place} is {one.state}, and the profile does not mention it")
    for flaw in found.flaws:
        if flaw.kind in (package.NOT_PACKAGED, package.NO_SYMBOL):
            found.findings.append(flaw.text)


def _findings_of_check(found: Qualification, document: Document) -> None:
    for run in document["runs"]:
        bad = [case["id"] for case in run["cases"] if case["verdict"] == FINDING]
        if bad:
            found.findings.append(f"{run['name']}: {some(bad, SHOWN_CASES)}")
        for problem in run["problems"]:
            if problem["verdict"] == FINDING:
                found.findings.append(f"{run['name']}: {problem['suite']}: {problem['text']}")


# ---- telling ----
def to_json(
    kernel: kernels.Kernel, document: Document, profile: Profile, found: Qualification
) -> dict[str, Any]:
    """What qualify.json holds."""
    return {
        "version": JSON_VERSION,
        "kernel": document["kernel"],
        "suite_version": document["suite_version"],
        "profile": profile.name,
        "technologies": found.technologies,
        "features": [asdict(one) for one in found.features],
        "flaws": [asdict(one) for one in found.flaws],
        "findings": found.findings,
        "notes": found.notes,
    }


def write(
    folder: Path,
    kernel: kernels.Kernel,
    document: Document,
    profile: Profile,
    found: Qualification,
) -> None:
    """qualify.json beside the results that it rests on."""
    files.write_json(folder / FILE, to_json(kernel, document, profile, found))


def told(
    kernel: kernels.Kernel,
    document: Document,
    catalogue: Catalogue,
    profile: Profile,
    found: Qualification,
) -> list[str]:
    """For a person."""
    titles = {one.name: one.title for one in catalogue.features}
    lines = [f"qualification of {document['kernel']['name']}"]
    lines.append(f"  against {profile.name}" if profile.name else "  no profile: PROFILE=<name>")
    for technology, word in found.technologies.items():
        lines += ["", f"{technology}: {word}"]
        for one in found.features:
            if one.technology == technology:
                lines.append(f"  {one.state:<17} {one.feature:<26} {titles[one.feature]}")
                if one.state != SUPPORTED:
                    lines += [f"  {'':<17} - {text}" for text in one.evidence]
    for title, texts in (
        ("configuration and package:", [_flaw(flaw) for flaw in found.flaws]),
        ("worth knowing:", found.notes),
        ("findings:", found.findings),
    ):
        lines += ["", title, *(f"  {text}" for text in texts)] if texts else []
    return [*lines, "", verdict(found, profile)]


def verdict(found: Qualification, profile: Profile) -> str:
    """The last line; without a profile nothing is declared that could be held against it."""
    if found.findings:
        return f"NOT QUALIFIED: {len(found.findings)} findings"
    if profile.name:
        return f"QUALIFIED: all of {profile.name} was shown"
    return "STATED: nothing is broken; PROFILE=<name> says what must be there"


def _flaw(flaw: Flaw) -> str:
    return f"[{', '.join(flaw.technologies)}] {flaw.text}"
