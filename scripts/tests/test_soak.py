# SPDX-License-Identifier: GPL-2.0
"""A soak: what it counts, what it keeps, and that it goes on where it was."""

import argparse
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from documents import case, document, run

from coco import check, errors, results, schedule, soak
from coco.errors import UsageError
from coco.screen import Screen


class World:
    """Checks that are fakes, and come out as they are told to."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "soak"
        self.words: list[list[str]] = []
        self.jobs: list[int | None] = []
        self.how: dict[int, Any] = {}  # of the nth check: a status, or an exception
        self.sources = "a" * 64
        monkeypatch.setattr(check, "check", self.check)

    def check(self, options: argparse.Namespace, words: list[str], _screen: Screen) -> int:
        self.words.append(words)
        self.jobs.append(options.jobs)
        how = self.how.get(len(self.words), "pass")
        if isinstance(how, BaseException):
            raise how
        made = document(run("tdx", case("ve.a"), case("ve.b", how)), sources={"ve": self.sources})
        folder = Path(options.results)
        folder.mkdir(parents=True)
        results.write(folder, made)
        return errors.OK

    def soak(self, rounds: int = 4, kernels: str = "fake:1", load: int = 0) -> tuple[int, str]:
        options = argparse.Namespace(
            kernels=kernels,
            results=str(self.folder),
            rounds=rounds,
            load=load,
            jobs=None,
            tier=None,
        )
        words = [f"KERNELS={kernels}", f"ROUNDS={rounds}", "PERSONALITY=tdx"]
        screen = self.folder.parent / "screen"
        with screen.open("w") as out:
            code = soak.run(options, words, Screen(out))
        return code, screen.read_text()

    @property
    def runs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((self.folder / "soak.json").read_text())["runs"]
        return found

    @property
    def kept(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir() if path.is_dir())


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_runs_that_come_out_alike_leave_the_results_of_the_first(world: World) -> None:
    code, text = world.soak()
    assert code == errors.OK
    assert world.kept == ["fake_1-1"]
    assert "4 runs, 8 results, each held to the first of its kind: 1 kinds" in text
    assert world.words[0] == ["KERNEL=fake:1", "PERSONALITY=tdx"]


def test_case_that_does_otherwise_once_is_named_and_its_results_are_kept(world: World) -> None:
    world.how[3] = "fail"
    code, text = world.soak()
    assert code == errors.FINDING
    assert "tdx ve.b: pass, now fail" in text
    assert world.kept == ["fake_1-1", "fake_1-3"]
    assert [bool(one["changes"]) for one in world.runs] == [False, False, True, False]


def test_run_that_did_not_end_does_not_fill_the_screen(world: World) -> None:
    changes = [{"run": "tdx", "case": f"ve.{n}", "old": "pass", "new": "absent"} for n in range(99)]
    made = soak.SoakRun("fake:1", 3, "", "", 1.0, 0, 9, errors.FINDING, "COULD NOT RUN")
    made.changes = [{**change, "text": ""} for change in changes]
    lines = soak.told(made, world.folder)
    assert len(lines) == soak.MOST_NAMED + 3
    assert "and 79 more, all in" in lines[-2]


def test_kernels_take_turns_and_each_has_a_first_run_of_its_own(world: World) -> None:
    world.soak(2, "fake:1 fake:2")
    assert [one["kernel"] for one in world.runs] == ["fake:1", "fake:2"] * 2


def test_other_suites_begin_a_new_comparison(world: World) -> None:
    world.soak(2)
    world.sources, world.how[3] = "b" * 64, "fail"
    code, _ = world.soak(3)
    assert code == errors.OK
    assert world.kept == ["fake_1-1", "fake_1-3"]


def test_interrupted_soak_goes_on(world: World) -> None:
    world.how[3] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        world.soak()
    assert len(world.runs) == 2
    assert world.soak()[0] == errors.OK
    assert len(world.runs) == 4


def test_two_soaks_in_one_folder_are_refused(world: World) -> None:
    """Each would take the other's running check for one that was interrupted."""
    with results.hold(world.folder):
        with pytest.raises(UsageError, match="another run works in"):
            world.soak()
    assert world.soak()[0] == errors.OK


def test_every_third_run_is_crowded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1, 2})
    monkeypatch.setattr(schedule, "_available_memory", lambda: 64 << 30)
    _, text = world.soak(6, load=4)
    assert world.jobs == [None, None, 12, None, None, 12]
    assert text.count("12 machines side by side") == 2
    assert re.search(r"^fake:1 +6 +2 +0 +0 ", text, re.MULTILINE)


def test_crowd_fits_into_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(16)))
    monkeypatch.setattr(schedule, "_available_memory", lambda: 20 << 30)
    assert schedule.crowd(4) == 20
    assert schedule.default_jobs() == schedule.MOST_JOBS


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"runs": [{"kernel": "debian:6.12"}]}'])
def test_another_file_is_no_soak(tmp_path: Path, text: str) -> None:
    (tmp_path / soak.FILE).write_text(text)
    with pytest.raises(errors.UsageError, match="is no soak"):
        soak._before(tmp_path)
