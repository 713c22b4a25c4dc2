# SPDX-License-Identifier: GPL-2.0
"""Decide from a boot's records which case did what, and which one ended it.

Records are in the order in which the machine saw them, whatever the channel (those of a
program are brought into it by order.by_case()), so a splat or a breach belongs to the case
whose result line comes next, and a guest that ends early was ended by the case that was
running.
"""

import re
from dataclasses import dataclass, field, replace

from coco import evidence, ktap, order, splat
from coco.model import KUNIT, BootEvidence, CaseResult, End, Item, Outcome, Stop, SuiteProblem
from coco.model import base, int_or, slug
from coco.stream import Message, Record, parse_message

# What the host did to the guest overrides what the guest still said
_STOPPED = ("hang", "flood", "interrupted", "disk-full")
# Ends that say nothing about the kernel: the result is an error, not a failure
NO_VERDICT = ("unmodelled", "internal", "abort", "interrupted", "disk-full", "truncated")
NOT_SELECTED = "not selected"  # kunit/lib/select.c
RC_TIMEOUT = 124  # selftests/init/init.h; 128 and more: a signal
RC_ALL_SKIPPED = 4  # kselftest
SAY_IT_ALL = ("oops", "panic")  # causes that tell more than how the guest then ended
KEPT_LINES = 150  # of the log of a case that ended the guest
MOST_RESULTS = 5000  # of one suite: more is a guest that floods
_CPUS = re.compile(r"smp: Brought up \d{1,4} nodes?, (\d{1,4}) CPU")
_LOADING = "while its drivers were loaded"
_NEVER_BEGUN = "init never began this suite"


@dataclass
class Segment:
    """The records from one "i|begin" to the next."""

    suite: str
    loading: list[Record]  # while drivers were loaded for it, just before
    records: list[Record] = field(default_factory=list)
    ended: bool = False
    rc: int = 0
    reason: str = ""  # what rc means, if init knows
    skipped: str | None = None


@dataclass
class Log:
    """A boot's records, cut where one suite ends and the next begins."""

    ready: Record | None = None
    done: bool = False
    before: list[Record] = field(default_factory=list)  # up to the first suite
    segments: list[Segment] = field(default_factory=list)
    loading: list[Record] = field(default_factory=list)  # for a suite that never began
    after: list[Record] = field(default_factory=list)  # from i|done on
    end: End | None = None

    @property
    def last(self) -> str:
        """The suite that began last."""
        return self.segments[-1].suite if self.segments else "boot"


def attribute(
    records: list[Record],
    items: list[Item],
    stop: Stop,
    console: list[str],
    boot: int,
    warns: str = "",
) -> Outcome:
    """All that one boot says about the items it was to run; it may warn in that function."""
    log = cut(records)
    end = log.end or End(stop.cause or "truncated", text=stop.text)
    if stop.cause in _STOPPED:
        end = End(stop.cause, text=stop.text)
    ready = log.ready is not None
    normal = ready and log.done and end.word in ("exit", "poweroff") and not end.code
    outcome = Outcome(ready, end, normal)
    outcome.boot_evidence = _boot_evidence(log, console, warns)
    outcome.counts = counts(records)
    outcome.notes = _strays(log)
    if log.ready:
        outcome.ready_after = log.ready.when
        _walk(log, items, outcome, boot)
    else:
        outcome.remaining = list(items)
    return outcome


def cut(records: list[Record]) -> Log:
    """Sort the records into segments; a liar's records land somewhere, too."""
    log = Log()
    current = log.before
    expected = False
    for record in records:
        message = parse_message(record.text) if record.channel in "im" else Message(())
        word = f"{record.channel}|{message.verb}"
        if word in ("i|ready", "m|resumed"):
            log.ready = log.ready or record
        elif word == "i|loading":
            current = log.loading
        elif word in ("i|begin", "i|skip"):
            log.segments.append(Segment(message.object, log.loading))
            log.loading = []
            if word == "i|skip":
                log.segments[-1].ended, log.segments[-1].skipped = True, message.text or "?"
            current = log.segments[-1].records
        elif word == "i|end" and log.segments:
            log.segments[-1].ended = True
            log.segments[-1].rc = int_or(message.fields.get("rc", "0"), -1)
            log.segments[-1].reason = message.text
        elif word == "i|done":
            log.done = True
            current = log.after
        elif word == "m|expected":
            expected = True
        elif word == "m|end" and not log.end:
            log.end = _end(message, expected)
        current.append(record)
    return log


