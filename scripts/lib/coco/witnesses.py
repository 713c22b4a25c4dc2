# SPDX-License-Identifier: GPL-2.0
"""Which cases tell of a fix on a kernel, by what else that one has.

A case can go through code of several fixes.  Where one that it `needs` is lacking, it fails
whether or not this fix is there; where one is there that it is `hidden_by`, or code for which
it does not hold that it `applies`, it passes.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from coco.catalogue.fix import Condition, Fix, Flip

INCIDENTS = ("breach", "splat")  # causes that have nothing to do with the case itself


@dataclasses.dataclass(frozen=True)
class Known:
    """What is known of a kernel."""

    lacks: Callable[[str], bool]  # that fix
    has: Callable[[str], bool]
    unmet: Callable[[Condition], str]  # why it does not hold, "" if it does


def telling(fix: Fix, kernel: Known) -> tuple[Fix, tuple[str, ...]]:
    """(the fix with just those cases, why the others were left out)."""
    kept, left = [], []
    for flip in fix.cases:
        why = _silent(flip, kernel)
        if why:
            left.append(f"{flip.case} {why}")
        else:
            kept.append(flip)
    return dataclasses.replace(fix, cases=tuple(kept)) if left else fix, tuple(left)


def _silent(flip: Flip, kernel: Known) -> str:
    needed = [name for name in flip.needs if kernel.lacks(name)]
    if needed:
        return f"needs {', '.join(needed)}, which this kernel lacks"
    hiding = [name for name in flip.hidden_by if kernel.has(name)]
    if hiding:
        return f"passes by {', '.join(hiding)}, which this kernel has"
    unmet = [why for why in map(kernel.unmet, flip.applies) if why]
    return f"passes all the same: {unmet[0]}" if unmet else ""


def stray(flip: Flip, case: Mapping[str, Any]) -> bool:
    """Did it fail by an exit that the machine objects to, as any case can, at any time?"""
    return case.get("cause") == "breach" and bool(flip.causes) and "breach" not in flip.causes


def tells(fix: Fix, case: Mapping[str, Any]) -> bool:
    """Did it fail by what happens without this fix whatever case is running?"""
    return case["cause"] in INCIDENTS and fix.is_told_by(case["message"])
