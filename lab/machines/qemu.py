"""One QEMU process: started, spoken to, ended. It dies with the process that started it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeVar

from lab.errors import LabError
from lab.machines.consoles.console import Console
from lab.machines.consoles.sockets import connect_unix
from lab.machines.consoles.stream import StreamLost
from lab.machines.deadline import Deadline
from lab.machines.firmware import boot_nic_options, firmware_options, quoted
from lab.machines.host import QEMU
from lab.machines.qmp import Qmp
from lab.machines.spec import DataPort, MachineSpec
from lab.process import dying_with_parent

_Connection = TypeVar("_Connection", Qmp, Console)

_START_LIMIT_S = 60.0  # half a second of work, on a core that others may keep busy
_BOOT_SLOT = 3  # PCI device numbers are given, so that both sides of a hand-over and every boot have the same ones


# What is on the link is whole: a system that takes every feature offered would leave checksums to the far end.
_OFFLOADS = (
    *("csum", "gso", "host_tso4", "host_tso6", "host_ecn", "host_ufo"),
    *("guest_csum", "guest_tso4", "guest_tso6", "guest_ecn", "guest_ufo"),
)


class Qemu:
    """A virtual machine that has been created and stands still until ``resume``.

    Invariants: ``memory`` is an open memfd, which the guest has as its memory; whoever opened it closes it. All threads
    run on one core, that of the boot, until ``pin`` gives them theirs.
    """

    def __init__(
        self,
        spec: MachineSpec,
        accelerator: Literal["kvm", "tcg"],
        cpu: str,
        *,
        memory: int,
        directory: Path,
        log_directory: Path,
        boot_core: int,
        enter_network: Callable[[Sequence[str]], list[str]],
        incoming: bool = False,
    ) -> None:
        """Start QEMU.

        Args:
            spec: the machine.
            accelerator: what runs the guest.
            cpu: QEMU's -cpu.
            memory: file descriptor of the guest's memory.
            directory: for the sockets; a short path.
            log_directory: for the console's log (appended to) and what QEMU itself says.
            boot_core: host core for all threads until they are pinned.
            enter_network: makes a command run in the namespace of the boot network.
            incoming: whether it waits for the state of another one instead of starting afresh.

        Raises:
            LabError: QEMU did not start, with what it said.

        """
        _check_servers(spec)
        self._said = log_directory / "qemu.log"
        sockets = {name: directory / f"{accelerator}-{name}" for name in ("qmp", "console")}
        command = _command(spec, accelerator, cpu, memory, sockets)
        command += firmware_options(spec.firmware, directory)
        command += ["-incoming", "defer"] if incoming else []
        for path in sockets.values():
            path.unlink(missing_ok=True)

        command = ["taskset", "--cpu-list", str(boot_core), *enter_network(command)]
        with self._said.open("ab") as log:
            self._process = subprocess.Popen(
                dying_with_parent(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(memory, *(port.tap for port in spec.data_ports if port.tap is not None)),
            )
        try:
            deadline = Deadline(_START_LIMIT_S)
            self._qmp = self._connect(lambda: Qmp(sockets["qmp"], deadline.remaining_s), deadline)
            log_file = log_directory / "console.log"
            self.console = self._connect(
                lambda: Console(lambda mark: connect_unix(sockets["console"]), log_file, reconnect_s=0), deadline
            )
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    @property
    def qmp(self) -> Qmp:
        """The connection to QEMU's monitor."""
        return self._qmp

    def resume(self) -> None:
        """Let the guest run."""
        self._qmp.execute("cont")

    def vcpu_tids(self) -> dict[int, int]:
        """Return the thread id of each vCPU by its index."""
        return {int(cpu["cpu-index"]): int(cpu["thread-id"]) for cpu in self._qmp.execute("query-cpus-fast")}

    def pin(self, exclusive_cores: Sequence[int], other_core: int) -> None:
        """Give each vCPU from the second on a host core of its own, in their order, and all else another one."""
        tids = self.vcpu_tids()
        own = {tids[index]: core for index, core in enumerate(exclusive_cores, start=1)}
        for task in Path(f"/proc/{self._process.pid}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):  # a helper of QEMU that has just ended
                os.sched_setaffinity(int(task.name), {own.get(int(task.name), other_core)})

    def require_running(self) -> None:
        """Raise LabError with QEMU's last words when it has ended."""
        obituary = self.obituary()
        if obituary:
            raise LabError(obituary)

    def obituary(self) -> str:
        """Say how QEMU ended, with its last words; empty while it runs."""
        code = self._process.poll()
        return "" if code is None else f"QEMU ended with code {code}: {self._last_words()}"

    def wait_ended(self, timeout_s: float) -> bool:
        """Wait for QEMU to end by itself; returns whether it did."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """End QEMU at once, whatever the guest does."""
        self.console.close()
        self._qmp.close()
        self._process.kill()
        self._process.wait()

    def _connect(self, connect: Callable[[], _Connection], deadline: Deadline) -> _Connection:
        """Connect to one of QEMU's sockets as soon as it listens."""
        while True:
            try:
                return connect()
            except (OSError, StreamLost, LabError) as error:
                # QEMU opens its sockets before it looks at the rest of its command line: one may close again.
                if isinstance(error, LabError):
                    self.wait_ended(deadline.remaining_s)
                self.require_running()
                if deadline.passed:
                    raise LabError(f"QEMU did not open its sockets within {deadline.timeout_s:g} s") from error
                time.sleep(0.01)

    def _last_words(self) -> str:
        lines = self._said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def _check_servers(spec: MachineSpec) -> None:
    """Raise LabError where a data port has no server: QEMU, told to connect again, would wait for it without a word."""
    for port in spec.data_ports:
        if port.vhost_socket is not None and not port.vhost_socket.is_socket():
            raise LabError(f"no generator listens at {port.vhost_socket} for the port {port.mac}: start it first")


def _command(spec: MachineSpec, accelerator: str, cpu: str, memory: int, sockets: dict[str, Path]) -> list[str]:
    """Write the command line of a machine that stands still at its start and does not come back from a reset."""
    size = f"{spec.memory_mib}M"
    # In memory that several processes see: vhost-user needs it, and a hand-over then moves only the rest of the state.
    shared = f"memory-backend-file,id=ram,mem-path=/proc/self/fd/{memory},size={size},share=on,prealloc=on"
    command = [QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-vga", "none", "-S", "-no-reboot"]
    command += ["-accel", accelerator, "-cpu", cpu, "-smp", str(1 + spec.exclusive_cores), "-m", size]
    command += ["-object", shared, "-machine", "pc,memory-backend=ram"]
    command += [
        "-chardev",
        f"socket,id=qmp,path={quoted(sockets['qmp'])},server=on,wait=off",
        "-mon",
        "chardev=qmp,mode=control",
    ]
    command += [
        "-chardev",
        f"socket,id=con,path={quoted(sockets['console'])},server=on,wait=off",
    ]
    command += ["-serial", "chardev:con"]
    command += ["-netdev", f"tap,id=boot,ifname={spec.boot_tap},script=no,downscript=no"]
    command += boot_nic_options(spec.firmware, "boot", spec.boot_mac, _BOOT_SLOT)
    for number, port in enumerate(spec.data_ports):
        command += data_port_options(number, port, spec.queue_size)
    return command


def data_port_options(number: int, port: DataPort, queue_size: int) -> list[str]:
    """Return the options of QEMU that make a data port, the ``number``-th of its machine."""
    several = port.queue_pairs > 1
    if port.tap is not None:
        options = ["-netdev", f"tap,id=n{number},fd={port.tap},vhost=off"]
    elif port.vhost_socket is None:
        options = ["-netdev", f"hubport,id=n{number},hubid={number}"]
    else:
        # A generator that is started anew is connected to again, within a second.
        options = ["-chardev", f"socket,id=c{number},path={quoted(port.vhost_socket)},reconnect=1"]
        queues = f",queues={port.queue_pairs}" if several else ""
        options += ["-netdev", f"vhost-user,id=n{number},chardev=c{number}{queues}"]
    # Transitional devices and mergeable buffers off: the image drives modern devices with one buffer a frame. No ROM:
    # only the boot NIC boots. No MSI-X (vectors=0): QEMU 7.2 crashes when a guest masks vectors of a vhost-user device,
    # as Linux does at its start; whoever polls needs none, and the interrupt pin does for the others.
    device = f"virtio-net-pci,netdev=n{number},mac={port.mac},disable-legacy=on,mrg_rxbuf=off,romfile=,"
    device += f"rx_queue_size={queue_size},tx_queue_size={queue_size},addr={_BOOT_SLOT + 1 + number:#x}"
    device += ",vectors=0" + (",mq=on" if several else "")
    # QEMU 7.2 was seen to leave what is behind a burst of that length in the queue until more is sent: cut none off.
    device += f",x-txburst={2 * queue_size}" if port.tap is not None else ""
    device += "".join(f",{feature}=off" for feature in _OFFLOADS)
    return [*options, "-device", device]
