"""A machine that is a file with the word on or off, switched by a program, and what the program was told.

While it is on, a process runs that has open what the program had.
"""

from __future__ import annotations

import shlex
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.testbed.access import Credentials
from lab.testbed.secrets import Login

SECRET = "sec-Ret_42"
LOGIN = Login("operator", SECRET)

_PROGRAM = """\
#!/bin/sh
cd {folder}
echo "$*" >> told
[ ! -e broken ] || exit 3
case "$1" in
state) cat state ;;
on|off)
    [ ! -e stuck ] || exit 0
    echo "$1" > state
    [ ! -e running ] || kill -9 $(cat running)
    rm -f running
    if [ "$1" = on ]; then sleep 600 & echo $! > running; fi ;;
esac
"""


class Machine:
    """A context manager, at whose end it is off."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._program = folder / "program"
        self._program.write_text(_PROGRAM.format(folder=shlex.quote(str(folder))))
        self._program.chmod(0o700)
        (folder / "state").write_text("off\n")
        (folder / "told").touch()

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *exception: object) -> None:
        subprocess.run([*self.program, "off"], check=True)

    @property
    def program(self) -> list[str]:
        return [str(self._program)]

    @property
    def state(self) -> str:
        return (self._folder / "state").read_text().strip()

    @property
    def told(self) -> list[str]:
        """What the program was told so far, without the questions for its state."""
        return [line for line in (self._folder / "told").read_text().splitlines() if line != "state"]

    @contextmanager
    def stuck(self) -> Iterator[None]:
        """It does not do what it says that it does."""
        with self._marked("stuck"):
            yield

    @contextmanager
    def broken(self) -> Iterator[None]:
        """It fails at all that it is told."""
        with self._marked("broken"):
            yield

    @contextmanager
    def _marked(self, name: str) -> Iterator[None]:
        (self._folder / name).touch()
        try:
            yield
        finally:
            (self._folder / name).unlink()


def credentials(folder: Path, text: str) -> Credentials:
    """Write a secret into a file that only its owner may read."""
    file = folder / "credentials"
    file.write_text(text)
    file.chmod(0o600)
    return Credentials(file=file)


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
