# SPDX-License-Identifier: GPL-2.0
"""What is taken out, and what can be taken out together.

Two removals share a kernel only if neither can disturb the other's verdict: one changes
nothing but AMD's own code and is looked at in AMD's guests alone, the other likewise with
TDX.  Whatever does not come out PROVEN of a shared kernel is done again alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from coco.catalogue.fix import Fix, Part
from coco.kernels.altered import Files
from coco.prove.sides import Wanted
from coco.prove.sources import Sources

AMD = ("sev", "sev-es", "sev-snp")
_OWN = {
    AMD: re.compile(
        r"arch/x86/(kernel/sev(-es)?(-shared)?\.c|coco/sev/.*\.[cS]"
        r"|boot/(compressed|startup)/sev[\w-]*\.c)|drivers/virt/coco/sev-guest/.*\.c"
    ),
    ("tdx",): re.compile(r"arch/x86/coco/tdx/.*\.[cS]|drivers/virt/coco/tdx-guest/.*\.c"),
}


@dataclass(frozen=True)
class Task:
    """One fix that has cases and code in this kernel."""

    fix: Fix
    claim: str  # what the source says
    wanted: Wanted


@dataclass(frozen=True)
class Removal:
    """One part of a fix, and what to put into the tree to be without it."""

    task: Task
    part: Part
    sources: Sources

    @property
    def files(self) -> Files:
        return self.sources.without


def own_technology(one: Removal) -> tuple[str, ...]:
    """The technology whose code alone is changed, and whose guests alone are looked at."""
    for names, pattern in _OWN.items():
        if set(one.task.wanted.personalities) <= set(names):
            if all(pattern.fullmatch(name) for name in one.files):
                return names
    return ()


def batches(removals: Sequence[Removal]) -> list[list[Removal]]:
    """Each removal once, two together where they cannot meet."""
    waiting: dict[tuple[str, ...], list[Removal]] = {names: [] for names in _OWN}
    alone = []
    for one in removals:
        own = own_technology(one)
        if own:
            waiting[own].append(one)
        else:
            alone.append([one])
    amd, tdx = waiting.values()
    pairs = [list(pair) for pair in zip(amd, tdx)]
    rest = [[one] for one in (*amd[len(pairs) :], *tdx[len(pairs) :])]
    return [*pairs, *rest, *alone]
