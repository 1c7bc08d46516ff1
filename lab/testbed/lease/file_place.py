"""A lease on the machine that runs the lab.

The lease is a lock on an open file (flock(2)): the kernel gives it back when its process ends, however it ends, so a
killed run never blocks the next. The text in the file only tells others who holds it. A lease is broken by taking the
file's name away from it: its holder is told by the kernel (inotify(7)), and so does nothing at all while it measures.
All of it happens under a lock on the folder.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from lab import paths
from lab.errors import LabError
from lab.models import Model
from lab.testbed.lease.model import Holder, Quarantine, Standing, busy, lost, set_aside

AnyModel = TypeVar("AnyModel", bound=Model)

_IN_ATTRIB = 0x4  # of inotify(7): among others, the number of names of a file has changed


class FilePlace:
    """The lease of one testbed in the lab's state folder. See lab.testbed.lease.place."""

    expiry_s: float | None = None

    def __init__(self, testbed: str) -> None:
        """Name the testbed; nothing is touched yet."""
        self._testbed = testbed
        self._folder = paths.state_dir() / "leases"
        self._lease = self._folder / f"{testbed}.lease"
        self._ended = self._folder / f"{testbed}.ended"
        self._quarantine = self._folder / f"{testbed}.quarantine"
        self._held: int | None = None
        self._holder: Holder | None = None
        self._notes = -1
        self._wake = -1

    def take(self, holder: Holder) -> Holder | None:
        """Take the lease; there are no expired ones."""
        with self._alone():
            aside = _read(self._quarantine, Quarantine)
            if aside is not None:
                raise set_aside(self._testbed, aside)
            held = self._open()
            if held is None:
                raise busy(self._testbed, Standing(holder=_read(self._lease, Holder) or _unknown()))
            try:
                self._notes, self._wake = _names_of(self._lease), os.eventfd(0)
                os.ftruncate(held, 0)
                os.pwrite(held, holder.model_dump_json().encode(), 0)
            except OSError:  # a full disk, too many watches
                os.close(held)
                raise
        self._held, self._holder = held, holder
        return None

    def wait(self, stopped: threading.Event) -> None:
        """Wait until something happened to the names of the file, or for ``wake``."""
        poll = select.poll()
        poll.register(self._notes, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        if not stopped.is_set() and self._notes in dict(poll.poll()):
            os.read(self._notes, 4096)

    def wake(self) -> None:
        """End ``wait``."""
        os.eventfd_write(self._wake, 1)

    def renew(self) -> None:
        """See whether the file still has its name."""
        if self._held is None or self._holder is None:
            raise lost(self._testbed, "it was given back")
        with self._alone():
            try:
                named = self._lease.stat().st_ino
            except FileNotFoundError:
                named = None
            if named == os.fstat(self._held).st_ino:
                return
            word = _word(self._ended, self._holder.token)
        raise lost(self._testbed, word, given_back=word.startswith("released"))

    def release(self) -> None:
        """Empty the file and let go of it."""
        if self._held is not None:
            os.ftruncate(self._held, 0)
            for descriptor in (self._held, self._notes, self._wake):
                os.close(descriptor)
            self._held = None

    def close(self) -> None:
        """There is no connection."""

    def look(self) -> Standing:
        """Return how it stands."""
        with self._alone():
            held = self._open()
            if held is not None:
                os.close(held)
            return Standing(
                holder=(_read(self._lease, Holder) or _unknown()) if held is None else None,
                quarantine=_read(self._quarantine, Quarantine),
            )

    def end(self, word: str) -> Holder | None:
        """Take the name away from the holder's file."""
        with self._alone():
            held = self._open()
            if held is not None:
                os.close(held)
                return None
            holder = _read(self._lease, Holder) or _unknown()
            self._write(self._ended, json.dumps({"token": holder.token, "word": word}))
            self._lease.unlink()
            return holder

    def set_aside(self, quarantine: Quarantine) -> None:
        """Set the testbed aside."""
        with self._alone():
            self._write(self._quarantine, quarantine.model_dump_json())

    def restore(self) -> Quarantine | None:
        """Let the testbed be used again."""
        with self._alone():
            aside = _read(self._quarantine, Quarantine)
            self._quarantine.unlink(missing_ok=True)
            return aside

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep others away from all leases of the folder, for the moment that a step takes."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise self._failed(error) from error
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        except OSError as error:
            raise self._failed(error) from error
        finally:
            os.close(folder)

    def _failed(self, error: OSError) -> LabError:
        return LabError(
            f"the lease of testbed {self._testbed!r} cannot be kept in {self._folder}: "
            f"{(error.strerror or str(error)).lower()}: make it a folder that you may write to"
        )

    def _open(self) -> int | None:
        """Return the file, locked; None where somebody else has it."""
        # Programs that are started do not inherit it (O_CLOEXEC is Python's default), or they would hold it, too.
        descriptor = os.open(self._lease, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def _write(self, file: Path, text: str) -> None:
        """Write a file whole or not at all, also when this process is killed meanwhile."""
        part = file.with_name(f"{file.name}.part")
        part.write_text(text, encoding="utf-8")
        part.replace(file)


def _names_of(file: Path) -> int:
    """Return a descriptor that can be read when a file gets or loses a name; Python has no inotify of its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    notes: int = libc.inotify_init1(os.O_CLOEXEC)
    if notes < 0 or libc.inotify_add_watch(notes, os.fsencode(file), _IN_ATTRIB) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return notes


def _unknown() -> Holder:
    """Return the holder of a lease of another version of the lab, whose record cannot be read."""
    return Holder(token="", owner="somebody", pid=0, since_s=0.0, purpose="something that left no record")


def _read(file: Path, model: type[AnyModel]) -> AnyModel | None:
    with suppress(FileNotFoundError, ValidationError, UnicodeDecodeError):
        return model.model_validate_json(file.read_text(encoding="utf-8"))
    return None


def _word(ended: Path, token: str) -> str:
    """Return what was said when a lease was ended."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        said = json.loads(ended.read_text(encoding="utf-8"))
        if said["token"] == token:
            return str(said["word"])
    return "somebody removed its file"