def _end(message: Message, expected: bool) -> End:
    fields = message.fields
    code = int_or(fields["code"], -1) if "code" in fields else None
    value = int_or(fields.get("value", "0"), 0)
    word = message.object or "truncated"
    return End(word, value, fields.get("rip", ""), message.text, expected, code)


def counts(records: list[Record]) -> dict[str, int]:
    """How often each kind of exit happened: "m|count <kind> <code> <n>"."""
    found = {}
    for record in records:
        words = record.text.split() if record.channel == "m" else []
        if len(words) == 4 and words[0] == "count":
            found[f"{words[1]} {words[2]}"] = int_or(words[3], 0)
    return found


def _strays(log: Log) -> list[str]:
    """Lines of the stream that are no records; before init is up they are the firmware's."""
    later = [record for segment in log.segments for record in segment.records] + log.after
    strays = [f"not a record: {record.text[:120]!r}" for record in later if record.channel == "?"]
    return strays[:20]


def _boot_evidence(log: Log, console: list[str], warns: str) -> BootEvidence:
    """Splats and breaches up to the first suite; early ones are on the serial console only."""
    splats = evidence.kernel_splats(log.before)
    if not log.segments and not log.loading:
        splats += splat.scan(enumerate(console))
    allowed = [f"warning in {warns}"] if warns else []
    splats = [hit for hit in splats if not splat.is_allowed(hit.kind, hit.text, allowed)]
    breaches = evidence.breaches(log.before)
    cause, text = evidence.told(splats, breaches)
    texts = [f"{hit.kind}: {hit.text}" for hit in splats] + breaches
    counted = [_CPUS.search(record.text) for record in log.before if record.channel == "k"]
    cpus = next((int(match[1]) for match in counted if match), None)
    return BootEvidence(cause, text, tuple(dict.fromkeys(texts)), cpus)


def _walk(log: Log, items: list[Item], outcome: Outcome, boot: int) -> None:
    """Match segments to items in order and judge each."""
    waiting = list(items)
    blamed = False
    for segment in log.segments:
        position = next((n for n, i in enumerate(waiting) if i.suite == segment.suite), None)
        if position is None:
            text = f"init began {segment.suite!r}, which this boot was not asked to run"
            outcome.problems.append(SuiteProblem(segment.suite or "?", "unasked", text))
            continue
        for passed_over in waiting[:position]:
            outcome.results += _missing(passed_over, set(), _NEVER_BEGUN, boot)
        item = waiting[position]
        del waiting[: position + 1]
        outcome.problems += _of_no_case(segment.loading, item.suite, _LOADING)
        blamed = segment is log.segments[-1] and not segment.ended and not outcome.normal
        _judge(segment, item, outcome, boot, blamed)
    outcome.problems += _of_no_case(log.after, log.last, "after the last suite")
    if outcome.normal:
        for item in waiting:
            outcome.results += _missing(item, set(), _NEVER_BEGUN, boot)
        return
    outcome.remaining += waiting
    if not blamed:
        suite = waiting[0].suite if log.loading and waiting else log.last
        told = _of_no_case(log.loading, suite, _LOADING)
        outcome.problems += told
        if not any(problem.kind in SAY_IT_ALL for problem in told):
            end = word_of(outcome.end)
            outcome.problems.append(SuiteProblem(suite, end, _between(log, outcome)))


