"""What is known of a lease: who holds it, how long still, and whether its testbed was set aside."""

from __future__ import annotations

import getpass
import os
import socket
import time

from pydantic import Field

from lab.errors import TestbedBusy, TestbedQuarantined
from lab.models import Model


def owner() -> str:
    """Return whose leases those of this process are: user@host."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


class Holder(Model):
    """Who uses a testbed, and what for.

    ``since_s`` is Unix time by the owner's clock: it is shown, and nothing is judged by it. ``token`` tells this lease
    from every other, also of the same process.
    """

    token: str
    owner: str
    pid: int
    since_s: float
    purpose: str

    def __str__(self) -> str:
        return f"{self.owner} (process {self.pid}) since {_when(self.since_s)} for {self.purpose}"


class Quarantine(Model):
    """Why a testbed was set aside, by whom, and when (Unix time by their clock)."""

    reason: str = Field(min_length=1)
    owner: str
    since_s: float = Field(default_factory=time.time)

    def __str__(self) -> str:
        return f"set aside by {self.owner} on {_when(self.since_s)}: {self.reason}"


class Standing(Model):
    """How it stands with a testbed. ``left_s`` is None where a lease has no end but that of its process."""

    holder: Holder | None = None
    left_s: float | None = None
    quarantine: Quarantine | None = None


class LeaseLost(TestbedBusy):
    """The lease that this process held is not its any more; ``given_back`` where the owner wanted that."""

    def __init__(self, message: str, *, given_back: bool = False) -> None:
        super().__init__(message)
        self.given_back = given_back


def new_holder(token: str, purpose: str) -> Holder:
    """Return this process as a holder."""
    return Holder(token=token, owner=owner(), pid=os.getpid(), since_s=time.time(), purpose=purpose)


def busy(testbed: str, standing: Standing) -> TestbedBusy:
    """Return the error of a testbed that somebody else uses."""
    end = "" if standing.left_s is None else f" (no later than {max(0.0, standing.left_s):.0f} s after it dies)"
    return TestbedBusy(
        f"testbed {testbed!r} is in use by {standing.holder}: wait for that to end{end}, or `pixlab lease break "
        f"{testbed}`"
    )


def set_aside(testbed: str, quarantine: Quarantine) -> TestbedQuarantined:
    """Return the error of a testbed that is not to be used."""
    return TestbedQuarantined(
        f"testbed {testbed!r} was {quarantine}: mend it, then `pixlab testbed check {testbed}` or "
        f"`pixlab testbed restore {testbed}`"
    )


def lost(testbed: str, why: str, *, given_back: bool = False) -> LeaseLost:
    """Return the error of a lease that is not held any more."""
    return LeaseLost(f"the lease of testbed {testbed!r} is lost: {why}", given_back=given_back)


def _when(at_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at_s))
