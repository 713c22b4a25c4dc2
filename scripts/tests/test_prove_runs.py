# SPDX-License-Identifier: GPL-2.0
"""coco prove of several fixes, of a series and of a bisection: one run, its order and its ends."""

import argparse
import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from fake_kernel import FIXED
from proof_world import SOURCE, World

from coco import command, errors, prepare, recipe, results
from coco.catalogue.fix import Condition, Flip, Probe
from coco.kernels import Request, altered
from coco.prove import asked, state

pytestmark = pytest.mark.skipif(not shutil.which(recipe.SPATCH), reason="no Coccinelle")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_another_proof_of_the_tree_waits_until_the_suites_are_built(world: World) -> None:
    """They are built in the folder of the changed kernel, where the other proof builds its own."""
    said: list[str] = []
    meanwhile: list[str] = []

    def other_proof() -> None:
        with altered.alone(Request(kdir=world.tree), said.append):
            said.append("goes on")

    def again(*_: object) -> prepare.Prepared:
        other.start()
        other.join(0.2)
        meanwhile.extend(said)
        return world.prepared(world.sides[1])

    other = threading.Thread(target=other_proof)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "again", again)
        assert world.prove() == errors.OK
    other.join(10)
    waits = f"another proof works on {world.tree}: waiting until it has built its other side"
    assert meanwhile == [waits]
    assert said == [waits, "goes on"]


def test_an_interrupted_run_goes_on(world: World) -> None:
    world.fixes = {name: world.fix(name) for name in ("first", "second")}
    real = world.build

    def interrupted(*args: Any) -> altered.Altered:
        if world.built:
            raise KeyboardInterrupt
        return real(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(altered, "build", interrupted)
        assert world.prove("all") == errors.INTERRUPTED
    assert f"RESULTS={world.results}" in world.screen
    assert not world.document["complete"]
    assert world.prove("all") == errors.OK
    assert "first  (from the run before)" in world.screen
    assert len(world.built) == 2
    assert [one["verdict"] for one in world.document["proofs"]] == ["PROVEN", "PROVEN"]


def test_proofs_by_other_tests_are_not_gone_on_with(world: World) -> None:
    world.prove()
    data = world.document
    data["about"]["machine_sha256"] = "0" * 64
    (world.results / state.FILE).write_text(json.dumps(data))
    with pytest.raises(errors.UsageError, match="by other tests"):
        world.prove()


def test_a_changed_entry_is_proven_anew(world: World) -> None:
    world.prove()
    world.fixes["some-fix"].file.write_text("id: some-fix # changed\n")
    world.prove()
    assert len(world.built) == 2


def test_proof_of_another_patch_is_not_taken_over(world: World) -> None:
    """Its name may be the same, and only its content another."""
    patch = world.folder / "fix.patch"
    patch.write_text(PATCH)
    other = PATCH.replace("+\n", " \n").replace("-1,4", "-1,5")  # leaves the empty line there
    for case, text, built in (
        ("alpha.leaks", PATCH, 1),
        ("alpha.leaks", PATCH, 1),  # the very same: nothing to do
        ("alpha.leaks", other, 2),
        ("alpha.*", other, 3),
    ):
        patch.write_text(text)
        world.prove("", case=(case,), patch=str(patch))
        assert len(world.built) == built


def test_series_that_changes_nothing_of_this_kernel_is_no_broken_backport(world: World) -> None:
    patch = world.folder / "fix.patch"
    patch.write_text(PATCH)
    (world.tree / SOURCE).write_text(FIXED.replace("\tif (user)\n\t\treturn -1;\n\n", ""))
    world.same = world.swapped = True
    with pytest.raises(errors.InfrastructureError, match="this kernel is the same with it"):
        world.prove("", case=("alpha.leaks",), patch=str(patch))


def test_what_is_missing_is_said(world: World) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"kdir": ""}, "needs the source"),
        ({"fix": ()}, "needs a fix"),
    ]
    for options, match in wrong:
        names = ("case", "patch", "mbox", "base", "head", "bisect")
        values: dict[str, Any] = {name: None for name in names}
        values |= {"kdir": "x", "fix": ("y",), **options}
        with pytest.raises(errors.UsageError, match=match):
            asked.check(argparse.Namespace(**values))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"case": ("alpha.leaks",)}, "the catalogue does not have"),
        ({"case": ("alpha.leaks",), "fix": ("some-fix",), "base": "v1"}, "FIX= names the cases"),
        ({"fix": ("some-fix",), "base": "v1", "patch": "file"}, "two other sides"),
        ({"fix": ("some-fix",), "head": "v1"}, "compared with BASE="),
        ({"fix": ("all",), "bisect": True}, "one fix in the tree as it is"),
        ({"fix": ("some-fix",), "bisect": True, "reference": "x"}, "at the tree as it is"),
    ],
)
def test_what_does_not_fit_together_is_refused(options: dict[str, Any], match: str) -> None:
    names = ("fix", "case", "patch", "mbox", "base", "head", "bisect", "reference")
    values: dict[str, Any] = {name: None for name in names}
    values |= {"kdir": "x", **options}
    with pytest.raises(errors.UsageError, match=match):
        asked.check(argparse.Namespace(**values))


