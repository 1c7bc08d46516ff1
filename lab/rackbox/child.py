"""A service of the rack in a box: a process that dies with this one, and is waited for until it serves."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from lab.errors import LabError
from lab.machines.deadline import Deadline
from lab.process import dying_with_parent

_START_LIMIT_S = 20.0  # a fraction of a second of work, on cores that others may keep busy


class Child:
    """A running service; a context manager."""

    def __init__(self, name: str, command: Sequence[str], log: Path, serves: Callable[[], bool]) -> None:
        """Start it and wait until it serves.

        Args:
            name: for error messages.
            command: its command line; without secrets, since everybody can read it.
            log: what it prints is appended here.
            serves: tells whether it answers; may raise OSError while it does not.

        Raises:
            LabError: its program is missing, or it did not come up; with its last lines.

        """
        self._name = name
        self._log = log
        try:
            with log.open("ab") as output:
                self._process = subprocess.Popen(
                    dying_with_parent(command), stdin=subprocess.DEVNULL, stdout=output, stderr=output
                )
        except OSError as error:
            raise LabError(f"{name} cannot be started: {error}") from error
        try:
            self._wait(serves)
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def stop(self) -> None:
        """End it at once. May be called twice."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wait(self, serves: Callable[[], bool]) -> None:
        deadline = Deadline(_START_LIMIT_S)
        while not deadline.passed:
            if self._process.poll() is not None:
                raise LabError(f"{self._name} ended with code {self._process.returncode}: {self._last_words()}")
            with contextlib.suppress(OSError):
                if serves():
                    return
            time.sleep(0.02)
        raise LabError(f"{self._name} does not serve after {_START_LIMIT_S:g} s: {self._last_words()}")

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return " | ".join(lines[-2:]) if lines else "it said nothing"  # some print their name last
