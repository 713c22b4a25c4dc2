# SPDX-License-Identifier: GPL-2.0
"""What a kernel image says about itself.

The header is described in Documentation/arch/x86/boot.rst ("The Real-Mode
Kernel Header"); offsets below are from there.
"""

import bz2
import hashlib
import lzma
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coco import command, config
from coco.errors import UsageError

MAGIC = b"HdrS"
_HEADER_END = 0x268  # behind the last field that is read
_ELF_MACHINES = {0x28: "arm", 0xB7: "arm64", 0x3: "i386", 0x15: "powerpc", 0x16: "s390"}


class Image:
    """A bzImage in memory."""

    def __init__(self, path: Path) -> None:
        try:
            self.data = path.read_bytes()
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}") from error
        if self.data[0x202:0x206] != MAGIC or len(self.data) < _HEADER_END:
            raise UsageError(
                f"{path} is {_what(self.data)}, not an x86 kernel image (bzImage)",
                "give the file that the distribution names vmlinuz-<release>",
            )
        self.path = path
        self.sha256 = hashlib.sha256(self.data).hexdigest()

    @property
    def release(self) -> str:
        """What uname -r will print."""
        return _banner(self.data).split(" ")[0]

    @property
    def is_64bit(self) -> bool:
        """xloadflags (0x236) bit 0: the kernel has the 64-bit entry point."""
        return bool(struct.unpack_from("<H", self.data, 0x236)[0] & 1)

    def payload(self) -> bytes:
        """The kernel proper, decompressed (payload_offset 0x248, payload_length 0x24c)."""
        setup = (self.data[0x1F1] or 4) + 1
        offset, length = struct.unpack_from("<II", self.data, 0x248)
        start = setup * 512 + offset
        return _decompress(self.data[start : start + length], self.path)

    def configuration(self) -> dict[str, str]:
        """The configuration in the image (kernel/configs.c, CONFIG_IKCONFIG=y); {} if none is."""
        code = self.payload()
        begin = code.find(b"IKCFG_ST\x1f\x8b")
        if begin < 0:
            return {}
        try:
            packed = code[begin + len(b"IKCFG_ST") :]
            text = zlib.decompressobj(wbits=31).decompress(packed)
        except zlib.error:
            return {}
        return config.parse(text.decode("utf-8", "replace"))


def technologies(image: Image, options: Mapping[str, str]) -> tuple[str, ...]:
    """The personalities that the kernel has code for.

    Asked of the code that is there, not of the version: vendors backport.  The
    words are those that the kernel prints when it finds itself in such a guest.
    """
    found = ["none"]
    code = image.payload()
    if options.get("AMD_MEM_ENCRYPT") == "y":
        found.append("sev")
        if b" SEV-ES\0" in code:
            found.append("sev-es")
        if b" SEV-SNP\0" in code:
            found.append("sev-snp")
    if options.get("INTEL_TDX_GUEST") == "y" or b"tdx: Guest detected" in code:
        found.append("tdx")
    return tuple(found)


def _decompress(data: bytes, path: Path) -> bytes:
    """All compressions that CONFIG_KERNEL_* offers; the last 4 bytes may be the size."""
    if data[:4] == b"\x7fELF":
        return data
    try:
        known: tuple[tuple[bytes, Any], ...] = (
            (b"\x1f\x8b", zlib.decompressobj(wbits=31)),
            (b"\xfd7zXZ\0", lzma.LZMADecompressor()),
            (b"BZh", bz2.BZ2Decompressor()),
            (b"\x5d\0\0", lzma.LZMADecompressor(lzma.FORMAT_ALONE)),
        )
        for magic, decompressor in known:
            if data.startswith(magic):
                code: bytes = decompressor.decompress(data)
                if not decompressor.eof:
                    raise EOFError
                return code
        for magic, tool in ((b"\x28\xb5\x2f\xfd", "zstd"), (b"\x02\x21\x4c\x18", "lz4")):
            if data.startswith(magic):
                return command.filtered([tool, "-dcq"], data[:-4], "unpacking the kernel")
    except (OSError, EOFError, lzma.LZMAError, zlib.error, command.CommandFailed) as error:
        raise UsageError(f"{path} is damaged: its payload does not decompress") from error
    raise UsageError(f"{path}: unknown kernel compression {data[:4].hex()}")


def banner(path: Path) -> str:
    """What /proc/version of the kernel in that file will say."""
    with path.open("rb") as file:
        return _banner(file.read(0x8000))


def _banner(head: bytes) -> str:
    """From the image's header (kernel_version, boot.rst)."""
    offset = int.from_bytes(head[0x20E:0x210], "little") + 0x200
    return head[offset : offset + 512].split(b"\0")[0].decode(errors="replace")


def _what(data: bytes) -> str:
    """A word for a file that is no bzImage."""
    if data[:4] == b"\x7fELF":
        machine = struct.unpack_from("<H", data, 18)[0] if len(data) > 20 else 0
        if machine == 0x3E:
            return "an ELF file (vmlinux?)"
        return f"an ELF file for {_ELF_MACHINES.get(machine, hex(machine))}"
    if data[0x38:0x3C] == b"ARMd":
        return "an arm64 kernel"
    if data[:2] == b"\x1f\x8b":
        return "a gzip file (an arm64 kernel?)"
    if data[:8] == b"!<arch>\n":
        return "a Debian package whose name does not end in .deb"
    return "something else"
