# SPDX-License-Identifier: GPL-2.0
"""What the host says of data that a guest's device carried (selftests/memory/word.h)."""

import struct
from collections.abc import Iterable

from coco.model import CaseResult


def words(who: int, first: int, count: int) -> bytes:
    """So many 64-bit words from the one of that number on, as who writes them."""
    values = (
        ((who << 48) ^ index) * 0x9E3779B97F4A7C15 & (1 << 64) - 1
        for index in range(first, first + count)
    )
    return struct.pack(f"<{count}Q", *values)


def passed(results: Iterable[CaseResult], suite: str, case: str) -> list[CaseResult]:
    """The results of this case in which the guest found nothing wrong."""
    return [r for r in results if (r.suite, r.case, r.status) == (suite, case, "pass")]


def overrule(results: Iterable[CaseResult], text: str) -> None:
    """The host has the last word; "": it agrees."""
    for result in results:
        if text:
            result.status, result.cause, result.message = "fail", "assertion", text
