# SPDX-License-Identifier: GPL-2.0
"""What a release's number claims, and what it does not."""

from dataclasses import replace
from typing import Any

import pytest
from fixes import FIX, listed

from coco import audit
from coco.releases import CLAIMED, NOT_APPLICABLE, NOT_CLAIMED, UNKNOWN, Release, by_release

CARRIED = replace(FIX, mainline="v6.9", stable=("5.10.199", "6.1.60", "6.6.31"))
HAS = ("none", "sev", "sev-es")


@pytest.mark.parametrize(
    ("version", "word", "why"),
    [
        ((6, 12, 117), CLAIMED, "mainline had it, in v6.9"),
        ((6, 9), CLAIMED, "mainline had it, in v6.9"),
        ((6, 1, 60), CLAIMED, "6.1.60 and later releases of 6.1"),
        ((6, 1, 192), CLAIMED, "6.1.60 and later releases of 6.1"),
        ((6, 1, 8), NOT_CLAIMED, "first release of 6.1 that carries it is 6.1.60"),
        ((5, 15, 135), UNKNOWN, "no release of 5.15 is known to carry it"),
    ],
)
def test_number(version: tuple[int, ...], word: str, why: str) -> None:
    found = by_release(CARRIED, Release(version, HAS))
    assert found[0] == word
    assert why in found[1]


def test_an_inferred_release_says_so() -> None:
    inferred = replace(CARRIED, inferred=True)
    assert "as far as is known" in by_release(inferred, Release((6, 12), HAS))[1]


def test_a_kernel_without_the_technology_needs_no_fix() -> None:
    tdx = replace(CARRIED, technologies=("tdx",))
    assert by_release(tdx, Release((6, 12), HAS))[0] == NOT_APPLICABLE
    everybody = replace(CARRIED, technologies=("any",))
    assert by_release(everybody, Release((6, 12), HAS))[0] == CLAIMED


def test_behaviour_beats_the_number() -> None:
    run: dict[str, Any] = {"name": "sev-es", "personality": "sev-es", "vcpus": 1}
    case = {"id": FIX.cases[0].case, "status": "fail", "message": "", "diagnostics": ["x"]}
    document = {"runs": [{**run, "cases": [case]}]}
    release = Release((6, 12, 1), HAS)
    assert audit.verdict_of(CARRIED, None, None, release)[0] == CLAIMED
    assert audit.verdict_of(CARRIED, None, document, release)[0] == audit.NOT_FIXED


def test_a_fix_of_code_that_is_lacking_is_not_taken_for_fixed() -> None:
    """Its cases pass, as there is nothing to mend; a source would have told."""
    first = replace(FIX, id="first", cases=(replace(FIX.cases[0], case="alpha.first"),))
    later = replace(FIX, id="later", prerequisites=("first",))
    run: dict[str, Any] = {"name": "sev-es", "personality": "sev-es", "vcpus": 1}
    texts: dict[str, Any] = {"message": "", "diagnostics": ["x"]}
    failed = {"id": "alpha.first", "status": "fail", **texts}
    passed = {"id": FIX.cases[0].case, "status": "pass", **texts}
    document = {"runs": [{**run, "cases": [failed, passed]}]}
    (one,) = audit.audit(listed(first, later), [later], None, document, Release((6, 1), HAS))
    assert one.verdict == audit.NOT_APPLICABLE
    assert one.why.startswith("it mends first, which is lacking; passed: ")


def test_release_of_results_is_upstreams() -> None:
    kernel = {"name": "Debian 5.10.262-1 (cloud)", "release": "5.10.0-46-cloud-amd64"}
    release = audit.release_of({"kernel": {**kernel, "technologies": ["none"]}})
    assert release == Release((5, 10, 262), ("none",))
