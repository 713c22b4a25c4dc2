# SPDX-License-Identifier: GPL-2.0
"""The counts of coco test."""

import pytest

from coco import gate

KTAP = "KTAP version 1\n1..2\nok 1 a\nok 2 b # SKIP c\n"


@pytest.mark.parametrize(
    ("status", "text", "counts"),
    [
        (0, KTAP, (1, 0, 1)),
        (1, KTAP, (1, 1, 1)),
        (0, KTAP.replace("ok 1", "not ok 1"), (0, 1, 1)),
        (0, KTAP.replace("1..2", "1..3"), (1, 1, 1)),
        (0, "", (0, 0, 0)),
    ],
)
def test_counts_of_a_document(status: int, text: str, counts: tuple[int, int, int]) -> None:
    found = gate._count_ktap(status, text)
    assert (found.passed, found.failed, found.skipped) == counts
