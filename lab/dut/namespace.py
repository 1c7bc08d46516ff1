"""The kernel of this host as a device under test: an IPv4 router in a network namespace of its own.

Its ports are one end of a veth pair each (veth(4)); a generator's packet socket (packet(7)) is on the other end. This
is not the link that an image in a virtual machine has: a kernel has no vhost-user ports. What each core does:

- the generator's core, inside its sendto(2): copies the frame into an skb, crosses the veth pair, and steers the frame
  to the DUT's core (Receive Packet Steering, "Scaling in the Linux Networking Stack" of the kernel's documentation);
- the DUT's core, in its receive softirq: all of the router's work, the veth pair on the way out, and the copy into the
  ring of the generator's receiving socket.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from lab.errors import LabError
from lab.machines.netns import NetworkNamespace
from lab.testbed.ports import Port, Route

_IPV6 = "/proc/sys/net/ipv6/conf/default/disable_ipv6"
_FORWARDING = "/proc/sys/net/ipv4/ip_forward"


@dataclass(frozen=True)
class VethLinks:
    """Interfaces in the namespace with the file ``netns`` on which a generator sends and receives.

    ``to_dut`` lead to the router's ports, in their order; the two of ``wire`` are the ends of one more veth pair: what
    comes through there is the most that such links carry.
    """

    netns: str
    to_dut: tuple[str, ...]
    wire: tuple[str, str]


@contextmanager
def namespace_router(
    ports: Sequence[Port], peers: Sequence[Port], routes: Sequence[Route], *, core: int
) -> Iterator[VethLinks]:
    """Make a router: links, addresses, a permanent neighbour on each link, routes. It forwards until the end.

    Args:
        ports: its own, in their order.
        peers: the generator's port on each one's link. The interface there has another MAC on purpose: the namespace
            shall ignore what arrives for the generator.
        routes: beyond those to its own networks.
        core: host core that routes, and that receives from the wire.

    Raises:
        LabError: not root, or the kernel refuses.

    """
    inner = tuple(f"r{number}" for number in range(len(ports)))
    outer = tuple(f"g{number}" for number in range(len(ports)))
    wire = ("w0", "w1")
    commands = ["link add w0 type veth peer name w1", *(f"link set {end} up" for end in wire)]
    for name, far, port, peer in zip(inner, outer, ports, peers, strict=True):
        commands.append(f"link add {name} address {port.mac} type veth peer name {far}")
        commands += [f"link set {name} up", f"link set {far} up", f"addr add {port.address} dev {name}"]
        commands.append(f"neigh add {peer.address.ip} lladdr {peer.mac} nud permanent dev {name}")
    commands += [f"route add {route.prefix} via {route.via}" for route in routes]
    with _quiet_namespace() as namespace:
        namespace.configure(commands, "the namespace router")
        _shell(namespace, f"echo 1 > {_FORWARDING}")
        _steer(namespace, (*inner, *wire), core)
        yield VethLinks(netns=namespace.file, to_dut=outer, wire=wire)


@contextmanager
def _quiet_namespace() -> Iterator[NetworkNamespace]:
    """Make a namespace whose interfaces have no IPv6, which would send frames of its own."""
    with NetworkNamespace("the kernel as a router lives in a network namespace") as namespace:
        _shell(namespace, f"test ! -e {_IPV6} || echo 1 > {_IPV6}")
        yield namespace


def _steer(namespace: NetworkNamespace, interfaces: Sequence[str], core: int) -> None:
    """Have one core process what the interfaces receive (RPS).

    The files lie in a sysfs of the namespace, which is mounted for the moment.
    """
    mask = f"{1 << core:x}"
    words = [f"echo {mask} > /sys/class/net/{name}/queues/rx-0/rps_cpus" for name in interfaces]
    mounted = "mount -t sysfs sysfs /sys && " + " && ".join(words)
    _shell(namespace, mounted, ["unshare", "--mount"])


def _shell(namespace: NetworkNamespace, script: str, prefix: Sequence[str] = ()) -> None:
    command = namespace.enter([*prefix, "sh", "-c", script])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"the namespace of the kernel as a router cannot be set up: {' '.join(done.stderr.split())}")
