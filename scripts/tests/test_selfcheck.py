# SPDX-License-Identifier: GPL-2.0
"""coco selfcheck from its options to its exit code, in the world of test_prove.py."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from test_prove import RECIPE, SOURCE, WRITTEN, World, world  # noqa: F401

from coco import catalogue, check, errors, expect, recipe
from coco.catalogue import Catalogue, Flip
from coco.errors import UsageError
from coco.screen import Screen
from coco.selfcheck import mistakes, report, work

pytestmark = pytest.mark.skipif(not shutil.which(recipe.SPATCH), reason="no Coccinelle")

ENTRY = """\
id: some-mistake
mistake: "the user is let in"
files: [{files}]
cases:
- id: alpha.leaks
  reason: the host sees it
{more}"""


class Checked:
    """Mistakes in a folder of their own, and a world that is broken by them."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
        self.world = world
        self.folder = world.folder / "mistakes"
        self.folder.mkdir()
        world.fixes = {}
        monkeypatch.setattr(catalogue, "load", lambda *_: Catalogue(world.fixes, "2026-11-28", ()))
        monkeypatch.setattr(mistakes, "FOLDER", self.folder)
        monkeypatch.setattr(mistakes.load, "__defaults__", (self.folder,))

    def add(self, name: str = "some-mistake", more: str = "", files: str = SOURCE) -> None:
        text = ENTRY.format(files=files, more=more).replace("some-mistake", name)
        (self.folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        (self.folder / f"{name}.cocci").write_text(RECIPE, encoding="utf-8")

    def run(self, **more: Any) -> int:
        options = self.world.options("", **{"mistake": None, "suite": None, "tier": None, **more})
        with (self.world.folder / "screen").open("w") as out:
            return work.run(options, ["KDIR=tree"], Screen(out))

    @property
    def kept(self) -> Any:
        return json.loads((self.world.results / work.FILE).read_text())


@pytest.fixture
def checked(world: World, monkeypatch: pytest.MonkeyPatch) -> Checked:  # noqa: F811
    return Checked(world, monkeypatch)


def test_a_case_that_turns_red_is_ok(checked: Checked) -> None:
    checked.add()
    assert checked.run() == errors.OK
    assert "1 of 1 cases red" in checked.world.screen
    assert "OK: 1 red, 0 green" in checked.world.screen
    (proof,) = checked.kept["proofs"]
    assert [one["id"] for one in proof["parts"][0]["flips"]] == ["alpha.leaks"]


def test_a_case_that_stays_green_is_a_finding(checked: Checked) -> None:
    checked.add()
    checked.world.without = {}
    assert checked.run() == errors.FINDING
    assert "stays GREEN" in checked.world.screen
    assert checked.kept["exit"] == errors.FINDING


def test_red_for_another_reason_is_a_finding(checked: Checked) -> None:
    checked.add(more="  cause: breach\n")
    assert checked.run() == errors.FINDING
    assert "OTHERWISE: expected breach, got assertion" in checked.world.screen


def test_others_that_turn_red_are_no_finding(checked: Checked) -> None:
    checked.add()
    checked.world.without = {"alpha.leaks": "fail", "alpha.other": "fail"}
    assert checked.run() == errors.OK
    assert "and 1 more that nobody named, of alpha" in checked.world.screen


def test_a_case_that_fails_on_the_whole_kernel_is_a_finding(checked: Checked) -> None:
    checked.add()
    checked.world.cases = {"alpha.leaks": "fail"}
    assert checked.run() == errors.FINDING
    assert "NOT RUN" in checked.world.screen
    assert not checked.world.built


def test_a_broken_kernel_that_does_not_boot_shows_nothing(checked: Checked) -> None:
    checked.add()
    checked.world.boot_without = "panic"
    assert checked.run() == errors.INFRASTRUCTURE


def test_a_recipe_that_finds_nothing_does_not_apply(checked: Checked) -> None:
    checked.add(files="arch/x86/none.c")
    assert checked.run() == errors.NOTHING_APPLICABLE
    assert "1 recipes do not apply to this tree" in checked.world.screen
    assert not checked.world.built


def test_recipes_of_fixes_break_a_kernel_too(checked: Checked) -> None:
    checked.world.fixes = {"some-fix": checked.world.fix()}
    assert checked.run() == errors.OK
    assert "some-fix" in checked.world.screen


def test_a_fix_that_is_not_in_the_tree_is_no_mistake(checked: Checked) -> None:
    checked.world.fixes = {"some-fix": checked.world.fix()}
    (checked.world.tree / SOURCE).write_text("int handler(int user)\n{\n\treturn 0;\n}\n")
    assert checked.run() == errors.NOTHING_APPLICABLE


def test_a_sample_has_each_suite_once(checked: Checked) -> None:
    checked.add("first")
    checked.add("second")
    assert checked.run() == errors.OK
    assert [one["id"] for one in checked.kept["proofs"]] == ["first"]
    assert len(checked.world.built) == 1


def test_all_of_them_with_tier_full_or_by_name(checked: Checked) -> None:
    checked.add("first")
    checked.add("second")
    assert checked.run(tier="full") == errors.OK
    assert len(checked.world.built) == 2
    assert checked.run(mistake=("sec*",), results=checked.world.folder / "other") == errors.OK
    assert len(checked.world.built) == 3


def test_cases_without_any_recipe_are_told(checked: Checked) -> None:
    checked.add()
    checked.run()
    assert checked.kept["no_recipe"] == {"alpha": ["other"]}
    assert "no recipe is for 1 other cases" in checked.world.screen


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"kdir": None}, "give its source"),
        ({"mistake": ("som-mistake",)}, "no mistake 'som-mistake'"),
        ({"suite": ("alhpa",)}, "no suite 'alhpa'"),
        ({"suite": ("beta",)}, "no recipe is for a case of beta"),
    ],
)
def test_wrong_usage(checked: Checked, options: dict[str, Any], match: str) -> None:
    checked.add()
    with pytest.raises(UsageError, match=match):
        checked.run(**options)


def test_an_entry_has_to_be_one(checked: Checked) -> None:
    checked.add(more="  colour: red\n")
    with pytest.raises(UsageError, match="colour"):
        checked.run()


def test_a_sample_is_as_small_as_can_be(world: World) -> None:  # noqa: F811
    one = world.fix("one", cases=(Flip("alpha.leaks", "fail"),))
    two = world.fix("two", cases=(Flip("beta.locks", "fail"), Flip("alpha.leaks", "fail")))
    assert [fix.id for fix in work.sample([one, two])] == ["two"]


def test_cases_that_no_recipe_is_for(world: World) -> None:  # noqa: F811
    assert report.unnamed([world.fix()], WRITTEN, ["alpha", "beta"]) == {
        "alpha": ["other"],
        "beta": ["locks"],
    }


def test_our_own_mistakes_name_cases_that_there_are() -> None:
    written = expect.load(check.EXPECTATIONS)
    own = mistakes.load(Path(mistakes.__file__).resolve().parents[4] / "backports/mistakes")
    assert not list(mistakes.problems(own, written))
    recipes = {one.recipe for one in own.values()}
    folder = next(iter(own.values())).file.parent
    assert recipes == set(folder.glob("*.cocci"))
