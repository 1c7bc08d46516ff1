"""The capabilities that deploying an image needs of a server: its power, its console, and the server as a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from lab.machines.deadline import Deadline

PowerState = Literal["on", "off"]


class Power(Protocol):
    """The power of one server.

    Every call raises LabError with one line (who was asked, what was asked, what came instead, what to do) when it
    cannot be done; no message has a secret. ``on``, ``off`` and ``cycle`` return when the state was seen to be reached,
    and raise when it was not within the resource's ``limit_s``.
    """

    def state(self) -> PowerState:
        """Ask for the state."""
        ...

    def on(self) -> None:
        """Switch on; nothing happens to a server that is on."""
        ...

    def off(self) -> None:
        """Switch off at once, without asking the system; nothing happens to a server that is off."""
        ...

    def cycle(self) -> None:
        """Switch off, when it is on, and on again."""
        ...

    def reset(self) -> None:
        """Pull the reset line of a server that is on; where there is none: switch it off and on."""
        ...

    def boot_from_network(self) -> None:
        """Have the next start, and only that, boot from the PXE NIC; nothing where the server cannot be told."""
        ...

    def close(self) -> None:
        """End the connection. May be called twice."""
        ...


class ConsoleLink(Protocol):
    """A serial console: bytes in, bytes out. What arrived and was not yet taken stays in a buffer.

    All that arrives is also written to the log of the run, each line with the time that it came at.
    """

    def write(self, text: str) -> None:
        """Send characters (ASCII) to the machine; DutError where the console is gone."""
        ...

    def read_until(self, wanted: str, deadline: Deadline, alive: Callable[[], None] = lambda: None) -> str:
        """Return all that arrives up to and including a text.

        Args:
            wanted: the text to wait for.
            deadline: by when it must have come.
            alive: called about ten times a second while waiting; raises when waiting has become pointless.

        Raises:
            DutError: it did not come in time, or the console is gone and cannot be had again; with the last lines.

        """
        ...

    def discard(self) -> None:
        """Forget what has arrived so far."""
        ...

    def tail(self) -> str:
        """Return the last lines that arrived, on one line, for error messages."""
        ...

    def close(self) -> None:
        """Close the connection; the machine goes on. May be called twice."""
        ...


class Server(Protocol):
    """A machine that boots over the network, as booting an image and resetting it need it."""

    @property
    def cpu(self) -> str:
        """Name of the processor that the image sees; empty where the lab does not choose it."""
        ...

    @property
    def console(self) -> ConsoleLink:
        """The serial console; may be another one after ``power_on`` and ``hand_over``."""
        ...

    def power_on(self) -> None:
        """Begin to boot from the network, whatever the machine does now.

        A machine whose reset was seen (``wait_off``) may be on its way already, and is then left to it.
        """
        ...

    def power_off(self) -> None:
        """Switch it off, at once. Nothing happens when it is off."""
        ...

    def hand_over(self) -> None:
        """Move the running system to another accelerator, where ``AcceleratorPlan`` says so."""
        ...

    def settle(self) -> None:
        """Leave the exclusive cores to what has been booted, which may begin to poll."""
        ...

    def reset(self) -> None:
        """Pull the reset line; ``wait_off`` sees it."""
        ...

    def expect_reset(self) -> None:
        """Prepare for a reset that the system will do by itself: it must boot from the network then."""
        ...

    def wait_off(self, timeout_s: float) -> bool:
        """Wait for the machine to leave its system, by a reset or by switching off; returns whether it did."""
        ...

    def vcpu_tids(self) -> dict[int, int]:
        """Return the thread id of each virtual processor on this host by its index; none for a real machine."""
        ...

    def require_running(self) -> None:
        """Raise LabError, saying why, when waiting for its console has become pointless."""
        ...

    def obituary(self) -> str:
        """Say how the machine ended; empty while it runs."""
        ...
