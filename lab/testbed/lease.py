"""One run at a time on a testbed.

The lease is a lock on an open file (flock(2)): the kernel gives it back when its process ends, however it ends, so a
killed run never blocks the next. The text in the file only tells others who holds it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import ValidationError

from lab import paths
from lab.errors import TestbedBusy
from lab.models import Model


class Lease(Model):
    """Who uses a testbed: process, since when (Unix time), and for which run."""

    testbed: str
    pid: int
    since_s: float
    run: str


@contextmanager
def take(testbed: str, run: str) -> Iterator[Lease]:
    """Hold the lease of a testbed.

    Args:
        testbed: name of the testbed.
        run: what it is used for; shown to whoever finds it busy.

    Raises:
        TestbedBusy: another process, or another place in this one, holds it.

    """
    path = _file(testbed)
    # Not inherited by programs started meanwhile (O_CLOEXEC is Python's default), or they would hold the lease, too.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise TestbedBusy(_who(testbed, path)) from error
        lease = Lease(testbed=testbed, pid=os.getpid(), since_s=time.time(), run=run)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, lease.model_dump_json().encode(), 0)
        try:
            yield lease
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _file(testbed: str) -> Path:
    directory = paths.state_dir() / "leases"
    directory.mkdir(exist_ok=True)
    return directory / f"{testbed}.lease"


def _who(testbed: str, path: Path) -> str:
    """Say who holds the lease. The file is empty for the instant between locking and writing."""
    with suppress(ValidationError, json.JSONDecodeError):
        holder = Lease.model_validate_json(path.read_text(encoding="utf-8"))
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder.since_s))
        return (
            f"testbed {testbed!r} is in use by process {holder.pid} since {since} (run {holder.run}): "
            "wait for that run to end, or end it"
        )
    return f"testbed {testbed!r} is in use by another process that has just taken it: try again"
