# SPDX-License-Identifier: GPL-2.0
"""Words and names that everything else shares."""

import pytest

from coco import model


@pytest.mark.parametrize(
    ("case", "covered"),
    [("vc.in", True), ("vc.in.byte", True), ("vc.ins", False), ("vc", False), ("vc.out", False)],
)
def test_name_covers_the_case_and_its_parameters(case: str, covered: bool) -> None:
    assert model.covers("vc.in", case) is covered


@pytest.mark.parametrize(
    ("names", "text"),
    [("", ""), ("ab", "a, b"), ("abc", "a, b, c"), ("abcde", "a, b, c and 2 more")],
)
def test_names_are_told_as_far_as_there_is_room(names: str, text: str) -> None:
    assert model.some(names) == text
