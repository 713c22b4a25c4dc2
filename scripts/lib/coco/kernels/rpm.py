# SPDX-License-Identifier: GPL-2.0
"""Unpack an RPM without rpm: lead, signature, header, then a compressed cpio archive.

The layout is that of version 3 and 4 packages (rpm's manual, "Package format").
"""

import bz2
import lzma
import struct
import subprocess
import zlib
from pathlib import Path

from coco import command
from coco.errors import InfrastructureError, UsageError

_LEAD = b"\xed\xab\xee\xdb"
_LEAD_SIZE = 96
_HEADER = b"\x8e\xad\xe8"


def unpack(package: Path, folder: Path) -> None:
    """Put the package's files below folder."""
    archive = _decompress(payload(package.read_bytes(), package), package)
    folder.mkdir(parents=True, exist_ok=True)
    argv = ["cpio", "-idmu", "--quiet", "--no-absolute-filenames"]
    try:
        done = subprocess.run(argv, cwd=folder, input=archive, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise InfrastructureError("cpio is not installed", "run `coco deps` as root") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise UsageError(f"{package} does not unpack: {said.splitlines()[-1] if said else 'cpio'}")


def payload(data: bytes, package: Path) -> bytes:
    """The compressed archive behind the headers."""
    if data[:4] != _LEAD:
        raise UsageError(f"{package} is no RPM package, or damaged")
    at = _after_header(data, _LEAD_SIZE, package)
    at += -at % 8  # the signature is padded
    return data[_after_header(data, at, package) :]


def _after_header(data: bytes, at: int, package: Path) -> int:
    """Where a header structure ends: 16 bytes, 16 for each entry, and its data."""
    if data[at : at + 3] != _HEADER or len(data) < at + 16:
        raise UsageError(f"{package} is damaged: no header at byte {at}")
    entries, size = struct.unpack_from(">II", data, at + 8)
    return at + 16 + 16 * int(entries) + int(size)


def _decompress(data: bytes, package: Path) -> bytes:
    try:
        if data[:2] == b"\x1f\x8b":
            return zlib.decompressobj(wbits=31).decompress(data)
        if data[:6] == b"\xfd7zXZ\0" or data[:3] == b"\x5d\0\0":
            return lzma.decompress(data)
        if data[:3] == b"BZh":
            return bz2.decompress(data)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise UsageError(f"{package} is damaged: its payload does not decompress") from error
    if data[:4] == b"\x28\xb5\x2f\xfd":
        return command.filtered(["zstd", "-dcq"], data, f"decompressing {package.name}")
    if data[:6] == b"070701":
        return data
    raise UsageError(f"{package}: unknown compression {data[:4].hex()}")
