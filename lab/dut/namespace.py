"""The kernel of this host as a device under test: an IPv4 router in a network namespace of its own.

Its ports are one end of a veth pair each (veth(4)); a generator's packet socket (packet(7)) is on the other end. This
is not the link that an image in a virtual machine has: a kernel has no vhost-user ports. What each core does:

- the generator's core, inside its sendto(2): copies the frame into an skb, crosses the veth pair, and wakes the thread
  that polls for the router's port (threaded NAPI, "NAPI" in the kernel's documentation; a veth port uses NAPI while its
  GRO is on and the TSO of its peer off);
- the DUT's core, in that thread: all of the router's work, the veth pair on the way out, and the copy into the ring of
  the generator's receiving socket.

Receive packet steering (RPS) instead of the thread gave less, with more spread: an interrupt between virtual cores for
every few frames.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.machines.deadline import Deadline
from lab.machines.netns import NetworkNamespace
from lab.testbed.ports import Port, Route

_IPV6 = "/proc/sys/net/ipv6/conf/default/disable_ipv6"
_FORWARDING = "/proc/sys/net/ipv4/ip_forward"
_THREAD_LIMIT_S = 2.0


@dataclass(frozen=True)
class VethLinks:
    """Interfaces in the namespace with the file ``netns`` on which a generator sends and receives.

    ``to_dut`` lead to the router's ports, in their order; the two of ``wire`` are the ends of one more veth pair: what
    comes through there is the most that such links carry. ``router`` are the router's ports, and ``router_tids`` the
    kernel's threads that route.
    """

    netns: str
    router: tuple[str, ...]
    to_dut: tuple[str, ...]
    wire: tuple[str, str]
    router_tids: tuple[int, ...]

    def busy_ns(self) -> int:
        """Return the time that the routing threads have run since their making (first field of schedstat), in ns."""
        return sum(int(Path(f"/proc/{tid}/schedstat").read_text().split()[0]) for tid in self.router_tids)


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
    # Names that no other namespace of this host has: the kernel's threads are found by them.
    inner = tuple(f"r{number}-{os.getpid()}" for number in range(len(ports)))
    outer = tuple(f"g{number}" for number in range(len(ports)))
    wire = f"w0-{os.getpid()}", f"w1-{os.getpid()}"
    commands = [f"link add {wire[0]} type veth peer name {wire[1]}", *(f"link set {end} up" for end in wire)]
    for name, far, port, peer in zip(inner, outer, ports, peers, strict=True):
        commands.append(f"link add {name} address {port.mac} type veth peer name {far}")
        commands += [f"link set {name} up", f"link set {far} up", f"addr add {port.address} dev {name}"]
        commands.append(f"neigh add {peer.address.ip} lladdr {peer.mac} nud permanent dev {name}")
    commands += [f"route add {route.prefix} via {route.via}" for route in routes]
    with _quiet_namespace() as namespace:
        namespace.configure(commands, "the namespace router")
        _shell(namespace, f"echo 1 > {_FORWARDING}")
        for name in (*inner, *outer, *wire):
            _shell(namespace, f"ethtool -K {name} gro on tso off")
        tids = _poll_on(namespace, (*inner, *wire), core)
        yield VethLinks(netns=namespace.file, router=inner, to_dut=outer, wire=wire, router_tids=tids[: len(inner)])


@contextmanager
def _quiet_namespace() -> Iterator[NetworkNamespace]:
    """Make a namespace whose interfaces have no IPv6, which would send frames of its own."""
    with NetworkNamespace("the kernel as a router lives in a network namespace") as namespace:
        _shell(namespace, f"test ! -e {_IPV6} || echo 1 > {_IPV6}")
        yield namespace


def _poll_on(namespace: NetworkNamespace, interfaces: Sequence[str], core: int) -> tuple[int, ...]:
    """Give each interface a thread on one core that processes what it receives; returns their ids.

    The files lie in a sysfs of the namespace, which is mounted for the moment.
    """
    words = [f"echo 1 > /sys/class/net/{name}/threaded" for name in interfaces]
    _shell(namespace, "mount -t sysfs sysfs /sys && " + " && ".join(words), ["unshare", "--mount"])
    tids = tuple(_thread_of(name) for name in interfaces)
    for tid in tids:
        os.sched_setaffinity(tid, {core})
    return tids


def _thread_of(interface: str) -> int:
    """Return the id of the thread ``napi/INTERFACE-NUMBER`` of the kernel."""
    deadline = Deadline(_THREAD_LIMIT_S)
    while not deadline.passed:
        for comm in Path("/proc").glob("[0-9]*/comm"):
            with suppress(OSError):  # a process that has just ended
                if comm.read_text().startswith(f"napi/{interface}-"):
                    return int(comm.parent.name)
        time.sleep(0.01)
    raise LabError(f"the kernel made no thread for {interface}: threaded NAPI needs Linux 5.13 or newer")


def _shell(namespace: NetworkNamespace, script: str, prefix: Sequence[str] = ()) -> None:
    command = namespace.enter([*prefix, "sh", "-c", script])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"the namespace of the kernel as a router cannot be set up: {' '.join(done.stderr.split())}")
