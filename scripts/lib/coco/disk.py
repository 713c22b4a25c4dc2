# SPDX-License-Identifier: GPL-2.0
"""The disk of guests that want one, as the host has it before and after.

    first half      what the host wrote: the guest reads it
    second half     the guest writes it: the host looks at the file

Each sector holds words that tell which sector it is, and who wrote it
(selftests/memory/virtio_blk.c has the same).
"""

from collections.abc import Iterable
from pathlib import Path

from coco import witness
from coco.model import CaseResult

DEVICE = "virtio_blk"  # in qemu.DEVICES
IMAGE = "disk.img"
SUITE, CASE = "virtio_blk", "host_finds_what_the_guest_wrote"

SECTORS = 2048
_SECTOR = 512
_WORDS = _SECTOR // 8
_HOST, _EMPTY, _GUEST = 1, 2, 3


def _sector(number: int, who: int) -> bytes:
    return witness.words(who, number * _WORDS, _WORDS)


def _image(second_half: int) -> bytes:
    half = SECTORS // 2
    who = [_HOST] * half + [second_half] * half
    return b"".join(_sector(number, one) for number, one in enumerate(who))


def create(folder: Path) -> None:
    """The file that QEMU is given."""
    (folder / IMAGE).write_bytes(_image(_EMPTY))


def wrong(folder: Path) -> str:
    """What is not as the guest ought to leave it, in words; "": nothing."""
    got, want = (folder / IMAGE).read_bytes(), _image(_GUEST)
    if len(got) != len(want):
        return f"{IMAGE} has {len(got)} bytes instead of {len(want)}"
    differ = [n for n in range(SECTORS) if _part(got, n) != _part(want, n)]
    if not differ:
        return ""
    return f"{IMAGE}: {len(differ)} of {SECTORS} sectors are wrong, sector {differ[0]} the first"


def _part(image: bytes, number: int) -> bytes:
    return image[number * _SECTOR : (number + 1) * _SECTOR]


def judge(folder: Path, results: Iterable[CaseResult]) -> None:
    """The host's word on the case that wrote; a file that is right is not kept."""
    text = wrong(folder)
    witness.overrule(witness.passed(results, SUITE, CASE), text)
    if not text:
        (folder / IMAGE).unlink()
