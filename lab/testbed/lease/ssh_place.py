"""A lease on a machine that all users of a testbed reach by SSH. Each step is one command there: far.sh."""

from __future__ import annotations

import math
import threading
from pathlib import Path

from pydantic import ValidationError

from lab.errors import LabError
from lab.machines.ssh import SshHost
from lab.testbed.lease.model import Holder, Quarantine, Standing, busy, lost, set_aside
from lab.testbed.resources import SshLease

_STEPS = Path(__file__).with_name("far.sh")
_STEP_LIMIT_S = 15.0
_TRIES_AN_EXPIRY = 4


class SshPlace:
    """The lease of one testbed in a directory of another machine. See lab.testbed.lease.place.

    The connection is kept from step to step, and made anew where it broke.
    """

    def __init__(self, testbed: str, lease: SshLease) -> None:
        """Name the testbed and the place; nothing is touched yet."""
        self._testbed = testbed
        self._lease = lease
        self._script = _STEPS.read_text(encoding="utf-8")
        self._host: SshHost | None = None
        self._token = ""
        self.expiry_s: float | None = lease.expiry_s

    def take(self, holder: Holder) -> Holder | None:
        """Take the lease. Asked again after a broken connection it is the same lease that is taken."""
        self._token = holder.token
        expiry_s = str(math.ceil(self._lease.expiry_s))
        answer, *more = self._step("take", holder.token, expiry_s, holder.model_dump_json())
        if answer == "aside":
            raise set_aside(self._testbed, self._quarantine(more[0]))
        if answer == "busy":
            raise busy(self._testbed, Standing(left_s=float(more[0]), holder=self._holder(more[1])))
        return self._holder(more[0])

    def wait(self, stopped: threading.Event) -> None:
        """Wait so long that the lease can be renewed several times before it expires."""
        stopped.wait(self._lease.expiry_s / _TRIES_AN_EXPIRY)

    def wake(self) -> None:
        """``wait`` ends by the event."""

    def renew(self) -> None:
        """Give a sign of life."""
        answer, *more = self._step("renew", self._token)
        if answer == "renewed":
            return
        if more[1:2] == [self._token]:
            raise lost(self._testbed, more[2], given_back=more[2].startswith("released"))
        if more[0]:
            raise lost(self._testbed, f"it expired and was taken by {self._holder(more[0])}")
        raise lost(self._testbed, f"somebody removed it from {self._where()}")

    def release(self) -> None:
        """Give the lease back."""
        self._step("release", self._token)

    def look(self) -> Standing:
        """Return how it stands; who let it expire is no holder."""
        _, left_s, holder, *aside = self._step("look")
        held = float(left_s) >= 0
        return Standing(
            holder=self._holder(holder) if held else None,
            left_s=float(left_s) if held and holder else None,
            quarantine=self._quarantine(aside[0]) if aside else None,
        )

    def end(self, word: str) -> Holder | None:
        """End whoever's lease it is."""
        _, left_s, holder = self._step("end", word)
        return self._holder(holder) if float(left_s) >= 0 else None

    def set_aside(self, quarantine: Quarantine) -> None:
        """Set the testbed aside."""
        self._step("aside", quarantine.model_dump_json())

    def restore(self) -> Quarantine | None:
        """Let the testbed be used again."""
        _, *aside = self._step("restore")
        return self._quarantine(aside[0]) if aside else None

    def close(self) -> None:
        """End the connection, where there is one."""
        if self._host is not None:
            self._host.close()
            self._host = None

    def _step(self, *words: str) -> list[str]:
        """Do one step there and return its answer, line by line; LabError where it cannot be done."""
        step, *more = words
        command = ["sh", "-c", self._script, "sh", step, self._lease.directory, self._testbed, *more]
        kept = self._host is not None
        try:
            return self._told(command)
        except LabError:
            self.close()
            if not kept:
                raise
        return self._told(command)  # the connection that was kept had broken; every step may be done twice

    def _told(self, command: list[str]) -> list[str]:
        if self._host is None:
            self._host = SshHost(self._lease.ssh)
        done = self._host.run(command, _STEP_LIMIT_S)
        said = done.out.split("\n")[:-1]
        if done.code != 0 or not said:
            problem = " ".join((done.error or done.out).split()) or f"the command ended with code {done.code}"
            raise LabError(f"the lease of testbed {self._testbed!r} cannot be kept in {self._where()}: {problem}")
        return said

    def _where(self) -> str:
        return f"{self._lease.directory} of {self._lease.ssh.address}"

    def _holder(self, line: str) -> Holder | None:
        try:
            return Holder.model_validate_json(line) if line else None
        except ValidationError as error:
            raise self._unread("lease") from error

    def _quarantine(self, line: str) -> Quarantine:
        try:
            return Quarantine.model_validate_json(line)
        except ValidationError as error:
            raise self._unread("quarantine") from error

    def _unread(self, what: str) -> LabError:
        return LabError(
            f"the {what} of testbed {self._testbed!r} in {self._where()} cannot be read: remove its file there"
        )
