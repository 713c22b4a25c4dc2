# SPDX-License-Identifier: GPL-2.0
"""The disk of guests, and the host's word on what is on it."""

from pathlib import Path

import pytest

from coco import disk
from coco.model import CaseResult


def finished(folder: Path) -> Path:
    """An image as a guest leaves it that did all it should."""
    disk.create(folder)
    image = folder / disk.IMAGE
    data = bytearray(image.read_bytes())
    for number in range(disk.SECTORS // 2, disk.SECTORS):
        data[number * 512 : number * 512 + 512] = disk._sector(number, disk._GUEST)
    image.write_bytes(data)
    return image


def test_a_disk_that_nobody_wrote_to_is_wrong(tmp_path: Path) -> None:
    disk.create(tmp_path)
    assert disk.wrong(tmp_path) == "disk.img: 1024 of 2048 sectors are wrong, sector 1024 the first"


def test_what_the_guest_wrote_is_right(tmp_path: Path) -> None:
    finished(tmp_path)
    assert disk.wrong(tmp_path) == ""


@pytest.mark.parametrize("where", [0, 512 * 1024 - 1, 512 * 1024, 512 * 2048 - 1])
def test_one_wrong_byte_is_found(tmp_path: Path, where: int) -> None:
    image = finished(tmp_path)
    data = bytearray(image.read_bytes())
    data[where] ^= 1
    image.write_bytes(data)
    assert disk.wrong(tmp_path).startswith("disk.img: 1 of 2048 sectors are wrong")


def test_a_cut_off_disk_is_wrong(tmp_path: Path) -> None:
    image = finished(tmp_path)
    image.write_bytes(image.read_bytes()[:-512])
    assert "1048064 bytes instead of 1048576" in disk.wrong(tmp_path)


def test_the_host_has_the_last_word_on_one_case(tmp_path: Path) -> None:
    disk.create(tmp_path)
    results = [
        CaseResult(disk.SUITE, "guest_reads_what_the_host_wrote", "pass", boot=1),
        CaseResult(disk.SUITE, disk.CASE, "pass", boot=1),
    ]
    disk.judge(tmp_path, results)
    assert [one.status for one in results] == ["pass", "fail"]
    assert "sectors are wrong" in results[1].message
    assert (tmp_path / disk.IMAGE).exists()


def test_a_case_that_did_not_pass_stays_as_it_is(tmp_path: Path) -> None:
    disk.create(tmp_path)
    results = [CaseResult(disk.SUITE, disk.CASE, "skip", boot=1, message="no disk")]
    disk.judge(tmp_path, results)
    assert (results[0].status, results[0].message) == ("skip", "no disk")


def test_a_disk_that_is_right_is_not_kept(tmp_path: Path) -> None:
    finished(tmp_path)
    results = [CaseResult(disk.SUITE, disk.CASE, "pass", boot=1)]
    disk.judge(tmp_path, results)
    assert results[0].status == "pass"
    assert not (tmp_path / disk.IMAGE).exists()
