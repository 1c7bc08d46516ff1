"""What a virtual machine is made of, as data; lab.machines.qemu turns it into a command line."""

from __future__ import annotations

from pathlib import Path

from lab.models import Model
from lab.testbed.boots import Firmware
from lab.testbed.ports import Mac


class DataPort(Model):
    """A virtio-net port: on the socket of a vhost-user server, on a tap, or plugged into nothing: there, and silent.

    ``tap`` is the open descriptor of its far end. A port with several ``queue_pairs`` needs a server that has as many.
    """

    mac: Mac
    vhost_socket: Path | None = None
    tap: int | None = None
    queue_pairs: int = 1


class MachineSpec(Model):
    """A virtual machine: one ordinary core and ``exclusive_cores`` more, and a PXE NIC on the tap ``boot_tap``.

    ``queue_size`` counts descriptors of a virtio queue.
    """

    memory_mib: int
    exclusive_cores: int
    boot_mac: Mac
    boot_tap: str
    data_ports: tuple[DataPort, ...]
    queue_size: int
    firmware: Firmware = "bios"
