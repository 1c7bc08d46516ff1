"""The machine that an image is booted on, with all that it needs to boot: virtual or of a rack."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from lab import paths
from lab.dut.boot import BootLimits, HowRun
from lab.errors import LabError, UsageError
from lab.images import Manifest
from lab.machines import consoles, cores, host, power
from lab.machines.protocol import Server
from lab.machines.rack import RackServer
from lab.machines.spec import DataPort, MachineSpec
from lab.machines.virtual import VirtualServer
from lab.netboot import open_source
from lab.netboot.network import TAP, BootNetwork
from lab.netboot.protocol import BootSource
from lab.netboot.service import BootService
from lab.testbed import Testbed, resources

Progress = Callable[[str], None]
Files = Mapping[str, Path | str]


class Machine(NamedTuple):
    """A machine that is off, and what it boots from; ``how`` a virtual one is run, None for a real one."""

    server: Server
    source: BootSource
    how: HowRun | None
    limits: BootLimits


@contextmanager
def virtual(
    testbed: Testbed,
    machine: resources.Qemu,
    image: Manifest,
    files: Files,
    *,
    vhost_sockets: Sequence[Path],
    taps: Sequence[int],
    run_dir: Path,
    progress: Progress,
) -> Iterator[Machine]:
    """Make a virtual machine; it is switched off at the end.

    Args:
        testbed: whose DUT it is.
        machine: as the testbed has it.
        image: that it will boot.
        files: by name, what the boot service hands out; the first is what boots.
        vhost_sockets: as of ``lab.dut.deploy.deploy``.
        taps: as of ``lab.dut.deploy.deploy``.
        run_dir: existing folder for logs.
        progress: told how it is run.

    Raises:
        UsageError: the sockets do not fit the ports.
        LabError: the lab could not make it.

    """
    core_plan = cores.plan(machine.exclusive_cores)
    # QEMU's part in each interrupt, or in each frame of a tap, is work of the DUT: none of it on the generator's core.
    if taps or not image.polls:
        core_plan = core_plan.model_copy(update={"housekeeping": core_plan.exclusive[0]})
    plan = host.plan_for(image.name, image.accelerators, core_plan.sharing)
    progress(f"host: {plan.accelerator}: {plan.reason}")
    spec = _spec(testbed, machine, vhost_sockets, taps)
    with ExitStack() as stack:
        folder = _folder(stack)
        network = stack.enter_context(BootNetwork())
        service = stack.enter_context(
            BootService(
                network.place,
                files,
                machine.boot_mac,
                folder,
                run_dir / "netboot.log",
                firmware=machine.firmware,
            )
        )
        server = VirtualServer(spec, plan, core_plan, network.enter, folder, run_dir)
        stack.callback(server.power_off)
        yield Machine(server, service, HowRun(plan, core_plan), BootLimits())


@contextmanager
def rack(machine: resources.Server, files: Files, *, run_dir: Path, progress: Progress) -> Iterator[Machine]:
    """Take a server of a rack into use; its power is left as the testbed says for what came of it.

    Args:
        machine: as the testbed has it.
        files: by name, what it boots from; the first is what boots.
        run_dir: existing folder for logs.
        progress: told when its power could not be left so.

    Raises:
        UsageError: a secret is not where the testbed says.
        LabError: its controller, console or boot source cannot be had.

    """
    with ExitStack() as stack:
        folder = _folder(stack)
        controller = power.connect(machine.power, firmware=machine.boot.firmware)
        stack.callback(controller.close)
        console = consoles.open_console(machine.console, run_dir / "console.log")
        stack.callback(console.close)
        server = RackServer(controller, console)
        try:
            source = open_source(machine.boot, files, folder, run_dir / "netboot.log")
            stack.callback(_close, source, progress)
            yield Machine(server, source, None, BootLimits(machine.ready_limit_s, machine.boot_attempts))
        except BaseException:
            try:
                server.leave(machine.when_failed)
            except LabError as error:  # what went wrong before is what is told as the reason
                progress(f"the server could not be left {machine.when_failed!r}: {error}")
            raise
        server.leave(machine.when_done)


def _close(source: BootSource, progress: Progress) -> None:
    """Stop serving; what cannot be removed is told, and hides no other error."""
    try:
        source.close()
    except LabError as error:
        progress(f"what the server booted from could not be taken back: {error}")


def _spec(testbed: Testbed, machine: resources.Qemu, vhost_sockets: Sequence[Path], taps: Sequence[int]) -> MachineSpec:
    ports = testbed.dut.ports
    for what, ends in (("vhost-user sockets", vhost_sockets), ("taps", taps)):
        if ends and len(ends) != len(ports):
            raise UsageError(f"{len(ends)} {what} for {len(ports)} data ports: give one for each or none")
    none = [None] * len(ports)
    return MachineSpec(
        memory_mib=machine.memory_mib,
        exclusive_cores=machine.exclusive_cores,
        boot_mac=machine.boot_mac,
        boot_tap=TAP,
        data_ports=tuple(
            DataPort(mac=port.mac, vhost_socket=socket, tap=tap, queue_pairs=max(1, len(port.qgms)))
            for port, socket, tap in zip(ports, vhost_sockets or none, taps or none, strict=True)
        ),
        queue_size=machine.queue_size,
        firmware=machine.firmware,
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
