# SPDX-License-Identifier: GPL-2.0
"""A small QMP client: commands and their answers over a connected socket; events pass by."""

import json
import select
import socket
import time
from typing import Any

from coco.errors import InfrastructureError

PATIENCE = 30.0


class QmpError(InfrastructureError):
    """QEMU refused a command, does not answer, or is gone."""


class Qmp:
    """One connection; the greeting is answered with the first command."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.setblocking(False)
        self._buffer = b""
        self._greeted = False

    def execute(self, command: str, patience: float = PATIENCE, **arguments: Any) -> Any:
        """What the command returns."""
        deadline = time.monotonic() + patience
        if not self._greeted:
            while "QMP" not in self._message(deadline, "its greeting"):
                pass
            self._greeted = True
            self._send({"execute": "qmp_capabilities"})
            self._answer(deadline, "qmp_capabilities")
        request: dict[str, Any] = {"execute": command}
        if arguments:
            request["arguments"] = {
                name.replace("_", "-"): value for name, value in arguments.items()
            }
        self._send(request)
        return self._answer(deadline, command)

    def close(self) -> None:
        self._socket.close()

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise QmpError(f"QEMU closed its monitor: {error.strerror}") from error

    def _answer(self, deadline: float, command: str) -> Any:
        while True:
            message = self._message(deadline, f"an answer to {command}")
            if "error" in message:
                raise QmpError(f"QEMU refused {command}: {message['error'].get('desc', '?')}")
            if "return" in message:
                return message["return"]

    def _message(self, deadline: float, what: str) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            patience = max(deadline - time.monotonic(), 0)
            if not select.select([self._socket], [], [], patience)[0]:
                raise QmpError(f"QEMU does not give {what}")
            try:
                data = self._socket.recv(65536)
            except BlockingIOError:
                continue
            except OSError as error:
                raise QmpError(f"QEMU's monitor failed: {error.strerror}") from error
            if not data:
                raise QmpError(f"QEMU went away before {what}")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            message = json.loads(line)
        except ValueError as error:
            raise QmpError(f"QEMU's monitor speaks no JSON: {line[:80]!r}") from error
        return message if isinstance(message, dict) else {}
