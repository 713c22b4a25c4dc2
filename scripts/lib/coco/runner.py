# SPDX-License-Identifier: GPL-2.0
"""One run: a kernel, a personality, a number of vCPUs; as many boots as it takes.

A run has a part for each kind of guest, and the parts of a run may go on side by side.  The
first boot of a part does all ordinary work.  Where a guest ends early, the case that was
running is blamed, and what is left goes on in a fresh boot, or from the snapshot if one was
taken.  Cases that end the guest on purpose come last, each alone, from the same snapshot.
No case is ever run twice.  The first part is the plain guest; suites that ask for another
(machine:, append:, ram:, devices:) share a part by what they ask for.  Suites of kind start
are just that: a boot of another guest, which has to come up or has to be refused.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from coco import attribute, disk, plan, qemu, snapshot, wire
from coco.boot import Boot, Order, boot
from coco.expect import BOOT, Case, Expectations, Setting, Suite
from coco.model import CaseResult, End, Item, Outcome, SuiteProblem
from coco.watch import Budgets

MOST_CRASHES = 20  # unexpected ones, before a run gives up

REACHES_INIT = "reaches_init"
LEAVES_NO_SPLAT = "leaves_no_splat"
BRINGS_UP_EVERY_VCPU = "brings_up_every_vcpu"

Progress = Callable[[str], None]  # told what is going on


@dataclass(frozen=True)
class RunOrder:
    """What one run is to do, and with what."""

    name: str
    folder: Path
    program: qemu.Qemu
    guest: qemu.Guest
    plan: plan.Plan
    expectations: Expectations
    budgets: Budgets


@dataclass
class BootRecord:
    """What the results keep of one boot."""

    number: int
    folder: str
    start: str  # fresh or snapshot
    seconds: float
    ready_after: float
    end: str
    cases: int
    counts: dict[str, int]  # of the machine's events; a restored guest's go on counting


@dataclass
class Run:
    """What became of a run."""

    name: str
    results: list[CaseResult] = field(default_factory=list)
    problems: list[SuiteProblem] = field(default_factory=list)
    boots: list[BootRecord] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False
    error: BaseException | None = None  # why it did not go on


class _Tally:
    """What the parts of a run have in common."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._boots = 0
        self.crashes = 0
        self.stopped = (End(""), "")  # what ended the last part that gave up, and in words

    def next_boot(self) -> int:
        with self._lock:
            self._boots += 1
            return self._boots

    def crash(self) -> int:
        with self._lock:
            self.crashes += 1
            return self.crashes


@dataclass(frozen=True)
class Part:
    """All that one kind of guest is to do in a run."""

    order: RunOrder
    share: plan.Share
    tally: _Tally
    first: bool


def parts(order: RunOrder) -> list[Part]:
    """A run's parts, each for a thread of its own or one after the other, in this order."""
    tally = _Tally()
    shares = plan.shares(order.plan, order.expectations)
    return [Part(order, share, tally, number == 0) for number, share in enumerate(shares)]


def run(part: Part, cancel: threading.Event, progress: Progress) -> Run:
    """All boots of one part."""
    return _Runner(part, cancel, progress).run()


def join(name: str, parts_of_it: Sequence[Run]) -> Run:
    """The run whose parts these are."""
    run = Run(name)
    for part in parts_of_it:
        run.results += part.results
        run.problems += part.problems
        run.boots += part.boots
        run.notes += part.notes
        run.seconds = round(run.seconds + part.seconds, 3)
        run.interrupted |= part.interrupted
        run.error = run.error or part.error
    return run


