# SPDX-License-Identifier: GPL-2.0
"""Watchdogs that count what the guest could have done, not what the clock did.

On a busy builder QEMU's threads wait for a CPU.  That waiting, which the kernel accounts
for each thread in /proc/<pid>/task/*/schedstat, is taken off the time that a guest has to
show progress.
"""

import contextlib
import time
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Budgets:
    """Seconds of effective time, and bytes of output."""

    boot: float = 120.0  # from QEMU's start to init
    silence: float = 60.0  # without any output while a suite runs
    case: float = 180.0  # without a result line or another step of init
    flood: int = 64 << 20  # bytes in one log

    def scaled(self, patience: float) -> "Budgets":
        return replace(
            self,
            boot=self.boot * patience,
            silence=self.silence * patience,
            case=self.case * patience,
        )

    def with_timeout(self, seconds: float) -> "Budgets":
        """For a suite that says how long its slowest case may take."""
        return replace(self, silence=max(seconds, self.silence), case=max(2 * seconds, self.case))


class RunQueue:
    """How long a process's threads waited for a CPU: the longest wait counts."""

    def __init__(self, pid: int) -> None:
        self._tasks = Path(f"/proc/{pid}/task")
        self._waits: dict[str, int] = {}
        self._total = 0

    def waited(self) -> float:
        """Seconds since the start during which at least one thread could not run."""
        longest = 0
        for task, wait in self._read().items():
            longest = max(longest, wait - self._waits.get(task, 0))
            self._waits[task] = wait
        self._total += longest
        return self._total / 1e9

    def clock(self) -> float:
        """A clock that stands still while a thread waits for a CPU."""
        return time.monotonic() - self.waited()

    def _read(self) -> dict[str, int]:
        waits = {}
        with contextlib.suppress(OSError):
            for task in self._tasks.iterdir():
                with contextlib.suppress(OSError, ValueError, IndexError):
                    waits[task.name] = int((task / "schedstat").read_text().split()[1])
        return waits


class Watch:
    """Tells when a guest has used up its budget.  Times are given, so that tests can lie."""

    def __init__(self, budgets: Budgets, now: float) -> None:
        self.budgets = budgets
        self.booting = True
        self._now = now
        self._waited = 0.0
        self._effective = 0.0
        self._last_output = 0.0
        self._last_step = 0.0

    def advance(self, now: float, waited: float) -> None:
        """Time went by, and for so much of all time QEMU waited for a CPU."""
        passed = (now - self._now) - (waited - self._waited)
        self._effective += max(passed, 0.0)
        self._now, self._waited = now, waited

    @property
    def effective(self) -> float:
        """Seconds since the start in which the guest could run."""
        return self._effective

    def output(self) -> None:
        """The guest said something."""
        self._last_output = self._effective

    def step(self) -> None:
        """The guest finished a case, or init a step."""
        self._last_output = self._last_step = self._effective

    def up(self) -> None:
        """Init is up: from here on silence counts."""
        self.booting = False
        self.step()

    def overrun(self) -> str:
        """What the guest ran out of, or nothing."""
        silent = self._effective - self._last_output
        stuck = self._effective - self._last_step
        if self.booting:
            if stuck > self.budgets.boot:
                return f"did not reach init within {self.budgets.boot:g} s"
        elif silent > self.budgets.silence:
            return f"no output for {self.budgets.silence:g} s"
        elif stuck > self.budgets.case:
            return f"no case finished for {self.budgets.case:g} s"
        return ""
