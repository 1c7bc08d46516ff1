"""Power of a virtual machine that a command of the testbed file starts, and whose QEMU is asked by its monitor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lab.errors import LabError, TestbedUnreachable
from lab.machines.power.shell import run
from lab.machines.protocol import PowerState
from lab.machines.qmp import Qmp
from lab.testbed.power import QemuPower

_ANSWER_LIMIT_S = 5.0


class QemuSwitch:
    """Off is when no QEMU listens at the monitor. Its start command says what it boots from."""

    off_s = 0.0

    def __init__(self, power: QemuPower) -> None:
        """Take where its monitor is."""
        self.where = f"the machine of the monitor {power.monitor} (QEMU)"
        self._power = power

    def state(self) -> PowerState:
        """Ask for the state."""
        with self._monitor() as monitor:
            return "off" if monitor is None else "on"

    def switch(self, wanted: PowerState) -> None:
        """Start QEMU, or end it."""
        if wanted == "on":
            run(self._power.start, self._power.limit_s, self.where)
            return
        with self._monitor() as monitor:
            if monitor is not None:
                monitor.execute("quit")

    def reset(self) -> bool:
        """Pull the reset line."""
        with self._monitor() as monitor:
            if monitor is not None:
                monitor.execute("system_reset")
        return True

    def boot_from_network(self) -> None:
        """Do nothing: the start command has the boot order."""

    def close(self) -> None:
        """Do nothing: there is no connection between two requests, for others may want the monitor."""

    @contextmanager
    def _monitor(self) -> Iterator[Qmp | None]:
        """Connect to the monitor; None where nobody listens."""
        try:
            monitor = Qmp(self._power.monitor, _ANSWER_LIMIT_S)
        except (FileNotFoundError, ConnectionRefusedError):
            yield None
            return
        except (LabError, OSError) as error:
            if isinstance(error, LabError) and not isinstance(error.__cause__, TimeoutError):
                yield None  # it ended between taking the connection and saying a word
                return
            raise TestbedUnreachable(
                f"{self.where} does not answer: {error}: see whether QEMU hangs, or another program holds its monitor"
            ) from error
        try:
            yield monitor
        finally:
            monitor.close()
