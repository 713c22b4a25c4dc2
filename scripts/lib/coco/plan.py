# SPDX-License-Identifier: GPL-2.0
"""Which cases a run is to run, in which order, and why the others not."""

import fnmatch
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from coco.errors import UsageError, did_you_mean
from coco.expect import (
    BOOT,
    DECLARED,
    EXPORTS,
    FEATURES,
    FIRMWARE,
    FULL,
    SMOKE,
    SMP,
    START,
    UKI_STUB,
    UP,
    Case,
    Expectations,
    Setting,
    Suite,
    all_ids,
)
from coco.kernels import uki
from coco.model import KUNIT, PERSONALITIES, Item, base

MOST_GLOBS = 16  # -t of a selftest on one line, for which init has 2 KiB


@dataclass(frozen=True)
class Selection:
    """What the user asked for: nothing means everything of the tier."""

    suites: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()  # globs over suite.case
    tier: str = SMOKE

    def names(self, suite: str) -> bool:
        """Whether the user wrote this suite's name, and not just a pattern that matches it."""
        return suite in self.suites or any(glob.partition(".")[0] == suite for glob in self.cases)


@dataclass(frozen=True)
class Available:
    """The programs that could be built, and why others could not."""

    kunit: frozenset[str] = frozenset()
    selftests: frozenset[str] = frozenset()
    no_kunit: str = ""
    drivers: frozenset[str] = frozenset()  # of the kernel's own, in the initramfs
    exports: frozenset[str] | None = None  # functions that modules can call; None: unknown
    declared: frozenset[str] | None = None  # words of expect.DECLARED; None: unknown
    firmware: Path | None = None  # what can start it as a PC's firmware does
    uki_stub: Path | None = None  # what can start the kernel out of a unified kernel image


@dataclass
class Plan:
    """One run's work."""

    items: list[Item] = field(default_factory=list)
    fatal: list[Item] = field(default_factory=list)
    starts: list[Item] = field(default_factory=list)  # boots of guests of their own, and no more
    must_run: set[str] = field(default_factory=set)  # ids for which a SKIP is a finding
    not_applicable: dict[str, str] = field(default_factory=dict)  # id or suite -> reason
    not_built: dict[str, str] = field(default_factory=dict)  # suite -> reason
    boot_cases: tuple[str, ...] = ()
    drivers: frozenset[str] = frozenset()
    personality: str = PERSONALITIES[0]

    boot_asked: bool = False  # the boot was selected, and does not just come along

    @property
    def empty(self) -> bool:
        return not (self.items or self.fatal or self.starts or self.boot_asked)


@dataclass(frozen=True)
class Share:
    """The work of a plan that one kind of guest can do, or a boot that is all of it."""

    setting: Setting
    items: tuple[Item, ...] = ()
    fatal: tuple[Item, ...] = ()
    start: Item | None = None


def shares(plan: Plan, expectations: Expectations) -> list[Share]:
    """The plan by setting: the plain guest first, unless it has nothing to do; starts last."""

    def asked(item: Item) -> Setting:
        return expectations.suites[item.suite].setting_in(plan.personality)

    items = (*plan.items, *plan.fatal)
    setting = _with_all_devices({item.suite: asked(item) for item in items})
    settings = list(dict.fromkeys(setting[item.suite] for item in items))
    if plan.boot_asked or not settings or Setting() in settings:
        settings = [Setting(), *(one for one in settings if one != Setting())]
    work = [
        Share(
            one,
            tuple(item for item in plan.items if setting[item.suite] == one),
            tuple(item for item in plan.fatal if setting[item.suite] == one),
        )
        for one in settings
    ]
    return work + [Share(asked(item), start=item) for item in plan.starts]


def _with_all_devices(asked: Mapping[str, Setting]) -> dict[str, Setting]:
    """Suites that ask for devices, and otherwise for the same, have one guest with all of them."""
    rest = {suite: replace(one, devices=()) for suite, one in asked.items()}
    devices: dict[Setting, set[str]] = defaultdict(set)
    for suite, one in asked.items():
        devices[rest[suite]].update(one.devices)
    return {
        suite: replace(one, devices=tuple(sorted(devices[rest[suite]]))) if one.devices else one
        for suite, one in asked.items()
    }


def check_selection(selection: Selection, expectations: Expectations) -> None:
    """A name that selects nothing is a mistake, not an empty run that goes green."""
    expectations.check_suites(selection.suites)
    ids = all_ids(expectations)
    for glob in selection.cases:
        if not any(_matches(case, glob) for case in ids):
            suite, _, _case = glob.partition(".")
            near = [case for case in ids if case.startswith(f"{suite}.")]
            raise UsageError(f"no case {glob}", did_you_mean(glob, near or expectations.suites))


def features_of(
    kernel_config: Mapping[str, str], available: Available, vcpus: int
) -> dict[str, bool | None]:
    """Each feature word: there, not there, or unknown without a configuration or headers.

    What the kernel has as a module only counts if its modules are at hand.
    """
    usable = {
        option: value
        for option, value in kernel_config.items()
        if value != "m" or available.drivers
    }
    features: dict[str, bool | None] = {
        word: requirement.met(usable) if kernel_config else None
        for word, requirement in FEATURES.items()
    }
    for word, function in EXPORTS.items():
        features[word] = None if available.exports is None else function in available.exports
    for word in DECLARED:
        features[word] = None if available.declared is None else word in available.declared
    features[SMP] = vcpus > 1
    features[UP] = vcpus == 1
    features[FIRMWARE] = available.firmware is not None
    features[UKI_STUB] = available.uki_stub is not None
    return features


