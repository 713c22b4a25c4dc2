# SPDX-License-Identifier: GPL-2.0
"""Where the other side of a proof comes from: files of the tree with another content."""

import difflib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from coco import recipe
from coco.catalogue.fix import Fix, Part
from coco.errors import CocoError
from coco.kernels.altered import Files


class NoOtherSide(CocoError):
    """This tree has no other side to be had."""


@dataclass(frozen=True)
class Sources:
    """What to put into the tree for either side; the one that is empty is the tree as it is."""

    how: str
    with_fix: Files = field(default_factory=dict)
    without: Files = field(default_factory=dict)

    def diff(self, tree: Path) -> str:
        """What is taken out, as a patch from the side with the fix to the one without."""
        lines: list[str] = []
        for name in sorted({*self.with_fix, *self.without}):
            before = _text(self.with_fix, name, tree)
            after = _text(self.without, name, tree)
            lines += difflib.unified_diff(before, after, f"a/{name}", f"b/{name}")
        return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


def _text(files: Files, name: str, tree: Path) -> list[str]:
    content = files.get(name)
    if name not in files and (tree / name).is_file():
        content = (tree / name).read_bytes()
    return (content or b"").decode("utf-8", "replace").splitlines(keepends=True)


def by_recipe(fix: Fix, part: Part, tree: Path) -> Sources:
    """The fix, or a part of it, taken out by the catalogue's recipe."""
    assert fix.recipe is not None
    with tempfile.TemporaryDirectory(prefix="coco-recipe-") as folder:
        changed = recipe.take_out(fix, tree, Path(folder), part.name)
        if not changed:
            raise NoOtherSide(
                f"{fix.recipe.name} finds nothing to take out of this tree",
                "its own other side can: BASE=<revision>, or PATCH=<file>",
            )
        files: Mapping[str, bytes] = {name: (Path(folder) / name).read_bytes() for name in changed}
    return Sources(f"by {fix.recipe.name}", without=files)
