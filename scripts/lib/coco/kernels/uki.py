# SPDX-License-Identifier: GPL-2.0
"""The kernel inside a unified kernel image: section .linux of a PE file (UAPI group, UKI).

Its initrd and command line are left aside: the machine brings its own.
"""

import struct

_DOS = b"MZ"
_PE = b"PE\0\0"
_SECTION = 40  # bytes of an entry in the section table


def kernel_in(data: bytes) -> bytes | None:
    """The bzImage in it; None if this is no UKI."""
    return _sections(data).get(".linux")


def _sections(data: bytes) -> dict[str, bytes]:
    """name -> content (Microsoft PE format: DOS header, COFF header, section table)."""
    if data[:2] != _DOS or len(data) < 0x40:
        return {}
    header = struct.unpack_from("<I", data, 0x3C)[0]
    if data[header : header + 4] != _PE or len(data) < header + 24:
        return {}
    count, optional = (struct.unpack_from("<H", data, header + at)[0] for at in (6, 20))
    table = header + 24 + optional
    if len(data) < table + count * _SECTION:
        return {}
    found = {}
    for number in range(count):
        at = table + number * _SECTION
        name = data[at : at + 8].rstrip(b"\0").decode("ascii", "replace")
        size, _, raw, start = struct.unpack_from("<IIII", data, at + 8)
        found[name] = data[start : start + min(size, raw)]
    return found
