# SPDX-License-Identifier: GPL-2.0
"""REFERENCE=: a tree that has the upstream fix, on which the cases have to pass first.

What fails there is a wrong test, or one that wants more than the fix; on the tree of the
backport it would be mistaken for a wrong backport.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from coco import prepare
from coco.catalogue.fix import Fix
from coco.expect import Expectations
from coco.prove import sides, verdicts
from coco.screen import Screen

PREFIX = "reference"


def unfit(
    options: argparse.Namespace,
    words: list[str],
    fixes: Sequence[Fix],
    written: Expectations,
    folder: Path,
    screen: Screen,
) -> tuple[str, dict[str, str]]:
    """(the reference's release, by fix why its cases cannot judge a backport)."""
    other = argparse.Namespace(**{**vars(options), "kdir": options.reference})
    prepared = prepare.prepare(other, screen.say)
    release = prepared.kernel.release
    every = {
        fix.id: sides.wanted(fix.cases, written, prepared.kernel.technologies, options.personality)
        for fix in fixes
    }
    work = sides.together(list(every.values()))
    if not work:
        return release, {fix.id: f"{release} cannot run its cases" for fix in fixes}
    place = folder / PREFIX
    prefixed = sides.Prefixed(screen, PREFIX, quiet=False)
    document = sides.run(other, words, prepared, work, written, place, prefixed)
    why = {}
    for fix in fixes:
        found = verdicts.as_it_is(fix.cases, sides.narrow(document, every[fix.id]), claimed=True)
        if found.verdict != verdicts.FIXED:
            why[fix.id] = f"on the reference, {release}, its cases do not pass: {found.why}"
    return release, why
