"""The networks of a box: namespaces for its machines, and the cables between them. Nothing leads out of them.

The lab's own machine has ``mgmt0`` on the management network, where the controllers and the TRex hosts are, and the
boot interface that the testbed names, whose cable ends at the server's boot NIC.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Interface
from pathlib import Path
from types import TracebackType

from lab.machines.netns import NetworkNamespace
from lab.netboot.network import SERVER_IPV6

MANAGEMENT = IPv4Interface("198.51.100.1/24")  # TEST-NET-2 of RFC 5737; this address is the lab's own
BOOT = IPv4Interface("192.0.2.1/24")  # TEST-NET-1
TAP = "nic0"
BRIDGE = "br0"
HAS_IPV6 = Path("/proc/net/if_inet6").exists()
_NEEDS_ROOT = "a rack in a box makes its own networks"


class Networks:
    """Namespaces: ``lab`` (the lab's machine), ``controller``, ``server`` and one a TRex host; a context manager.

    They have no names, and die with the thread that makes them.
    """

    def __init__(self, boot_interface: str, controllers: Sequence[str], trex_hosts: Sequence[str]) -> None:
        """Make them and lay the cables.

        Args:
            boot_interface: name of the lab's interface of the boot network.
            controllers: addresses in the management network.
            trex_hosts: address of each TRex host there.

        Raises:
            LabError: not root, or this kernel cannot.

        """
        self._all: list[NetworkNamespace] = []
        try:
            self.lab, self.controller, self.server = (self._namespace() for _ in range(3))
            self.trex_hosts = {address: self._namespace() for address in trex_hosts}
            self._connect(boot_interface, controllers)
        except BaseException:
            self.close()
            raise

    def _namespace(self) -> NetworkNamespace:
        namespace = NetworkNamespace(_NEEDS_ROOT)
        self._all.append(namespace)
        return namespace

    def _connect(self, boot_interface: str, controllers: Sequence[str]) -> None:
        lab = ["link set lo up", "link add mgmt0 type bridge", f"addr add {MANAGEMENT} dev mgmt0", "link set mgmt0 up"]
        lab += [*_cable("to-bmc", self.controller), "link set to-bmc master mgmt0 up"]
        for number, namespace in enumerate(self.trex_hosts.values()):
            lab += [*_cable(f"to-trex{number}", namespace), f"link set to-trex{number} master mgmt0 up"]
        lab += _cable(boot_interface, self.server)
        lab += [f"addr add {BOOT} dev {boot_interface}", f"link set {boot_interface} up"]
        self.lab.configure(lab, "the network of the box's lab machine")
        self.controller.configure(_managed(controllers), "the network of the box's controllers")
        for address, namespace in self.trex_hosts.items():
            namespace.configure(_managed([address]), f"the network of the box's TRex host {address}")
        server = ["link set lo up", f"link add {BRIDGE} type bridge", f"tuntap add {TAP} mode tap"]
        server += [f"link set {name} master {BRIDGE} up" for name in ("eth0", TAP)] + [f"link set {BRIDGE} up"]
        if HAS_IPV6:
            server.append(f"addr add {SERVER_IPV6}/64 dev {BRIDGE} nodad")
        self.server.configure(server, "the network of the box's server")

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that hold them."""
        return tuple(namespace.pid for namespace in self._all)

    def close(self) -> None:
        """Let go of them. May be called twice."""
        for namespace in self._all:
            namespace.close()

    def __enter__(self) -> Networks:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _cable(name: str, far: NetworkNamespace) -> list[str]:
    """Lay a cable from an interface of this namespace to ``eth0`` of another."""
    return [f"link add {name} type veth peer name eth0 netns {far.file}"]


def _managed(addresses: Sequence[str]) -> list[str]:
    given = [f"addr add {address}/{MANAGEMENT.network.prefixlen} dev eth0" for address in dict.fromkeys(addresses)]
    return ["link set lo up", *given, "link set eth0 up"]
