# SPDX-License-Identifier: GPL-2.0
"""The watchdog counts what a guest could have done."""

import os
import subprocess
import time

import pytest

from coco.watch import Budgets, RunQueue, Watch

BUDGETS = Budgets(boot=10.0, silence=5.0, case=20.0)


def running() -> Watch:
    watch = Watch(BUDGETS, now=100.0)
    watch.up()
    return watch


def test_boot_has_a_budget_of_its_own() -> None:
    watch = Watch(BUDGETS, now=100.0)
    watch.advance(109.0, waited=0.0)
    assert watch.overrun() == ""
    watch.advance(111.0, waited=0.0)
    assert watch.overrun() == "did not reach init within 10 s"


def test_time_of_the_boot_is_not_held_against_the_first_suite() -> None:
    watch = Watch(BUDGETS, now=100.0)
    watch.advance(109.0, waited=0.0)
    watch.up()
    watch.advance(113.0, waited=0.0)
    assert watch.overrun() == ""
    assert watch.effective == 13.0


def test_silence_is_a_hang() -> None:
    watch = running()
    watch.advance(106.0, waited=0.0)
    assert watch.overrun() == "no output for 5 s"


def test_output_without_a_result_is_a_hang_too_but_later() -> None:
    watch = running()
    for second in range(101, 121):
        watch.advance(float(second), waited=0.0)
        watch.output()
        assert watch.overrun() == ""
    watch.advance(121.0, waited=0.0)
    watch.output()
    assert watch.overrun() == "no case finished for 20 s"


def test_result_starts_both_budgets_anew() -> None:
    watch = running()
    for second in range(104, 180, 4):
        watch.advance(float(second), waited=0.0)
        watch.step()
        assert watch.overrun() == ""


@pytest.mark.parametrize(("waited", "hangs"), [(0.0, True), (50.0, True), (56.0, False)])
def test_time_spent_waiting_for_a_cpu_does_not_count(waited: float, hangs: bool) -> None:
    watch = running()
    watch.advance(160.0, waited)
    assert bool(watch.overrun()) is hangs


def test_more_waiting_than_time_is_no_credit() -> None:
    watch = running()
    watch.advance(110.0, waited=100.0)
    watch.advance(116.0, waited=100.0)
    assert watch.overrun() == "no output for 5 s"


def test_patience_stretches_time_but_no_sizes() -> None:
    scaled = BUDGETS.scaled(2.0)
    assert (scaled.boot, scaled.silence, scaled.case, scaled.flood) == (20, 10, 40, BUDGETS.flood)


def test_suite_that_says_it_is_slow_gets_its_time() -> None:
    slow = BUDGETS.with_timeout(60.0)
    assert (slow.silence, slow.case) == (60.0, 120.0)
    assert BUDGETS.with_timeout(1.0) == BUDGETS


def test_longest_wait_of_all_threads_counts_each_time_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = iter(
        [{"1": 10**9}, {"1": 10**9, "2": 3 * 10**9}, {"1": 3 * 10**9, "2": 4 * 10**9}]
    )
    queue = RunQueue(os.getpid())
    monkeypatch.setattr(queue, "_read", lambda: next(looks))
    assert [queue.waited() for _ in range(3)] == [1.0, 4.0, 6.0]
    monkeypatch.setattr(queue, "waited", lambda: 6.0)
    monkeypatch.setattr("coco.watch.time.monotonic", lambda: 100.0)
    assert queue.clock() == 94.0


def test_run_queue_sees_a_process_that_must_share_its_cpu() -> None:
    cpu = min(os.sched_getaffinity(0))
    spin = ["/usr/bin/python3", "-c", "while True: pass"]
    processes = [
        subprocess.Popen(["taskset", "-c", str(cpu), *spin], stdout=subprocess.DEVNULL)
        for _ in range(3)
    ]
    try:
        queue = RunQueue(processes[0].pid)
        time.sleep(0.3)
        queue.waited()
        before = queue.waited()
        time.sleep(0.6)
        assert queue.waited() - before > 0.1
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_process_that_is_gone_waits_for_nothing() -> None:
    assert RunQueue(2**22 - 1).waited() == 0.0
