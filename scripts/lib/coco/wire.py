# SPDX-License-Identifier: GPL-2.0
"""What went over the wire between a guest's two network cards, as the host saw it.

QEMU's filter-dump writes each frame to a file of pcap's.  Those that the guest's first card
sent have to be there, each once, in order and as they were made
(selftests/memory/virtio_net.c makes them).
"""

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from coco import witness
from coco.model import CaseResult

DEVICE = "virtio_net"  # in qemu.DEVICES
DUMP = "wire.pcap"
SUITE, CASE = "virtio_net", "host_sees_what_the_guest_sends"
ADDRESSES = ("02:c0:c0:00:00:01", "02:c0:c0:00:00:02")

SIZES = (60, 61, 1514, 2047, 2048, 2049, 4096, 4097, 9014)
FRAMES = 126
_TYPE = 0x88B5
_FRAME_WORDS = 2048
_FILE_HEADER, _RECORD_HEADER = 24, struct.Struct("<IIII")


def _address(card: int) -> bytes:
    return bytes.fromhex(ADDRESSES[card].replace(":", ""))


def frame(card: int, number: int) -> bytes:
    """The frame of that number that this card sends to the other one."""
    size = SIZES[number % len(SIZES)]
    header = _address(1 - card) + _address(card) + struct.pack(">HHH", _TYPE, number, size)
    content = witness.words(card + 1, number * _FRAME_WORDS, (size + 7) // 8)
    return header + content[: size - len(header)]


def _frames(dump: bytes) -> Iterator[bytes]:
    at = _FILE_HEADER
    while at + _RECORD_HEADER.size <= len(dump):
        kept = _RECORD_HEADER.unpack_from(dump, at)[2]
        at += _RECORD_HEADER.size
        yield dump[at : at + kept]
        at += kept


def wrong(folder: Path) -> str:
    """What the first card did not send as it ought to, in words; "": nothing."""
    try:
        dump = (folder / DUMP).read_bytes()
    except FileNotFoundError:
        return f"QEMU wrote no {DUMP}"
    ours = _address(0) + struct.pack(">H", _TYPE)
    got = [one for one in _frames(dump) if one[6:14] == ours]
    if len(got) != FRAMES:
        return f"{DUMP}: {len(got)} frames instead of {FRAMES}"
    differ = [number for number, one in enumerate(got) if one != frame(0, number)]
    if not differ:
        return ""
    return f"{DUMP}: {len(differ)} of {FRAMES} frames are wrong, frame {differ[0]} the first"


def judge(folder: Path, results: Iterable[CaseResult]) -> None:
    """The host's word on the case that sent; a dump in which all is right is not kept."""
    sent = witness.passed(results, SUITE, CASE)
    text = wrong(folder) if sent else ""
    witness.overrule(sent, text)
    if not text:
        (folder / DUMP).unlink(missing_ok=True)
