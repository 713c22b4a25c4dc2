# SPDX-License-Identifier: GPL-2.0
"""Selftests of the kernel tree under test, unmodified: others' oracles beside our own.

They are built by the tree's own Makefile into the cache; the tree is never written to.  The
headers that user space has of an older kernel are helped out by the tree's own.
"""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coco import cache, command, parts

SELFTESTS = "tools/testing/selftests"


@dataclass(frozen=True)
class Program:
    """One program, which is a suite of that name."""

    name: str
    folder: str  # below tools/testing/selftests
    headers: tuple[str, ...]  # below include/uapi


PROGRAMS = (Program("tdx_guest_test", "tdx", ("linux/tdx-guest.h",)),)


def build(tree: Path | None, say: cache.Say = cache.quiet) -> tuple[Path, ...]:
    """Those that the tree has; none without a tree."""
    if tree is None:
        return ()
    return tuple(_build(tree, one, say) for one in PROGRAMS if _sources(tree, one))


def _sources(tree: Path, program: Program) -> Sequence[Path]:
    """All that the program is made of; nothing if the tree does not have it."""
    room = tree / SELFTESTS
    folder = room / program.folder
    headers = [tree / "include/uapi" / name for name in program.headers]
    needed = [folder / "Makefile", folder / f"{program.name}.c", room / "lib.mk", *headers]
    if not all(path.is_file() for path in needed):
        return ()
    return [*needed, *sorted(room.glob("*.h"))]


def _build(tree: Path, program: Program, say: cache.Say) -> Path:
    digest = hashlib.sha256(parts.compiler().encode())
    for path in _sources(tree, program):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(tree)}\0{len(content)}\0".encode() + content)

    def fill(folder: Path) -> None:
        say(f"building {SELFTESTS}/{program.folder} of the tree")
        headers = folder / "include"
        for name in program.headers:
            (headers / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(tree / "include/uapi" / name, headers / name)
        log = cache.folder("logs") / f"{program.name}.log"
        argv = ["make", "-C", str(tree / SELFTESTS / program.folder), f"OUTPUT={folder}"]
        argv += [f"KHDR_INCLUDES=-isystem {headers}", f"CC={parts.COMPILER}"]
        command.run(argv, log, f"building {program.name}")

    folder = cache.entry("treetests", f"{program.name}-{digest.hexdigest()[:20]}", fill, say)
    cache.prune("treetests")
    return folder / program.name
