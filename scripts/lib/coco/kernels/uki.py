# SPDX-License-Identifier: GPL-2.0
"""Unified kernel images (UAPI group, UKI): a boot loader's stub, with a kernel, an initrd and a
command line as sections of the same PE file.

The kernel in it is tested like any other; and a guest can be started with the image as a whole,
its own stub first (suites with "image: uki").  Initrd and command line are then the tests'.
"""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from coco import cache, command

# For kernels that come without one: systemd's (Debian: systemd-boot-efi)
STUB = Path("/usr/lib/systemd/boot/efi/linuxx64.efi.stub")

_DOS = b"MZ"
_PE = b"PE\0\0"
_SECTION = 40  # bytes of an entry in the section table
_IMAGE_BASE = 48  # where it is, behind the PE signature
_PAGE = 4096


@dataclass(frozen=True)
class Section:
    """A section of a PE file."""

    address: int  # in memory, from the image's base
    size: int
    content: bytes


def kernel_in(data: bytes) -> bytes | None:
    """The bzImage in it; None if this is no UKI."""
    linux = _sections(data).get(".linux")
    return linux.content if linux else None


def _sections(data: bytes) -> dict[str, Section]:
    """By name (Microsoft PE format: DOS header, COFF header, section table)."""
    header = _header(data)
    if not header:
        return {}
    count, optional = (struct.unpack_from("<H", data, header + at)[0] for at in (6, 20))
    table = header + 24 + optional
    if len(data) < table + count * _SECTION:
        return {}
    found = {}
    for number in range(count):
        at = table + number * _SECTION
        name = data[at : at + 8].rstrip(b"\0").decode("ascii", "replace")
        size, address, raw, start = struct.unpack_from("<IIII", data, at + 8)
        found[name] = Section(address, size, data[start : start + min(size, raw)])
    return found


def _header(data: bytes) -> int:
    """Where the PE signature is; 0 if there is none."""
    if data[:2] != _DOS or len(data) < 0x40:
        return 0
    at = int(struct.unpack_from("<I", data, 0x3C)[0])
    return at if data[at : at + 4] == _PE and len(data) >= at + _IMAGE_BASE + 8 else 0


def image(stub: Path, kernel: Path, initrd: Path, words: str) -> Path:
    """An image of a stub, or of a UKI's own, with these in it; all guests share one."""
    digest = hashlib.sha256(words.encode())
    for path in (stub, kernel, initrd):
        digest.update(hashlib.sha256(path.read_bytes()).digest())

    def build(folder: Path) -> None:
        (folder / "cmdline").write_text(words, encoding="utf-8")
        parts = {".cmdline": folder / "cmdline", ".linux": kernel, ".initrd": initrd}
        pack(stub, parts, folder / "linux.efi")

    path = cache.entry("unified", digest.hexdigest()[:20], build) / "linux.efi"
    cache.prune("unified", keep=8)
    return path


def pack(stub: Path, parts: Mapping[str, Path], target: Path) -> None:
    """An image of a stub, or of a UKI's own, with these files as sections (".linux", ...).

    A section that was there is replaced.  New ones lie behind all that were, a page's beginning
    each: the stub looks for them by name.
    """
    data = stub.read_bytes()
    base = struct.unpack_from("<Q", data, _header(data) + _IMAGE_BASE)[0]
    there = _sections(data)
    place = max((one.address + one.size for one in there.values()), default=0)
    words = []
    for name, file in parts.items():
        place = -(-place // _PAGE) * _PAGE
        words += [f"--remove-section={name}"] if name in there else []
        words += [f"--add-section={name}={file}", f"--set-section-flags={name}=data,readonly"]
        words += [f"--change-section-vma={name}={base + place:#x}"]
        place += file.stat().st_size
    command.output(["objcopy", *words, str(stub), str(target)], "packing a unified kernel image")
