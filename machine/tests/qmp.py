# SPDX-License-Identifier: GPL-2.0
"""Just enough of QEMU's machine protocol to take a snapshot and go on from it."""

import json
import pathlib
import shlex
import socket
import time
from typing import Any

POLL = 0.01


class Qmp:
    def __init__(self, path: pathlib.Path, deadline: float) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(POLL)
        self.socket.settimeout(max(deadline - time.monotonic(), 1))
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self.command("qmp_capabilities")

    def command(self, name: str, **arguments: Any) -> Any:
        self.file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            line = self.file.readline()
            if not line:
                raise RuntimeError(f"QEMU is gone, after {name}")
            reply = json.loads(line)
            if "error" in reply:
                raise RuntimeError(f"{name}: {reply['error']['desc']}")
            if "return" in reply:
                return reply["return"]

    def status(self) -> str:
        return str(self.command("query-status")["status"])

    def wait_for(self, status: str, deadline: float) -> None:
        while self.status() != status:
            self.pause(deadline, f"the guest is {self.status()}, not {status}")

    def wait_while(self, status: str, deadline: float) -> None:
        while self.status() == status:
            self.pause(deadline, f"the guest stays {status}")

    def save(self, path: pathlib.Path, deadline: float) -> None:
        """Migration to a file: the guest's memory and devices."""
        self.command("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        self.command("migrate", uri=f"exec:cat > {shlex.quote(str(path))}")
        while True:
            info = self.command("query-migrate")
            if info.get("status") == "completed":
                break
            if info.get("status") in ("failed", "cancelled"):
                raise RuntimeError(f"saving: {info.get('error-desc', info['status'])}")
            self.pause(deadline, "saving takes too long")
        # The guest stops for good a little later: a "cont" before that is refused, or undone
        self.wait_for("postmigrate", deadline)

    def pause(self, deadline: float, problem: str) -> None:
        if time.monotonic() > deadline:
            raise TimeoutError(problem)
        time.sleep(POLL)

    def close(self) -> None:
        self.file.close()
        self.socket.close()
