"""A router that has been booted and configured: what it counts, what disturbs it, and how it is reset."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from lab.dut.boot import Boot
from lab.dut.protocol import BootedDut, Dut
from lab.dut.record import BootRecord
from lab.dut.reset import ResetRecord, require_kind
from lab.errors import DutError, LabError
from lab.machines import cores
from lab.machines.protocol import Server
from lab.metrics.hops import Tally
from lab.traffic.disturbance import ThreadProbe

RESETS = ("power", "software", "hardware")
"""Ways to reset a machine (RFC 6201 section 4): its power, its system's own command, its reset line."""

_RESET_LIMIT_S = 10.0


class DeployedDut:
    """A router that has been booted and configured. ``boot`` and ``vcpu_tids`` are those of its last boot."""

    def __init__(
        self,
        dut: BootedDut,
        boot: Boot,
        server: Server,
        plan: cores.CorePlan | None,
        data_ports: int,
        keeper: ThreadPoolExecutor,
    ) -> None:
        """Describe it.

        Args:
            dut: what has been booted and configured.
            boot: what boots it again.
            server: its machine.
            plan: host cores of a virtual machine; None for a real one.
            data_ports: how many it has.
            keeper: has one thread, which lives as long as the machine: see ``reset``.

        """
        self.dut: Dut = dut
        self._booted = dut
        self._keeper = keeper
        self._in_use = threading.RLock()
        self.data_ports = data_ports
        self.exclusive_cores = dict(enumerate(plan.exclusive if plan else (), start=1))
        """Host core of each exclusive vCPU, by the vCPU's index; none for a real machine."""
        self.sharing = plan.sharing if plan else ""
        """Why vCPUs share host cores, so that nothing can be measured; empty where they do not."""
        self.no_router = ""
        self.hops = 1
        self._boot = boot
        self._server = server
        self._configured = dut.tally().boot

    def probes(self) -> list[ThreadProbe]:
        """Return probes of the exclusive vCPUs; none where they share cores, which is disturbance enough."""
        return [
            ThreadProbe(who=f"vCPU {vcpu} of the DUT", tid=partial(self._vcpu_tid, vcpu), core=core)
            for vcpu, core in self.exclusive_cores.items()
            if not self.sharing
        ]

    def _vcpu_tid(self, vcpu: int) -> int:
        return self.vcpu_tids[vcpu]

    def tally(self) -> Tally:
        """Return what it has counted; a reset that is under way is waited for."""
        with self._in_use:
            return self.dut.tally()

    def restore(self) -> None:
        """Power it off and on again unless it is up as it was configured last.

        Raises:
            LabError: it does not come back.

        """
        with suppress(LabError):  # what does not answer is no longer what was configured
            if self.tally().boot == self._configured:
                return
        self.reset("power")

    def relink(self) -> None:
        """Restore it where it is not what was configured; else QEMU connects to its sockets again by itself."""
        self.restore()

    def resets(self) -> tuple[str, ...]:
        """Return the kinds of its resets."""
        return RESETS

    def reset(self, kind: str) -> ResetRecord:
        """Reset it and bring it back to what it was told before; may be called in any thread while frames come.

        The work is done by the keeper's thread: QEMU ends with the thread that starts it.

        Raises:
            UsageError: it has no such reset.
            LabError: it does not come back, or something else booted.

        """
        require_kind(kind, RESETS, self.boot.image)
        return self._keeper.submit(self._reset, kind).result()

    def _reset(self, kind: str) -> ResetRecord:
        with self._in_use:
            began_s = time.time()
            if kind == "software":
                self._server.expect_reset()
            {"power": self._server.power_off, "software": self._booted.send_reboot, "hardware": self._server.reset}[
                kind
            ]()
            if kind != "power" and not self._server.wait_off(_RESET_LIMIT_S):
                raise DutError(f"a {kind} reset did not reset the machine of the DUT within {_RESET_LIMIT_S:g} s")
            down_s = time.time()
            shell = self._boot.cold()
            booted_s = time.time()
            self._booted.reconfigure(shell)
            self._configured = self.dut.tally().boot
            phases_s = {"reset": down_s - began_s, **self.boot.phases_s, "configuration": time.time() - booted_s}
            return ResetRecord(kind=kind, began_at_s=began_s, phases_s=phases_s, boot=self.boot)

    @property
    def boot(self) -> BootRecord:
        """The record of its last boot."""
        return self._boot.record

    @property
    def vcpu_tids(self) -> dict[int, int]:
        """Thread id of each vCPU on this host, by its index."""
        return self._server.vcpu_tids()
