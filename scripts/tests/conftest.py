# SPDX-License-Identifier: GPL-2.0
"""What the host side's tests share: a repository of fakes."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS.parent / "lib"))

from coco import expect, plan, qemu, runner  # noqa: E402
from coco.model import SELFTEST  # noqa: E402
from coco.watch import Budgets  # noqa: E402

# Before a command: what is started in the background has INT and QUIT ignored, and hands that on
ENDS_BY_SIGNALS = ("env", "--default-signal")
SHORT = Budgets(boot=6.0, silence=0.8, case=1.2, flood=1 << 20)

Play = Callable[..., runner.Run]


def file_of_tree(name: str) -> Path:
    """A file of the kernel tree that COCO_KDIR names; the test skips where there is none."""
    tree = os.environ.get("COCO_KDIR", "")
    path = Path(tree) / name
    if not tree or not path.is_file():
        pytest.skip(f"COCO_KDIR names no kernel tree with {name}")
    return path


def suite(name: str, cases: list[str], kind: str = "kunit", **case: Any) -> expect.Suite:
    """A suite whose cases are all alike, but for those named in `fatal`."""
    fatal = case.pop("fatal", ())
    made = tuple(expect.Case(one, fatal=one in fatal, **case) for one in cases)
    return expect.Suite(name, kind, "fake", made)


def boot_suite() -> expect.Suite:
    cases = [runner.REACHES_INIT, runner.LEAVES_NO_SPLAT, runner.BRINGS_UP_EVERY_VCPU]
    return suite("boot", cases, kind="boot")


def expectations(*suites: expect.Suite) -> expect.Expectations:
    return expect.Expectations({one.name: one for one in (boot_suite(), *suites)})


def scenario_of(written: expect.Expectations, **more: Any) -> dict[str, Any]:
    """A guest that has all that is written down."""
    suites = {
        name: [case.id for case in one.cases]
        for name, one in written.suites.items()
        if one.kind != "boot"
    }
    return {"suites": suites, **more}


def fake_qemu(folder: Path, scenario: Mapping[str, Any]) -> str:
    """The words for QEMU=."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "scenario.json"
    file.write_text(json.dumps(scenario), encoding="utf-8")
    return f"{TESTS / 'fake_qemu.py'} {file}"


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("COCO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def wait_for(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Run everything that is written down on a fake guest."""

    def play_one(
        written: expect.Expectations,
        cancel: threading.Event | None = None,
        budgets: Budgets = SHORT,
        **scenario: Any,
    ) -> runner.Run:
        words = fake_qemu(tmp_path / "fake", scenario_of(written, **scenario))
        (tmp_path / "file").touch()
        guest = qemu.Guest(tmp_path / "file", tmp_path / "file", tmp_path / "file")
        kinds = {name: one.kind for name, one in written.suites.items()}
        available = plan.Available(
            kunit=frozenset(kinds),
            selftests=frozenset(name for name, kind in kinds.items() if kind == SELFTEST),
            drivers=frozenset({"killer"}),
        )
        work = plan.make(written, plan.Selection(tier="full"), "none", {}, available)
        order = runner.RunOrder(
            "none", tmp_path / "run", qemu.find(words), guest, work, written, budgets
        )
        stop = cancel or threading.Event()
        parts = [runner.run(part, stop, lambda _: None) for part in runner.parts(order)]
        return runner.join(order.name, parts)

    return play_one


def statuses(run: runner.Run) -> dict[str, str]:
    """Case id -> "status" or "status cause", without the boot's own."""
    return {
        result.id: f"{result.status} {result.cause}".strip()
        for result in run.results
        if result.suite != "boot"
    }
