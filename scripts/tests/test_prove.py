# SPDX-License-Identifier: GPL-2.0
"""coco prove from its options to its exit code: fake kernels of a fake tree on a fake QEMU."""

import argparse
import dataclasses
import io
import json
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fake_kernel
import pytest
from conftest import SHORT, expectations, fake_qemu, scenario_of, suite

from coco import catalogue, check, command, errors, expect, kernels, plan, prepare, qemu, recipe
from coco.catalogue import Catalogue, Condition, Fix, Flip, Part, Probe
from coco.kernels import Request, altered, firmware
from coco.prove import asked, state, work
from coco.screen import Screen

pytestmark = pytest.mark.skipif(not shutil.which(recipe.SPATCH), reason="no Coccinelle")

SOURCE = "arch/x86/coco/tdx/tdx.c"
FIXED = """\
int handler(int user)
{
\tif (user)
\t\treturn -1;

\treturn 0;
}
"""
RECIPE = """\
@@
expression user;
@@
- if (user)
-\treturn -1;
"""
WRITTEN = expectations(
    suite("alpha", ["leaks", "other"], personalities=("tdx",)),
    suite("beta", ["locks"], personalities=("sev",)),
    suite("technology", ["agrees"]),
)


class World:
    """A tree with a fix; what each kernel does is written down beforehand."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.results = folder / "results"
        self.tree = fake_kernel.tree(folder / "tree")
        (self.tree / SOURCE).parent.mkdir(parents=True)
        (self.tree / SOURCE).write_text(FIXED, encoding="utf-8")
        self.fixes = {"some-fix": self.fix()}
        self.cases: dict[str, str] = {}  # with the fix
        self.without: dict[str, str] = {"alpha.leaks": "fail"}
        self.boot_without = ""
        self.built: list[Mapping[str, bytes | None]] = []
        self.fails: BaseException | None = None
        self.same = False  # the image does not change
        self.swapped = False  # the tree as it is lacks the fix
        self.technologies: tuple[str, ...] = ("none", "tdx")
        self.reference: dict[str, str] = {}  # what the cases do there
        monkeypatch.setattr(prepare, "prepare", self.prepare_of)
        monkeypatch.setattr(prepare, "again", lambda *_: self.prepared(self.sides[1]))
        monkeypatch.setattr(altered, "build", self.build)
        monkeypatch.setattr(expect, "load", lambda _folder: WRITTEN)
        monkeypatch.setattr(check, "Budgets", lambda: SHORT)

    def fix(self, name: str = "some-fix", **more: Any) -> Fix:
        file = self.folder / f"{name}.yaml"
        file.write_text(f"id: {name}\n", encoding="utf-8")
        cocci = self.folder / f"{name}.cocci"
        cocci.write_text(RECIPE, encoding="utf-8")
        values: dict[str, Any] = {
            "id": name,
            "subject": "x86/tdx: Do it right",
            "upstream": ("0123456789ab",),
            "cves": ("CVE-2026-1",),
            "harm": "It is done wrong.",
            "technologies": ("tdx",),
            "prerequisites": (),
            "follow_ups": (),
            "applies": (Condition((SOURCE,), "handler"),),
            "probes": (Probe((SOURCE,), "handler", "if \\(user\\)"),),
            "cases": (Flip("alpha.leaks", "fail", ("tdx",), "the host sees it"),),
            "verified": True,
            "recipe": cocci,
            "recipe_files": (SOURCE,),
            "file": file,
        }
        return Fix(**{**values, **more})

    @property
    def sides(self) -> tuple[str, str]:
        """What the tree as it is shows, and what the changed one does."""
        return ("without", "with") if self.swapped else ("with", "without")

    def prepare_of(self, options: argparse.Namespace, _say: object) -> prepare.Prepared:
        return self.prepared("upstream" if options.kdir == "upstream" else self.sides[0])

    def prepared(self, side: str) -> prepare.Prepared:
        cases = {"with": self.cases, "without": self.without, "upstream": self.reference}[side]
        boot = self.boot_without if side == "without" else ""
        scenario = scenario_of(WRITTEN, cases=cases, boot=boot)
        words = fake_qemu(self.folder / side, scenario)
        file = self.folder / side / "initramfs"
        file.touch()
        available = plan.Available(kunit=frozenset({"alpha", "beta", "technology"}))
        return prepare.Prepared(
            qemu.find(words), self.kernel(side), file, file, available, "built", file
        )

    def kernel(self, side: str) -> kernels.Kernel:
        file = self.folder / "file"
        file.touch()
        return kernels.Kernel(
            name="Fake 6.12.1",
            source="tree",
            release="6.12.1-fake",
            vmlinuz=file,
            sha256=("1" if side == "with" or self.same else "2") * 64,
            config={"EFI": "y"},
            technologies=self.technologies,
            modules=self.folder / ("with" if self.same else side),
        )

    def build(self, _request: object, _kernel: object, files: Any, *_: Any) -> altered.Altered:
        self.built.append(files)
        if self.fails:
            raise self.fails
        return altered.Altered(self.kernel(self.sides[1]), 1.0, headers=False)

    def prove(self, fix: str = "some-fix", **options: Any) -> int:
        with (self.folder / "screen").open("w") as out:
            return self.prover(fix, Screen(out), **options).run()

    def bisect(self) -> int:
        """As the command line does."""
        with pytest.MonkeyPatch.context() as patch:
            listing = Catalogue(self.fixes, "2026-11-28", ())
            patch.setattr(catalogue, "load", lambda _: listing)
            with (self.folder / "screen").open("w") as out:
                return work.run(self.options("some-fix", bisect=True), [], Screen(out))

    def prover(self, fix: str, screen: Screen, **options: Any) -> work.Prover:
        listing = Catalogue(self.fixes, "2026-11-28", ())
        words = [f"KDIR={self.tree}", f"FIX={fix}"]
        return work.Prover(self.options(fix, **options), words, screen, listing)

    def options(self, fix: str, **options: Any) -> argparse.Namespace:
        names = ("kernel", "config", "personality", "catalogue", "ram", "append", "machine")
        more = ("qemu", "jobs", "patience", "json", "headers", "kbuild_output", "debug")
        own = ("base", "head", "patch", "mbox", "case", "bisect", "reference")
        values: dict[str, Any] = {name: None for name in (*names, *more, *own)}
        values |= {"kdir": str(self.tree), "fix": tuple(fix.split(",")) if fix else (), **options}
        values["results"] = str(options.get("results", self.results))
        return argparse.Namespace(**values)

    @property
    def screen(self) -> str:
        return (self.folder / "screen").read_text()

    @property
    def document(self) -> Any:
        return json.loads((self.results / state.FILE).read_text())

    @property
    def proof(self) -> Any:
        return self.document["proofs"][0]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("COCO_CACHE", str(tmp_path / "cache"))
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
    monkeypatch.setattr(firmware, "find", lambda _options, wanted, _say: some if wanted else None)
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
    assert world.prove(reference="upstream") == errors.OK
    assert "  reference   tdx " in world.screen
    assert (world.results / "reference/result.json").is_file()
    block = (world.results / "some-fix/tested-by.txt").read_text()
    assert "its cases pass on 6.12.1-fake" in block


def test_a_case_that_fails_on_the_reference_judges_nobody(world: World) -> None:
    world.reference = world.cases = {"alpha.leaks": "fail"}
    assert world.prove(reference="upstream") == errors.INFRASTRUCTURE
    assert world.proof["verdict"] == "UNKNOWN"
    assert "on the reference, 6.12.1-fake, its cases do not pass" in world.proof["why"]
    assert world.built == []


def test_a_kernel_that_does_not_build_without_it_proves_nothing(world: World) -> None:
    world.fails = altered.DoesNotBuild("sev.c:1: error: no such thing")
    assert world.prove() == errors.INFRASTRUCTURE
    assert world.proof["verdict"] == "UNKNOWN"
    assert "does not build: sev.c:1: error" in world.proof["why"]


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
    assert caught.value.exit_code == errors.BISECT_ABORT
