# SPDX-License-Identifier: GPL-2.0
"""What the command line of `coco prove` asks for."""

import argparse
import dataclasses
import fnmatch
from pathlib import Path

from coco import plan
from coco.catalogue.fix import Catalogue, Fix, Flip, Part, without_commit
from coco.errors import UsageError
from coco.expect import BOOT, Expectations
from coco.model import covers
from coco.prove import series as own
from coco.prove.sources import Sources


def check(options: argparse.Namespace) -> None:
    """What does not fit together, before anything is built."""
    if not options.kdir:
        raise UsageError(
            "prove builds the kernel with and without a fix, so it needs the source",
            "KDIR=<tree>; of a shipped kernel, check and audit tell which fixes it has",
        )
    if not options.fix and not options.case:
        raise UsageError(
            "prove needs a fix",
            "FIX=<id>, a CVE or a commit, or FIX=all; "
            "with PATCH= or BASE=, CASE= can name the cases that are to flip",
        )
    if options.fix and options.case:
        raise UsageError("FIX= names the cases that flip, and CASE= does, too", "give one of them")
    ways = [name for name in ("patch", "mbox", "base") if getattr(options, name)]
    if len(ways) > 1:
        names = " and ".join(f"{name.upper()}=" for name in ways)
        raise UsageError(f"{names} are two other sides", "give one of them")
    if options.reference and options.bisect:
        raise UsageError("BISECT=1 looks at the tree as it is", "leave REFERENCE= out")
    if options.head and not options.base:
        raise UsageError("HEAD= is compared with BASE=", "give BASE=<revision before the fix>")
    if options.case and not ways:
        raise UsageError(
            "CASE= names cases of a fix that the catalogue does not have",
            "say where its other side is: BASE=<revision>, or PATCH=<file>",
        )
    if options.bisect and (ways or "all" in (options.fix or ())):
        raise UsageError("BISECT=1 looks at one fix in the tree as it is", "give FIX=<id> alone")


def fixes(options: argparse.Namespace, listing: Catalogue, written: Expectations) -> list[Fix]:
    """Those of the catalogue, or one that CASE= describes."""
    if options.fix:
        return listing.select(options.fix)
    plan.check_selection(plan.Selection(cases=options.case), written)
    names = [
        f"{suite.name}.{case.id}"
        for suite in written.suites.values()
        for case in suite.cases
        if suite.name != BOOT or f"{suite.name}.{case.id}" in options.case
    ]
    chosen: list[str] = []
    for glob in options.case:
        matching = fnmatch.filter(names, glob)
        # CASE= may also name a parameter of a case
        chosen += matching or [glob]
    return [_own_fix(list(dict.fromkeys(chosen)), _origin(options))]


def _origin(options: argparse.Namespace) -> str:
    return str(options.patch or options.mbox or options.base)


def _own_fix(names: list[str], origin: str) -> Fix:
    """An entry for a fix that has none."""
    flips = [Flip(name, "fail", cause="") for name in names]
    return without_commit("series", Path(origin).name, flips, Path(__file__))


def series(options: argparse.Namespace, tree: Path) -> Sources | None:
    """The other side that the user brings."""
    if options.base:
        return own.by_revisions(tree, options.base, options.head or "")
    if options.patch or options.mbox:
        return own.by_patches(tree, options.patch or options.mbox)
    return None


def flips_of(fix: Fix, part: Part) -> list[Flip]:
    """The cases that flip when this part alone is taken out."""
    if not part.cases:
        return list(fix.cases)
    flips = []
    for name in part.cases:
        for flip in fix.cases:
            if covers(name, flip.case):
                flips.append(flip)
            elif covers(flip.case, name):
                flips.append(dataclasses.replace(flip, case=name))
    return flips
