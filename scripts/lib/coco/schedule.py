# SPDX-License-Identifier: GPL-2.0
"""Several runs side by side, each in a thread of its own."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Order = TypeVar("Order")
Result = TypeVar("Result")

MOST_JOBS = 4
MEMORY_PER_JOB = 1 << 30  # bytes that a machine really touches


def default_jobs() -> int:
    """One a CPU that we may use, as far as the memory goes."""
    return min(crowd(1), MOST_JOBS)


def crowd(load: int) -> int:
    """So many a CPU that we may use, as far as the memory goes; 0: none."""
    if not load:
        return 0
    cpus = len(os.sched_getaffinity(0))
    return max(1, min(load * cpus, _available_memory() // MEMORY_PER_JOB))


def _available_memory() -> int:
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) << 10
    except (OSError, ValueError):
        pass
    return MOST_JOBS * MEMORY_PER_JOB


def in_parallel(
    orders: Sequence[Order],
    work: Callable[[Order], Result],
    jobs: int,
    cancel: threading.Event,
    done: Callable[[Order, Result | BaseException], None],
) -> None:
    """Do all the work, `jobs` at a time; done() is called here, as each one ends.

    ^C sets cancel, so that work in progress ends soon, and is raised again after it did.
    """
    interrupted: BaseException | None = None
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        futures: dict[Future[Result], Order] = {pool.submit(work, order): order for order in orders}
        while futures:
            try:
                # A short wait: signals are handled between two of them
                finished, _ = wait(futures, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in finished:
                    order = futures.pop(future)
                    error = future.exception()
                    done(order, error if error is not None else future.result())
            except BaseException as error:  # also what done() raises
                cancel.set()
                interrupted = interrupted or error
                for future in [future for future in futures if future.cancel()]:
                    del futures[future]
    if interrupted is not None:
        raise interrupted