class _Runner:
    def __init__(self, part: Part, cancel: threading.Event, progress: Progress) -> None:
        self._order = part.order
        self._share = part.share
        self._tally = part.tally
        self._first = part.first
        self._cancel = cancel
        self._progress = progress
        self._guest = guest_for(part.order.guest, part.share.setting)
        self._run = Run(part.order.name)
        self._snapshot: Path | None = None
        self._stopped = (End(""), "")  # as in the tally, but of this part
        self._at_boot = ""  # the cause that the first boot was told by

    def run(self) -> Run:
        start = time.monotonic()
        try:
            if not self._cancel.is_set():
                self._all()
        except Exception as error:  # what earlier boots said is not lost
            self._run.error = error
        self._run.interrupted = self._cancel.is_set()
        self._run.seconds = round(time.monotonic() - start, 3)
        return self._run

    def _all(self) -> None:
        if self._share.start:
            self._start(self._share.start)
        elif self._tally.crashes >= MOST_CRASHES:
            self._give_up([*self._share.items, *self._share.fatal], *self._tally.stopped)
        else:
            self._work()

    def _work(self) -> None:
        """The ordinary items first, in one boot if all goes well, then each fatal one."""
        share = self._share
        try:
            # Even without a single suite the boot itself is a test
            going = self._until_done(list(share.items), first=True, save=bool(share.fatal))
            for number, item in enumerate(share.fatal):
                if not going:
                    self._give_up(share.fatal[number:], *self._stopped)
                    break
                going = self._until_done([item])
        finally:
            if self._snapshot:
                snapshot.remove(self._snapshot)
            self._snapshot = None

    def _start(self, item: Item) -> None:
        """Boot another guest: whether it comes up is all."""
        suite = self._order.expectations.suites[item.suite]
        outcome = self._boot([], save=False)
        if outcome.ready or not self._cancel.is_set():
            for name in item.cases:
                case = suite.case(name)
                assert case is not None
                result = judge_start(suite, case, outcome)
                result.boot = self._last_boot
                self._run.results.append(result)

    def _until_done(self, items: list[Item], first: bool = False, save: bool = False) -> bool:
        """Boot until nothing of these items is left; False: no further boot makes sense."""
        while first or items:
            outcome = self._boot(items, save=first and save)
            if not outcome.ready and self._cancel.is_set():
                return False
            if first:
                self._judge_boot(outcome, items)
                first = False
            elif outcome.ready:
                self._judge_later_boot(outcome, items)
            if not outcome.ready and self._run.boots[-1].start == "snapshot":
                continue  # no case ran: a fresh boot will do
            if not outcome.ready:
                left = items if self._first else self._blame_for_boot(items, outcome)
                return self._stop(left, outcome.end, "the kernel did not reach init")
            if items and outcome.remaining == items:
                why = f"the guest ended before this suite began: {outcome.end.describe()}"
                self._give_up(items[:1], outcome.end, why)
                outcome.remaining = items[1:]
            items = outcome.remaining
            if self._cancel.is_set():
                return False
            crashed = not outcome.normal and not outcome.end.expected
            crashes = self._tally.crash() if crashed else self._tally.crashes
            if crashes >= MOST_CRASHES:
                return self._stop(items, outcome.end, f"gave up after {crashes} crashes")
        return True

    def _stop(self, items: Sequence[Item], end: End, why: str) -> bool:
        """Nothing else is run: these items are not, and whatever comes later neither."""
        self._stopped = self._tally.stopped = (end, f"{why}: {end.describe()}")
        self._give_up(items, *self._stopped)
        return False

    def _boot(self, items: list[Item], save: bool) -> Outcome:
        number = self._tally.next_boot()
        resume = self._snapshot
        folder = self._order.folder / f"boot-{number}"
        order = Order(
            folder,
            replace(self._guest, snapshot=save or resume is not None),
            plan.run_file(
                items,
                self._order.expectations,
                self._order.plan.drivers,
                snapshot=save,
                resumed=resume is not None,
            ),
            self._budgets(items),
            resume,
            folder / "snapshot" if save else None,
        )
        done = boot(self._order.program, order, self._cancel, self._progress)
        outcome = attribute.attribute(
            done.records, items, done.stop, done.console, number, self._share.setting.warns
        )
        if disk.DEVICE in self._guest.devices:
            disk.judge(folder, outcome.results)
        if wire.DEVICE in self._guest.devices:
            wire.judge(folder, outcome.results)
        self._keep(done, outcome, number, resume is not None)
        return outcome

    def _keep(self, done: Boot, outcome: Outcome, number: int, resumed: bool) -> None:
        """Add one boot to the run."""
        run = self._run
        run.results += outcome.results
        run.problems += outcome.problems
        run.notes += done.notes + outcome.notes
        record = BootRecord(
            number,
            done.folder.name,
            "snapshot" if resumed else "fresh",
            done.seconds,
            outcome.ready_after,
            outcome.end.describe(),
            len(outcome.results),
            outcome.counts,
        )
        run.boots.append(record)
        self._snapshot = self._snapshot or done.snapshot
        if resumed and not outcome.ready:  # never trust it again
            run.notes.append(f"boot {number} did not come up from the snapshot")
            self._snapshot = None

    def _budgets(self, items: Sequence[Item]) -> Budgets:
        slowest = max((self._order.expectations.suites[i.suite].timeout for i in items), default=0)
        return self._order.budgets.with_timeout(slowest) if slowest else self._order.budgets

    @property
    def _last_boot(self) -> int:
        """The number of this part's last boot; 0: there was none."""
        return self._run.boots[-1].number if self._run.boots else 0

    def _judge_boot(self, outcome: Outcome, items: Sequence[Item]) -> None:
        """The first boot is a suite of its own; another setting's is a matter of its suites."""
        found = outcome.boot_evidence
        self._at_boot = found.cause
        blamed = bool(items) and not outcome.ready
        if self._first:
            self._boot_cases(outcome)
        elif found.cause and not (blamed and found.cause in attribute.SAY_IT_ALL):
            wanted = [*items, *self._share.fatal]
            suite = wanted[0].suite if wanted else BOOT
            self._run.problems.append(SuiteProblem(suite, found.cause, f"at boot: {found.text}"))

    def _judge_later_boot(self, outcome: Outcome, items: Sequence[Item]) -> None:
        """Held against the suite that it was for, unless the first boot showed it already."""
        found = outcome.boot_evidence
        if found.cause and found.cause != self._at_boot:
            text = f"at boot {self._last_boot}: {found.text}"
            self._run.problems.append(SuiteProblem(items[0].suite, found.cause, text))

    def _blame_for_boot(self, items: Sequence[Item], outcome: Outcome) -> list[Item]:
        """The first case is why this guest was started: it fails.  What is left to give up."""
        if not items:
            return []
        first, *cases = items[0].cases
        result = CaseResult(items[0].suite, first, "pass", boot=self._last_boot)
        _did_not_boot(result, outcome)
        self._run.results.append(result)
        rest = [replace(items[0], cases=tuple(cases))] if cases else []
        return [*rest, *items[1:]]

    def _boot_cases(self, outcome: Outcome) -> None:
        """The boot's own cases, first of all results."""
        judged = []
        for case in self._order.plan.boot_cases:
            result = CaseResult(
                BOOT, case, "pass", boot=self._last_boot, seconds=outcome.ready_after
            )
            if case == REACHES_INIT and not outcome.ready:
                _did_not_boot(result, outcome)
            elif case == LEAVES_NO_SPLAT and outcome.boot_evidence.cause:
                result.status, result.cause = "fail", outcome.boot_evidence.cause
                result.message = outcome.boot_evidence.text
                result.splats = list(outcome.boot_evidence.splats)
            elif case == BRINGS_UP_EVERY_VCPU:
                _count_cpus(result, outcome, self._order.guest.vcpus)
            judged.append(result)
        self._run.results[:0] = judged

    def _give_up(self, items: Sequence[Item], end: End, why: str) -> None:
        """Say of every case that is left why it was not run; after ^C the run itself says it."""
        if self._cancel.is_set():
            return
        status = "error" if end.word in attribute.NO_VERDICT else "miss"
        for item in items:
            for case in item.cases:
                result = CaseResult(item.suite, case, status, "not-run", why, boot=self._last_boot)
                self._run.results.append(result)


