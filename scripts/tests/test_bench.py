# SPDX-License-Identifier: GPL-2.0
"""The figures of coco bench, the counts of coco test, and work side by side."""

import threading
import time

import pytest

from coco import bench, gate, schedule

FIGURES = {
    "plain": bench.Figures(boots=[3.0, 2.0, 9.0], costs={"nothing": 10}),
    "sev-es": bench.Figures(
        boots=[4.0, 4.5, 3.9],
        exits=bench.exits({"vc 0x72": 3, "vc 0x7b": 4, "ghcb 0x72": 2}),
        costs={"nothing": 10, "call": 40000, "cpuid_of_the_host": 120000},
    ),
}


def test_boot_is_a_ratio_of_medians() -> None:
    lines = bench.boot_table(FIGURES)
    assert any(line.split()[:4] == ["plain", "3.00", "s", "1.00"] for line in lines)
    assert any(line.split()[:4] == ["sev-es", "4.00", "s", "1.33"] for line in lines)
    assert any("vc 7, ghcb 2" in line for line in lines)


def test_exit_is_a_multiple_of_one_that_does_nothing() -> None:
    lines = bench.cost_table(FIGURES)
    row = next(line for line in lines if "cpuid_of_the_host" in line)
    assert row.split()[1:] == ["-", "120.00", "3.00x"]


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


def test_work_is_done_side_by_side_but_not_more_than_asked_for() -> None:
    busy: list[int] = []
    most = [0]
    done: list[tuple[int, object]] = []

    def work(number: int) -> int:
        busy.append(number)
        most[0] = max(most[0], len(busy))
        time.sleep(0.05)
        busy.remove(number)
        return number * 2

    schedule.in_parallel(
        range(6), work, 2, threading.Event(), lambda n, result: done.append((n, result))
    )
    assert sorted(done) == [(n, n * 2) for n in range(6)]
    assert most == [2]


def test_error_of_one_does_not_stop_the_others() -> None:
    results: dict[int, object] = {}

    def work(number: int) -> int:
        if number == 1:
            raise ValueError("no")
        return number

    schedule.in_parallel(range(3), work, 1, threading.Event(), results.__setitem__)
    assert (results[0], results[2]) == (0, 2)
    assert isinstance(results[1], ValueError)


def test_what_done_raises_cancels_the_rest_and_comes_out() -> None:
    cancel = threading.Event()

    def done(_order: int, _result: object) -> None:
        raise KeyboardInterrupt

    def work(number: int) -> None:
        cancel.wait(5 if number else 0)

    with pytest.raises(KeyboardInterrupt):
        schedule.in_parallel(range(5), work, 2, cancel, done)
    assert cancel.is_set()
