"""Power by commands of the user's own."""

from __future__ import annotations

from lab.errors import LabError
from lab.machines.power.shell import run
from lab.machines.protocol import PowerState
from lab.testbed.power import CommandPower

_WHERE = "power (command)"


class CommandSwitch:
    """Runs the commands of the testbed file."""

    where = _WHERE
    off_s = 0.0
    """A server that needs a pause after "off" needs it in the command."""

    def __init__(self, power: CommandPower) -> None:
        """Take the commands."""
        self._power = power

    def state(self) -> PowerState:
        """Ask for the state."""
        said = self._run(self._power.state)
        if said == "on":
            return "on"
        if said == "off":
            return "off"
        raise LabError(
            f"{self.where}: the command {self._power.state!r} printed {said[:60]!r}: it must print on or off, no more"
        )

    def switch(self, wanted: PowerState) -> None:
        """Ask for the other state."""
        self._run(self._power.on if wanted == "on" else self._power.off)

    def reset(self) -> bool:
        """Pull the reset line; returns False where there is no command for it."""
        if self._power.reset is None:
            return False
        self._run(self._power.reset)
        return True

    def boot_from_network(self) -> None:
        """Choose what the next start boots from, where there is a command for it."""
        if self._power.boot_from_network is not None:
            self._run(self._power.boot_from_network)

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def _run(self, command: str) -> str:
        return run(command, self._power.limit_s, self.where)
