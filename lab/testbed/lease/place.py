"""Where a lease is kept: what every such place can do."""

from __future__ import annotations

import threading
from typing import Protocol

from lab.testbed.lease.model import Holder, Quarantine, Standing


class LeasePlace(Protocol):
    """The lease of one testbed, and its quarantine. Each call is one atomic step, however many processes ask.

    All raise LabError (or UsageError for secrets) where the place itself cannot be reached or written.
    """

    expiry_s: float | None
    """How long a lease that is not renewed lasts; None: until its process ends."""

    def take(self, holder: Holder) -> Holder | None:
        """Take the lease, and return whose expired one it was, if any; nothing changes where it cannot be had.

        Raises:
            TestbedBusy: somebody else holds it.
            TestbedQuarantined: the testbed was set aside.

        """

    def wait(self, stopped: threading.Event) -> None:
        """Wait until the lease is to be renewed, or ``stopped`` is set and ``wake`` called."""

    def wake(self) -> None:
        """End ``wait`` in another thread, which finds its event set."""

    def renew(self) -> None:
        """Give a sign of life; LeaseLost where the lease is not this one any more."""

    def release(self) -> None:
        """Give the lease back that was taken here; nothing happens where it is lost already."""

    def look(self) -> Standing:
        """Return how it stands."""

    def end(self, word: str) -> Holder | None:
        """End whoever's lease it is, who is told ``word`` ("broken by anna@lab1"), and return whose it was."""

    def set_aside(self, quarantine: Quarantine) -> None:
        """Set the testbed aside; who holds the lease goes on."""

    def restore(self) -> Quarantine | None:
        """Let the testbed be used again, and return why it was not."""

    def close(self) -> None:
        """End the connection to the place, where there is one. A lease that is held stays held."""
