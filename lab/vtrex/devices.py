"""What a port is made of: the forms of ``--port``, one class a form, checked before the engine starts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lab.vtrex.device_checks import check_interface, check_new_socket, check_pci, check_socket_path

_HEX = "[0-9a-fA-F]"
PCI_FORM = re.compile(rf"(?:(?P<domain>{_HEX}{{4}}):)?(?P<rest>{_HEX}{{2}}:{_HEX}{{2}}\.[0-7])(?P<arguments>,.*)?")


class Device:
    """One port's device."""

    @property
    def name(self) -> str:
        """What no two devices may have in common."""
        raise NotImplementedError

    @property
    def pci_address(self) -> str | None:
        """Address of a device of the PCI bus, None for others."""
        return None

    @property
    def in_namespace(self) -> bool:
        """Whether it belongs to a network namespace."""
        return False

    def described(self, index: int) -> str:
        """Return what tells the engine to make it port ``index`` (engine/device.h)."""
        raise NotImplementedError

    def check(self, netns: str | None) -> None:
        """Make sure that the device can be made; removes a socket that a dead process left behind.

        Args:
            netns: file of the network namespace of interfaces, None for this process's own.

        Raises:
            UsageError: it cannot, and why.

        """

    def remove(self) -> None:
        """Remove what the device leaves in the file system."""


@dataclass(frozen=True)
class Vhost(Device):
    """A vhost-user socket; a guest must use all ``queues`` queue pairs, as frames are spread over all of them.

    A ``client`` connects to the socket of a server (QEMU: ``-chardev socket,server=on``), and again when that has gone.
    """

    path: str
    queues: int = 1
    client: bool = False

    @property
    def name(self) -> str:
        """The socket, and which end of it."""
        return f"the client of {self.path}" if self.client else self.path

    def described(self, index: int) -> str:
        """A device of DPDK's net_vhost."""
        side = ",client=1" if self.client else ""
        return f"dpdk:{self.queues},net_vhost{index},iface={self.path},queues={self.queues}{side}"

    def check(self, netns: str | None) -> None:
        """The path can be a socket, and for a server is not in use."""
        (check_socket_path if self.client else check_new_socket)(self.path)

    def remove(self) -> None:
        """Remove the socket of a server."""
        if not self.client:
            Path(self.path).unlink(missing_ok=True)


@dataclass(frozen=True)
class Dgram(Device):
    """Two unix datagram sockets, one frame a datagram: QEMU's ``-netdev dgram``."""

    local: str
    peer: str

    @property
    def name(self) -> str:
        """The socket that is made."""
        return self.local

    def described(self, index: int) -> str:
        """The engine's own device."""
        return f"dgram:{self.local},{self.peer}"

    def check(self, netns: str | None) -> None:
        """Both can be sockets, and the first is not in use."""
        check_new_socket(self.local)
        check_socket_path(self.peer)

    def remove(self) -> None:
        """Remove the socket that was made."""
        Path(self.local).unlink(missing_ok=True)


@dataclass(frozen=True)
class Stream(Device):
    """A unix stream socket, each frame behind its length: QEMU's ``-netdev stream``."""

    path: str
    server: bool = False

    @property
    def name(self) -> str:
        """The socket, and which end of it."""
        return self.path if self.server else f"the client of {self.path}"

    def described(self, index: int) -> str:
        """The engine's own device."""
        return f"stream:{self.path},{'server' if self.server else 'client'}"

    def check(self, netns: str | None) -> None:
        """The path can be a socket, and for a server is not in use."""
        (check_new_socket if self.server else check_socket_path)(self.path)

    def remove(self) -> None:
        """Remove the socket of a server."""
        if self.server:
            Path(self.path).unlink(missing_ok=True)


@dataclass(frozen=True)
class Interface(Device):
    """A network interface of the kernel, by ``kind`` af_packet or af_xdp.

    A packet socket goes by the interface's queueing discipline only where ``by_qdisc``: then what finds no room in the
    interface's queue is dropped and counted there. Else it stays in the socket's ring until more is sent.
    """

    kind: str
    interface: str
    by_qdisc: bool = False

    @property
    def name(self) -> str:
        """The interface."""
        return f"interface {self.interface}"

    @property
    def in_namespace(self) -> bool:
        """It does."""
        return True

    def described(self, index: int) -> str:
        """A device of DPDK's net_af_packet or net_af_xdp."""
        options = ",blocksz=65536,framesz=2048,framecnt=1024" if self.kind == "af_packet" else ""
        options += ",qdisc_bypass=0" if self.by_qdisc else ""
        return f"dpdk:1,net_{self.kind}{index},iface={self.interface}{options}"

    def check(self, netns: str | None) -> None:
        """The interface is there and up."""
        check_interface(self.kind, self.interface, netns)


@dataclass(frozen=True)
class Dpdk(Device):
    """Any device of DPDK: ``id`` is its address on the PCI bus or the name of a virtual one, ``arguments`` its own."""

    id: str
    arguments: str

    @property
    def name(self) -> str:
        """Its name in DPDK."""
        return self.id

    @property
    def pci_address(self) -> str | None:
        """The address, if it is one."""
        return self.id if PCI_FORM.fullmatch(self.id) else None

    @property
    def in_namespace(self) -> bool:
        """It may (net_tap); PCI devices do not."""
        return self.pci_address is None

    def described(self, index: int) -> str:
        """As it is."""
        return f"dpdk:1,{self.id}{self.arguments}"

    def check(self, netns: str | None) -> None:
        """A device of the PCI bus is there, and DPDK may have it."""
        if self.pci_address is not None:
            check_pci(self.pci_address)


@dataclass(frozen=True)
class Ring(Device):
    """A port that receives what it sends."""

    index: int

    @property
    def name(self) -> str:
        """Each is another one."""
        return f"ring {self.index}"

    def described(self, index: int) -> str:
        """A ring of DPDK."""
        return "ring"


@dataclass(frozen=True)
class Wire(Device):
    """Two ports joined to each other."""

    @property
    def name(self) -> str:
        """There is only one."""
        return "wire"

    def described(self, index: int) -> str:
        """Two rings of DPDK."""
        return "wire"
