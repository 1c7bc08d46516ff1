"""A real server in a rack: power through its controller, its serial console, and boot from the network."""

from __future__ import annotations

from lab.machines.protocol import ConsoleLink, Power


class RackServer:
    """A Server (lab.machines.protocol) whose power and console are somebody else's.

    Its console is one connection for the whole run. A reset leaves the server on: it comes back through its firmware,
    and ``power_on`` then leaves it to that.
    """

    cpu = ""

    def __init__(self, power: Power, console: ConsoleLink) -> None:
        """Bind its power and its console, which whoever opened them closes."""
        self._power = power
        self._console = console
        self._comes_back = False

    @property
    def console(self) -> ConsoleLink:
        """The serial console."""
        return self._console

    def power_on(self) -> None:
        """Have it boot from the network: switched off, if it is on, and on; or, after a reset, by itself.

        Raises:
            LabError: its controller does not answer or does not do it.

        """
        if self._comes_back:
            self._comes_back = False
            return
        self._power.off()
        self._power.boot_from_network()
        self._console.discard()
        self._power.on()

    def power_off(self) -> None:
        """Switch it off, at once."""
        self._comes_back = False
        self._power.off()

    def hand_over(self) -> None:
        """Do nothing: a real server runs what it booted."""

    def settle(self) -> None:
        """Do nothing: its cores are its system's."""

    def expect_reset(self) -> None:
        """Have it boot from the network when its system resets it."""
        self._power.boot_from_network()
        self._comes_back = True

    def reset(self) -> None:
        """Pull the reset line; it comes back by itself, from the network."""
        self.expect_reset()
        self._power.reset()

    def wait_off(self, timeout_s: float) -> bool:
        """Say whether it was told to reset. That it did is seen by its boot alone: it never is off meanwhile."""
        return self._comes_back

    def vcpu_tids(self) -> dict[int, int]:
        """Return none: its processors are no threads of this machine."""
        return {}

    def require_running(self) -> None:
        """Do nothing: asking a controller takes a second, and the console waits with a deadline anyway."""

    def obituary(self) -> str:
        """Return nothing: a server that is off says so on its controller only."""
        return ""

    def leave(self, state: str) -> None:
        """Leave it ``on``, ``off``, or as it is (``leave``); LabError where its controller does not do it."""
        if state == "on":
            self._power.on()
        elif state == "off":
            self._power.off()
