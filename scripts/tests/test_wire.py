# SPDX-License-Identifier: GPL-2.0
"""What the host saw on the wire, and its word on it."""

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from coco import wire
from coco.model import CaseResult

OTHER = bytes.fromhex("3333000000160" "2c0c0000001" "86dd") + bytes(40)  # IPv6, of the same card


def dump(folder: Path, frames: Sequence[bytes]) -> None:
    """As QEMU's filter-dump writes it."""
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65536, 1)
    for one in frames:
        data += struct.pack("<IIII", 0, 0, len(one), len(one)) + one
    (folder / wire.DUMP).write_bytes(data)


def sent() -> list[bytes]:
    return [wire.frame(0, number) for number in range(wire.FRAMES)]


def test_frames_are_as_long_as_they_say() -> None:
    assert [len(wire.frame(0, n)) for n in range(len(wire.SIZES))] == list(wire.SIZES)
    assert wire.frame(0, 1)[:14] == bytes.fromhex("02c0c0000002" "02c0c0000001" "88b5")


def test_all_frames_in_order_are_right(tmp_path: Path) -> None:
    dump(tmp_path, sent())
    assert wire.wrong(tmp_path) == ""


def test_frames_of_others_do_not_count(tmp_path: Path) -> None:
    dump(tmp_path, [OTHER, *sent(), wire.frame(1, 0)])
    assert wire.wrong(tmp_path) == ""


@pytest.mark.parametrize("change", ["lost", "twice"])
def test_a_frame_that_is_lost_or_there_twice_is_wrong(tmp_path: Path, change: str) -> None:
    frames = sent()
    frames[5:6] = [] if change == "lost" else [frames[5]] * 2
    dump(tmp_path, frames)
    assert f"{len(frames)} frames instead of {wire.FRAMES}" in wire.wrong(tmp_path)


@pytest.mark.parametrize("at", [14, 59, -1])
def test_one_wrong_byte_is_found(tmp_path: Path, at: int) -> None:
    frames = sent()
    broken = bytearray(frames[8])
    broken[at] ^= 1
    frames[8] = bytes(broken)
    dump(tmp_path, frames)
    assert wire.wrong(tmp_path) == "wire.pcap: 1 of 126 frames are wrong, frame 8 the first"


def test_no_dump_is_wrong(tmp_path: Path) -> None:
    assert wire.wrong(tmp_path) == "QEMU wrote no wire.pcap"


def test_the_host_has_the_last_word_on_one_case(tmp_path: Path) -> None:
    dump(tmp_path, sent()[1:])
    results = [
        CaseResult(wire.SUITE, "guest_receives_what_the_host_passes_on", "pass", boot=1),
        CaseResult(wire.SUITE, wire.CASE, "pass", boot=1),
    ]
    wire.judge(tmp_path, results)
    assert [one.status for one in results] == ["pass", "fail"]
    assert "125 frames instead of 126" in results[1].message
    assert (tmp_path / wire.DUMP).exists()


def test_a_case_that_did_not_run_is_not_judged(tmp_path: Path) -> None:
    results = [CaseResult(wire.SUITE, wire.CASE, "skip", boot=1, message="no cards")]
    wire.judge(tmp_path, results)
    assert (results[0].status, results[0].message) == ("skip", "no cards")


def test_a_dump_in_which_all_is_right_is_not_kept(tmp_path: Path) -> None:
    dump(tmp_path, sent())
    wire.judge(tmp_path, [CaseResult(wire.SUITE, wire.CASE, "pass", boot=1)])
    assert not (tmp_path / wire.DUMP).exists()
