# SPDX-License-Identifier: GPL-2.0
"""Hold results against what is written down: which of them are findings."""

import datetime
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coco import attribute, errors, evidence, splat
from coco.expect import Expectations, Known
from coco.model import CaseResult, End, counted
from coco.plan import Plan

OK = "ok"
KNOWN = "known"  # not as it should be, but in the baseline
FINDING = "finding"
ERROR = "error"  # could not be judged
NOT_BUILT = "not-built"  # a kind of problem: a suite that was asked for by name
UNLISTED = "not written down: add it to backports/expect/suites/"


@dataclass(frozen=True)
class Judged:
    """One result with its verdict; note says why, beyond the result itself."""

    result: CaseResult
    verdict: str
    note: str = ""
    reference: str = ""


@dataclass(frozen=True)
class Context:
    """What the judgement depends on besides the result."""

    expectations: Expectations
    plan: Plan
    personality: str
    version: tuple[int, ...]  # of the kernel
    today: datetime.date


def judge(results: Iterable[CaseResult], context: Context) -> list[Judged]:
    """A verdict for every result."""
    return [judge_one(tolerate(result, context), context) for result in results]


def tolerate(result: CaseResult, context: Context) -> CaseResult:
    """Splats that a case causes on purpose do not fail it; a breach or an end beside them does."""
    case = context.expectations.case(result.suite, result.case)
    if not case or result.ended or result.status != "fail":
        return result
    if result.cause not in ("splat", "oops", "hang"):
        return result
    left = [text for text in result.splats if not _is_tolerated(text, case.tolerates)]
    if result.splats and not left:
        result.status, result.cause, result.message = "pass", "", ""
    elif left and all(map(evidence.is_breach, left)):
        result.cause, result.message = "breach", evidence.of_breach(left[0])
    return result


def _is_tolerated(text: str, tolerates: Iterable[str]) -> bool:
    kind, _, said = text.partition(": ")
    return splat.is_allowed(kind, said, tolerates)


def judge_one(result: CaseResult, context: Context) -> Judged:
    """The verdict for one result."""
    known = _baseline(result, context)
    if context.expectations.case(result.suite, result.case) is None:
        return Judged(result, FINDING, UNLISTED)
    if result.status == "pass":
        if known:
            note = "passes, although the baseline lists it: remove the entry"
            return Judged(result, FINDING, f"unexpected pass: {note}", known.reference)
        return Judged(result, OK)
    if result.status == "skip" and not _must_run(result, context):
        return Judged(result, OK)
    if result.status == "skip":
        return Judged(result, FINDING, "this kernel has all that the case needs")
    if result.status == "error":
        return Judged(result, ERROR)
    if not known or result.status != "fail":
        return Judged(result, FINDING)
    if result.cause not in known.causes:
        note = f"the baseline lists it, but as {' or '.join(known.causes)}"
        return Judged(result, FINDING, note, known.reference)
    if not _says(result, known.shows):
        note = f"the baseline lists it, but with: {known.shows}"
        return Judged(result, FINDING, note, known.reference)
    if known.expires < context.today:
        note = f"the baseline entry expired on {known.expires}: fix it, or look at it anew"
        return Judged(result, FINDING, note, known.reference)
    return Judged(result, KNOWN, f"until {known.expires}", known.reference)


def _says(result: CaseResult, pattern: str) -> bool:
    words = (result.message, *result.diagnostics, *result.splats)
    return any(re.search(pattern, text) for text in words)


def _must_run(result: CaseResult, context: Context) -> bool:
    names = (result.id, f"{result.suite}.{result.case.partition('.')[0]}")
    return any(name in context.plan.must_run for name in names)


def _baseline(result: CaseResult, context: Context) -> Known | None:
    for known in context.expectations.baseline:
        if known.covers(result.id, context.personality, context.version):
            return known
    return None


def of_problem(kind: str) -> str:
    """A suite's problem is a finding, unless it says nothing of the kernel."""
    ends = {attribute.word_of(End(word)) for word in attribute.NO_VERDICT}
    return ERROR if kind in {NOT_BUILT, *ends} else FINDING


def exit_code(verdicts: Collection[str], broken: bool, ran: bool) -> int:
    """One exit code for everything that ran: a finding outweighs what could not run."""
    if FINDING in verdicts:
        return errors.FINDING
    if ERROR in verdicts or broken:
        return errors.INFRASTRUCTURE
    return errors.OK if ran else errors.NOTHING_APPLICABLE


def sentence(code: int, runs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The verdict in words."""
    total: Counter[str] = Counter()
    for run in runs:
        total.update(run["summary"])
        total.update("problems" for problem in run["problems"] if problem["verdict"] == FINDING)
    names = ", ".join(run["name"] for run in runs if run["state"] == "done")
    if code == errors.OK:
        text = f"{total['pass']} passed, {total['skip']} skipped, all as expected in {names}"
        text += f"; {counted(total[KNOWN], 'known finding')}" if total[KNOWN] else ""
        return {"word": "OK", "text": text}
    if code == errors.FINDING:
        number = total[FINDING] + total["problems"]
        text = f"{counted(number, 'finding')}, {total['pass']} passed"
        return {"word": "FINDINGS", "text": text}
    if code == errors.INTERRUPTED:
        return {"word": "INTERRUPTED", "text": f"{total['pass']} passed so far; not complete"}
    if code == errors.NOTHING_APPLICABLE:
        return {"word": "NOTHING APPLICABLE", "text": "no case applied to this kernel"}
    broken = sum(run["state"] != "done" for run in runs)
    parts = [f"{counted(broken, 'run')} could not run"] if broken else []
    if total["unjudged"]:
        parts.append(f"{counted(total['unjudged'], 'case')} could not be judged")
    problems = [one for run in runs for one in run["problems"]]
    lacking = dict.fromkeys(one["suite"] for one in problems if one["kind"] == NOT_BUILT)
    parts += [f"{', '.join(lacking)} could not be built"] if lacking else []
    text = ", ".join(parts) or "a suite's end could not be judged"
    return {"word": "COULD NOT RUN", "text": text}
