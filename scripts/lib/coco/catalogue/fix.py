# SPDX-License-Identifier: GPL-2.0
"""A fix, the cases that tell of it, and all that there are."""

import fnmatch
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coco.errors import UsageError, did_you_mean
from coco.model import PERSONALITIES, covers


@dataclass(frozen=True)
class Condition:
    """A kernel has that code: one of the files exists, and one matches the pattern."""

    files: tuple[str, ...]
    pattern: str = ""
    absent: bool = False  # it holds where nothing matches


@dataclass(frozen=True)
class Probe:
    """How the source tells fixed from unfixed, in one layout or one hunk."""

    files: tuple[str, ...]
    function: str = ""
    fixed: str = ""
    unfixed: str = ""
    seen_unfixed: bool = True


@dataclass(frozen=True)
class Flip:
    """A case that passes with the fix and not without."""

    case: str  # suite.case[.param]; without a parameter, all of them
    without: str
    personalities: tuple[str, ...] = PERSONALITIES
    reason: str = ""
    cause: str = "assertion"  # how it fails: evidence.py, attribute.py; "": in whatever way
    shows: str = ""  # a pattern that is to be found in what it then says
    needs: tuple[str, ...] = ()  # fixes without which it fails all the same
    hidden_by: tuple[str, ...] = ()  # fixes with which it passes all the same
    applies: tuple[Condition, ...] = ()  # where else it tells nothing

    @property
    def causes(self) -> list[str]:
        """Each way in which it may fail."""
        return self.cause.split(" or ") if self.cause else []


@dataclass(frozen=True)
class Part:
    """What a recipe can take out alone; by itself if it has a name, else all."""

    name: str = ""
    cases: tuple[str, ...] = ()  # that flip; none: all of the fix


@dataclass(frozen=True)
class Fix:
    """One entry."""

    id: str
    subject: str
    upstream: tuple[str, ...]
    cves: tuple[str, ...]
    harm: str
    technologies: tuple[str, ...]
    prerequisites: tuple[str, ...]
    follow_ups: tuple[str, ...]
    applies: tuple[Condition, ...]
    probes: tuple[Probe, ...]
    cases: tuple[Flip, ...]
    verified: bool
    recipe: Path | None
    recipe_files: tuple[str, ...]  # where it is applied, as far as a tree has them
    file: Path
    parts: tuple[Part, ...] = (Part(),)  # of the recipe
    also: tuple[str, ...] = ()  # cases that may change, too
    anywhere: str = ""  # a pattern: the breach or splat of guests without it, in any case
    why: str = ""  # there are no cases
    kind: str = "guest"  # what it was judged to take to show it
    mainline: str = ""  # first release
    inferred: bool = False  # the one above
    stable: tuple[str, ...] = ()  # releases that carry it
    proven: tuple[str, ...] = ()  # kernels on which coco prove said so
    not_fixed: tuple[str, ...] = ()  # released kernels on which coco audit said so
    fixed: tuple[str, ...] = ()  # the same
    although: str = ""  # why that is not what their numbers say
    mends: tuple[str, ...] = ()  # commits that its Fixes: lines name

    @property
    def has_two_sides(self) -> bool:
        """It fails on a release without it, and passes on one that has it."""
        return bool(self.not_fixed and (self.fixed or self.proven))

    @property
    def title(self) -> str:
        """As a Fixes: line has it."""
        commit = self.upstream[0][:12] if self.upstream else "no commit known"
        return f'{commit} ("{self.subject}")'

    def is_told_by(self, text: str) -> bool:
        """Is this the breach or the splat by which guests without it show in any case?"""
        return bool(self.anywhere) and bool(re.search(self.anywhere, text))

    @property
    def reference(self) -> str:
        """As cases name the fixes that they tell of."""
        return " ".join((self.title, *self.cves))


@dataclass(frozen=True)
class Catalogue:
    """All entries, by id."""

    fixes: Mapping[str, Fix]
    date: str
    folders: tuple[Path, ...]

    @property
    def shared_cves(self) -> frozenset[str]:
        """Those that it takes several fixes to mend."""
        number = Counter(cve for fix in self.fixes.values() for cve in fix.cves)
        return frozenset(cve for cve in number if number[cve] > 1)

    def select(self, globs: Sequence[str]) -> list[Fix]:
        """Those that are asked for by id, CVE or commit; all if nothing is asked for."""
        chosen: dict[str, Fix] = {}
        for glob in globs or ("*",):
            found = [fix for fix in self.fixes.values() if _meant(fix, glob)]
            if not found:
                raise UsageError(f"no fix {glob!r}", did_you_mean(glob, self.fixes))
            chosen.update({fix.id: fix for fix in found})
        return list(chosen.values())

    def told_by(self, text: str) -> list[Fix]:
        """Those without which any case may end with this breach or splat."""
        return [fix for fix in self.fixes.values() if fix.is_told_by(text)]


def _meant(fix: Fix, glob: str) -> bool:
    if glob == "all" or fnmatch.fnmatchcase(fix.id, glob) or glob in fix.cves:
        return True
    return bool(re.fullmatch(r"[0-9a-f]{8,40}", glob)) and any(
        commit.startswith(glob) or glob.startswith(commit) for commit in fix.upstream
    )


def without_commit(
    name: str,
    subject: str,
    cases: Sequence[Flip],
    file: Path,
    *,
    recipe: Path | None = None,
    recipe_files: Sequence[str] = (),
    kind: str = "guest",
) -> Fix:
    """What takes the place of an entry where no commit, release or probe is known."""
    return Fix(
        id=name,
        subject=subject,
        upstream=(),
        cves=(),
        harm=subject,
        technologies=("any",),
        prerequisites=(),
        follow_ups=(),
        applies=(),
        probes=(),
        cases=tuple(cases),
        verified=False,
        recipe=recipe,
        recipe_files=tuple(recipe_files),
        file=file,
        kind=kind,
    )


def same_case(one: str, other: str) -> bool:
    """One of them is the other, or a parameter of it."""
    return covers(one, other) or covers(other, one)
