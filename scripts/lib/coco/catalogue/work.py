# SPDX-License-Identifier: GPL-2.0
"""From the command line to the exit code."""

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from coco import errors, expect, recipe
from coco.catalogue.entries import BACKPORTS, load
from coco.catalogue.fix import Catalogue, Fix
from coco.catalogue.problems import problems
from coco.kernels import tree as trees
from coco.screen import Screen
from coco.selfcheck import listing
from coco.source import Tree


def run(options: argparse.Namespace, _words: list[str], screen: Screen) -> int:
    """List what is asked for, check everything."""
    tree = Tree(trees.check_source(Path(options.kdir))) if options.kdir else None
    catalogue = load(options.catalogue or "")
    for fix in catalogue.select(options.fix) if options.fix else []:
        for line in _told(fix):
            screen.line(line)
    written = expect.load(BACKPORTS / "expect")
    if options.suite:
        for line in listing.lines(catalogue, written, options.suite):
            screen.line(line)
    found = list(problems(catalogue, written))
    for problem in found:
        screen.line(f"WRONG    {problem}")
    if tree and not _try_recipes(catalogue.select(options.fix or ()), tree, screen):
        found.append("a recipe does not apply")
    for line in _counts(catalogue):
        screen.line(line)
    return errors.FINDING if found else errors.OK


def _told(fix: Fix) -> Iterator[str]:
    """An entry for people."""
    marks = [f"{len(fix.cases)} cases" if fix.cases else "no case"]
    marks += ["recipe"] if fix.recipe else []
    marks += [f"proven on {', '.join(fix.proven)}"] if fix.proven else []
    marks += [f"released NOT FIXED: {', '.join(fix.not_fixed)}"] if fix.not_fixed else []
    marks += [f"released FIXED: {', '.join(fix.fixed)}"] if fix.fixed else []
    marks += [] if fix.verified else ["unverified"]
    yield f"{fix.id:<28} {fix.title}"
    yield f"{'':<28} {', '.join(fix.technologies)}; {', '.join(marks)}"
    yield f"{'':<28} {fix.harm}"
    for flip in fix.cases:
        yield f"{'':<28} - {flip.case}: {flip.reason or flip.without}"
    if not fix.cases:
        yield f"{'':<28} - {fix.why}"


def _counts(catalogue: Catalogue) -> list[str]:
    """How much there is."""
    fixes = catalogue.fixes.values()
    technologies = Counter(name for fix in fixes for name in fix.technologies)
    per = ", ".join(f"{name} {number}" for name, number in technologies.most_common())
    cves = {cve for fix in fixes for cve in fix.cves}
    return [
        f"catalogue of {catalogue.date}: {len(catalogue.fixes)} fixes, {len(cves)} CVEs",
        f"  with cases {sum(bool(fix.cases) for fix in fixes)}, "
        f"with a recipe {sum(fix.recipe is not None for fix in fixes)}, "
        f"proven on a kernel {sum(bool(fix.proven) for fix in fixes)}, "
        f"shown by two releases {sum(fix.has_two_sides for fix in fixes)}, "
        f"verified {sum(fix.verified for fix in fixes)}",
        f"  {per}",
    ]


def _try_recipes(fixes: Sequence[Fix], tree: Tree, screen: Screen) -> bool:
    """Take every fix that the tree has out of a copy; True if all recipes did."""
    good = True
    with tempfile.TemporaryDirectory(prefix="coco-recipes-") as folder:
        for tried in recipe.attempt(fixes, tree, Path(folder)):
            said = f"takes the fix out of {', '.join(tried.changed)}"
            if not tried.changed:
                said = "the recipe is for other layouts of the source"
            word = "WRONG" if tried.problem else "ok" if tried.changed else "none"
            screen.line(f"{word:<8} {tried.fix.id}: {tried.problem or said}")
            good = good and not tried.problem
    return good
