# SPDX-License-Identifier: GPL-2.0
"""coco prove of one fix, from its options to its verdict: fake kernels on a fake QEMU."""

import dataclasses
import io
import json
import shutil
from pathlib import Path

import pytest
from fake_kernel import FIXED
from proof_world import SOURCE, WRITTEN, World

from coco import errors, expect, prepare, qemu, recipe
from coco.catalogue.fix import Condition, Flip, Part, Probe
from coco.kernels import altered, firmware
from coco.screen import Screen

pytestmark = pytest.mark.skipif(not shutil.which(recipe.SPATCH), reason="no Coccinelle")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_proven(world: World) -> None:
    assert world.prove() == errors.OK
    assert "PROVEN: some-fix" in world.screen
    assert "alpha.leaks [tdx]\n" in world.screen
    assert "pass with it; without: fail, assertion: expected a == b, got a == 1" in world.screen
    assert "control    alpha.other [tdx]" in world.screen
    assert world.proof["parts"][0]["kernel_without_sha256"] == "2" * 64
    (files,) = world.built
    assert b"if (user)" not in (files[SOURCE] or b"")
    assert (world.tree / SOURCE).read_text() == FIXED


@pytest.mark.parametrize("image", ["", qemu.FIRMWARE])
def test_firmware_is_there_for_cases_that_start_in_it(
    world: World, monkeypatch: pytest.MonkeyPatch, image: str
) -> None:
    alpha = dataclasses.replace(WRITTEN.suites["alpha"], setting=expect.Setting(image=image))
    suites = {**WRITTEN.suites, "alpha": alpha}
    monkeypatch.setattr(expect, "load", lambda _folder: expect.Expectations(suites))
    some = world.folder / "OVMF.fd"
    monkeypatch.setattr(firmware, "find", lambda _options, wanted: some if wanted else None)
    prover = world.prover("some-fix", Screen(io.StringIO()))
    found = prover._prepared(prover._sort_out()).available.firmware
    assert found == (some if image else None)


def test_evidence_is_kept(world: World) -> None:
    world.prove()
    folder = world.results / "some-fix"
    assert "-\tif (user)" in (folder / "without/some-fix.diff").read_text()
    block = (folder / "tested-by.txt").read_text()
    assert 'PROVEN: 0123456789ab ("x86/tdx: Do it right")' in block
    assert "alpha.leaks [tdx]: pass -> fail" in block
    assert "catalogue of 2026-11-28" in block
    for side in (world.results / "with", folder / "without"):
        assert (side / "result.json").is_file()
        assert (side / "tdx/boot-1/stream.log").is_file()


def test_only_what_is_needed_runs(world: World) -> None:
    world.prove()
    side = json.loads((world.results / "with/result.json").read_text())
    assert [run["name"] for run in side["runs"]] == ["tdx"]
    names = {case["id"].partition(".")[0] for case in side["runs"][0]["cases"]}
    assert names == {"boot", "alpha", "technology"}


@pytest.mark.parametrize(
    ("without", "verdict"),
    [
        ({}, "NOT PROVEN"),
        ({"alpha.leaks": "panic"}, "NOT PROVEN"),
        ({"alpha.leaks": "fail", "alpha.other": "fail"}, "PARTIAL"),
        ({"alpha.leaks": "fail", "technology.agrees": "fail"}, "PARTIAL"),
    ],
)
def test_what_is_no_proof_is_a_finding(world: World, without: dict[str, str], verdict: str) -> None:
    world.without = without
    assert world.prove() == errors.FINDING
    assert world.proof["verdict"] == verdict


def test_a_broken_backport_needs_no_other_side(world: World) -> None:
    world.cases = {"alpha.leaks": "fail"}
    assert world.prove() == errors.FINDING
    assert world.proof["verdict"] == "BROKEN"
    assert world.built == []


def test_a_missing_fix_is_not_fixed(world: World) -> None:
    (world.tree / SOURCE).write_text(FIXED.replace("if (user)", "if (!user)"))
    world.cases = {"alpha.leaks": "fail"}
    assert world.prove() == errors.FINDING
    assert world.proof["verdict"] == "NOT FIXED"


def test_a_case_that_needs_a_lacking_fix_is_left_out(world: World) -> None:
    """It fails on both sides, and says nothing of this fix."""
    world.cases = {"alpha.other": "fail"}
    world.without = {"alpha.leaks": "fail", "alpha.other": "fail"}
    needy = Flip("alpha.other", "fail", ("tdx",), needs=("other-fix",))
    world.fixes["some-fix"] = world.fix(cases=(*world.fixes["some-fix"].cases, needy))
    lacking = Probe((SOURCE,), "handler", "another check")
    world.fixes["other-fix"] = world.fix("other-fix", probes=(lacking,))
    assert world.prove() == errors.OK
    why = "alpha.other needs other-fix, which this kernel lacks"
    assert world.proof["left_out"] == [why]
    assert f"  left out   {why}\n" in world.screen
    assert f"left out: {why}" in (world.results / "some-fix/tested-by.txt").read_text()


def test_the_same_case_counts_where_the_other_fix_is_there(world: World) -> None:
    world.cases = {"alpha.leaks": "fail"}
    other = world.fix("other-fix")
    needy = Flip("alpha.leaks", "fail", ("tdx",), needs=("other-fix",))
    world.fixes = {"some-fix": world.fix(cases=(needy,)), "other-fix": other}
    assert world.prove() == errors.FINDING
    assert world.proof["verdict"] == "BROKEN"