def guest_for(guest: qemu.Guest, setting: Setting) -> qemu.Guest:
    """The run's guest as a suite wants it; the user's own words have the last say.

    The machine takes the first of two words, the kernel the last.  Memory is as the suite has
    it: what it says of places in memory holds in a guest of that size.
    """
    return replace(
        guest,
        ram=setting.ram or guest.ram,
        cmdline=f"{setting.append} {guest.cmdline}".strip(),
        options=f"{guest.options} {setting.machine}".strip(),
        devices=setting.devices,
        image=setting.image,
    )


def judge_start(suite: Suite, case: Case, outcome: Outcome) -> CaseResult:
    """A guest that must come up, or must end just so, and what is held against it meanwhile."""
    result = CaseResult(suite.name, case.id, "pass", seconds=outcome.ready_after)
    found, end = outcome.boot_evidence, outcome.end
    if case.id == LEAVES_NO_SPLAT:
        if found.cause and (outcome.ready or found.cause == "breach"):
            result.status, result.cause, result.message = "fail", found.cause, found.text
            result.splats = list(found.splats)
    elif not case.ends and not outcome.ready:
        _did_not_boot(result, outcome)
    elif case.ends and (outcome.ready or not _ended_so(end, case.ends)):
        result.status = "error" if end.word in attribute.NO_VERDICT else "fail"
        result.cause = "assertion" if outcome.ready else attribute.word_of(end)
        result.expected = case.ends
        result.got = "init came up" if outcome.ready else end.describe()
        result.message = "this guest must not come up" if outcome.ready else result.got
    elif case.ends:
        result.message = f"ended as expected: {end.describe()}"
    return result


def _ended_so(end: End, wanted: str) -> bool:
    """Whether it is one of these ends: "fatal or reset"."""
    for one in wanted.split(" or "):
        word, _, value = one.partition(" value=")
        if end.word == word and (not value or end.value == int(value, 16)):
            return True
    return False


def _did_not_boot(result: CaseResult, outcome: Outcome) -> None:
    """Why init never came up: what the kernel said last, or how the machine saw it end."""
    found, end = outcome.boot_evidence, outcome.end
    result.splats = list(found.splats)
    if found.cause in attribute.SAY_IT_ALL:
        result.status, result.cause, result.message = "fail", found.cause, found.text
    else:
        result.status = "error" if end.word in attribute.NO_VERDICT else "fail"
        result.cause, result.message = attribute.word_of(end), end.describe()


def _count_cpus(result: CaseResult, outcome: Outcome, vcpus: int) -> None:
    """Hold the kernel's own count against the machine's."""
    cpus = outcome.boot_evidence.cpus
    if cpus == vcpus:
        return
    if cpus is None:
        result.status, result.cause = "miss", "missing"
        result.message = "the kernel's log does not say how many CPUs came up"
    else:
        result.status, result.cause = "fail", "assertion"
        result.expected, result.got = f"{vcpus} CPUs", f"{cpus}"
        result.message = f"{cpus} of {vcpus} vCPUs came up"
