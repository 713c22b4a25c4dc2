# SPDX-License-Identifier: GPL-2.0
"""coco bench: what a personality costs, against plain TCG with the same kernel.

Boots take turns, one at a time, so that whatever else the host does hits all alike.  Medians
are compared, of the time in which QEMU was not kept waiting for a CPU.  Then one boot of each
measures single exits (selftests/bench/exit_cost.c).
"""

import argparse
import dataclasses
import datetime
import statistics
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from coco import attribute, boot, check, errors, files, parts, prepare, qemu, results
from coco.errors import InfrastructureError
from coco.screen import Screen
from coco.stream import parse_message
from coco.watch import Budgets

PLAIN = "plain"
ROUNDS = 3
POLL = 0.002
BASELINE = "call"  # the exit that does nothing
BOOT_RUN = "exit\n"
COST_RUN = "modprobe msr\nselftest exit_cost\nexit\n"


@dataclass(frozen=True)
class Target:
    """One thing to measure."""

    name: str
    guest: qemu.Guest


@dataclass
class Figures:
    """What was measured of one target."""

    boots: list[float] = field(
        default_factory=list
    )  # seconds from QEMU's start to init, less waiting
    exits: dict[str, int] = field(default_factory=dict)  # of one boot, by kind
    costs: dict[str, int] = field(default_factory=dict)  # nanoseconds, by kind of exit

    @property
    def median(self) -> float:
        return statistics.median(self.boots)


def bench(options: argparse.Namespace, words: list[str], screen: Screen) -> int:
    """Measure and print."""
    prepared = prepare.prepare(options, screen.say)
    personalities = check.choose_personalities(options.personality, prepared)
    folder = results.make_folder(options.results or "", "bench-")
    vcpus = (options.vcpus or (1,))[0]
    targets = [_plain(prepared.guest(options, "none", vcpus))]
    targets += [Target(name, prepared.guest(options, name, vcpus)) for name in personalities]
    screen.line(f"kernel {prepared.kernel.name}   QEMU {prepared.program.version}   {vcpus} vCPU")
    figures = {target.name: Figures() for target in targets}
    for number in range(options.rounds or ROUNDS):
        for target in targets:
            screen.status(target.name, f"boot {number + 1}")
            _boot(prepared.program, target, folder / f"{target.name}-{number + 1}", figures)
            screen.gone(target.name)
    for line in boot_table(figures):
        screen.line(line)
    for target in targets:
        screen.status(target.name, "single exits")
        _costs(prepared.program, target, folder / f"{target.name}-exits", figures)
        screen.gone(target.name)
    for line in cost_table(figures):
        screen.line(line)
    _write(folder, words, prepared, figures)
    screen.line(f"results: {folder}")
    return errors.OK


def _plain(guest: qemu.Guest) -> Target:
    """The same kernel in QEMU alone."""
    return Target(PLAIN, dataclasses.replace(guest, machine=None, personality=PLAIN))


def _run(program: qemu.Qemu, target: Target, folder: Path, run: str) -> boot.Boot:
    order = boot.Order(folder, target.guest, run, Budgets(), poll=POLL)
    done = boot.boot(program, order, threading.Event(), lambda _text: None)
    outcome = attribute.attribute(done.records, [], done.stop, [], 1)
    if not outcome.ready or done.stop.cause:
        how = done.stop.text or outcome.end.describe()
        raise InfrastructureError(f"{target.name} did not boot: {how}", f"logs: {folder}")
    return done


def _boot(program: qemu.Qemu, target: Target, folder: Path, figures: Mapping[str, Figures]) -> None:
    done = _run(program, target, folder, BOOT_RUN)
    found = figures[target.name]
    found.boots.append(done.boot_effective)
    found.exits = exits(attribute.counts(done.records))


def exits(counts: Mapping[str, int]) -> dict[str, int]:
    """Events of each kind, whatever their code."""
    total: dict[str, int] = {}
    for name, count in counts.items():
        kind = name.partition(" ")[0]
        total[kind] = total.get(kind, 0) + count
    return total


def _costs(
    program: qemu.Qemu, target: Target, folder: Path, figures: Mapping[str, Figures]
) -> None:
    for record in _run(program, target, folder, COST_RUN).records:
        message = parse_message(record.text.removeprefix("# "))
        if record.channel == "t" and message.verb == "cost" and "ns" in message.fields:
            figures[target.name].costs[message.object] = int(message.fields["ns"])


def boot_table(figures: Mapping[str, Figures]) -> list[str]:
    """Boot to init of each, as a ratio to plain TCG."""
    plain = figures[PLAIN].median
    lines = ["", "boot to init             median     ratio   all (s)"]
    for name, found in figures.items():
        every = " ".join(f"{seconds:.2f}" for seconds in found.boots)
        lines.append(f"  {name:<18} {found.median:>8.2f} s {found.median / plain:>8.2f}   {every}")
        if found.exits:
            most = sorted(found.exits.items(), key=lambda item: -item[1])
            counted = ", ".join(f"{kind} {count}" for kind, count in most)
            lines.append(f"  {'':<18} {counted}")
    return lines


def cost_table(figures: Mapping[str, Figures]) -> list[str]:
    """One exit of each kind, and as a multiple of one that does nothing."""
    kinds = list(dict.fromkeys(kind for found in figures.values() for kind in found.costs))
    names = list(figures)
    lines = ["", "one of each (us; x: times a machine call that does nothing)"]
    lines.append(" " * 26 + "".join(f"{name:>18}" for name in names))
    for kind in kinds:
        cells = [_cell(figures[name].costs, kind) for name in names]
        lines.append(f"  {kind:<24}" + "".join(f"{cell:>18}" for cell in cells))
    return lines


def _cell(costs: Mapping[str, int], kind: str) -> str:
    if kind not in costs:
        return "-"
    text = f"{costs[kind] / 1000:.2f}"
    return f"{text} {costs[kind] / costs[BASELINE]:>5.2f}x" if costs.get(BASELINE) else text


def _write(
    folder: Path, words: list[str], prepared: prepare.Prepared, figures: Mapping[str, Figures]
) -> None:
    document = {
        "schema": 1,
        "time": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "words": words,
        "suite_version": parts.version(),
        "qemu": prepared.program.version,
        "kernel": {"name": prepared.kernel.name, "sha256": prepared.kernel.sha256},
        "figures": {name: dataclasses.asdict(found) for name, found in figures.items()},
    }
    files.write_json(folder / "bench.json", document)
