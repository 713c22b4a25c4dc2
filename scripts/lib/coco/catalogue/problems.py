# SPDX-License-Identifier: GPL-2.0
"""What is wrong with the catalogue beyond its schema."""

import re
from collections.abc import Iterator

from coco import expect, releases
from coco.catalogue.entries import RECIPES
from coco.catalogue.fix import Catalogue, Fix, same_case
from coco.errors import did_you_mean
from coco.expect import Expectations

# How a subject looks that stands for several commits
_SEVERAL = re.compile(r" / |-patch series|\([^)]* series")


def problems(catalogue: Catalogue, expectations: Expectations) -> Iterator[str]:
    """What is wrong beyond the schema, a line each."""
    owners: dict[str, str] = {}
    for fix in catalogue.fixes.values():
        for commit in fix.upstream:
            other = owners.setdefault(commit[:12], fix.id)
            if other != fix.id:
                yield f"{fix.id}: commit {commit[:12]} is that of {other} too"
        others = [what for flip in fix.cases for what in (*flip.needs, *flip.hidden_by)]
        for what in dict.fromkeys([*fix.prerequisites, *fix.follow_ups, *others]):
            if what not in catalogue.fixes:
                yield f"{fix.id}: no fix {what}: {did_you_mean(what, catalogue.fixes)}"
            elif what == fix.id:
                yield f"{fix.id}: names itself"
        if _SEVERAL.search(fix.subject):
            yield f"{fix.id}: {fix.subject!r} is the subject of no commit"
        yield from problems_of_cases(fix, expectations)
        yield from _problems_of_names(fix, expectations)
        if fix.recipe and not fix.recipe.is_file():
            yield f"{fix.id}: no recipe {fix.recipe}"
        if fix.proven and not fix.cases:
            yield f"{fix.id}: proven on {', '.join(fix.proven)}, but by no case"
        yield from _problems_of_releases(fix)
    yield from _problems_of_follow_ups(catalogue)
    used = {fix.recipe for fix in catalogue.fixes.values()}
    for folder in catalogue.folders:
        for path in sorted((folder / RECIPES).glob("*")):
            if path not in used:
                yield f"{path} is the recipe of no fix"


def _problems_of_follow_ups(catalogue: Catalogue) -> Iterator[str]:
    """What a fix's Fixes: line names has it among its follow-ups."""
    fixes = catalogue.fixes.values()
    owners = {commit[:12]: fix for fix in fixes for commit in fix.upstream}
    for fix in fixes:
        for commit in fix.mends:
            broken = owners.get(commit[:12], fix)
            # Ours cannot name an entry that is laid over them
            if fix.file.parent != broken.file.parent or fix == broken:
                continue
            if fix.id not in broken.follow_ups:
                yield f"{broken.id}: {fix.id} is none of its follow-ups, but fixes {commit}"


def problems_of_cases(fix: Fix, expectations: Expectations) -> Iterator[str]:
    """The cases that are to flip are there, and apply where they are said to."""
    for flip in fix.cases:
        suite, _, case = flip.case.partition(".")
        written = expectations.case(suite, case)
        if written is None:
            hint = did_you_mean(flip.case, expect.all_ids(expectations))
            yield f"{fix.id}: no case {flip.case}: {hint}"
        elif not set(flip.personalities) & set(written.personalities):
            yield f"{fix.id}: {flip.case} does not apply to {', '.join(flip.personalities)}"


def _problems_of_names(fix: Fix, expectations: Expectations) -> Iterator[str]:
    """Cases that may change are cases; those of the parts are those of the fix, all of them."""
    for name in fix.also:
        suite, _, case = name.partition(".")
        if expectations.case(suite, case) is None:
            yield f"{fix.id}: no case {name}: {did_you_mean(name, expect.all_ids(expectations))}"
    if len(fix.parts) == 1:
        return
    named = [name for part in fix.parts for name in part.cases]
    for name in named:
        if not any(same_case(name, flip.case) for flip in fix.cases):
            yield f"{fix.id}: {name} of its parts is no case of the fix"
    for flip in fix.cases:
        if not any(same_case(name, flip.case) for name in named):
            yield f"{fix.id}: {flip.case} is in none of its parts"


def _problems_of_releases(fix: Fix) -> Iterator[str]:
    """What a released kernel showed is what its number says, unless the entry tells why not."""
    shown = {releases.NOT_CLAIMED: (*fix.proven, *fix.fixed), releases.CLAIMED: fix.not_fixed}
    found = []
    for wrong, kernels in shown.items():
        for kernel in kernels:
            said, why = releases.by_release(fix, releases.Release.of(kernel))
            word = "NOT FIXED" if kernel in fix.not_fixed else "fixed"
            found += [f"{fix.id}: {word} on {kernel}, but {why}"] if said == wrong else []
    for kernel in {*fix.fixed, *fix.proven} & set(fix.not_fixed):
        yield f"{fix.id}: fixed and NOT FIXED on {kernel}"
    if not fix.although:
        yield from found
    elif not found:
        yield f"{fix.id}: although {fix.although!r}, the releases are as their numbers say"
