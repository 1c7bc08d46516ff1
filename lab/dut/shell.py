"""The image's shell on a serial console: one line in, its echo and some lines out, and a prompt."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from typing import Any

from lab.errors import DutError
from lab.machines.deadline import Deadline
from lab.machines.protocol import ConsoleLink

COMMAND_LIMIT_S = 20.0

# The kernel may say something at any time; such lines begin with a time stamp in brackets or with "kernel:".
_KERNEL_LINE = re.compile(r"^(\[\s*\d+\.\d+\]|kernel:|panic:)")


class Shell:
    """Commands and their answers. ``alive`` raises when waiting for an answer has become pointless.

    One command at a time: routes may change in a thread of their own while another one reads counters.
    """

    def __init__(self, console: ConsoleLink, prompt: str, alive: Callable[[], None]) -> None:
        """Bind to a console on which the first prompt has been seen."""
        self._console = console
        self._prompt = prompt
        self._alive = alive
        self._in_use = threading.Lock()

    def run(self, command: str, timeout_s: float = COMMAND_LIMIT_S) -> list[str]:
        """Run a command and return the lines of its answer, without echo, prompt and empty lines.

        Raises:
            DutError: no prompt came back in time.

        """
        with self._in_use:
            self.send(command)
            # The prompt counts at the start of a line only: the echo of a command may hold its characters.
            said = self._console.read_until("\n" + self._prompt, Deadline(timeout_s), self._alive)
        lines = [line.strip() for line in said.replace("\r", "\n").split("\n")[:-1]]
        lines = [line for line in lines if line and not _KERNEL_LINE.match(line)]
        return lines[1:] if lines and lines[0].removeprefix(self._prompt.strip()).strip() == command else lines

    def send(self, command: str) -> None:
        """Send a command without waiting for its answer."""
        self._console.discard()
        self._console.write(command + "\r")

    def close(self) -> None:
        """Let go of the console."""
        self._console.close()

    def tell(self, command: str, timeout_s: float = COMMAND_LIMIT_S) -> list[str]:
        """Run a command that must succeed.

        Raises:
            DutError: it answered with ``usage:`` or ``error:``.

        """
        lines = self.run(command, timeout_s)
        for line in lines:
            if line.startswith(("usage:", "error:")):
                raise DutError(f"the DUT refused {command!r}: {line}")
        return lines

    def objects(self, command: str) -> list[dict[str, Any]]:
        """Run a command with the word ``json`` behind it and return the objects that it prints, one a line.

        Raises:
            DutError: a line is no JSON object.

        """
        found: list[dict[str, Any]] = []
        for line in self.tell(f"{command} json"):
            try:
                value = json.loads(line)
            except json.JSONDecodeError as error:
                raise DutError(f"the DUT answered {command + ' json'!r} with what is no JSON: {line!r}") from error
            if not isinstance(value, dict):
                raise DutError(f"the DUT answered {command + ' json'!r} with what is no JSON object: {line!r}")
            found.append(value)
        return found
