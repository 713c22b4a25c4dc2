# SPDX-License-Identifier: GPL-2.0
"""What QEMU executed: blocks of instructions, and which one followed which.

QEMU's TCG logs each block of guest code that it starts (exec), at least for the first time;
nochain has it say so each time, which is what branches are known by.  -dfilter keeps that to
the ranges that are of interest.  Where a block ends is not in the log, and QEMU cannot
disassemble what runs in nested paging: it is taken from the disassembly, and from what came
next.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from coco import qemu
from coco.coverage.debuginfo import Flow
from coco.coverage.units import View

LOG = qemu.TRACE_LOG
ONCE, EACH_TIME = "exec", "exec,nochain"


def ranges(views: Iterable[View]) -> str:
    """The words of -dfilter."""
    return ",".join(f"{view.start:#x}+{view.end - view.start:#x}" for view in views)


@dataclass
class Log:
    """Blocks that were started, by their first address, and what came next on the same vCPU."""

    starts: set[int] = field(default_factory=set)
    steps: set[tuple[int, int]] = field(default_factory=set)


@dataclass
class Executed:
    """Instructions that ran, and ways that conditional jumps went: (jump, where to)."""

    instructions: set[int] = field(default_factory=set)
    ways: set[tuple[int, int]] = field(default_factory=set)


def read(files: Iterable[Path], views: Sequence[View], flow: Flow) -> Executed:
    """All logs, at the addresses of the link."""
    log = Log()
    for path in files:
        with path.open(encoding="ascii", errors="replace") as lines:
            parse(lines, log)
    return follow(at_link(log, views), flow)


def parse(lines: Iterable[str], into: Log) -> None:
    """One log: "Trace <cpu>: <host address> [<cs base>/<pc>/<flags>/<cflags>]"."""
    last: dict[str, int] = {}
    for line in lines:
        if not line.startswith("Trace "):
            continue
        head, _, tail = line.partition("[")
        start = int(tail.split("/", 2)[1], 16)
        cpu = head.split(":", 1)[0]
        into.starts.add(start)
        if cpu in last:
            into.steps.add((last[cpu], start))
        last[cpu] = start


def at_link(log: Log, views: Sequence[View]) -> Log:
    """Addresses of the guest as addresses of the link; those of other code are dropped."""
    moved: dict[int, int] = {}
    for address in log.starts:
        for view in views:
            if view.start <= address < view.end:
                moved[address] = address - view.offset
                break
    return Log(
        set(moved.values()),
        {(moved[a], moved[b]) for a, b in log.steps if a in moved and b in moved},
    )


def follow(log: Log, flow: Flow) -> Executed:
    """From where blocks start to what ran: up to the next jump, call or return.

    TCG also ends a block at the end of a page and after some instructions; the next one then
    starts behind it.  A block that a fault cut short counts whole.
    """
    after: dict[int, set[int]] = {}
    for first, second in log.steps:
        after.setdefault(first, set()).add(second)
    executed = Executed()
    for start in log.starts:
        block = straight(start, flow)
        following = after.get(start, set())
        away = following - set(block)
        if block and following and not away:
            block = block[: block.index(max(following))]
        executed.instructions.update(block)
        executed.ways |= {(block[-1], one) for one in away if block}
    return executed


def straight(start: int, flow: Flow) -> list[int]:
    """Instructions from here on that nothing leads away from, the last one may."""
    block = []
    address: int | None = start
    while address is not None and address in flow:
        block.append(address)
        address = flow[address]
    return block
