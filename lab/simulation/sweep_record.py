"""The file of a sweep: one answered point a line, so that an interrupted sweep goes on where it was."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Self

from pydantic import ValidationError, model_validator

from lab.errors import UsageError
from lab.models import Model
from lab.simulation.prediction.model import Prediction

LINE_BEGIN = b'{"digest":'


class Answer(Model):
    """One point of a sweep, answered.

    ``digest`` is that of the question with all its numbers, ``values`` those of the axes as they were written,
    ``worker`` the process that answered (host:pid). Where the point cannot be simulated ``error`` says why.
    """

    digest: str
    values: dict[str, str]
    prediction: Prediction | None = None
    error: str | None = None
    worker: str = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.prediction is None) == (self.error is None):
            raise ValueError("an answer has a prediction or an error")
        return self


class Record:
    """An open file of answers. Each is in the file before the next one is waited for."""

    def __init__(self, path: Path) -> None:
        """Open a file, which is made when missing, and read what it has.

        A last line that was not written to its end is cut off: the process was killed there.

        Raises:
            UsageError: it cannot be read and written, another sweep writes it, or a line is no answer.

        """
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._file.seek(0)
            content = self._file.read()
        except BlockingIOError as error:
            raise UsageError(f"{path}: another sweep writes it now: wait for it, or name another file") from error
        except OSError as error:
            raise UsageError(f"{path}: cannot be written ({error.strerror}): name another file") from error
        end = content.rfind(b"\n") + 1
        self.known = {answer.digest: answer for answer in _answers(path, content[:end])}
        if not (content[end:].startswith(LINE_BEGIN) or LINE_BEGIN.startswith(content[end:])):
            raise UsageError(f"{path}: its last line is no answer of a sweep: name the file of a sweep")
        self._file.truncate(end)

    def append(self, answer: Answer) -> None:
        """Write an answer.

        Raises:
            UsageError: the file cannot be written (any more).

        """
        try:
            self._file.write(answer.model_dump_json().encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise UsageError(f"{self.path}: cannot be written ({error.strerror}): make room or name another") from error
        self.known[answer.digest] = answer

    def close(self) -> None:
        """Close the file; another sweep may then write it."""
        self._file.close()


def _answers(path: Path, content: bytes) -> list[Answer]:
    found = []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            found.append(Answer.model_validate_json(line))
        except ValidationError as error:
            raise UsageError(
                f"{path} line {number}: no answer of a sweep ({error.errors()[0]['msg']}): name the file of a sweep"
            ) from error
    return found
