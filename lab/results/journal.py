"""An append-only journal of a run, one JSON object a line: what is in it survives the death of the run.

Each line is written by one write to a file opened for appending and is on the disk before ``append`` returns. Whatever
kills the run, at most the last line is torn; reading leaves it out and says so.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from lab.errors import UsageError
from lab.results.events import EVENT, Event

FILE_NAME = "journal.jsonl"
_RETIRED = b'"dut_counters":{},'
"""What trials of earlier journals have and none has any more; it was always empty."""


class Journal:
    """The journal of one run, open for writing. Closes at the end of a ``with`` block."""

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        """Create the journal, or open that of a run that was killed.

        Args:
            path: file to create, its folder included.
            resume: it is there already; a torn last line is cut off.

        Raises:
            UsageError: there is one already, which is not to be resumed, or its run is still going on.

        """
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND if resume else os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL
        try:
            self._fd = os.open(path, flags, 0o644)
        except FileExistsError:
            raise UsageError(f"{path}: there is a journal of another run already; choose another run folder") from None
        except OSError as error:
            raise UsageError(f"{path}: the journal cannot be opened: {error.strerror}") from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise UsageError(f"{path}: its run is still going on: wait for its end, or stop it") from None
        if resume:
            self._mend()

    def _mend(self) -> None:
        """Let the file end with a whole line: what is torn is no event, an event without its line feed gets it."""
        text = os.pread(self._fd, os.fstat(self._fd).st_size, 0)
        whole = text.rfind(b"\n") + 1
        if whole == len(text):
            return
        try:
            EVENT.validate_json(text[whole:])
        except ValidationError:
            os.ftruncate(self._fd, whole)
        else:
            os.write(self._fd, b"\n")
        os.fsync(self._fd)

    def append(self, event: Event) -> None:
        """Write one event; it is on the disk when this returns.

        Raises:
            OSError: the disk is full or gone.

        """
        line = event.model_dump_json().encode() + b"\n"
        written = os.write(self._fd, line)
        if written != len(line):
            raise OSError(f"journal: {written} of {len(line)} bytes written; is the disk full?")
        os.fsync(self._fd)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class JournalContent:
    """What was read: whole events in order, and notes about what was left out."""

    events: tuple[Event, ...]
    notes: tuple[str, ...]


def read(path: Path) -> JournalContent:
    """Read a journal, whole or cut off at any byte.

    Args:
        path: of the journal.

    Raises:
        UsageError: there is no such file, or a line other than a torn last one is damaged; the message names the line.

    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UsageError(f"{path}: the journal cannot be read: {error.strerror}") from None
    tail = lines.pop()  # what follows the last line feed: nothing, unless the run was killed while writing
    events = [_parse(path, number, line) for number, line in enumerate(lines, start=1)]
    if not tail:
        return JournalContent(events=tuple(events), notes=())
    try:
        return JournalContent(events=(*events, EVENT.validate_json(tail)), notes=())
    except ValidationError:
        note = f"line {len(lines) + 1} of the journal is torn ({len(tail)} bytes) and was left out: the run was killed"
        return JournalContent(events=tuple(events), notes=(note,))


def _parse(path: Path, number: int, line: bytes) -> Event:
    try:
        return EVENT.validate_json(line.replace(_RETIRED, b""))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = f"{where}: {first['msg']}" if where else first["msg"]
        raise UsageError(f"{path}, line {number}: damaged ({what}); restore the file or delete the run") from None