def make(
    expectations: Expectations,
    selection: Selection,
    personality: str,
    features: Mapping[str, bool | None],
    available: Available,
) -> Plan:
    """The work of one run."""
    plan = Plan(drivers=available.drivers, personality=personality)
    for suite in expectations.suites.values():
        chosen = [case for case in suite.cases if _selected(suite, case, selection)]
        here: Sequence[Case] = [case for case in chosen if personality in case.personalities]
        if not here and suite.kind != BOOT:
            continue
        applies = any(_may_run(case, features) for case in here)
        if suite.kind == BOOT:  # every run boots, whatever was selected
            plan.boot_asked = bool(chosen)
            here = suite.cases
            plan.boot_cases = tuple(case.id for case in here)
        elif suite.kind == START:
            if applies:  # no boot of its own where no case does
                plan.starts.append(Item(suite.name, suite.kind, tuple(case.id for case in here)))
        elif reason := _not_built(suite, available):
            if applies:
                plan.not_built[suite.name] = reason
                continue
        elif suite.setting != Setting() and not applies:
            pass  # no boot of its own where each case would skip
        else:
            plan.items += _items(suite, chosen, here)
            plan.fatal += _fatal(suite, here)
        _expect(plan, suite, here, features)
    return plan


def wants(expectations: Expectations, selection: Selection, image: str) -> bool:
    """Whether any case that was asked for starts its guest so (Setting.image)."""
    return any(
        suite.setting.image == image
        and any(_selected(suite, case, selection) for case in suite.cases)
        for suite in expectations.suites.values()
    )


def _selected(suite: Suite, case: Case, selection: Selection) -> bool:
    if selection.suites and suite.name not in selection.suites:
        return False
    name = f"{suite.name}.{case.id}"
    if selection.cases:
        return any(_matches(name, glob) for glob in selection.cases)
    if selection.tier == FULL:
        return True
    # A suite of tier full that is asked for by its name is wanted now
    return case.tier == SMOKE and (suite.tier == SMOKE or suite.name in selection.suites)


def _matches(name: str, glob: str) -> bool:
    """CASE= may also name a parameter of a case."""
    return fnmatch.fnmatchcase(name, glob) or glob.startswith(name + ".")


def _may_run(case: Case, features: Mapping[str, bool | None]) -> bool:
    return not any(features.get(word) is False for word in case.needs)


def _not_built(suite: Suite, available: Available) -> str:
    if suite.kind == KUNIT:
        there, why = suite.name in available.kunit, available.no_kunit
    else:
        there, why = suite.name in available.selftests, ""
    return "" if there else why or f"{suite.name} was not built"


def _items(suite: Suite, chosen: Sequence[Case], here: Sequence[Case]) -> list[Item]:
    """As few lines as can be: a KUnit suite takes one filter, a selftest several.

    A whole suite may run when only cases of other personalities are left out: those
    skip by themselves.
    """
    names = tuple(case.id for case in here if not case.fatal)
    if not names:
        return []
    if len(chosen) == len(suite.cases) and not any(case.fatal for case in suite.cases):
        return [Item(suite.name, suite.kind, names)]
    size = 1 if suite.kind == KUNIT else MOST_GLOBS
    return [
        Item(suite.name, suite.kind, names[start : start + size], whole=False)
        for start in range(0, len(names), size)
    ]


def _fatal(suite: Suite, here: Sequence[Case]) -> list[Item]:
    return [Item(suite.name, suite.kind, (case.id,), whole=False) for case in here if case.fatal]


def _expect(
    plan: Plan, suite: Suite, here: Sequence[Case], features: Mapping[str, bool | None]
) -> None:
    """Say which cases must not skip, and why others may."""
    for case in here:
        name = f"{suite.name}.{case.id}"
        lacking = [word for word in case.needs if features.get(word) is False]
        unknown = [word for word in case.needs if features.get(word) is None]
        if lacking:
            plan.not_applicable[name] = "needs " + ", ".join(explain_feature(w) for w in lacking)
        elif unknown:
            plan.not_applicable[name] = f"unknown whether the kernel has {', '.join(unknown)}"
        else:
            plan.must_run.add(name)


def explain_feature(word: str) -> str:
    """A feature word with the option that stands for it."""
    if word == SMP:
        return "two vCPUs (VCPUS=2)"
    if word == UP:
        return "one vCPU (VCPUS=1)"
    if word == FIRMWARE:
        return "firmware (coco fetch, or FIRMWARE=<OVMF.fd>)"
    if word == UKI_STUB:
        return f"the stub of a unified kernel image ({uki.STUB})"
    if word in EXPORTS:
        return f"{EXPORTS[word]}()"
    if word in DECLARED:
        return f"{word} ({DECLARED[word][0]})"
    return f"{word} ({FEATURES[word].names})"


def run_file(
    items: Sequence[Item],
    expectations: Expectations,
    drivers: Collection[str] = (),
    snapshot: bool = False,
    resumed: bool = False,
) -> str:
    """What init is to do, one verb a line; a restored guest goes on after its "snapshot"."""
    lines = [] if resumed else ["console", *(["snapshot"] if snapshot else [])]
    return "\n".join([*lines, *_work(items, expectations, drivers), "exit"]) + "\n"


def _work(items: Sequence[Item], expectations: Expectations, drivers: Collection[str]) -> list[str]:
    lines: list[str] = []
    for item in items:
        for name in expectations.suites[item.suite].modprobe:
            line = f"modprobe {name}"
            if name in drivers and line not in lines:
                lines.append(line)
        lines.append(_line(item))
    return lines


def _line(item: Item) -> str:
    words = [item.kind, item.suite]
    if not item.whole and item.kind == KUNIT:
        words.append(f"filter={item.suite}.{base(item.cases[0])}")
    elif not item.whole:
        words += [word for case in item.cases for word in ("-t", case)]
    return " ".join(words)
