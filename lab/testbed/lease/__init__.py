"""One run at a time on a testbed, and none on one that was set aside.

Where the lease is kept is the testbed's matter: on this machine (file_place) or on one that all its users reach by SSH
(ssh_place). Who holds it gives signs of life (heartbeat); a killed run never blocks the next for longer than an expiry.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from lab.errors import LabError
from lab.testbed.lease.file_place import FilePlace
from lab.testbed.lease.heartbeat import Heartbeat, listen, now_s
from lab.testbed.lease.model import Holder, LeaseLost, Quarantine, Standing, new_holder, owner
from lab.testbed.lease.place import LeasePlace
from lab.testbed.lease.ssh_place import SshPlace
from lab.testbed.model import Testbed
from lab.testbed.resources import SshLease

__all__ = ["Holder", "LeaseLost", "Quarantine", "Standing", "end", "look", "quarantine", "restore", "take"]


@contextmanager
def take(testbed: Testbed, run: str) -> Iterator[Holder]:
    """Hold the lease of a testbed.

    A lease that is lost meanwhile (it expired without a renewal, or somebody broke it) raises LeaseLost in the main
    thread, in whatever it does or waits for, and at the latest when the context is left.

    Args:
        testbed: which.
        run: what it is used for; shown to whoever finds it busy.

    Raises:
        TestbedBusy: another process, or another place in this one, holds it; or LeaseLost.
        TestbedQuarantined: the testbed was set aside.
        LabError: the place of the lease cannot be reached or written.

    """
    holder = new_holder(uuid.uuid4().hex, run)
    listen()
    with closing(_place(testbed)) as place:
        asked_at_s = now_s()
        place.take(holder)
        heartbeat = Heartbeat(testbed.name, place, asked_at_s)
        try:
            yield holder
        finally:
            heartbeat.stop()
            with suppress(LabError):  # where it cannot be given back, it expires
                place.release()
    if heartbeat.problem is not None:
        raise heartbeat.problem


def look(testbed: Testbed) -> Standing:
    """Return who holds a testbed and whether it was set aside; LabError where its place does not answer."""
    with closing(_place(testbed)) as place:
        return place.look()


def end(testbed: Testbed, how: str) -> Holder | None:
    """End whoever's lease it is; its run stops with exit code 13 at its next sign of life.

    Args:
        testbed: which.
        how: ``released`` or ``broken``; the holder is told, and by whom.

    Returns:
        Whose lease it was; None where there was none.

    """
    with closing(_place(testbed)) as place:
        return place.end(f"{how} by {owner()}")


def quarantine(testbed: Testbed, reason: str) -> None:
    """Set a testbed aside: no lease is given until ``restore``. The lease that is held now stays held.

    Args:
        testbed: which.
        reason: why, in a few words.

    Raises:
        LabError: the place of the lease cannot be reached or written; the testbed is not set aside then.

    """
    with closing(_place(testbed)) as place:
        place.set_aside(Quarantine(reason=" ".join(reason.split()), owner=owner()))


def restore(testbed: Testbed) -> Quarantine | None:
    """Let a testbed be used again, which was mended or passed its health check; returns why it was set aside."""
    with closing(_place(testbed)) as place:
        return place.restore()


def _place(testbed: Testbed) -> LeasePlace:
    if isinstance(testbed.lease, SshLease):
        return SshPlace(testbed.name, testbed.lease)
    return FilePlace(testbed.name)
