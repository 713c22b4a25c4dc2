# SPDX-License-Identifier: GPL-2.0
"""What each side of a proof has to run."""

from coco.catalogue.fix import Flip
from coco.expect import BOOT, KUNIT, Case, Expectations, Suite
from coco.prove import sides

ALL = ("none", "sev", "sev-es")
WRITTEN = Expectations(
    {
        "boot": Suite("boot", BOOT, "", (Case("reaches_init"),)),
        "alpha": Suite("alpha", KUNIT, "", (Case("holds"), Case("ends", fatal=True))),
    }
)


def personalities(*flips: Flip) -> tuple[str, ...]:
    return sides.wanted(flips, WRITTEN, ALL).personalities


def test_one_case_may_fail_in_another_way_elsewhere() -> None:
    one = Flip("alpha.holds", "fail", ("sev",), cause="oops")
    two = Flip("alpha.holds", "fail", ("sev-es",), cause="shutdown")
    assert personalities(one, two) == ("sev", "sev-es")


def test_a_boot_that_fails_has_the_plain_guest_for_a_control() -> None:
    assert personalities(Flip("boot.reaches_init", "fail", ("sev-es",))) == ("none", "sev-es")


def test_a_plain_guest_that_does_not_boot_has_another_for_a_control() -> None:
    assert personalities(Flip("boot.reaches_init", "fail", ("none",))) == ("none", "sev")


def test_of_cases_that_end_the_guest_only_the_named_ones_run() -> None:
    assert sides.wanted([Flip("alpha.holds", "fail")], WRITTEN, ALL).cases == {"alpha.holds"}
