# SPDX-License-Identifier: GPL-2.0
"""The order of Debian package versions, as deb-version(7) defines it."""

import functools
import re

_WORDS = re.compile(r"(\D*)(\d*)")


def compare(left: str, right: str) -> int:
    """Negative, 0 or positive, as left is older than, equal to or newer than right."""
    for one, other in zip(_split(left), _split(right)):
        order = _compare_part(one, other)
        if order:
            return order
    return 0


sort_key = functools.cmp_to_key(compare)


def _split(version: str) -> tuple[str, str, str]:
    """Epoch, upstream version, Debian revision."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, dash, revision = rest.rpartition("-")
    return (epoch, upstream, revision) if dash else (epoch, rest, "")


def _compare_part(left: str, right: str) -> int:
    """Text by text and number by number; '~' is older than the end."""
    while left or right:
        one, other = _WORDS.match(left), _WORDS.match(right)
        assert one and other
        texts = [[*map(_weight, one[1]), 0], [*map(_weight, other[1]), 0]]
        if texts[0] != texts[1]:
            return 1 if texts[0] > texts[1] else -1
        numbers = int(one[2] or 0), int(other[2] or 0)
        if numbers[0] != numbers[1]:
            return 1 if numbers[0] > numbers[1] else -1
        left, right = left[one.end() :], right[other.end() :]
    return 0


def _weight(char: str) -> int:
    """'~' before the end of the word (0), letters before all other signs."""
    if char == "~":
        return -1
    return ord(char) if char.isalpha() else ord(char) + 256
