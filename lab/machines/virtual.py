"""A virtual server: power, console and boot of a machine in QEMU, and its move to KVM."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from lab.errors import LabError
from lab.machines.consoles.console import Console
from lab.machines.cores import CorePlan
from lab.machines.handover import hand_over
from lab.machines.host import AcceleratorPlan
from lab.machines.qemu import Qemu
from lab.machines.spec import MachineSpec

# The emulator's plain processor, without what it cannot emulate well. The guest keeps it when it moves: a processor
# whose features change under a running system is none that it could meet on hardware.
_EMULATED_CPU = "qemu64,-svm"
# ARCH_CAPABILITIES cannot be passed on by every nested KVM.
_NATIVE_CPU = "host,-arch-capabilities"


class VirtualServer:
    """A machine that is off after its creation and can be powered on any number of times."""

    def __init__(
        self,
        spec: MachineSpec,
        plan: AcceleratorPlan,
        cores: CorePlan,
        enter_network: Callable[[Sequence[str]], list[str]],
        directory: Path,
        log_directory: Path,
    ) -> None:
        """Describe the machine.

        Args:
            spec: what it is made of.
            plan: how it is run on this host.
            cores: host cores for its vCPUs.
            enter_network: makes a command run in the boot network's namespace.
            directory: for sockets and the state in a hand-over; a short path.
            log_directory: for console.log and qemu.log.

        """
        self._spec = spec
        self._plan = plan
        self._cores = cores
        self._enter_network = enter_network
        self._directory = directory
        self._log_directory = log_directory
        self._memory = -1
        self._qemu: Qemu | None = None
        self._tids: dict[int, int] = {}

    @property
    def cpu(self) -> str:
        """QEMU's name of the processor that the guest sees."""
        return _NATIVE_CPU if self._plan.accelerator == "kvm" else _EMULATED_CPU

    @property
    def console(self) -> Console:
        """The serial console; another one after a hand-over."""
        return self._running().console

    def power_on(self) -> None:
        """Switch the machine on, with fresh memory; it boots over PXE, all of it on the first exclusive core.

        That core has nothing else to do meanwhile, and a generator that goes on sending is not disturbed on its own.

        Raises:
            LabError: QEMU does not start.

        """
        self.power_off()
        self._memory = os.memfd_create("guest-memory", os.MFD_CLOEXEC)
        self._qemu = self._start("kvm" if self._plan.accelerator == "kvm" else "tcg", incoming=False)
        self._tids = self._qemu.vcpu_tids()
        self._qemu.pin(self._cores.exclusive, self._cores.exclusive[0])
        self._qemu.resume()

    def hand_over(self) -> None:
        """Move the running guest to KVM.

        Raises:
            LabError: it did not work; the machine is off then.

        """
        source, self._qemu = self._running(), None
        self._qemu = hand_over(source, lambda: self._start("kvm", incoming=True), self._directory)
        self._tids = self._qemu.vcpu_tids()
        self._qemu.pin(self._cores.exclusive, self._cores.exclusive[0])

    def settle(self) -> None:
        """Leave the exclusive cores to the exclusive vCPUs: what has been booted may begin to poll."""
        self._running().pin(self._cores.exclusive, self._cores.housekeeping)

    def reset(self) -> None:
        """Pull the reset line; the machine switches itself off instead of coming back, as ``wait_off`` sees."""
        self._running().qmp.execute("system_reset")

    def power_off(self) -> None:
        """Switch the machine off, at once. Nothing happens when it is off."""
        if self._qemu is not None:
            self._qemu.close()
            self._qemu = None
        if self._memory >= 0:
            os.close(self._memory)
            self._memory = -1

    def expect_reset(self) -> None:
        """Do nothing: the machine switches itself off instead, and boots from the network when it is switched on."""

    def wait_off(self, timeout_s: float) -> bool:
        """Wait for the machine to switch itself off, as it does instead of a reset; returns whether it did."""
        return self._running().wait_ended(timeout_s)

    def vcpu_tids(self) -> dict[int, int]:
        """Return the thread id of each vCPU by its index; those of the last machine while it is off."""
        return self._tids

    def require_running(self) -> None:
        """Raise LabError, with what QEMU said, unless the machine runs."""
        self._running().require_running()

    def obituary(self) -> str:
        """Say how the machine ended; empty while it runs."""
        return self._running().obituary()

    def _running(self) -> Qemu:
        if self._qemu is None:
            raise LabError("the virtual machine is off: power it on first")
        return self._qemu

    def _start(self, accelerator: Literal["kvm", "tcg"], incoming: bool) -> Qemu:
        return Qemu(
            self._spec,
            accelerator,
            self.cpu,
            memory=self._memory,
            directory=self._directory,
            log_directory=self._log_directory,
            boot_core=self._cores.exclusive[0],
            enter_network=self._enter_network,
            incoming=incoming,
        )
