"""From a testbed and an image to a router that is configured and waits for its start."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import get_args

from lab import paths
from lab.dut.boot import Boot
from lab.dut.pix import PixDut
from lab.dut.protocol import Dut
from lab.dut.record import BootRecord
from lab.errors import LabError, UsageError
from lab.images import Manifest
from lab.machines import cores, host
from lab.machines.spec import DataPort, MachineSpec
from lab.machines.virtual import VirtualServer
from lab.netboot.network import TAP, BootNetwork
from lab.netboot.service import BootService
from lab.testbed import Testbed
from lab.testbed.resources import Qemu

Progress = Callable[[str], None]


class DeployedDut:
    """A router that has been booted and configured. ``boot`` and ``vcpu_tids`` are those of its last boot."""

    def __init__(self, dut: PixDut, boot: Boot, server: VirtualServer, plan: cores.CorePlan, data_ports: int) -> None:
        self.dut: Dut = dut
        self.data_ports = data_ports
        self.exclusive_cores = dict(enumerate(plan.exclusive, start=1))
        """Host core of each exclusive vCPU, by the vCPU's index."""
        self.sharing = plan.sharing
        """Why vCPUs share host cores, so that nothing can be measured; empty where they do not."""
        self._boot = boot
        self._server = server

    @property
    def boot(self) -> BootRecord:
        """The record of its last boot."""
        return self._boot.record

    @property
    def vcpu_tids(self) -> dict[int, int]:
        """Thread id of each vCPU on this host, by its index."""
        return self._server.vcpu_tids()


@contextmanager
def deploy(
    testbed: Testbed, image: Manifest, *, vhost_sockets: list[Path], run_dir: Path, progress: Progress
) -> Iterator[DeployedDut]:
    """Boot an image on the DUT of a testbed, prove what booted, and configure its addresses, neighbours and routes.

    The caller holds the testbed's lease. Start it from a thread that lives as long as the DUT: its processes die with
    the thread that started them.

    Args:
        testbed: where.
        image: what.
        vhost_sockets: for each data port of the DUT, in their order, the socket of a vhost-user server that already
            listens; none at all leaves the ports plugged into nothing.
        run_dir: existing folder for console.log, qemu.log and netboot.log.
        progress: told what happens, in one line each.

    Raises:
        UsageError: image and testbed do not fit each other.
        ImageMismatch: something else booted.
        DutError: it did not boot, or did not answer.
        LabError: the lab could not run it.

    """
    machine = testbed.dut.machine
    if not isinstance(machine, Qemu):
        raise LabError(
            f"testbed {testbed.name!r} answers, but this version of the lab has no driver yet for power "
            f"{machine.power.driver!r} and console {machine.console.driver!r}: use a virtual testbed"
        )
    if machine.exclusive_cores > image.max_exclusive_cores:
        raise UsageError(
            f"testbed {testbed.name!r} asks for {machine.exclusive_cores} exclusive cores, but {image.name!r} "
            f"takes at most {image.max_exclusive_cores}: lower nodes.*.machine.exclusive_cores"
        )
    core_plan = cores.plan(machine.exclusive_cores)
    plan = host.plan_for(image.name, get_args(host.Accelerator), core_plan.sharing)
    progress(f"host: {plan.accelerator}: {plan.reason}")
    with ExitStack() as stack:
        folder = _folder(stack)
        network = stack.enter_context(BootNetwork())
        service = stack.enter_context(
            BootService(network, image.path, machine.boot_mac, folder, run_dir / "netboot.log")
        )
        spec = _spec(testbed, machine, vhost_sockets)
        server = VirtualServer(spec, plan, core_plan, network.enter, folder, run_dir)
        stack.callback(server.power_off)
        boot = Boot(image, server, service, plan, core_plan, progress)
        dut = PixDut(boot.cold(), boot.after_reboot)
        stack.callback(dut.close)
        progress("configuring addresses, neighbours and routes")
        node = testbed.dut
        dut.configure(node, [testbed.peer_of(port) for port in node.ports])
        yield DeployedDut(dut, boot, server, core_plan, len(node.ports))


def _spec(testbed: Testbed, machine: Qemu, vhost_sockets: list[Path]) -> MachineSpec:
    ports = testbed.dut.ports
    if vhost_sockets and len(vhost_sockets) != len(ports):
        raise UsageError(
            f"{len(vhost_sockets)} vhost-user sockets for {len(ports)} data ports: give one for each or none"
        )
    sockets: Sequence[Path | None] = vhost_sockets or [None] * len(ports)
    return MachineSpec(
        memory_mib=machine.memory_mib,
        exclusive_cores=machine.exclusive_cores,
        boot_mac=machine.boot_mac,
        boot_tap=TAP,
        data_ports=tuple(
            DataPort(mac=port.mac, vhost_socket=socket, queue_pairs=max(1, len(port.qgms)))
            for port, socket in zip(ports, sockets, strict=True)
        ),
        queue_size=machine.queue_size,
    )


def _folder(stack: ExitStack) -> Path:
    """Make a folder for sockets and the served copy, and remove those of runs that were killed."""
    top = paths.runtime_dir()
    for stale in top.glob("dut-*"):
        with suppress(ValueError, IndexError):
            if not Path(f"/proc/{int(stale.name.split('-')[1])}").exists():
                shutil.rmtree(stale, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"dut-{os.getpid()}-", dir=top))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder
