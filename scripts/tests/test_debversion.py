# SPDX-License-Identifier: GPL-2.0
"""Debian's version order, with dpkg itself as the oracle."""

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coco.debversion import compare, sort_key

OLD_TO_NEW = [
    "5.10.262-1",
    "6.1.0-0.deb11.52",
    "6.12.95-1~bpo12+1",
    "6.12.117-1~deb12u1",
    "6.12.117-1",
    "6.12.117-1.1",
    "7.3.4~rc1-1",
    "7.3.4-1~bpo13+1",
    "7.3.4-1",
    "7.10.1-1",
    "1:0.1-1",
]

VERSIONS = st.from_regex(r"([0-9]:)?[0-9][0-9a-z.+~]{0,6}(-[0-9a-z.+~]{1,4})?", fullmatch=True)


def test_kernels_in_order() -> None:
    assert sorted(reversed(OLD_TO_NEW), key=sort_key) == OLD_TO_NEW


@pytest.mark.skipif(not shutil.which("dpkg"), reason="no dpkg to compare with")
@settings(max_examples=80, deadline=None)
@given(VERSIONS, VERSIONS)
def test_dpkg_agrees(left: str, right: str) -> None:
    order = compare(left, right)
    word = "lt" if order < 0 else "gt" if order > 0 else "eq"
    done = subprocess.run(["dpkg", "--compare-versions", left, word, right], check=False)
    assert done.returncode == 0
    assert compare(right, left) == -order or (order != 0 and compare(right, left) * order < 0)