def test_a_case_that_another_fix_hides_is_left_out(world: World) -> None:
    hidden = Flip("alpha.other", "fail", ("tdx",), hidden_by=("other-fix",))
    world.fixes["some-fix"] = world.fix(cases=(*world.fixes["some-fix"].cases, hidden))
    world.fixes["other-fix"] = world.fix("other-fix")
    assert world.prove() == errors.OK
    assert world.proof["left_out"] == ["alpha.other passes by other-fix, which this kernel has"]


def test_a_case_that_does_not_apply_to_the_source_is_left_out(world: World) -> None:
    old = Condition((SOURCE,), "handler", absent=True)
    hidden = Flip("alpha.other", "fail", ("tdx",), applies=(old,))
    world.fixes["some-fix"] = world.fix(cases=(*world.fixes["some-fix"].cases, hidden))
    assert world.prove() == errors.OK
    assert world.proof["left_out"] == [f"alpha.other passes all the same: {SOURCE} has handler"]


def test_nothing_is_said_where_every_case_needs_another_fix(world: World) -> None:
    needy = Flip("alpha.leaks", "fail", ("tdx",), needs=("other-fix",))
    lacking = Probe((SOURCE,), "handler", "another check")
    world.fixes = {
        "some-fix": world.fix(cases=(needy,)),
        "other-fix": world.fix("other-fix", probes=(lacking,)),
    }
    assert world.prove() == errors.INFRASTRUCTURE
    assert "UNKNOWN: some-fix" in world.screen
    assert "left out   alpha.leaks needs other-fix" in world.screen
    assert world.built == []


def test_cases_are_shown_on_the_reference_first(world: World) -> None:
    assert world.prove(reference=world.upstream) == errors.OK
    assert "  reference   tdx " in world.screen
    assert (world.results / "reference/result.json").is_file()
    block = (world.results / "some-fix/tested-by.txt").read_text()
    assert "its cases pass on 6.12.1-fake" in block


def test_a_reference_that_is_not_there_is_refused_before_anything_is_built(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "prepare", None)
    with pytest.raises(errors.UsageError, match="REFERENCE=/nonexistent: no such folder"):
        world.prove(reference="/nonexistent")


def test_a_case_that_fails_on_the_reference_judges_nobody(world: World) -> None:
    world.reference = world.cases = {"alpha.leaks": "fail"}
    assert world.prove(reference=world.upstream) == errors.INFRASTRUCTURE
    assert world.proof["verdict"] == "UNKNOWN"
    assert "on the reference, 6.12.1-fake, its cases do not pass" in world.proof["why"]
    assert world.built == []


def test_a_kernel_that_does_not_build_without_it_proves_nothing(world: World) -> None:
    world.fails = altered.DoesNotBuild("sev.c:1: error: no such thing")
    assert world.prove() == errors.INFRASTRUCTURE
    assert world.proof["verdict"] == "UNKNOWN"
    assert "does not build: sev.c:1: error" in world.proof["why"]


def test_the_change_that_does_not_build_is_where_the_report_says(world: World) -> None:
    world.fails = altered.DoesNotBuild("sev.c:1: error: no such thing")
    world.prove()
    (logs,) = [line.split()[1] for line in world.screen.splitlines() if "  logs  " in line]
    assert "-\tif (user)" in (Path(logs) / "some-fix.diff").read_text()


def test_a_kernel_that_does_not_boot_without_it_proves_nothing(world: World) -> None:
    world.boot_without = "panic"
    assert world.prove() == errors.INFRASTRUCTURE
    assert "does not boot in tdx" in world.proof["why"]


def test_a_kernel_that_is_the_same_without_it_proves_nothing(world: World) -> None:
    world.same = True
    assert world.prove() == errors.INFRASTRUCTURE
    assert "the same without it" in world.proof["why"]


def test_no_such_code_is_not_applicable(world: World) -> None:
    (world.tree / SOURCE).unlink()
    assert world.prove() == errors.NOTHING_APPLICABLE
    assert world.built == []


def test_no_such_technology_is_not_applicable(world: World) -> None:
    cases = (Flip("beta.locks", "fail", ("sev",)),)
    world.fixes = {"some-fix": world.fix(cases=cases)}
    assert world.prove() == errors.NOTHING_APPLICABLE
    assert "no code for sev" in world.screen


def test_a_fix_without_a_recipe_is_fixed_at_best(world: World) -> None:
    world.fixes = {"some-fix": world.fix(recipe=None)}
    assert world.prove() == errors.INFRASTRUCTURE
    assert "FIXED: some-fix" in world.screen


def test_a_fix_without_a_case_is_unknown_or_not_showable(world: World) -> None:
    for kind, word in (("guest", "UNKNOWN"), ("hardware", "NOT SHOWABLE")):
        world.fixes = {"some-fix": world.fix(cases=(), why="caches", kind=kind)}
        world.prove()
        assert f"{word}: some-fix" in world.screen


PARTS = """\
virtual first, second

@ depends on first @
expression user;
@@
- if (user)
-\treturn -1;

@ depends on second @
@@
- return 0;
+ return 1;
"""


def test_parts_are_taken_out_one_by_one(world: World) -> None:
    parts = (Part("first", ("alpha.leaks",)), Part("second", ("alpha.leaks",)))
    fix = world.fix(parts=parts)
    assert fix.recipe
    fix.recipe.write_text(PARTS)
    world.fixes = {"some-fix": fix}
    assert world.prove() == errors.OK
    first, second = (files[SOURCE] or b"" for files in world.built)
    assert (b"if (user)" in first, b"return 0;" in first) == (False, True)
    assert (b"if (user)" in second, b"return 0;" in second) == (True, False)
    assert [part["verdict"] for part in world.proof["parts"]] == ["PROVEN", "PROVEN"]
