# SPDX-License-Identifier: GPL-2.0
"""Work side by side."""

import threading
import time

import pytest

from coco import schedule


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
