# SPDX-License-Identifier: GPL-2.0
"""coco check from its options to its exit code, with a fake kernel on a fake QEMU."""

import argparse
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import TESTS, expectations, fake_qemu, scenario_of, suite, wait_for

from coco import (
    check,
    errors,
    expect,
    kernels,
    ktap,
    parts,
    plan,
    prepare,
    qemu,
    report,
    results,
    runner,
)
from coco.boot import Order
from coco.catalogue import entries
from coco.catalogue.fix import Catalogue
from coco.screen import Screen

WRITTEN = expectations(
    suite("alpha", ["one", "two"], fixes=('0123456789ab ("x86: fix it")',)),
    suite("beta", ["three"], needs=("smp",)),
)
CHECK = ("kernel", "personality", "suite", "case", "tier", "vcpus", "ram", "append", "machine")
OTHER = ("firmware", "results", "qemu", "gdb", "jobs", "patience")


class World:
    """A repository without sources: what check() would find there."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.results = folder / "results"
        self.technologies: tuple[str, ...] = ("none", "sev")
        self.available = plan.Available(kunit=frozenset({"alpha", "beta"}))
        self.written = WRITTEN
        self.scenario: dict[str, Any] = {}
        monkeypatch.setattr(check, "prepare", self.prepare)
        monkeypatch.setattr(expect, "load", lambda _folder: self.written)
        monkeypatch.setattr(check, "Budgets", lambda: check_budgets())

    def prepare(self, options: argparse.Namespace, _say: object) -> prepare.Prepared:
        words = fake_qemu(self.folder / "fake", scenario_of(self.written, **self.scenario))
        file = self.folder / "file"
        file.touch()
        kernel = kernels.Kernel(
            name="Fake 6.12.1",
            source="local",
            release="6.12.1-fake",
            vmlinuz=file,
            sha256="0" * 64,
            config={"EFI": "y"},
            technologies=self.technologies,
        )
        return prepare.Prepared(qemu.find(words), kernel, file, file, self.available, "built")

    def check(self, **options: Any) -> int:
        values = {name: options.get(name) for name in (*CHECK, *OTHER)}
        values["results"] = options.get("results", str(self.results))
        words = ["KERNEL=fake", *(f"{name.upper()}=x" for name in options)]
        with (self.folder / "screen").open("w") as out:
            return check.check(argparse.Namespace(**values), words, Screen(out))

    @property
    def screen(self) -> str:
        return (self.folder / "screen").read_text()

    @property
    def document(self) -> results.Document:
        return results.read(self.results)


def check_budgets() -> object:
    from conftest import SHORT

    return SHORT


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_firmware_is_part_of_the_setting(world: World) -> None:
    file = world.folder / "OVMF.fd"
    file.write_bytes(bytes(4096))
    assert world.check(firmware=str(file)) == errors.OK
    told = world.document["firmware"]
    assert told["path"] == str(file) and told["sha256"] == hashlib.sha256(bytes(4096)).hexdigest()
    assert f"UEFI    {file}   sha256 {told['sha256'][:12]}\n" in world.screen


def test_everything_as_expected(world: World) -> None:
    assert world.check() == errors.OK
    assert re.search(r"^  none +pass 6 +fail 0 +skip 0 +\d+\.\d s$", world.screen, re.M)
    assert "tdx: the kernel has no code for it" in world.screen
    assert "OK: 12 passed, 0 skipped, all as expected in none, sev" in world.screen
    assert world.document["complete"]


def test_results_are_one_valid_ktap_document(world: World) -> None:
    world.scenario = {"cases": {"alpha.two": "panic", "beta.three": "skip"}}
    world.check()
    document = ktap.parse((world.results / results.KTAP).read_text().splitlines())
    assert ktap.problems(document) == []
    found = {".".join(leaf.path): leaf.test.status for leaf in ktap.leaves(document.tests)}
    assert found["sev.alpha.one"] == "pass"
    assert found["sev.alpha.two"] == "fail"
    assert found["sev.beta.three"] == "skip"


def test_finding_tells_what_who_and_how_to_repeat(world: World) -> None:
    world.scenario = {"cases": {"alpha.two": "fail", "alpha.one": "breach"}}
    assert world.check() == errors.FINDING
    assert "FAIL alpha.two [none, sev]  assertion\n  expected: a == b\n  got:      a == 1" in (
        world.screen
    )
    assert "may lack: 0123456789ab" in world.screen
    assert "machine:  breach kind=field" in world.screen
    assert "repeat:   scripts/coco check KERNEL=fake PERSONALITY=none CASE=alpha.two" in (
        world.screen
    )
    assert "FINDINGS: 4 findings, 8 passed" in world.screen


def test_breach_that_many_cases_commit_is_told_once_with_the_fix_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = entries.load()
    fix = replace(ours.fixes["CVE-2026-89751"], anywhere="kind=field .*0x1 ")
    known = Catalogue({fix.id: fix}, ours.date, ours.folders)
    monkeypatch.setattr(entries, "load", lambda: known)
    world.technologies, world.written = ("none",), replace(WRITTEN, baseline=())
    world.scenario = {"boot": "breach", "cases": {"alpha.one": "breach", "beta.three": "breach"}}
    assert world.check() == errors.FINDING
    assert "FAIL boot.leaves_no_splat, alpha.one, beta.three [none]  breach\n" in world.screen
    assert world.screen.count("breach\n") == 1
    assert '  may lack: 0f63e656b1c6 ("x86/tdx: Fix off-by-one in port I/O handling") CVE' in (
        world.screen
    )
    assert "x86: fix it" not in world.screen  # which is of alpha alone


@pytest.mark.parametrize(
    ("scenario", "code"),
    [
        ({"cases": {"alpha.one": "skip"}}, errors.FINDING),
        ({"cases": {"beta.three": "skip"}}, errors.OK),  # needs two vCPUs
        ({"cases": {"alpha.one": "absent"}}, errors.FINDING),
        ({"cases": {"alpha.one": "unmodelled"}}, errors.INFRASTRUCTURE),
        ({"cases": {"alpha.one": "unmodelled", "alpha.two": "fail"}}, errors.FINDING),
        ({"boot": "refuses"}, errors.INFRASTRUCTURE),
        ({"boot": "panic"}, errors.FINDING),
        ({"exit": "shutdown"}, errors.FINDING),
        ({"exit": "unmodelled"}, errors.INFRASTRUCTURE),
        ({"plans": {"alpha": ""}}, errors.FINDING),
    ],
)
def test_exit_code(world: World, scenario: dict[str, object], code: int) -> None:
    world.scenario = scenario
    world.technologies = ("none",)
    assert world.check() == code
    assert world.document["verdict"]["exit"] == code


def test_two_vcpus_are_a_run_of_their_own_and_meet_the_need(world: World) -> None:
    world.scenario = {"cases": {"beta.three": "skip"}}
    world.technologies = ("none",)
    assert world.check(vcpus=(1, 2)) == errors.FINDING
    assert [run["name"] for run in world.document["runs"]] == ["none", "none-2cpu"]
    assert "SKIP beta.three [none-2cpu]  unexpected" in world.screen
    assert "VCPUS=2 CASE=beta.three" in world.screen


def test_personality_that_the_kernel_lacks_is_nothing_applicable(world: World) -> None:
    with pytest.raises(errors.NothingApplicable, match="no code for tdx"):
        world.check(personality=("tdx",))


def test_suites_that_cannot_be_built_are_named_and_the_rest_runs(world: World) -> None:
    world.available = plan.Available(kunit=frozenset({"beta"}), no_kunit="no headers")
    assert world.check() == errors.OK
    assert "alpha: no headers" in world.screen


@pytest.mark.parametrize(
    "asked", [{"suite": ("alpha", "beta")}, {"case": ("alpha.o*", "beta.*")}], ids=["suite", "case"]
)
def test_suite_that_was_asked_for_by_name_and_cannot_be_built_is_no_ok(
    world: World, asked: dict[str, Any]
) -> None:
    world.available = plan.Available(kunit=frozenset({"beta"}), no_kunit="no headers")
    assert world.check(vcpus=(2,), **asked) == errors.INFRASTRUCTURE
    assert "PROBLEM alpha [sev-2cpu]  not-built\n  no headers\n" in world.screen
    assert "COULD NOT RUN: alpha could not be built" in world.screen
    statuses = {one["id"]: one["status"] for one in world.document["runs"][0]["cases"]}
    assert statuses["beta.three"] == "pass"


def test_pattern_asks_for_no_suite_by_name(world: World) -> None:
    world.available = plan.Available(kunit=frozenset({"beta"}), no_kunit="no headers")
    assert world.check(vcpus=(2,), case=("*.*e",)) == errors.OK


def test_selection_without_anything_that_was_built_is_nothing_applicable(world: World) -> None:
    world.available = plan.Available(no_kunit="no headers")
    with pytest.raises(errors.NothingApplicable, match="no headers"):
        world.check(suite=("alpha",))


def test_boot_is_judged_whatever_was_selected(world: World) -> None:
    world.scenario = {"boot": "warning"}
    assert world.check(case=("alpha.one",)) == errors.FINDING
    ids = [case["id"] for case in world.document["runs"][0]["cases"]]
    assert ids == [
        "boot.reaches_init",
        "boot.leaves_no_splat",
        "boot.brings_up_every_vcpu",
        "alpha.one",
    ]


def test_known_finding_is_no_finding_and_is_shown(world: World) -> None:
    known = expect.Known(
        "alpha.one", ("assertion",), "see commit x", check.datetime.date(9999, 1, 1)
    )
    world.written = replace(WRITTEN, baseline=(known,))
    world.scenario = {"cases": {"alpha.one": "fail"}}
    assert world.check() == errors.OK
    assert "alpha.one [none, sev]  fail, until 9999-01-01\n    see commit x" in world.screen
    assert re.search(r"^  none +pass 5 +fail 0 +skip 0 +known 1 ", world.screen, re.M)


BIG = expect.Setting(ram=1024)
APART = expectations(suite("alpha", ["one", "two"]), replace(suite("beta", ["three"]), setting=BIG))


def test_guests_of_one_run_go_on_side_by_side_and_are_one_run(world: World) -> None:
    world.technologies, world.written = ("none",), APART
    world.scenario = {"boot": "sleep 2"}
    with ThreadPoolExecutor() as pool:
        code = pool.submit(world.check, jobs=2)
        wait_for(lambda: len(guests(world.folder)) == 2)
        assert code.result() == errors.OK
    (run,) = world.document["runs"]
    assert [case["id"] for case in run["cases"]][-3:] == ["alpha.one", "alpha.two", "beta.three"]
    assert sorted(boot["number"] for boot in run["boots"]) == [1, 2]
    assert world.screen.count("\n  none ") == 1


def test_guest_that_cannot_be_started_takes_no_result_of_another_with_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def boot(program: qemu.Qemu, order: Order, *rest: Any) -> object:
        if order.guest.ram == 1024:
            raise errors.InfrastructureError("no memory")
        return real(program, order, *rest)

    real = runner.boot
    monkeypatch.setattr(runner, "boot", boot)
    world.technologies, world.written = ("none",), APART
    assert world.check() == errors.INFRASTRUCTURE
    (run,) = world.document["runs"]
    assert (run["state"], run["reason"]) == ("broken", "no memory")
    assert [case["id"] for case in run["cases"]][-2:] == ["alpha.one", "alpha.two"]


def test_boot_that_cannot_be_started_takes_no_result_of_an_earlier_one_with_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def boot(program: qemu.Qemu, order: Order, *rest: Any) -> object:
        if order.folder.name != "boot-1":
            raise errors.InfrastructureError("no memory")
        return real(program, order, *rest)

    real = runner.boot
    monkeypatch.setattr(runner, "boot", boot)
    world.technologies, world.scenario = ("none",), {"cases": {"alpha.one": "panic"}}
    assert world.check() == errors.FINDING
    (run,) = world.document["runs"]
    assert (run["state"], run["reason"]) == ("broken", "no memory")
    told = {case["id"]: f"{case['status']} {case['cause']}".strip() for case in run["cases"]}
    assert told.pop("alpha.one") == "fail panic"
    assert told and set(told.values()) == {"pass"}


def test_interruption_while_a_run_is_judged_loses_nothing_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judged(*given: Any) -> results.Document:
        monkeypatch.setattr(check, "_judged", real)
        raise KeyboardInterrupt

    real = check._judged  # pylint: disable=protected-access
    monkeypatch.setattr(check, "_judged", judged)
    world.technologies = ("none",)
    assert world.check() == errors.INTERRUPTED
    (run,) = world.document["runs"]
    assert run["state"] == "done" and run["summary"]["pass"]


def test_debugger_wants_one_guest(world: World) -> None:
    with pytest.raises(errors.UsageError, match="GDB= needs one guest"):
        world.check(gdb="tcp::1234")


def test_results_folder_is_never_written_twice(world: World) -> None:
    world.check()
    with pytest.raises(errors.UsageError, match="holds results already"):
        world.check()


@pytest.mark.parametrize("run", ["none", "tdx-2cpu"])
def test_results_folder_of_a_run_that_was_killed_is_not_gone_on_with(
    world: World, run: str
) -> None:
    (world.results / run / "boot-1").mkdir(parents=True)
    with pytest.raises(errors.UsageError, match=f"has a {run}/ already"):
        world.check()


def test_results_folder_that_cannot_be_is_named_with_the_way_out(world: World) -> None:
    world.results = world.folder / "file/results"
    with pytest.raises(errors.InfrastructureError, match="file/results") as error:
        world.check()
    assert "RESULTS=<folder>" in error.value.hint


def test_latest_is_a_check_that_began(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "workplace", lambda: world.folder)
    assert world.check(results="") == errors.OK
    with pytest.raises(errors.UsageError):
        world.check(results="", gdb="tcp::1234")
    world.results = world.folder / "results/latest"
    assert world.document["verdict"]["exit"] == errors.OK


def test_report_repeats_the_screen_from_the_file(world: World) -> None:
    world.scenario = {"cases": {"alpha.two": "fail"}}
    world.check()
    document = world.document
    again = [*report.header(document), "", *map(report.run_line, document["runs"])]
    again += [*report.body(document, world.results), *report.verdict(document, world.results)]
    runs = slice(again.index("") + 1, again.index("") + 3)
    shown = world.screen.splitlines()
    assert sorted(again[runs]) == sorted(shown[runs])  # as they end, not as they were planned
    del again[runs], shown[runs]
    assert again == shown


def test_schema_refuses_another_version_and_a_nameless_case(world: World) -> None:
    world.check()
    document = world.document
    assert results.invalid({**document, "schema": 2})
    document["runs"][0]["cases"][0]["id"] = "Not An Id"
    assert "does not match" in results.invalid(document)


# A shell that starts tests in the background has them ignore ^C, and a child would, too
INTERRUPT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path[:0] = [{tests!r}, {lib!r}]
from pathlib import Path
import conftest, pytest, test_check
from coco import cli
world = test_check.World(Path({folder!r}), pytest.MonkeyPatch())
world.written = test_check.APART
world.scenario = {{"cases": {{"{hangs}": "hang"}}}}
test_check.check_budgets = lambda: test_check.replace(conftest.SHORT, silence=99, case=99)
cli.fake = lambda *_: world.check(jobs=1, personality=("none",))
verb = next(one for one in cli.VERBS if one.name == "check")
cli.VERBS = (test_check.replace(verb, run="coco.cli:fake"),)
sys.exit(cli.main(["check"]))
"""


