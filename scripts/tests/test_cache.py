# SPDX-License-Identifier: GPL-2.0
"""The cache: entries are whole or absent, whatever happens while they are made."""

import errno
import multiprocessing
import os
import time
from pathlib import Path

import pytest
from conftest import wait_for

from coco import cache
from coco.errors import InfrastructureError

pytestmark = pytest.mark.usefixtures("own_cache")


def test_entry_is_built_once(own_cache: Path) -> None:
    built = []

    def build(folder: Path) -> None:
        built.append(folder)
        (folder / "file").write_text("content")

    first = cache.entry("kind", "name", build)
    assert cache.entry("kind", "name", build) == first == own_cache / "kind/name"
    assert len(built) == 1
    assert (first / "file").read_text() == "content"


def test_failed_build_leaves_nothing(own_cache: Path) -> None:
    def build(folder: Path) -> None:
        (folder / "half").write_text("done")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.entry("kind", "name", build)
    assert os.listdir(own_cache / "kind") == []


def test_leftover_of_a_killed_run_is_not_taken_for_whole(own_cache: Path) -> None:
    stale = own_cache / "kind/.new-name"
    stale.mkdir(parents=True)
    (stale / "half").write_text("done")
    path = cache.entry("kind", "name", lambda folder: (folder / "whole").touch())
    assert os.listdir(path) == ["whole"]


def _build_slowly(counter: Path) -> None:
    def build(folder: Path) -> None:
        with open(counter, "a", encoding="utf-8") as file:
            file.write("x")
        time.sleep(0.3)
        (folder / "file").touch()

    assert (cache.entry("kind", "name", build) / "file").exists()


def test_two_runs_at_once_build_once(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    runs = [multiprocessing.Process(target=_build_slowly, args=(counter,)) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0, 0, 0]
    assert counter.read_text() == "x"


def _hold_and_die() -> None:
    with cache.lock("name"):
        os._exit(1)


def test_lock_of_a_dead_run_is_free() -> None:
    run = multiprocessing.Process(target=_hold_and_die)
    run.start()
    run.join()
    with cache.lock("name"):
        pass


def _say_while_waiting(path: Path) -> None:
    def say(text: str) -> None:
        path.write_text(text)

    with cache.lock("name", say):
        pass


def test_waiting_is_said(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    run = context.Process(target=_say_while_waiting, args=(tmp_path / "said",))
    with cache.lock("name"):
        run.start()
        wait_for((tmp_path / "said").exists)
    run.join(20)
    assert "waiting" in (tmp_path / "said").read_text()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_is_said(number: int, own_cache: Path) -> None:
    def build(_folder: Path) -> None:
        raise OSError(number, os.strerror(number))

    with pytest.raises(InfrastructureError, match="disk is full") as raised:
        cache.entry("kind", "name", build)
    assert "COCO_CACHE" in raised.value.hint
    assert os.listdir(own_cache / "kind") == []


def test_unwritable_cache_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("COCO_CACHE", str(tmp_path / "file"))
    with pytest.raises(InfrastructureError, match="cannot write to .*file"):
        cache.entry("kind", "name", lambda folder: None)


@pytest.mark.parametrize("name", ["with blank", "with:colon", "with%percent"])
def test_names_that_make_cannot_take(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COCO_CACHE", str(tmp_path / name))
    with pytest.raises(InfrastructureError, match="make cannot work there"):
        cache.root()


def test_only_what_is_long_unused_is_removed(own_cache: Path) -> None:
    for age in range(6):
        path = cache.entry("kind", f"{age}", lambda folder: (folder / "file").touch())
        used = time.time() - age * 86400
        os.utime(path, (used, used))
    cache.entry("kind", "5", lambda folder: None)  # used again
    cache.prune("kind", keep=2, days=2.5)
    assert sorted(os.listdir(own_cache / "kind")) == ["0", "1", "2", "5"]


def test_keys_are_file_names() -> None:
    assert cache.key("6.12.117-1~deb12u1") == "6.12.117-1~deb12u1"
    assert "/" not in cache.key("../a b/c")