PATCH = f"""\
--- a/{SOURCE}
+++ b/{SOURCE}
@@ -1,4 +1,7 @@
 int handler(int user)
 {{
+\tif (user)
+\t\treturn -1;
+
 \treturn 0;
 }}
"""


def test_a_patch_that_is_in_is_reversed_and_its_cases_flip(world: World) -> None:
    patch = world.folder / "fix.patch"
    patch.write_text(PATCH)
    assert world.prove("", case=("alpha.leaks",), patch=str(patch)) == errors.OK
    assert world.proof["id"] == "series"
    assert world.proof["parts"][0]["how"] == "fix.patch, reversed"
    (files,) = world.built
    assert b"if (user)" not in (files[SOURCE] or b"")


def test_a_patch_that_is_not_in_is_applied_for_the_side_with_the_fix(world: World) -> None:
    patch = world.folder / "fix.patch"
    patch.write_text(PATCH)
    bare = FIXED.replace("\tif (user)\n\t\treturn -1;\n\n", "")
    (world.tree / SOURCE).write_text(bare)
    world.swapped = True
    assert world.prove("", case=("alpha.leaks",), mbox=str(patch)) == errors.OK
    (files,) = world.built
    assert files[SOURCE] == FIXED.encode()
    assert (world.tree / SOURCE).read_text() == bare


def test_cases_of_a_series_that_do_not_all_flip_are_named(world: World) -> None:
    patch = world.folder / "fix.patch"
    patch.write_text(PATCH)
    assert world.prove("", case=("alpha.*",), patch=str(patch)) == errors.FINDING
    assert world.proof["verdict"] == "PARTIAL"
    assert "alpha.other [tdx] passes on both sides" in world.proof["why"]


AMD_SOURCE = "arch/x86/coco/sev/core.c"


def two_technologies(world: World) -> None:
    """A fix of TDX and one of SEV, each in its own code."""
    (world.tree / AMD_SOURCE).parent.mkdir(parents=True)
    (world.tree / AMD_SOURCE).write_text(FIXED)
    world.technologies = ("none", "sev", "tdx")
    amd = world.fix(
        "amd-fix",
        cases=(Flip("beta.locks", "fail", ("sev",)),),
        recipe_files=(AMD_SOURCE,),
        applies=(Condition((AMD_SOURCE,), "handler"),),
        probes=(Probe((AMD_SOURCE,), "handler", "if \\(user\\)"),),
    )
    world.fixes = {"amd-fix": amd, "some-fix": world.fix()}
    world.without = {"alpha.leaks": "fail", "beta.locks": "fail"}


def test_two_technologies_share_a_kernel(world: World) -> None:
    two_technologies(world)
    assert world.prove("all") == errors.OK
    (files,) = world.built
    assert set(files) == {SOURCE, AMD_SOURCE}
    assert [one["verdict"] for one in world.document["proofs"]] == ["PROVEN", "PROVEN"]


def test_what_a_shared_kernel_does_not_prove_is_done_again_alone(world: World) -> None:
    two_technologies(world)
    del world.without["beta.locks"]
    assert world.prove("all") == errors.FINDING
    assert [set(files) for files in world.built] == [{SOURCE, AMD_SOURCE}, {AMD_SOURCE}]
    verdicts = {one["id"]: one["verdict"] for one in world.document["proofs"]}
    assert verdicts == {"some-fix": "PROVEN", "amd-fix": "NOT PROVEN"}
    for one in world.document["proofs"]:  # the second run leaves what the first one showed
        folder = Path(one["parts"][0]["results_without"])
        ran = {run["name"] for run in results.read(folder)["runs"]}
        assert ran == ({"sev", "tdx"} if one["id"] == "some-fix" else {"sev"})
        assert (folder / f"{one['id']}.diff").is_file()


def test_code_that_both_technologies_run_is_never_shared(world: World) -> None:
    two_technologies(world)
    shared = "arch/x86/mm/mem_encrypt.c"
    (world.tree / shared).parent.mkdir(parents=True)
    (world.tree / shared).write_text(FIXED)
    world.fixes["some-fix"] = world.fix(recipe_files=(shared,))
    assert world.prove("all") == errors.OK
    assert [set(files) for files in world.built] == [{AMD_SOURCE}, {shared}]


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("pass", errors.OK),
        ("fail", errors.FINDING),
        ("skip", errors.BISECT_SKIP),
        ("unmodelled", errors.BISECT_SKIP),
    ],
)
def test_bisect_codes(world: World, how: str, code: int) -> None:
    world.cases = {} if how == "pass" else {"alpha.leaks": how}
    assert world.bisect() == code
    assert world.built == []


def test_bisect_skips_what_does_not_build_and_what_has_no_such_code(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> prepare.Prepared:
        raise command.CommandFailed("no rule to make target")

    with monkeypatch.context() as patch:
        patch.setattr(prepare, "prepare", fails)
        assert world.bisect() == errors.BISECT_SKIP
    (world.tree / SOURCE).unlink()
    assert world.bisect() == errors.BISECT_SKIP


def test_bisect_stops_where_it_is_not_the_commit_that_is_wrong(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> prepare.Prepared:
        raise errors.InfrastructureError("the disk is full")

    monkeypatch.setattr(prepare, "prepare", fails)
    with pytest.raises(errors.CocoError) as caught:
        world.bisect()
    assert errors.for_bisect(caught.value.exit_code) == errors.BISECT_ABORT
