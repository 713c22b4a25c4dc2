# SPDX-License-Identifier: GPL-2.0
"""A snapshot has all that a process has in memory, and leaves alone what it has not."""

import ctypes
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coco import qmp, snapshot
from coco.qmp import QmpError
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
    for number in range(1001, 1501):
        memory.map[number * PAGE] = 0
    snapshot.copy(os.getpid(), memory.address, PAGES * PAGE, tmp_path / "ram")
    assert (tmp_path / "ram").stat().st_blocks * 512 < 100 * PAGE


def test_memory_that_is_not_there_is_an_error(memory: Memory, tmp_path: Path) -> None:
    with pytest.raises(OSError):
        snapshot.copy(1 << 30, memory.address, PAGES * PAGE, tmp_path / "ram")


@pytest.mark.parametrize(
    ("highest", "pieces"),
    [
        ([0x00, 0x81, 0x81, 0x00, 0x80], [(1, 3), (4, 5)]),  # in memory, one written since
        ([0x40, 0xC0, 0x21], [(0, 2)]),  # swapped; in neither, whatever else is said of it
        ([0x80] * 1000, [(0, 512), (512, 1000)]),
        ([], []),
    ],
)
def test_page_map_is_read_as_the_kernel_writes_it(
    highest: list[int], pieces: list[tuple[int, int]]
) -> None:
    entries = b"".join((byte << 56 | 0x123456).to_bytes(8, "little") for byte in highest)
    assert list(snapshot.pieces(entries)) == pieces


class Monitor(qmp.Qmp):
    """Gives the answers it was made with, the last one again and again."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = {name.replace("_", "-"): found for name, found in answers.items()}
        self.asked: list[str] = []
        self.clock = lambda: float(len(self.asked))

    def execute(self, command: str, patience: float = 1.0, **arguments: Any) -> Any:
        self.asked.append(command)
        found = self.answers.get(command, [{}])
        answer = found.pop(0) if len(found) > 1 else found[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    "answers",
    [
        {"xen_save_devices_state": [QmpError("no room")]},
        {"human_monitor_command": ["No memory is mapped at address 0x0"]},
        {"human_monitor_command": ["Host virtual address for 0x0 (pc.ram) is 0x0"]},
    ],
    ids=["state", "place", "memory"],
)
def test_snapshot_that_fails_leaves_nothing(answers: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises((QmpError, OSError)):
        snapshot.save(Monitor(**answers), 1 << 30, PAGE, tmp_path / "snapshot")
    assert not list(tmp_path.iterdir())


def test_restored_machine_goes_on_once_it_is_loaded() -> None:
    loading, loaded = {"status": "inmigrate"}, {"status": "paused"}
    monitor = Monitor(query_status=[loading, loading, loaded])
    snapshot.wake(monitor)
    assert monitor.asked == [*["query-status"] * 3, "cont"]


def test_restored_machine_that_is_never_loaded_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "POLL", 0.0)
    monitor = Monitor(query_status=[{"status": "inmigrate"}])
    with pytest.raises(QmpError, match="restoring took more than 120 s"):
        snapshot.wake(monitor)
    assert "cont" not in monitor.asked
