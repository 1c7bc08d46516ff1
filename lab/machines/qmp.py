"""QEMU's machine protocol: one JSON object a line, commands answered in order, events in between."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.machines.deadline import Deadline


class Qmp:
    """A connection to a QEMU that has just been started; closed by ``close``."""

    def __init__(self, path: Path, timeout_s: float = 10.0) -> None:
        self._timeout_s = timeout_s
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("rb")
        self._read()  # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command: str, timeout_s: float | None = None, **arguments: Any) -> Any:
        """Run a command and return what it answers.

        Raises:
            LabError: QEMU refused it, closed the connection or did not answer in time.

        """
        message = (
            json.dumps({"execute": command, "arguments": arguments}) if arguments else json.dumps({"execute": command})
        )
        deadline = Deadline(timeout_s or self._timeout_s)
        try:
            self._socket.sendall(message.encode() + b"\n")
        except OSError as error:
            raise LabError(f"QEMU is gone ({error}): it took no command {command!r}") from error
        while True:
            self._socket.settimeout(deadline.remaining_s or 0.001)
            answer = self._read()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise LabError(f"QEMU refused the command {command!r}: {answer['error'].get('desc', answer['error'])}")

    def events(self) -> Iterator[str]:
        """Yield the name of each event as it comes, until QEMU ends. For a connection that runs no commands beside."""
        self._socket.settimeout(None)
        for line in self._lines:
            message = json.loads(line)
            if "event" in message:
                yield message["event"]

    def close(self) -> None:
        """Close the connection."""
        self._lines.close()
        self._socket.close()

    def _read(self) -> dict[str, Any]:
        try:
            line = self._lines.readline()
        except OSError as error:
            raise LabError(f"QEMU's monitor does not answer: {error}") from error
        if not line:
            raise LabError("QEMU closed its monitor: it has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer
