# SPDX-License-Identifier: GPL-2.0
"""Recipes: they take a fix out of a copy, and one that does not is named."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fake_kernel import FIXED, TAKES_OUT
from fixes import FILES, FIX

from coco import recipe, source
from coco.catalogue import entries
from coco.catalogue.fix import Fix, Probe

(FILE,) = FILES
OTHER = """\
@@
@@
- return 0;
+ return 1;
"""

pytestmark = pytest.mark.skipif(not shutil.which(recipe.SPATCH), reason="no Coccinelle")


def fix(folder: Path, text: str) -> Fix:
    file = folder / "some-fix.cocci"
    file.write_text(text, encoding="utf-8")
    return replace(
        FIX,
        probes=(Probe((FILE,), "handler", "if \\(user\\)"),),
        cases=(),
        recipe=file,
        recipe_files=(FILE, "arch/x86/kernel/absent.c"),
        file=folder / "some-fix.yaml",
    )


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[source.Tree]:
    """A tree, which is the same afterwards."""
    path = tmp_path / "tree" / FILE
    path.parent.mkdir(parents=True)
    path.write_text(FIXED, encoding="utf-8")
    yield source.Tree(tmp_path / "tree")
    assert path.read_text(encoding="utf-8") == FIXED


def attempt(text: str, tree: source.Tree, tmp_path: Path) -> recipe.Tried:
    (tried,) = recipe.attempt([fix(tmp_path, text)], tree, tmp_path / "copies")
    return tried


def test_recipe_takes_the_fix_out(tree: source.Tree, tmp_path: Path) -> None:
    tried = attempt(TAKES_OUT, tree, tmp_path)
    assert (tried.changed, tried.problem) == ((FILE,), "")
    copy = (tmp_path / "copies/some-fix" / FILE).read_text(encoding="utf-8")
    assert "if (user)" not in copy
    assert "return 0;" in copy


def test_recipe_that_leaves_the_fix_in_is_named(tree: source.Tree, tmp_path: Path) -> None:
    assert "afterwards CLAIMED" in attempt(OTHER, tree, tmp_path).problem


def test_recipe_that_changes_nothing_is_named(tree: source.Tree, tmp_path: Path) -> None:
    tried = attempt(OTHER.replace("return 0", "return 7"), tree, tmp_path)
    assert tried.problem == "it changed nothing"


def test_recipe_is_not_tried_without_the_fix(tree: source.Tree, tmp_path: Path) -> None:
    bare = source.Tree(tmp_path / "nothing")
    assert list(recipe.attempt([fix(tmp_path, TAKES_OUT)], bare, tmp_path / "copies")) == []


def test_every_recipe_of_ours_is_a_semantic_patch(tmp_path: Path) -> None:
    """Run on an empty file, each is at least parsed."""
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / FILE).touch()
    for one in entries.load().fixes.values():
        if one.recipe:
            parts = [part.name for part in one.parts if part.name]
            recipe._spatch(one.recipe, tmp_path / FILE, parts)
