# SPDX-License-Identifier: GPL-2.0
"""A small QMP client: commands and their answers over a connected socket; events pass by."""

import json
import select
import socket
import time
from collections.abc import Callable
from typing import Any

from coco.errors import InfrastructureError

PATIENCE = 30.0  # seconds of the client's clock
TICK = 0.5  # seconds between two looks at it


class QmpError(InfrastructureError):
    """QEMU refused a command, does not answer, or is gone."""


class Qmp:
    """One connection.

    An answer is known by the number of its command: one that comes when nobody waits for it
    any more is never taken for another command's.
    """

    def __init__(
        self, connection: socket.socket, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.clock = clock  # patience is counted in its seconds
        self._socket = connection
        self._socket.setblocking(False)
        self._buffer = b""
        self._number = 0  # of the last command

    def execute(self, command: str, patience: float = PATIENCE, **arguments: Any) -> Any:
        """What the command returns."""
        deadline = self.clock() + patience
        number = self.ask(command, **arguments)
        while (answer := self.answer(number)) is None:
            if self.clock() >= deadline:
                raise QmpError(f"QEMU does not give an answer to {command}")
            select.select([self._socket], [], [], TICK)
        return answer

    def ask(self, command: str, **arguments: Any) -> int:
        """Send a command without waiting; the number by which to look for its answer."""
        if not self._number:
            self._send("qmp_capabilities", {})
        return self._send(command, arguments)

    def answer(self, number: int) -> Any:
        """What that command returned; None: QEMU has not answered yet."""
        while (message := self._message()) is not None:
            if message.get("id") != number:
                continue  # the greeting, an event, or a late answer
            if "error" in message:
                raise QmpError(f"QEMU refused: {message['error'].get('desc', '?')}")
            return message.get("return", {})
        return None

    def close(self) -> None:
        self._socket.close()

    def _send(self, command: str, arguments: dict[str, Any]) -> int:
        self._number += 1
        request: dict[str, Any] = {"execute": command, "id": self._number}
        if arguments:
            request["arguments"] = {
                name.replace("_", "-"): value for name, value in arguments.items()
            }
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise QmpError(f"QEMU closed its monitor: {error.strerror}") from error
        return self._number

    def _message(self) -> dict[str, Any] | None:
        """The next one, if it is there."""
        while b"\n" not in self._buffer:
            try:
                data = self._socket.recv(65536)
            except BlockingIOError:
                return None
            except OSError as error:
                raise QmpError(f"QEMU's monitor failed: {error.strerror}") from error
            if not data:
                raise QmpError("QEMU went away")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            message = json.loads(line)
        except ValueError as error:
            raise QmpError(f"QEMU's monitor speaks no JSON: {line[:80]!r}") from error
        return message if isinstance(message, dict) else {}
