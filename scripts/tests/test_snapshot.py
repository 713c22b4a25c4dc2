# SPDX-License-Identifier: GPL-2.0
"""A snapshot has all that a process has in memory, and leaves alone what it has not."""

import ctypes
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from coco import snapshot
from coco.snapshot import PAGE

PAGES = 2048
USED = {0: b"A" * PAGE, 5: b"\xff" * PAGE, 6: bytes(PAGE), 1000: bytes(range(256)) * 16}


class Memory:
    """Memory as QEMU has it: anonymous, private, and mostly not touched."""

    def __init__(self) -> None:
        self.map = mmap.mmap(-1, PAGES * PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.map.madvise(mmap.MADV_NOHUGEPAGE)  # which would be touched together
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        for number, content in USED.items():
            self.map[number * PAGE : (number + 1) * PAGE] = content

    def touched(self) -> set[int]:
        with open("/proc/self/pagemap", "rb") as file:
            entries = os.pread(file.fileno(), PAGES * 8, self.address // PAGE * 8)
        return {number for number in range(PAGES) if entries[number * 8 + 7] & 0xC0}


@pytest.fixture
def memory() -> Iterator[Memory]:
    yield Memory()


def test_file_is_the_memory(memory: Memory, tmp_path: Path) -> None:
    snapshot.copy(os.getpid(), memory.address, PAGES * PAGE, tmp_path / "ram")
    assert (tmp_path / "ram").read_bytes() == memory.map[:]


def test_piece_of_it_is_just_that_piece(memory: Memory, tmp_path: Path) -> None:
    snapshot.copy(os.getpid(), memory.address + 5 * PAGE, 996 * PAGE, tmp_path / "ram")
    assert (tmp_path / "ram").read_bytes() == memory.map[5 * PAGE : 1001 * PAGE]


def test_run_of_many_pages_is_read_in_pieces(memory: Memory, tmp_path: Path) -> None:
    for number in range(100, 1700):
        memory.map[number * PAGE] = number & 0xFF
    snapshot.copy(os.getpid(), memory.address, PAGES * PAGE, tmp_path / "ram")
    assert (tmp_path / "ram").read_bytes() == memory.map[:]


def test_what_was_not_touched_is_not_touched_by_it(memory: Memory, tmp_path: Path) -> None:
    assert memory.touched() == set(USED)
    snapshot.copy(os.getpid(), memory.address, PAGES * PAGE, tmp_path / "ram")
    assert memory.touched() == set(USED)


def test_zero_takes_no_disk(memory: Memory, tmp_path: Path) -> None:
    snapshot.copy(os.getpid(), memory.address, PAGES * PAGE, tmp_path / "ram")
    assert (tmp_path / "ram").stat().st_blocks * 512 <= len(USED) * 16 * PAGE


def test_memory_that_is_not_there_is_an_error(memory: Memory, tmp_path: Path) -> None:
    with pytest.raises(OSError):
        snapshot.copy(1 << 30, memory.address, PAGES * PAGE, tmp_path / "ram")
