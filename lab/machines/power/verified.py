"""What all power drivers share: asking for a state, and waiting until it is seen to be reached."""

from __future__ import annotations

import time
from typing import Protocol

from lab.errors import LabError
from lab.machines.deadline import Deadline
from lab.machines.protocol import PowerState

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0


class Switch(Protocol):
    """What a driver does: it asks, and does not wait for what comes of it.

    Every call raises TestbedUnreachable when nobody answers or the login is refused, within about ten seconds, and
    LabError when what answers does not do it.
    """

    where: str
    """Who is asked, for messages: ``the BMC dut-bmc.lab2.example (IPMI)``."""

    off_s: float
    """Seconds that the power must have been off before it is switched on again."""

    def state(self) -> PowerState:
        """Ask for the state."""
        ...

    def switch(self, wanted: PowerState) -> None:
        """Ask for the other state."""
        ...

    def reset(self) -> bool:
        """Pull the reset line of a server that is on; returns False where there is none."""
        ...

    def boot_from_network(self) -> None:
        """Have the next start, and only that, boot from the PXE NIC; nothing where the server cannot be told."""
        ...

    def close(self) -> None:
        """End the connection. May be called twice."""
        ...


class VerifiedPower:
    """The power of one server (lab.machines.protocol.Power) by what a driver can do."""

    def __init__(self, switch: Switch, limit_s: float) -> None:
        """Take a driver, and the time in which an asked state must have been reached."""
        self._switch = switch
        self._limit_s = limit_s

    def state(self) -> PowerState:
        """Ask for the state."""
        return self._switch.state()

    def on(self) -> None:
        """Switch on; nothing happens to a server that is on."""
        self._reach("on")

    def off(self) -> None:
        """Switch off at once; nothing happens to a server that is off."""
        self._reach("off")

    def cycle(self) -> None:
        """Switch off, when it is on, and on again."""
        if self._reach("off"):
            time.sleep(self._switch.off_s)
        self._reach("on")

    def reset(self) -> None:
        """Pull the reset line; without one: switch off and on. A server that is off is switched on."""
        if self._switch.state() == "off":
            self._reach("on")
        elif self._switch.reset():
            self._wait("on")
        else:
            self.cycle()

    def boot_from_network(self) -> None:
        """Have the next start, and only that, boot from the PXE NIC; nothing where the server cannot be told."""
        self._switch.boot_from_network()

    def close(self) -> None:
        """End the connection. May be called twice."""
        self._switch.close()

    def _reach(self, wanted: PowerState) -> bool:
        """Have the server in a state; returns whether it was in the other one."""
        if self._switch.state() == wanted:
            return False
        self._switch.switch(wanted)
        self._wait(wanted)
        return True

    def _wait(self, wanted: PowerState) -> None:
        deadline = Deadline(self._limit_s)
        pause_s = _FIRST_PAUSE_S
        while (state := self._switch.state()) != wanted:
            if deadline.passed:
                raise LabError(
                    f"{self._switch.where}: the power is still {state}, {self._limit_s:g} s after it was asked to be "
                    f"{wanted}: look at the server, or give it more time (limit_s)"
                )
            time.sleep(min(pause_s, deadline.remaining_s))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