def _of_no_case(records: list[Record], suite: str, where: str) -> list[SuiteProblem]:
    """What these records tell against the guest, where no case is running."""
    cause, text = evidence.incident(records)
    return [SuiteProblem(suite, cause, f"{where}: {text}")] if cause else []


def _between(log: Log, outcome: Outcome) -> str:
    """An end that no running case can be blamed for."""
    if log.loading:
        where = _LOADING
    elif log.done:
        where = "after the last suite"
    elif log.segments:
        where = f"after the cases of {log.segments[-1].suite}"
    else:
        where = "before the first suite began"
    return f"the guest ended {where}: {outcome.end.describe()}"


def _judge(segment: Segment, item: Item, outcome: Outcome, boot: int, crashed: bool) -> None:
    """All results of one suite."""
    if segment.skipped is not None:
        for case in item.cases:
            result = CaseResult(item.suite, case, "skip", boot=boot, message=segment.skipped)
            outcome.results.append(result)
        outcome.problems += _of_no_case(segment.records, item.suite, "it was skipped")
        return
    if item.kind != KUNIT:
        segment.records = order.by_case(segment.records)
    reader, document = _read(segment, item)
    leaves = sorted(filter(_counts, ktap.leaves(document.tests)), key=lambda leaf: leaf.test.last)
    if len(leaves) > MOST_RESULTS:
        text = f"{len(leaves)} results; all after {MOST_RESULTS} are left out"
        outcome.problems.append(SuiteProblem(item.suite, "too-many", text))
        del leaves[MOST_RESULTS:]
    cuts, tail = evidence.windows(segment.records, leaves)
    results = _results(segment, item, list(zip(leaves, cuts)), boot)
    found = {base(result.case) for result in results}
    missing = [case for case in item.cases if base(case) not in found]
    died = bool(missing) and (_killed(segment) or evidence.has_oops(tail))
    named = order.last_marked(tail) or reader.running
    culprit = _culprit(named, item, missing) if crashed or died else ""
    if culprit:
        tail = order.from_last_mark(tail)
        results.append(_blame(item, culprit, tail, outcome.end, segment, boot))
        left = [case for case in missing if base(case) != base(culprit)]
        outcome.remaining += [replace(item, cases=(case,), whole=False) for case in left]
    else:
        if results:
            evidence.add(results[-1], tail)
            # That the guest ended then is no riddle
            if crashed and results[-1].cause == evidence.PANIC:
                results[-1].ended, crashed = True, False
        results += _missing(item, found, _why_missing(segment, results), boot)
        outcome.problems += _problems(segment, item, document, results, outcome.end, crashed)
    outcome.results += results


def _counts(leaf: ktap.Leaf) -> bool:
    """Has it a result, and was it to run at all?"""
    return leaf.test.ok is not None and leaf.test.reason != NOT_SELECTED


def _killed(segment: Segment) -> bool:
    """Did a signal or init's time limit end the suite's process?"""
    return segment.rc >= RC_TIMEOUT and not segment.reason


def _read(segment: Segment, item: Item) -> tuple[ktap.Reader, ktap.Document]:
    channel = "k" if item.kind == KUNIT else "t"
    reader = ktap.Reader()
    for record in segment.records:
        if record.channel == channel and record.whole:
            reader.feed(record.text, record.index)
    return reader, reader.finish()


def case_id(path: tuple[str, ...], kind: str) -> str:
    """The id of a case from its names: KUnit's has its suite's name before it."""
    names = path[1:] if kind == KUNIT else path
    parts = [slug(part) for name in names for part in name.split(".")]
    return ".".join(part for part in parts if part and part != "global")


def _results(
    segment: Segment, item: Item, cuts: list[tuple[ktap.Leaf, list[Record]]], boot: int
) -> list[CaseResult]:
    """A result for each leaf, with what the kernel's log and the machine said meanwhile."""
    results = []
    since = segment.records[0].when if segment.records else 0.0
    for leaf, window in cuts:
        case = case_id(leaf.path, item.kind)
        status = leaf.test.status
        # A KUnit suite that skipped or failed before its first case speaks for all of them
        for name in (case,) if case else item.cases if status != "pass" else ():
            result = CaseResult(item.suite, name, status, boot=boot)
            evidence.explain(result, leaf.test)
            evidence.add(result, window)
            result.seconds = evidence.seconds(window, since)
            results.append(result)
        since = window[-1].when if window else since
    return results


