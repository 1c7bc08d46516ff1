"""What the virtual server of a box is made of, and the command line of QEMU that makes it."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

from lab.machines.firmware import boot_nic_options, firmware_options, quoted
from lab.machines.host import QEMU
from lab.machines.qemu import data_port_options
from lab.machines.spec import DataPort
from lab.models import Model
from lab.testbed.boots import Firmware
from lab.testbed.ports import Mac

_QUEUE_SIZE = 1024
_BOOT_SLOT = 3


class Cable(Model):
    """A data port with its MAC, and the socket (vhost-user) of the generator's port at the other end of its cable."""

    mac: Mac
    socket: Path
    queue_pairs: int


class Hardware(Model):
    """A server: one ordinary core and ``exclusive_cores`` more, a boot NIC on the tap ``tap``, and data ports.

    ``accelerator`` and ``cpu`` are QEMU's. Its exclusive processors run on the host's cores ``own_cores``, in their
    order, and all else of it on ``other_core``.
    """

    memory_mib: int
    exclusive_cores: int
    firmware: Firmware
    accelerator: str
    cpu: str
    boot_mac: Mac
    tap: str
    cables: tuple[Cable, ...]
    own_cores: tuple[int, ...]
    other_core: int

    def command(self, monitors: tuple[Path, Path], serial: Path, network_first: bool) -> list[str]:
        """Return the command line of QEMU: the machine stands still at its start, and comes back from a reset.

        A data port at whose far end nobody listens is one whose cable is not plugged in: QEMU would wait for it.

        Args:
            monitors: sockets that QEMU makes for its monitor.
            serial: a socket that listens for the serial port; the variables of UEFI are kept beside it.
            network_first: whether it boots from the boot NIC; if not, from its blank disk.

        Raises:
            LabError: the firmware is not installed.

        """
        size = f"{self.memory_mib}M"
        shared = f"memory-backend-memfd,id=ram,size={size},share=on,prealloc=on"
        command = [QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-vga", "none", "-S"]
        # Firmware writes to the serial port; and boots from nothing that is not in its boot order.
        command += ["-machine", "pc,memory-backend=ram,graphics=off", "-boot", "strict=on"]
        command += ["-accel", self.accelerator, "-cpu", self.cpu, "-smp", str(1 + self.exclusive_cores), "-m", size]
        command += ["-object", shared]
        command += firmware_options(self.firmware, serial.parent)
        for number, monitor in enumerate(monitors):
            command += ["-chardev", f"socket,id=qmp{number},path={quoted(monitor)},server=on,wait=off"]
            command += ["-mon", f"chardev=qmp{number},mode=control"]
        command += ["-chardev", f"socket,id=con,path={quoted(serial)}", "-serial", "chardev:con"]
        command += ["-netdev", f"tap,id=boot,ifname={self.tap},script=no,downscript=no"]
        # The disk is blank. Without a device in the boot order firmware would boot from any.
        command += ["-blockdev", "driver=null-co,node-name=disk,size=1048576,read-zeroes=on"]
        command += ["-device", "ide-hd,drive=disk,bootindex=1"]
        command += boot_nic_options(self.firmware, "boot", self.boot_mac, _BOOT_SLOT, first=network_first)
        for number, cable in enumerate(self.cables):
            plugged = cable.socket if _listens(cable.socket) else None
            port = DataPort(mac=cable.mac, vhost_socket=plugged, queue_pairs=cable.queue_pairs)
            command += data_port_options(number, port, _QUEUE_SIZE)
        return command


def _listens(path: Path) -> bool:
    """Say whether a stream socket is bound to a path, without a connection that it would have to take.

    connect(2) of a datagram socket fails with EPROTOTYPE where a stream socket is, and otherwise where none is.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        return probe.connect_ex(str(path)) == errno.EPROTOTYPE