@pytest.mark.parametrize(
    ("number", "hangs", "boot"),
    [
        (signal.SIGINT, "alpha.two", 1),  # the guest of beta never starts
        (signal.SIGINT, "beta.three", 2),  # that of alpha is through
        (signal.SIGTERM, "alpha.two", 1),
        (signal.SIGKILL, "alpha.two", 1),
    ],
)
def test_interruption_leaves_no_qemu_and_keeps_the_results(
    tmp_path: Path, number: signal.Signals, hangs: str, boot: int
) -> None:
    text = INTERRUPT.format(
        tests=str(TESTS), lib=str(TESTS.parent / "lib"), folder=str(tmp_path), hangs=hangs
    )
    log = tmp_path / f"results/none/boot-{boot}/stream.log"
    with subprocess.Popen([sys.executable, "-c", text]) as process:
        wait_for(lambda: guests(tmp_path))
        wait_for(lambda: hangs.encode() in read(log))
        os.kill(process.pid, number)
        code = process.wait(20)
    wait_for(lambda: not guests(tmp_path))
    document = json.loads((tmp_path / "results/result.json").read_text())
    assert not document["complete"]
    if number != signal.SIGKILL:
        assert code == errors.INTERRUPTED
        assert document["verdict"]["word"] == "INTERRUPTED"
        (run,) = document["runs"]
        assert run["state"] == "interrupted"
        assert "alpha.one" in [case["id"] for case in run["cases"] if case["status"] == "pass"]


def read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def guests(folder: Path) -> list[Path]:
    """The fake QEMUs of this test that run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(b"fake_qemu" in w for w in words) and any(bytes(folder) in w for w in words):
            found.append(path)
    return found
