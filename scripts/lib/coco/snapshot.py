# SPDX-License-Identifier: GPL-2.0
"""Snapshots of a paused machine, from which many others start at once.

    ram     guest memory as it lies there, sparse; a restored QEMU maps it privately
    state   all devices and CPUs, as QEMU writes them

QEMU's own migration writes both as one stream.  But to see which pages are zero it reads,
and thereby touches, all memory on either side, of which a guest has used an eighth.  So
memory is copied here, as far as QEMU has any: its page map says where
(Linux, Documentation/admin-guide/mm/pagemap.rst).
"""

import os
import re
import shlex
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from coco.qmp import Qmp, QmpError

RAM = "ram"
STATE = "state"
RAM_ID = "pc.ram"  # default-ram-id of QEMU's machine pc

PATIENCE = 120.0  # seconds of the monitor's clock, for QEMU to load the state
POLL = 0.02

PAGE = 4096
_PIECE = 512  # pages that are read at once
_ENTRY = 8  # bytes of the page map for each page
# A piece by the highest bytes of its entries: each in memory (bit 63), or swapped (62)
_BACKED = re.compile(rb"[\x40-\xff]{1,%d}" % _PIECE)
_ZERO = bytes(PAGE)


def save(monitor: Qmp, pid: int, size: int, folder: Path) -> None:
    """Write the paused machine to folder, a new one; size: of its memory, in bytes.

    Raises QmpError, or OSError: the disk is full, or we may not read QEMU's memory, which
    takes the right to trace it.
    """
    folder.mkdir()
    try:
        # Of Xen it has but the name: it saves all but memory and disks
        monitor.execute("xen-save-devices-state", filename=str(folder / STATE), live=False)
        copy(pid, _address(monitor), size, folder / RAM)
    except BaseException:
        remove(folder)
        raise


def wake(monitor: Qmp) -> None:
    """A restored machine stands still: let it go on once it is loaded."""
    deadline = monitor.clock() + PATIENCE
    while monitor.clock() < deadline:
        if monitor.execute("query-status").get("status") != "inmigrate":
            monitor.execute("cont")
            return
        time.sleep(POLL)
    raise QmpError(f"restoring took more than {PATIENCE:.0f} s")


def remove(folder: Path) -> None:
    """It is large, and of no use once the machines that start from it are gone."""
    shutil.rmtree(folder, ignore_errors=True)


def options(folder: Path, size: int) -> list[str]:
    """QEMU's, to start from the snapshot; size: as it was saved."""
    memory = str(folder / RAM).replace(",", ",,")
    return [
        "-object",
        f"memory-backend-file,id={RAM_ID},size={size},mem-path={memory},share=off",
        "-machine",
        f"memory-backend={RAM_ID},suppress-vmdesc=on",
        "-global",
        "migration.send-configuration=off",
        "-incoming",
        f"exec:exec cat {shlex.quote(str(folder / STATE))}",
        "-S",  # until wake()
    ]


def copy(pid: int, address: int, size: int, target: Path) -> None:
    """Write size bytes of another process's memory to a sparse file; both whole pages."""
    with (
        open(f"/proc/{pid}/mem", "rb", buffering=0) as memory,
        target.open("wb", buffering=_PIECE * PAGE) as file,
    ):
        file.truncate(size)
        for first, end in _backed(pid, address // PAGE, size // PAGE):
            data = os.pread(memory.fileno(), (end - first) * PAGE, address + first * PAGE)
            if len(data) != (end - first) * PAGE:
                raise OSError(f"the memory of process {pid} is not as long as it was")
            for offset in range(0, len(data), PAGE):
                content = data[offset : offset + PAGE]
                if content != _ZERO:
                    file.seek(first * PAGE + offset)
                    file.write(content)


def _backed(pid: int, first: int, count: int) -> Iterator[tuple[int, int]]:
    """Which of these pages the process has at all: pieces, from and to."""
    with open(f"/proc/{pid}/pagemap", "rb", buffering=0) as file:
        entries = os.pread(file.fileno(), count * _ENTRY, first * _ENTRY)
    if len(entries) != count * _ENTRY:
        raise OSError(f"the page map of process {pid} is too short")
    return pieces(entries)


def pieces(entries: bytes) -> Iterator[tuple[int, int]]:
    """The pages that these entries of a page map say to be there, as pieces, from and to."""
    for piece in _BACKED.finditer(entries[_ENTRY - 1 :: _ENTRY]):
        yield piece.span()


def _address(monitor: Qmp) -> int:
    """Where QEMU has guest memory."""
    said = monitor.execute("human-monitor-command", command_line="gpa2hva 0")
    match = re.search(rf"\({re.escape(RAM_ID)}\) is 0x([0-9a-f]+)", said)
    if not match:
        raise QmpError(f"QEMU does not say where guest memory is: {said.strip()}")
    return int(match[1], 16)
