# SPDX-License-Identifier: GPL-2.0
"""Unpack an RPM without rpm: lead, signature, header, then a compressed cpio archive.

The layout and the tags are those of version 3 and 4 packages (rpm's manual, "Package format").
"""

import bz2
import datetime
import gzip
import lzma
import stat
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

from coco import command, parts
from coco.errors import InfrastructureError, UsageError
from coco.kernels import unpacked

_LEAD = b"\xed\xab\xee\xdb"
_LEAD_SIZE = 96
_HEADER = b"\x8e\xad\xe8"
_CHANGELOG_TIME, _CHANGELOG_NAME, _CHANGELOG_TEXT = 1080, 1081, 1082  # tags


@dataclass(frozen=True)
class _Header:
    """A header structure: tags, and the store that their values lie in."""

    places: dict[int, tuple[int, int]]  # tag -> offset in the store, number of values
    store: bytes
    end: int  # in the package

    def strings(self, tag: int) -> list[str]:
        """The values of a tag of strings."""
        at, count = self.places.get(tag, (0, 0))
        values = self.store[at:].split(b"\0", count)[:count]
        return [value.decode("utf-8", errors="replace") for value in values]

    def numbers(self, tag: int) -> list[int]:
        """The values of a tag of 32-bit numbers, as far as they are there."""
        at, count = self.places.get(tag, (0, 0))
        data = self.store[at : at + 4 * count]
        return [number for (number,) in struct.iter_unpack(">I", data[: len(data) & ~3])]


def unpack(package: Path, folder: Path) -> None:
    """Put the package's files below folder, and keep its changelog."""
    data = package.read_bytes()
    header = _main_header(data, package)
    archive = _decompress(data[header.end :], package)
    folder.mkdir(parents=True, exist_ok=True)
    _check_members(archive, package)
    argv = ["cpio", "-idmu", "--quiet", "--no-absolute-filenames"]
    try:
        done = subprocess.run(argv, cwd=folder, input=archive, capture_output=True, check=False)
    except FileNotFoundError as error:
        hint = f"run `{parts.program()} deps` as root"
        raise InfrastructureError("cpio is not installed", hint) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise UsageError(f"{package} does not unpack: {said.splitlines()[-1] if said else 'cpio'}")
    changelog = _changelog(header)
    if changelog:
        unpacked.keep_changelog(folder, gzip.compress(changelog.encode()))


def _check_members(archive: bytes, package: Path) -> None:
    """No member may lie behind a link of the same archive, where cpio would follow it out.

    The format is that of cpio(5), "New ASCII Format": 110 bytes of hexadecimal fields, a name
    and the data, each padded to four bytes.
    """
    links: set[Path] = set()
    at = 0
    while archive[at : at + 5] == b"07070":
        try:
            mode, size, length = (
                int(archive[at + 6 + 8 * field : at + 14 + 8 * field], 16) for field in (1, 6, 11)
            )
        except ValueError as error:
            raise UsageError(f"{package} is damaged: no cpio header at byte {at}") from error
        raw = archive[at + 110 : at + 110 + length].rstrip(b"\0")
        name = Path("/", raw.decode("utf-8", errors="surrogateescape"))
        if ".." in name.parts or any(parent in links for parent in name.parents):
            raise UsageError(f"{package}: {name} leads out of the package")
        if stat.S_ISLNK(mode):
            links.add(name)
        data = at + 110 + length + -(110 + length) % 4
        at = data + size + -size % 4


def _main_header(data: bytes, package: Path) -> _Header:
    """The one behind the signature; the archive is behind it."""
    if data[:4] != _LEAD:
        raise UsageError(f"{package} is no RPM package, or damaged")
    at = _header(data, _LEAD_SIZE, package).end
    return _header(data, at + -at % 8, package)  # the signature is padded


def _header(data: bytes, at: int, package: Path) -> _Header:
    """The header structure at a byte: 16 bytes, 16 for each tag, and the store."""
    if data[at : at + 3] != _HEADER or len(data) < at + 16:
        raise UsageError(f"{package} is damaged: no header at byte {at}")
    tags, size = struct.unpack_from(">II", data, at + 8)
    store = at + 16 + 16 * int(tags)
    end = store + int(size)
    if len(data) < end:
        raise UsageError(f"{package} is damaged: the header at byte {at} is cut off")
    index = struct.iter_unpack(">IIII", data[at + 16 : store])
    places = {tag: (offset, count) for tag, _, offset, count in index}
    return _Header(places, data[store:end], end)


def _changelog(header: _Header) -> str:
    """As `rpm -q --changelog` prints it, the newest first."""
    times = header.numbers(_CHANGELOG_TIME)
    names = header.strings(_CHANGELOG_NAME)
    texts = header.strings(_CHANGELOG_TEXT)
    days = [datetime.datetime.fromtimestamp(time, datetime.timezone.utc) for time in times]
    items = zip(days, names, texts, strict=False)
    return "".join(f"* {day:%a %b %d %Y} {name}\n{text}\n\n" for day, name, text in items)


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