def _missing(item: Item, found: set[str], why: str, boot: int) -> list[CaseResult]:
    return [
        CaseResult(item.suite, case, "miss", "missing", why, boot=boot)
        for case in item.cases
        if base(case) not in found
    ]


def _why_missing(segment: Segment, results: list[CaseResult]) -> str:
    if results:
        return "planned, but not in the suite's log"
    if segment.rc:
        words = [record.text.strip() for record in segment.records if record.channel in "kt"][-2:]
        said = "; the log ends: " + " / ".join(words) if words else ""
        why = f"rc={segment.rc}" + (f", {segment.reason}" if segment.reason else "")
        return f"the suite did not start ({why}){said}"
    return "the suite printed no result"


def _problems(
    segment: Segment,
    item: Item,
    document: ktap.Document,
    results: list[CaseResult],
    end: End,
    crashed: bool,
) -> list[SuiteProblem]:
    """What is wrong with the suite's log as a whole."""
    if crashed:
        text = f"the guest ended after its last case: {end.describe()}"
        return [SuiteProblem(item.suite, word_of(end), text)]
    found = [
        SuiteProblem(item.suite, problem.kind, problem.text)
        for problem in ktap.problems(document, plan_at=1 if item.kind == KUNIT else 0)
    ]
    statuses = {result.status for result in results}
    skipped = statuses == {"skip"} and segment.rc == RC_ALL_SKIPPED
    if _killed(segment):  # a case that fails does not explain that
        text = f"exit status {segment.rc}: its program was killed after its last case"
        found.append(SuiteProblem(item.suite, "exit-status", text))
    elif segment.rc and not skipped and not statuses & {"fail", "miss"}:
        text = f"exit status {segment.rc}, although no case failed"
        found.append(SuiteProblem(item.suite, "exit-status", text))
    return found


def _culprit(running: str, item: Item, missing: list[str]) -> str:
    """The case that was running: as the log named it, else the next one in order."""
    named = case_id((running,), "")
    for name in (named.removeprefix(f"{item.suite}."), named):
        if base(name) in {base(case) for case in item.cases}:
            return name
    return missing[0] if missing else ""


def word_of(end: End) -> str:
    """The cause by which results name an end."""
    return {"abort": "qemu-abort", "panic-pause": "panic"}.get(end.word, end.word)


def _blame(
    item: Item, culprit: str, tail: list[Record], end: End, segment: Segment, boot: int
) -> CaseResult:
    """The guest, or the suite's program, ended while this case ran."""
    result = CaseResult(item.suite, culprit, "pass", boot=boot)
    result.diagnostics = [record.text for record in tail if record.channel in "kt"][-KEPT_LINES:]
    result.seconds = evidence.seconds(tail, tail[0].when) if tail else 0.0
    evidence.add(result, tail)
    result.ended = not end.expected or segment.ended
    if segment.ended:  # only the program died; the guest went on
        if result.cause not in (*SAY_IT_ALL, "breach"):
            result.status, result.cause = "fail", "signal"
            result.message = f"the suite ended with rc={segment.rc} while this case ran"
    elif end.expected and (breaches := evidence.breaches(tail)):
        result.status, result.cause = "fail", "breach"
        result.message = evidence.of_breach(breaches[0])
    elif end.expected:
        result.status, result.cause = "pass", ""
        result.message = f"ended as the test expected: {end.describe()}"
    elif result.cause not in SAY_IT_ALL:
        result.status = "error" if end.word in NO_VERDICT else "fail"
        result.cause, result.message = word_of(end), end.describe()
    return result
