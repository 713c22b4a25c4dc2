# SPDX-License-Identifier: GPL-2.0
"""Kernel images, trees and builds that are just enough for the providers."""

import gzip
import struct
from pathlib import Path

RELEASE = "6.99.1-test"
BOOTABLE = """\
CONFIG_X86_64=y
CONFIG_BLK_DEV_INITRD=y
CONFIG_BINFMT_ELF=y
CONFIG_PRINTK=y
CONFIG_PROC_FS=y
CONFIG_SYSFS=y
CONFIG_TMPFS=y
CONFIG_TTY=y
"""
MODULES = """\
CONFIG_MODULES=y
CONFIG_MODULE_UNLOAD=y
CONFIG_KALLSYMS=y
CONFIG_KPROBES=y
"""
# A source with a fix, and the recipe that takes it out
FIXED = """\
int handler(int user)
{
\tif (user)
\t\treturn -1;

\treturn 0;
}
"""
TAKES_OUT = """\
@@
expression user;
@@
- if (user)
-\treturn -1;
"""


def image(release: str = RELEASE, code: bytes = b"code", *, is_64bit: bool = True) -> bytes:
    """A bzImage that holds code, compressed, and says release."""
    payload = gzip.compress(code, mtime=0) + struct.pack("<I", len(code))
    setup_sectors = 1
    header = bytearray((setup_sectors + 1) * 512)
    header[0x1F1] = setup_sectors
    header[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", header, 0x20E, 0x300 - 0x200)
    header[0x300 : 0x300 + len(release) + 12] = release.encode() + b" (me@here) #1"[:12]
    struct.pack_into("<H", header, 0x236, 1 if is_64bit else 0)
    struct.pack_into("<II", header, 0x248, 0, len(payload))
    return bytes(header) + payload


def headers(folder: Path, release: str = RELEASE, config: str = BOOTABLE + MODULES) -> Path:
    """A folder to build modules against."""
    (folder / "include/generated").mkdir(parents=True)
    (folder / "include/generated/utsrelease.h").write_text(f'#define UTS_RELEASE "{release}"\n')
    (folder / "Module.symvers").touch()
    (folder / "Makefile").write_text("modules:\n")
    (folder / ".config").write_text(config)
    return folder


def build(folder: Path, release: str = RELEASE, config: str = BOOTABLE + MODULES) -> Path:
    """A finished build."""
    headers(folder, release, config)
    (folder / "arch/x86/boot").mkdir(parents=True)
    (folder / "arch/x86/boot/bzImage").write_bytes(image(release))
    return folder


def tree(folder: Path, version: str = "6.99", arch: str = "x86") -> Path:
    """The top of a kernel tree."""
    number, level = version.split(".")
    for name in ("init/main.c", "Kconfig", f"arch/{arch}/Kconfig"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "Makefile").write_text(f"VERSION = {number}\nPATCHLEVEL = {level}\nSUBLEVEL = 1\n")
    return folder


def module(path: Path, release: str = RELEASE, text: bytes = b"code") -> Path:
    """Something that says what kernel it is for, as a module does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x7fELF" + text + b"\0vermagic=" + release.encode() + b" SMP \0")
    return path
