# SPDX-License-Identifier: GPL-2.0
"""Recipes: semantic patches that take a fix out of a copy of a tree's files.

The tree itself is never written to.  A recipe has worked if it changed
something and the source probes then say that the fix is not there.
"""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coco import audit, cache
from coco.catalogue.fix import Fix
from coco.errors import InfrastructureError
from coco.source import Tree

SPATCH = "spatch"
SECONDS = 120.0  # for one file


@dataclass(frozen=True)
class Tried:
    """One recipe on one tree."""

    fix: Fix
    changed: tuple[str, ...]  # nothing, and no problem: it is for other layouts of the source
    problem: str = ""  # why it did not take the fix out


def take_out(fix: Fix, tree: Path, copy: Path, part: str = "") -> tuple[str, ...]:
    """Copy the files that the recipe is for, and run it; the files that it changed.

    A recipe of several parts has a virtual rule for each; all go unless one is named.
    """
    assert fix.recipe is not None
    there = [name for name in fix.recipe_files if (tree / name).is_file()]
    changed = []
    wanted = [one.name for one in fix.parts if one.name and part in ("", one.name)]
    with cache.disk_errors(copy):
        for name in there:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(tree / name, copy / name)
    for name in there:
        _spatch(fix.recipe, copy / name, wanted)
        if (copy / name).read_bytes() != (tree / name).read_bytes():
            changed.append(name)
    return tuple(changed)


def _spatch(recipe: Path, file: Path, parts: Sequence[str] = ()) -> None:
    argv = [SPATCH, "--very-quiet", "--in-place", "--sp-file", str(recipe), str(file)]
    argv += [word for part in parts for word in ("-D", part)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    except FileNotFoundError as error:
        raise InfrastructureError(
            f"there is no {SPATCH}, which recipes need", "apt-get install coccinelle"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise InfrastructureError(f"{recipe.name} on {file}: no end in {SECONDS:.0f} s") from error
    if done.returncode:
        said = (done.stderr.strip() or "nothing said").splitlines()
        raise InfrastructureError(f"{recipe.name} on {file}: {said[0]}", " ".join(argv))


def attempt(fixes: Sequence[Fix], tree: Tree, copies: Path) -> Iterator[Tried]:
    """Every recipe whose fix the tree's source claims."""
    for fix in fixes:
        if fix.recipe is None or audit.by_source(fix, tree)[0] != audit.CLAIMED:
            continue
        if not tree.existing(fix.recipe_files):
            yield Tried(fix, ())
            continue
        copy = copies / fix.id
        changed = take_out(fix, tree.path, copy)
        if not changed:
            yield Tried(fix, (), "it changed nothing")
            continue
        word, why = audit.by_source(fix, _Over(copy, tree.path))
        gone = word == audit.NOT_CLAIMED
        yield Tried(fix, changed, "" if gone else f"afterwards {word}: {why}")


class _Over(Tree):
    """Changed files over the tree that they come from."""

    def __init__(self, path: Path, below: Path) -> None:
        super().__init__(path)
        self._below = below

    def file(self, name: str) -> Path:
        changed = self.path / name
        return changed if changed.is_file() else self._below / name
