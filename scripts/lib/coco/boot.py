# SPDX-License-Identifier: GPL-2.0
"""One boot: start QEMU, follow what it writes, stop it when it must be, save a snapshot."""

import contextlib
import os
import re
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from coco import disk, files, qemu, snapshot
from coco.errors import InfrastructureError
from coco.model import Stop
from coco.qmp import QmpError
from coco.stream import Record, StreamReader, Tail
from coco.watch import Budgets, Watch

POLL = 0.02
LOOK_AROUND = 0.25  # seconds between looks at budgets, sizes and the disk
LAST_RESERVE = 32 << 20  # bytes left on the disk below which a run is stopped
LINGER = 10.0  # for QEMU to go once the machine has said m|end
SHOWN_LOG = 4000

_STEP = re.compile(r"\s*(?:<\d+>)?(?:\[[^]]*\] ?)*\s*(?:not )?ok +\d")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What one boot is to do."""

    folder: Path
    guest: qemu.Guest
    run: str  # the run file's text
    budgets: Budgets
    resume: Path | None = None  # start from this snapshot
    save: Path | None = None  # leave a snapshot here when the machine offers one
    poll: float = POLL  # seconds between two looks at the stream


@dataclass
class Boot:
    """What one boot left behind."""

    folder: Path
    records: list[Record] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    stop: Stop = Stop()
    seconds: float = 0.0
    boot_effective: float = 0.0  # seconds to init, without those spent waiting for a CPU
    snapshot: Path | None = None
    notes: list[str] = field(default_factory=list)


def boot(program: qemu.Qemu, order: Order, cancel: threading.Event, say: Say) -> Boot:
    """Run it to its end; only a QEMU that cannot start raises."""
    with files.disk_errors(order.folder):
        order.folder.mkdir(parents=True)
        (order.folder / qemu.RUN_FILE).write_text(order.run, encoding="utf-8")
        if disk.DEVICE in order.guest.devices:
            disk.create(order.folder)
    result = Boot(order.folder)
    start = time.monotonic()
    with qemu.Process(program, order.guest, order.folder, order.resume) as process:
        follower = _Follower(process, order, result, start, say)
        try:
            result.stop = follower.follow(cancel)
        finally:
            process.kill()
            for log in (qemu.STREAM, qemu.CONSOLE):
                _cut(order.folder / log, order.budgets.flood)
            result.records = follower.finish()
            result.seconds = round(time.monotonic() - start, 3)
    console = Tail(order.folder / qemu.CONSOLE)
    result.console = [*console.all_lines(), console.rest()]
    if not result.records and result.stop.cause == "abort" and not order.resume:
        raise InfrastructureError(
            f"QEMU did not start: {result.stop.text}", f"its command: {order.folder}/command"
        )
    return result


class _Follower:
    """Looks after one QEMU until it ends."""

    def __init__(
        self, process: qemu.Process, order: Order, result: Boot, start: float, say: Say
    ) -> None:
        self._process = process
        self._order = order
        self._result = result
        self._start = start
        self._say = say
        self._reader = StreamReader(order.folder / qemu.STREAM)
        self._console = order.folder / qemu.CONSOLE
        self._console_size = 0
        self._watch = Watch(order.budgets, start)
        self._looked = 0.0
        self._ended = 0.0  # when the machine said m|end
        self._offered = False  # the machine said m|snapshot
        self._asked = 0  # the query-status that QEMU has not answered yet

    def follow(self, cancel: threading.Event) -> Stop:
        """Until QEMU ends, or has to."""
        if self._order.resume:
            self._wake()
        while True:
            now = time.monotonic()
            look = now - self._looked >= LOOK_AROUND
            if look:
                self._looked = now
                self._advance()  # before reading: what is read is no older than this
            self._read()
            code = self._process.ended()
            if code is not None:
                return self._gone(code)
            if cancel.is_set():
                return Stop("interrupted", "stopped by the user")
            stop = self._pause()
            if not stop and look:
                stop = self._look_around()
            if stop:
                return stop
            time.sleep(self._order.poll)

    def finish(self) -> list[Record]:
        """All records, once QEMU is gone."""
        self._reader.finish(self._now())
        return self._reader.records

    def _now(self) -> float:
        return round(time.monotonic() - self._start, 3)

    def _advance(self) -> None:
        self._watch.advance(time.monotonic(), self._process.queue.waited())

    def _read(self) -> None:
        for record in self._reader.poll(self._now()):
            self._watch.output()
            word = f"{record.channel}|{record.text.partition(' ')[0]}"
            if word in ("i|ready", "m|resumed"):
                self._advance()
                self._result.boot_effective = round(self._watch.effective, 3)
                self._watch.up()
            elif word in ("i|begin", "i|end", "i|done", "i|skip"):
                self._watch.step()
                self._say(record.text)
            elif record.channel in "kt" and _STEP.match(record.text):
                self._watch.step()
                self._say("case")
            elif word == "m|snapshot":
                self._offered = True
                self._looked = 0.0
            elif word == "m|end":
                self._ended = time.monotonic()

    def _look_around(self) -> Stop | None:
        """Budgets, floods, and the disk."""
        self._say("")  # time goes by on the screen
        if self._order.guest.machine and not self._asked:
            with contextlib.suppress(QmpError):
                self._asked = self._process.monitor.ask("query-status")
        size = _size(self._console)
        if size > self._console_size:
            self._console_size = size
            self._watch.output()
        size = max(size, _size(self._order.folder / qemu.STREAM))
        if size > self._order.budgets.flood:
            return Stop("flood", f"more than {self._order.budgets.flood >> 20} MiB of output")
        if shutil.disk_usage(self._order.folder).free < LAST_RESERVE:
            return Stop("disk-full", f"no space left in {self._order.folder}")
        if self._ended and time.monotonic() - self._ended > LINGER:
            return Stop("", "QEMU did not go after the machine's end")
        overrun = "" if self._order.guest.gdb else self._watch.overrun()
        if overrun:
            return Stop("hang", f"{overrun}; {self._where()}")
        return None

    def _pause(self) -> Stop | None:
        """A guest that paused itself: it panicked, or the machine offers a snapshot."""
        if not self._paused():
            return None
        self._read()  # what the machine said before it paused
        if not self._offered:
            return Stop("panic-pause", "the guest reported a panic through pvpanic")
        self._offered = False
        self._snapshot()
        self._advance()  # saving took our time, not the guest's
        self._watch.step()
        return None

    def _paused(self) -> bool:
        """Did a write to pvpanic stop the guest?  QEMU may be slow: it is never waited for."""
        monitor = self._process.monitor
        try:
            status = monitor.answer(self._asked) if self._asked else None
            if status is None:
                return False
            self._asked = 0
        except QmpError:  # going away: its exit status or a budget will tell
            return False
        if self._offered:
            self._looked = 0.0  # ask again at once
        return bool(status.get("status") == "guest-panicked")

    def _snapshot(self) -> None:
        """Save the paused machine, then let it go on."""
        folder = self._order.save
        try:
            if folder:
                size = qemu.memory(self._order.guest)
                snapshot.save(self._process.monitor, self._process.pid, size, folder)
                self._result.snapshot = folder
        except (QmpError, OSError) as error:
            self._result.notes.append(f"no snapshot: {error}")
        with contextlib.suppress(QmpError):
            self._process.monitor.execute("cont")

    def _wake(self) -> None:
        try:
            snapshot.wake(self._process.monitor)
        except QmpError as error:
            self._result.notes.append(f"the snapshot was not restored: {error.message}")

    def _where(self) -> str:
        """What the CPUs were doing, for a hang: all registers in a file, RIP in the message."""
        try:
            text = self._process.monitor.execute(
                "human-monitor-command", patience=5, command_line="info registers -a"
            )
        except QmpError as error:
            return error.message
        with contextlib.suppress(OSError):
            (self._order.folder / "registers.log").write_text(text, encoding="utf-8")
        return "QEMU's CPUs at " + (", ".join(re.findall(r"[RE]IP=\w+", text)[:8]) or "?")

    def _gone(self, code: int) -> Stop:
        """QEMU ended by itself."""
        self._read()
        if code == 0:
            return Stop()
        with contextlib.suppress(OSError):
            text = (self._order.folder / qemu.QEMU_LOG).read_bytes()[-SHOWN_LOG:]
            said = text.decode("utf-8", "backslashreplace").strip()
        how = f"signal {-code}" if code < 0 else f"exit status {code}"
        return Stop("abort", f"QEMU ended with {how}" + (f": {said}" if said else ""))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _cut(path: Path, size: int) -> None:
    """Whoever was stopped for a flood has written some more until then."""
    if _size(path) > size:
        os.truncate(path, size)
