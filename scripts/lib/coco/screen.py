# SPDX-License-Identifier: GPL-2.0
"""What a command shows while it works: lines that stay, and on a terminal a few that move."""

import os
import shutil
import sys
import threading
import time
from typing import TextIO

REDRAW = 0.1  # seconds between two redrawings


class Screen:
    """Lines for a person; safe to use from several threads."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._lively = self._out.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
        self._lock = threading.Lock()
        self._status: dict[str, tuple[str, float]] = {}
        self._drawn = 0  # moving lines on the screen now
        self._last = 0.0
        self.kept: list[str] = []

    def line(self, text: str = "") -> None:
        """A line that stays."""
        with self._lock:
            self._erase()
            self._write(text + "\n")
            self.kept.append(text)
            self._draw()

    def say(self, text: str) -> None:
        """A step of the work, before there are results."""
        self.line(f"  {text} ...")

    def status(self, name: str, text: str) -> None:
        """What `name` does now; seen on a terminal only."""
        with self._lock:
            started = self._status.get(name, ("", time.monotonic()))[1]
            self._status[name] = (text, started)
            if time.monotonic() - self._last >= REDRAW:
                self._erase()
                self._draw()

    def gone(self, name: str) -> None:
        """`name` is finished."""
        with self._lock:
            self._erase()
            self._status.pop(name, None)
            self._draw()

    def clear(self) -> None:
        """Take all moving lines away, before the end."""
        with self._lock:
            self._erase()
            self._status.clear()

    def _erase(self) -> None:
        if self._drawn:
            self._write(f"\x1b[{self._drawn}A\x1b[J")
            self._drawn = 0

    def _draw(self) -> None:
        if not self._lively:
            return
        self._last = time.monotonic()
        width = shutil.get_terminal_size().columns - 1
        for name, (text, started) in self._status.items():
            seconds = self._last - started
            self._write(f"  {name:<12} {text}  {seconds:.0f} s"[:width] + "\n")
            self._drawn += 1

    def _write(self, text: str) -> None:
        try:
            self._out.write(text)
            self._out.flush()
        except (OSError, ValueError):  # nobody reads, or can; results are kept all the same
            pass
