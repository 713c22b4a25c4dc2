# SPDX-License-Identifier: GPL-2.0
"""deps.sh: the list, and what it says where it cannot install."""

import os
import subprocess
from pathlib import Path

import pytest

DEPS = Path(__file__).resolve().parents[1] / "deps.sh"


def deps(*words: str, path: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"}
    argv = ["sh", str(DEPS), *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)


def fake(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A machine on which nothing is installed."""
    fake(tmp_path, "dpkg-query", "exit 1")
    return tmp_path


def test_every_package_has_a_part_and_a_reason() -> None:
    lines = [line.split(None, 2) for line in deps("--list").stdout.splitlines()]
    assert all(len(words) == 3 and words[0] in ("run", "kernel", "work") for words in lines)
    names = [words[1] for words in lines]
    assert len(names) == len(set(names)) and "qemu-system-x86" in names


def test_unknown_word_is_wrong_usage() -> None:
    done = deps("everything")
    assert done.returncode == 2 and "usage:" in done.stderr


def test_missing_packages_are_named_by_part(bare: Path) -> None:
    done = deps("--check", "kernel", path=str(bare))
    assert done.returncode == 3
    assert " flex" in done.stdout and "qemu" not in done.stdout


def test_without_root_the_command_is_shown(bare: Path) -> None:
    fake(bare, "id", "echo 1000")
    done = deps("run", path=str(bare))
    assert done.returncode == 3
    assert "needs root" in done.stderr and "apt-get install" in done.stderr


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Err:1 http://m Temporary failure resolving 'm'", "mirror cannot be reached"),
        ("E: write error: No space left on device", "disk is full"),
        ("E: something else", "package lists could not be read"),
    ],
)
def test_failures_of_apt_are_told_apart(said: str, told: str, bare: Path) -> None:
    fake(bare, "id", "echo 0")
    fake(bare, "apt-get", f'echo "{said}"; exit 100')
    done = deps("run", path=str(bare))
    assert done.returncode == 3 and told in done.stderr


def test_package_that_does_not_arrive_is_an_error(bare: Path) -> None:
    fake(bare, "id", "echo 0")
    fake(bare, "apt-get", "exit 0")
    done = deps("run", path=str(bare))
    assert done.returncode == 3 and "still missing" in done.stderr


def test_nothing_to_do_touches_nothing(bare: Path) -> None:
    names = [line.split()[1] for line in deps("--list").stdout.splitlines()]
    there = [f"installed {name}, " for name in names if name != "libelf1"]
    there += ["installed libelf1t64, libelf1 (= 0.192-4)"]
    fake(bare, "dpkg-query", "cat <<E\n" + "\n".join(there) + "\nE")
    fake(bare, "apt-get", "exit 1")
    done = deps(path=str(bare))
    assert done.returncode == 0 and "packages are there" in done.stdout
