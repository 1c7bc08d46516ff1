"""From a testbed and an image to a router that is configured and waits for its start."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from lab import paths
from lab.dut.boot import Boot
from lab.dut.deployed import DeployedDut
from lab.dut.linux import LinuxDut
from lab.dut.pix import PixDut
from lab.dut.protocol import BootedDut
from lab.dut.shell import Shell
from lab.errors import LabError, UsageError
from lab.images import Manifest
from lab.images.manifest import SCRIPT_NAME
from lab.machines import cores, host
from lab.machines.spec import DataPort, MachineSpec
from lab.machines.virtual import VirtualServer
from lab.netboot.network import TAP, BootNetwork
from lab.netboot.service import BootService
from lab.testbed import Testbed
from lab.testbed.resources import Qemu, Server

Progress = Callable[[str], None]

ROUTES_SUFFIX = ".routes"
"""PIX asks the boot service for the file of its own name with this behind it."""

_DRIVERS: dict[str, Callable[[Shell, Manifest], BootedDut]] = {
    "linux": LinuxDut,
    "pix": lambda shell, image: PixDut(shell),
}
"""What makes a DUT of a booted shell, by the manifest's ``driver``."""


@contextmanager
def deploy(
    testbed: Testbed,
    image: Manifest,
    *,
    vhost_sockets: list[Path],
    run_dir: Path,
    progress: Progress,
    route_file: Path | None = None,
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
        route_file: served beside the image, for its ``load_routes``; an image that takes none ignores it.

    Raises:
        UsageError: image and testbed do not fit each other.
        ImageMismatch: something else booted.
        DutError: it did not boot, or did not answer.
        LabError: the lab could not run it.

    """
    machine = _machine(testbed)
    _check_fit(testbed, machine, image)
    core_plan = cores.plan(machine.exclusive_cores)
    if not image.polls:  # QEMU's part in each interrupt is work of the DUT: none of it on the generator's core
        core_plan = core_plan.model_copy(update={"housekeeping": core_plan.exclusive[0]})
    plan = host.plan_for(image.name, image.accelerators, core_plan.sharing)
    progress(f"host: {plan.accelerator}: {plan.reason}")
    with ExitStack() as stack:
        folder = _folder(stack)
        network = stack.enter_context(BootNetwork())
        service = stack.enter_context(
            BootService(network, _served(image, route_file), machine.boot_mac, folder, run_dir / "netboot.log")
        )
        spec = _spec(testbed, machine, vhost_sockets)
        server = VirtualServer(spec, plan, core_plan, network.enter, folder, run_dir)
        keeper = stack.enter_context(ThreadPoolExecutor(1, "reset"))
        stack.callback(server.power_off)
        boot = Boot(image, server, service, plan, core_plan, progress)
        dut = _DRIVERS[image.driver](boot.cold(), image)
        stack.callback(dut.close)
        progress("configuring addresses, neighbours and routes")
        node = testbed.dut
        dut.configure(node, [testbed.peer_of(port) for port in node.ports])
        if route_file is not None and isinstance(dut, PixDut):
            dut.prove_route_file(hashlib.sha256(route_file.read_bytes()).hexdigest())
        yield DeployedDut(dut, boot, server, core_plan, len(node.ports), keeper)


def _machine(testbed: Testbed) -> Qemu:
    """Return the machine that is booted; LabError for one that this version of the lab cannot."""
    machine = testbed.dut.machine
    assert isinstance(machine, Qemu | Server), "a reference is not booted"
    if isinstance(machine, Server):
        raise LabError(
            f"testbed {testbed.name!r} answers, but this version of the lab has no driver yet for power "
            f"{machine.power.driver!r} and console {machine.console.driver!r}: use a virtual testbed"
        )
    return machine


def _check_fit(testbed: Testbed, machine: Qemu, image: Manifest) -> None:
    """Raise UsageError, saying which value of which file to change, unless the image can run on the machine."""
    where = f"{image.name!r} on testbed {testbed.name!r}"
    if machine.exclusive_cores > image.max_exclusive_cores:
        raise UsageError(
            f"{where}: the testbed asks for {machine.exclusive_cores} exclusive cores, but the image "
            f"takes at most {image.max_exclusive_cores}: lower nodes.*.machine.exclusive_cores"
        )
    if machine.memory_mib < image.memory_mib_min:
        raise UsageError(
            f"{where}: the machine has {machine.memory_mib} MiB, but the image needs {image.memory_mib_min}: "
            "raise nodes.*.machine.memory_mib"
        )
    for port in testbed.dut.ports:
        if len(port.qgms) > 1 and image.driver != "pix":
            raise UsageError(
                f"{where}: port {port.name} has {len(port.qgms)} queue pairs, which the lab gives to PIX only: "
                "remove nodes.*.ports[].qgms"
            )
        if port.nic != image.nic_model:
            raise UsageError(
                f"{where}: port {port.name} is a {port.nic}, but the image drives {image.nic_model}: "
                "change nodes.*.ports[].nic, or take another image"
            )


def _served(image: Manifest, route_file: Path | None) -> dict[str, Path | str]:
    """Return what the boot service hands out: the script first, where there is one."""
    script = {} if image.boot_script is None else {SCRIPT_NAME: image.boot_script}
    routes = {} if route_file is None else {f"{image.boot_files[0].name}{ROUTES_SUFFIX}": route_file}
    return {**script, **{file.name: image.directory / file.name for file in image.boot_files}, **routes}


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
