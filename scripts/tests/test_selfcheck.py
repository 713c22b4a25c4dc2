# SPDX-License-Identifier: GPL-2.0
"""coco selfcheck from its options to its exit code, in the world of proof_world.py."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import fake_qemu, scenario_of
from fake_kernel import TAKES_OUT
from proof_world import SOURCE, WRITTEN, World

from coco import errors, expect, parts, recipe
from coco.catalogue import entries
from coco.catalogue.fix import Catalogue, Flip
from coco.errors import UsageError
from coco.screen import Screen
from coco.selfcheck import mistakes, report, work

pytestmark = pytest.mark.skipif(not shutil.which(recipe.SPATCH), reason="no Coccinelle")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


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

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.folder = world.folder / "mistakes"
        self.folder.mkdir()
        world.fixes = {}
        monkeypatch.setattr(entries, "load", lambda *_: Catalogue(world.fixes, "2026-11-28", ()))
        monkeypatch.setattr(mistakes, "FOLDER", self.folder)
        monkeypatch.setattr(mistakes.load, "__defaults__", (self.folder,))

    def add(self, name: str = "some-mistake", more: str = "", files: str = SOURCE) -> None:
        text = ENTRY.format(files=files, more=more).replace("some-mistake", name)
        (self.folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        (self.folder / f"{name}.cocci").write_text(TAKES_OUT, encoding="utf-8")

    def run(self, **more: Any) -> int:
        options = self.world.options("", **{"mistake": None, "suite": None, "tier": None, **more})
        with (self.world.folder / "screen").open("w") as out:
            return work.run(options, ["KDIR=tree"], Screen(out))

    @property
    def kept(self) -> Any:
        return json.loads((self.world.results / work.FILE).read_text())


@pytest.fixture
def checked(world: World, monkeypatch: pytest.MonkeyPatch) -> Checked:
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


def test_a_mistake_of_the_machine_is_made_in_a_copy_of_it(
    checked: Checked, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[dict[str, bytes]] = []
    other = checked.world.folder / "other.elf"
    other.write_bytes(b"another machine")

    def altered(files: dict[str, bytes]) -> Path:
        made.append(files)
        # All that the fake QEMU makes of another machine
        fake_qemu(checked.world.folder / "with", scenario_of(WRITTEN, cases=checked.world.without))
        return other

    monkeypatch.setattr(parts, "altered_machine", altered)
    checked.add()
    entry = checked.folder / "some-mistake.yaml"
    text = entry.read_text().replace(
        f"files: [{SOURCE}]",
        'machine: {file: cpuid.c, old: "#define MAX_STANDARD", new: "#define M"}',
    )
    entry.write_text(text)
    (checked.folder / "some-mistake.cocci").unlink()
    assert checked.run() == errors.OK
    assert not checked.world.built
    ((name, content),) = made[0].items()
    assert name == "cpuid.c"
    assert b"#define M\t" in content and b"MAX_STANDARD\t" not in content
    (proof,) = checked.kept["proofs"]
    assert proof["parts"][0]["files"] == ["machine/cpuid.c"]


def test_a_mistake_in_assembly_is_a_text_for_another(checked: Checked) -> None:
    checked.add()
    entry = checked.folder / "some-mistake.yaml"
    change = f'assembly: {{files: [arch/x86/none.S, {SOURCE}], old: "if (user)", new: "if (0)"}}'
    entry.write_text(entry.read_text().replace(f"files: [{SOURCE}]", change))
    (checked.folder / "some-mistake.cocci").unlink()
    assert checked.run() == errors.OK
    (files,) = checked.world.built
    assert b"if (0)" in (files[SOURCE] or b"")


def test_a_mistake_in_assembly_that_the_tree_has_not_does_not_apply(checked: Checked) -> None:
    checked.add()
    entry = checked.folder / "some-mistake.yaml"
    change = f'assembly: {{files: [{SOURCE}], old: "no such text", new: ""}}'
    entry.write_text(entry.read_text().replace(f"files: [{SOURCE}]", change))
    assert checked.run() == errors.NOTHING_APPLICABLE


def test_a_place_in_the_machine_that_there_is_not_is_refused(checked: Checked) -> None:
    checked.add()
    entry = checked.folder / "some-mistake.yaml"
    change = 'machine: {file: cpuid.c, old: "no such text", new: ""}'
    entry.write_text(entry.read_text().replace(f"files: [{SOURCE}]", change))
    with pytest.raises(UsageError, match="0 times: no such text"):
        checked.run()


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


def test_a_sample_is_as_small_as_can_be(world: World) -> None:
    one = world.fix("one", cases=(Flip("alpha.leaks", "fail"),))
    two = world.fix("two", cases=(Flip("beta.locks", "fail"), Flip("alpha.leaks", "fail")))
    assert [fix.id for fix in work.sample([one, two])] == ["two"]


def test_cases_that_no_recipe_is_for(world: World) -> None:
    assert report.unnamed([world.fix()], WRITTEN, ["alpha", "beta"]) == {
        "alpha": ["other"],
        "beta": ["locks"],
    }


def test_our_own_mistakes_name_cases_that_there_are() -> None:
    written = expect.load(expect.EXPECTATIONS)
    own = mistakes.load(Path(mistakes.__file__).resolve().parents[4] / "backports/mistakes")
    assert not list(mistakes.problems(own, written))
    recipes = {one.recipe for one in own.values() if one.recipe}
    for one in own.values():
        mistakes.of_the_machine(one)
    folder = next(iter(own.values())).file.parent
    assert recipes == set(folder.glob("*.cocci"))
