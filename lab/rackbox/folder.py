"""The folder of a box: its secrets, sockets and files; and what a killed lab left of one.

What runs in a box dies with the lab, by the kernel's doing (PR_SET_PDEATHSIG, and a namespace of processes for what
goes into the background). So a killed lab leaves its folder behind, and at worst a process that was being started at
that very moment: each is in the list ``processes`` with the time it was started at, so that nothing else that has
got its number since is taken for it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from pathlib import Path

from lab import paths
from lab.errors import LabError

_PREFIX = "rackbox-"
_OWNER = "owner"
_PROCESSES = "processes"


class BoxFolder:
    """A new folder that only its owner may read, below the one for sockets: paths in it are short."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=paths.runtime_dir()))  # mode 0700
        (self.path / _OWNER).write_text(_written(os.getpid()), encoding="ascii")

    def add_process(self, pid: int) -> None:
        """Write down a process of the box, for whoever has to clean up after this lab."""
        with (self.path / _PROCESSES).open("a", encoding="ascii") as file:
            file.write(_written(pid))

    def secret(self, name: str, text: str) -> Path:
        """Write a file that only its owner may read, from the first moment on; returns its path."""
        path = self.path / name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def remove(self) -> None:
        """Remove the folder. May be called twice."""
        shutil.rmtree(self.path, ignore_errors=True)


def clean_up() -> list[Path]:
    """End the processes and remove the folders of boxes whose lab is gone; returns the folders.

    Raises:
        LabError: a folder cannot be removed.

    """
    removed = []
    for folder in sorted(paths.runtime_dir().glob(f"{_PREFIX}*")):
        owner = _lines(folder / _OWNER)
        if not owner or _runs(*owner[0]):
            continue  # in use, or being made this instant
        for pid, started_ticks in _lines(folder / _PROCESSES):
            if _runs(pid, started_ticks):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            continue  # another lab was quicker
        except OSError as error:
            raise LabError(f"{folder}, left by a killed lab, cannot be removed: {error}: remove it") from error
        removed.append(folder)
    return removed


def _written(pid: int) -> str:
    return f"{pid} {_started_ticks(pid)}\n"


def _lines(file: Path) -> list[tuple[int, int]]:
    """Read pairs (process id, clock ticks from the boot of the host to its start); a line cut short counts for none."""
    try:
        words = [line.split() for line in file.read_text(encoding="ascii").splitlines()]
    except FileNotFoundError:
        return []
    return [(int(line[0]), int(line[1])) for line in words if len(line) == 2]


def _runs(pid: int, started_ticks: int) -> bool:
    return _started_ticks(pid) == started_ticks


def _started_ticks(pid: int) -> int:
    """Return field 22 of /proc/PID/stat (proc(5)); -1: there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return -1
    return int(stat.rpartition(")")[2].split()[19])
