# SPDX-License-Identifier: GPL-2.0
"""Which cases tell of a fix on a kernel that lacks other fixes.

A case can go through code of several fixes.  Where one of the others is lacking it fails
whether or not this fix is there; it `needs` that one, and is left out.
"""

import dataclasses
from collections.abc import Callable

from coco.catalogue import Fix


def telling(fix: Fix, lacks: Callable[[str], bool]) -> tuple[Fix, tuple[str, ...]]:
    """(the fix with just those cases, why the others were left out)."""
    kept, left = [], []
    for flip in fix.cases:
        lacking = [name for name in flip.needs if lacks(name)]
        if lacking:
            left.append(f"{flip.case} needs {', '.join(lacking)}, which this kernel lacks")
        else:
            kept.append(flip)
    return dataclasses.replace(fix, cases=tuple(kept)) if left else fix, tuple(left)
