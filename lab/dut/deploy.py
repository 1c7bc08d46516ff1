"""From a testbed and an image to a router that is configured and waits for its start."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from lab.dut import machine
from lab.dut.boot import Boot
from lab.dut.deployed import DeployedDut
from lab.dut.linux import LinuxDut
from lab.dut.pix import PixDut
from lab.dut.protocol import BootedDut
from lab.dut.shell import Shell
from lab.errors import DutError, ImageMismatch, LabError, UsageError
from lab.images import Manifest
from lab.images.manifest import SCRIPT_NAME
from lab.testbed import Testbed, lease
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
    taps: Sequence[int] = (),
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
        taps: instead of these, the open descriptor of a tap for each data port.
        run_dir: existing folder for console.log, qemu.log and netboot.log.
        progress: told what happens, in one line each.
        route_file: served beside the image, for its ``load_routes``; an image that takes none ignores it.

    Raises:
        UsageError: image and testbed do not fit each other.
        ImageMismatch: something else booted.
        DutError: it did not boot, or did not answer.
        LabError: the lab could not run it.

    """
    device = testbed.dut.machine
    assert isinstance(device, Qemu | Server), "a reference is not booted"
    image = image.for_firmware(device.firmware)
    _check_fit(testbed, device, image)
    files = _served(image, route_file)
    with ExitStack() as stack:
        keeper = stack.enter_context(ThreadPoolExecutor(1, "reset"))
        logs: dict[str, Any] = {"run_dir": run_dir, "progress": progress}
        if isinstance(device, Server):
            on = stack.enter_context(machine.rack(device, files, **logs))
        else:
            ends: dict[str, Any] = {"vhost_sockets": vhost_sockets, "taps": taps}
            on = stack.enter_context(machine.virtual(testbed, device, image, files, **ends, **logs))
        boot = Boot(image, on.server, on.source, progress, how=on.how, limits=on.limits)
        dut = _DRIVERS[image.driver](_first_boot(testbed, boot), image)
        stack.callback(dut.close)
        progress("configuring addresses, neighbours and routes")
        node = testbed.dut
        dut.configure(node, [testbed.peer_of(port) for port in node.ports])
        if route_file is not None and isinstance(dut, PixDut):
            dut.prove_route_file(hashlib.sha256(route_file.read_bytes()).hexdigest())
        plan = None if on.how is None else on.how.cores
        yield DeployedDut(dut, boot, on.server, plan, len(node.ports), keeper)


def _first_boot(testbed: Testbed, boot: Boot) -> Shell:
    """Boot; a server of a rack that does not come is set aside with its testbed."""
    try:
        return boot.cold()
    except DutError as error:
        device = testbed.dut.machine
        if isinstance(device, Server) and testbed.box is None and not isinstance(error, ImageMismatch):
            with suppress(LabError):  # the boot is what is told
                lease.quarantine(testbed, f"{device.boot_attempts} boots failed: {error}")
        raise


def _check_fit(testbed: Testbed, device: Qemu | Server, image: Manifest) -> None:
    """Raise UsageError, saying which value of which file to change, unless the image can run on the machine."""
    where = f"{image.name!r} on testbed {testbed.name!r}"
    if device.exclusive_cores > image.max_exclusive_cores:
        raise UsageError(
            f"{where}: the testbed asks for {device.exclusive_cores} exclusive cores, but the image "
            f"takes at most {image.max_exclusive_cores}: lower nodes.*.machine.exclusive_cores"
        )
    if isinstance(device, Qemu) and device.memory_mib < image.memory_mib_min:
        raise UsageError(
            f"{where}: the machine has {device.memory_mib} MiB, but the image needs {image.memory_mib_min}: "
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
