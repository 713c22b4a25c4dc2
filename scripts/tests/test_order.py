# SPDX-License-Identifier: GPL-2.0
"""A program's lines come late; the kernel's log says to which case its words belong."""

import pytest

from coco import attribute, stream
from coco.model import SELFTEST, Item, Stop

ITEM = Item("alpha", SELFTEST, ("one", "two"))
HEAD = ["i|ready", "i|begin alpha", "t|KTAP version 1", "t|1..2"]
TAIL = ["i|end alpha rc=1", "i|done", "m|end exit code=0"]
ONE = ["t|# RUN  one ...", "t|ok 1 one"]
TWO = ["t|# RUN  two ...", "t|ok 2 two"]
MARK_ONE, MARK_TWO = "k|[ 1.000000] coco: running one", "k|[ 1.000001] coco: running two"
OOPS = "k|[ 1.000002] Oops: 0000"
BREACH = "m|breach kind=x : the host reads it"


def outcome(lines: list[str]) -> dict[str, str]:
    """What each case got, or "again" if it is to run in another boot."""
    records = [stream.parse_record(line, number) for number, line in enumerate(lines)]
    told = attribute.attribute(records, [ITEM], Stop(), [], 1)
    again = {case: "again" for item in told.remaining for case in item.cases}
    return again | {r.case: f"{r.status} {r.cause}".strip() for r in told.results}


@pytest.mark.parametrize("word", [OOPS, BREACH])
@pytest.mark.parametrize(
    "middle",
    [
        [MARK_ONE, *ONE, MARK_TWO, "?", *TWO],  # all in time
        [MARK_ONE, *ONE, TWO[0], MARK_TWO, "?", TWO[1]],
        [MARK_ONE, ONE[0], MARK_TWO, "?", ONE[1], *TWO],  # one's result comes late
        [MARK_ONE, MARK_TWO, "?", *ONE, *TWO],
        [*ONE, *TWO, MARK_ONE, MARK_TWO, "?"],  # the log comes late, as without coco.ko
        [*ONE, TWO[0], "?", TWO[1]],  # no mark: a program that may not write the log
    ],
)
def test_word_against_a_case_finds_it_however_late_the_rest_is(
    middle: list[str], word: str
) -> None:
    lines = [word if line == "?" else line for line in [*HEAD, *middle, *TAIL]]
    cause = "oops" if word == OOPS else "breach"
    assert outcome(lines) == {"one": "pass", "two": f"fail {cause}"}


@pytest.mark.parametrize(
    "middle",
    [
        ["?", MARK_ONE, *ONE, MARK_TWO, *TWO],  # before any case: the first to come
        [MARK_ONE, "?", *ONE, MARK_TWO, *TWO],
        [MARK_ONE, ONE[0], "?", MARK_TWO, ONE[1], *TWO],  # one's result comes late
        [MARK_ONE, "?", MARK_TWO, *ONE, *TWO],
        [*ONE, *TWO, MARK_ONE, "?", MARK_TWO],  # the log comes late
    ],
)
def test_word_against_the_first_case_is_not_the_seconds(middle: list[str]) -> None:
    lines = [OOPS if line == "?" else line for line in [*HEAD, *middle, *TAIL]]
    assert outcome(lines) == {"one": "fail oops", "two": "pass"}


def test_end_of_the_guest_is_the_case_that_the_log_named_last() -> None:
    lines = [*HEAD, MARK_ONE, ONE[0], MARK_TWO, "m|end panic : died"]
    assert outcome(lines) == {"one": "again", "two": "fail panic"}


def test_splat_of_a_case_whose_result_was_lost_is_not_the_culprits() -> None:
    lines = [*HEAD, MARK_ONE, ONE[0], OOPS, MARK_TWO, "m|end reset : gone"]
    assert outcome(lines) == {"one": "again", "two": "fail reset"}
