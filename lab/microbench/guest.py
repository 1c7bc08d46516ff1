"""The microbenchmarks in the booted image: no generator, no traffic, its exclusive cores on all cores of this host."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lab import paths
from lab.dut.boot import Boot, BootLimits, HowRun
from lab.dut.shell import Shell
from lab.errors import DutError
from lab.images import Manifest
from lab.machines import cores, host
from lab.machines.spec import DataPort, MachineSpec
from lab.machines.virtual import VirtualServer
from lab.netboot.network import TAP, BootNetwork
from lab.netboot.service import BootService

MEMORY_MIB = 256
COMMAND_LIMIT_S = 120.0
_BOOT_MAC = "52:54:00:bb:00:01"
_PORT_MAC = "52:54:00:bb:01:01"


class GuestBench:
    """A booted image that answers the commands of its microbenchmarks; it halts while it waits."""

    def __init__(self, shell: Shell, plan: host.AcceleratorPlan) -> None:
        self._shell = shell
        self.plan = plan
        """How it runs on this host."""

    def ask(self, command: str) -> list[str]:
        """Run a benchmark and return its lines; DutError when the image refuses or does not answer."""
        return self._shell.tell(f"bench {command}", COMMAND_LIMIT_S)


@contextmanager
def boot(image: Manifest, exclusive_cores: int, run_dir: Path, progress: Callable[[str], None]) -> Iterator[GuestBench]:
    """Boot an image for microbenchmarks alone; several may be up at once, because those that wait cost nothing.

    Args:
        image: PIX in one of its layouts.
        exclusive_cores: each gets a core of this host to itself.
        run_dir: existing folder for the logs.
        progress: told what happens, in one line each.

    Raises:
        UsageError: the host has fewer cores.
        DutError: it does not boot.
        LabError: the lab cannot run it.

    """
    core_plan, plan = cores.plan_without_generator(exclusive_cores), host.plan()
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="bench-", dir=paths.runtime_dir()))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        network = stack.enter_context(BootNetwork())
        served: dict[str, Path | str] = {file.name: image.directory / file.name for file in image.boot_files}
        service = stack.enter_context(BootService(network.place, served, _BOOT_MAC, folder, run_dir / "netboot.log"))
        spec = MachineSpec(
            memory_mib=MEMORY_MIB,
            exclusive_cores=exclusive_cores,
            boot_mac=_BOOT_MAC,
            boot_tap=TAP,
            data_ports=(DataPort(mac=_PORT_MAC),),  # for the registers of a device; nothing is plugged into it
            queue_size=256,
        )
        server = VirtualServer(spec, plan, core_plan, network.enter, folder, run_dir)
        stack.callback(server.power_off)
        shell = Boot(image, server, service, progress, how=HowRun(plan, core_plan), limits=BootLimits()).cold()
        stack.callback(shell.close)
        found = sum(core["role"] == "exclusive" for core in shell.objects("cores"))
        if found != exclusive_cores:
            raise DutError(f"{image.name}: {exclusive_cores} exclusive cores were given and it has {found}")
        yield GuestBench(shell, plan)
