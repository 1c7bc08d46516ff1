"""Running a command of the testbed file."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
from typing import IO

from lab.errors import LabError

_SHOWN = 60  # characters of a command in a message


def run(command: str, limit_s: float, where: str) -> str:
    """Run a command line, without a shell, and return what it printed.

    Args:
        command: words; what it leaves in the background may go on.
        limit_s: time that it may take; then it and what it started are killed.
        where: who is switched by it, for errors.

    Raises:
        LabError: it cannot be run, did not end in time, or ended with another code than 0; with its last line.

    """
    short = repr(command if len(command) <= _SHOWN else command[: _SHOWN - 3] + "...")
    # Files, not pipes: what the command leaves in the background may keep them open.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as complaint:
        try:
            process = subprocess.Popen(
                shlex.split(command), stdin=subprocess.DEVNULL, stdout=out, stderr=complaint, start_new_session=True
            )
        except (OSError, ValueError) as error:
            problem = getattr(error, "strerror", None) or str(error)
            raise LabError(f"{where}: the command {short} cannot be run: {problem}: correct it") from error
        try:
            code = process.wait(limit_s)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise LabError(f"{where}: the command {short} did not end within {limit_s:g} s (limit_s)") from None
            raise
        said, complained = (_text(file) for file in (out, complaint))
    if code != 0:
        last = ((complained or said).splitlines() or ["it said nothing"])[-1]
        raise LabError(f"{where}: the command {short} ended with code {code}: {last}")
    return said


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace").strip()
