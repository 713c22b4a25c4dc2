# SPDX-License-Identifier: GPL-2.0
"""What a kernel's release number claims, where neither behaviour nor source tells.

A release carries what mainline had when its line began, and what its stable line took
since, as far as the catalogue knows.  A distribution may have backported more.
"""

from collections.abc import Collection
from dataclasses import dataclass

from coco.catalogue.fix import Fix
from coco.catalogue.words import CLAIMED, NOT_APPLICABLE, NOT_CLAIMED, UNKNOWN
from coco.expect import parse_version
from coco.model import PERSONALITIES

_LINE = 2  # numbers that name a line of releases


@dataclass(frozen=True)
class Release:
    """A kernel without its source."""

    version: tuple[int, ...]  # upstream's
    technologies: tuple[str, ...]  # personalities that it has code for

    @classmethod
    def of(cls, version: str) -> "Release":
        """A release that has all that a fix may be about."""
        return cls(parse_version(version) or (), PERSONALITIES)


def by_release(fix: Fix, release: Release) -> tuple[str, str]:
    """(verdict, why) from the number alone."""
    wanted = set(fix.technologies) & set(PERSONALITIES)
    if wanted == set(fix.technologies) and not wanted & set(release.technologies):
        return NOT_APPLICABLE, f"this kernel has no code for {', '.join(sorted(wanted))}"
    version = release.version
    line = ".".join(map(str, version[:_LINE]))
    mainline = parse_version(fix.mainline)
    if mainline and version[:_LINE] >= mainline[:_LINE]:
        sure = " (as far as is known)" if fix.inferred else ""
        return CLAIMED, f"its line began after mainline had it, in {fix.mainline}{sure}"
    carriers = _of_line(fix.stable, version)
    if not carriers:
        return UNKNOWN, f"no release of {line} is known to carry it"
    first = ".".join(map(str, min(carriers)))
    if version >= min(carriers):
        return CLAIMED, f"{first} and later releases of {line} carry it"
    return NOT_CLAIMED, f"the first release of {line} that carries it is {first}"


def _of_line(stable: Collection[str], version: tuple[int, ...]) -> list[tuple[int, ...]]:
    every = [parse_version(text) for text in stable]
    return [one for one in every if one and one[:_LINE] == version[:_LINE]]
