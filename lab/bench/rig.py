"""One generator with the image on its first two ports and other forwarders on the next ones, all of them up.

A turn of one of them is then a start and a stop, so that turns are short beside the time for which a cloud machine
keeps its speed.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab import paths, session
from lab.bench.contenders import Contender, of_image, of_testpmd
from lab.dut.deploy import deploy
from lab.dut.deployed import DeployedDut
from lab.dut.namespace import namespace_router
from lab.dut.testpmd import Testpmd
from lab.images import find
from lab.machines import cores
from lab.machines.cores import CorePlan
from lab.testbed import Testbed, load
from lab.testbed.resources import Qemu
from lab.traffic.disturbance import ThreadProbe
from lab.traffic.load import Direction
from lab.traffic.measurer import GeneratorMeasurer
from lab.traffic.protocol import TrafficGenerator
from lab.traffic.router import RouterPort, pairs, router_ports
from lab.traffic.vtrex import VtrexServer

IMAGE = "pix-padded"
TESTPMD_MACS = ("52:54:00:12:01:00", "52:54:00:12:01:01")
VETH_CEILING_PPS = 4e6
"""More than a core can send through packet sockets and veth pairs: a copy, an skb and part of a system call a frame."""


def say(text: str) -> None:
    """Print progress to stderr: the results alone go to stdout."""
    print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Rig:
    """The image, what it is compared with, and the deployed image itself."""

    pix: Contender
    others: tuple[Contender, ...]
    deployed: DeployedDut
    ports: tuple[RouterPort, ...]
    speed_gbps: float


@contextmanager
def with_testpmd(bench: str, networks: Sequence[str] = ()) -> Iterator[Rig]:
    """Put dpdk-testpmd beside the image, on sockets of the same kind; its lcore has the QGM's host core.

    Args:
        bench: name of the benchmark, for the lease.
        networks: for each port of the image, one behind it from which destinations are drawn at random; without them
            traffic steps through a few hosts.

    Raises:
        LabError: something does not start; what was started is stopped.

    """
    testbed, plan = load("virtual"), cores.plan(1)
    machine = testbed.dut.machine
    assert isinstance(machine, Qemu), "testbeds/virtual.yaml describes a virtual machine"
    with ExitStack() as stack:
        folder = _begin(stack, testbed, bench)
        sockets = [folder / f"v{number}" for number in range(4)]
        server = _serve(stack, testbed, plan, folder, [f"vhost:{socket}" for socket in sockets])
        deployed = _deploy(stack, testbed, sockets[:2], folder)
        peers = [testbed.peer_of(port).mac for port in testbed.dut.ports]
        testpmd = stack.enter_context(
            Testpmd(
                sockets[2:],
                TESTPMD_MACS,
                peers,
                core=plan.exclusive[0],
                housekeeping_core=plan.housekeeping,
                queue_size=machine.queue_size,
                log=folder / "testpmd.log",
            )
        )
        generator = _connect(stack, server, deployed)
        ports = _ports(testbed, deployed)
        probe = ThreadProbe("forwarding lcore of testpmd", testpmd.forwarding_tid, plan.exclusive[0])
        directions = _towards(_moved(ports, 2, TESTPMD_MACS), networks, hops=0)
        known = GeneratorMeasurer(generator, directions, probes=[probe])
        pix = of_image(deployed, _pix_measurer(generator, deployed, _towards(ports, networks)))
        yield Rig(pix, (of_testpmd(testpmd, known),), deployed, ports, session.speed_gbps(testbed))


@contextmanager
def with_kernel(bench: str) -> Iterator[Rig]:
    """Put this host's kernel as a router beside the image, and after it a wire of the same links as the kernel's.

    The kernel routes on the QGM's host core. It never stops: without traffic it does nothing.

    Args:
        bench: name of the benchmark, for the lease.

    Raises:
        LabError: something does not start; what was started is stopped.

    """
    testbed, plan = load("virtual"), cores.plan(1)
    node = testbed.dut
    with ExitStack() as stack:
        folder = _begin(stack, testbed, bench)
        peers = [testbed.peer_of(port) for port in node.ports]
        links = stack.enter_context(namespace_router(node.ports, peers, node.routes, core=plan.exclusive[0]))
        sockets = [folder / f"v{number}" for number in range(2)]
        devices = [f"vhost:{socket}" for socket in sockets]
        devices += [f"af_packet:{name}" for name in (*links.to_dut, *links.wire)]
        server = _serve(stack, testbed, plan, folder, devices, ["--netns", links.netns])
        deployed = _deploy(stack, testbed, sockets, folder)
        generator = _connect(stack, server, deployed)
        ports = _ports(testbed, deployed)
        kernel = GeneratorMeasurer(generator, pairs(_moved(ports, 2, [port.mac for port in node.ports])))
        far_macs = [port.tester_mac for port in reversed(ports)]  # a wire leaves the addresses as they are
        wire = GeneratorMeasurer(generator, pairs(_moved(ports, 4, far_macs), hops=0))
        others = (
            Contender("Linux", kernel, ceiling_pps=VETH_CEILING_PPS, busy_ns=links.busy_ns),
            Contender("veth wire", wire, ceiling_pps=VETH_CEILING_PPS),
        )
        pix = of_image(deployed, _pix_measurer(generator, deployed, pairs(ports)))
        yield Rig(pix, others, deployed, ports, session.speed_gbps(testbed))


def _begin(stack: ExitStack, testbed: Testbed, bench: str) -> Path:
    """Take the lease and make a folder for sockets and logs."""
    stack.enter_context(session.hold(testbed, f"bench {bench}"))
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=paths.runtime_dir()))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _serve(
    stack: ExitStack, testbed: Testbed, plan: CorePlan, folder: Path, devices: Sequence[str], more: Sequence[str] = ()
) -> VtrexServer:
    options = [word for device in devices for word in ("--port", device)]
    return stack.enter_context(
        VtrexServer(
            [*options, *more],
            core=plan.generator,
            housekeeping_core=plan.housekeeping,
            line_rate_gbps=session.speed_gbps(testbed),
            log=folder / "vtrex.log",
        )
    )


def _deploy(stack: ExitStack, testbed: Testbed, sockets: list[Path], folder: Path) -> DeployedDut:
    return stack.enter_context(deploy(testbed, find(IMAGE), vhost_sockets=sockets, run_dir=folder, progress=say))


def _connect(stack: ExitStack, server: VtrexServer, deployed: DeployedDut) -> TrafficGenerator:
    """Connect while all links are up, which the client insists on; afterwards the image stands still."""
    deployed.dut.start()
    generator = server.connect()
    stack.callback(generator.close)
    deployed.dut.stop()
    return generator


def _ports(testbed: Testbed, deployed: DeployedDut) -> tuple[RouterPort, ...]:
    return router_ports(testbed, [str(port["mac"]) for port in deployed.dut.ports()])


def _towards(ports: Sequence[RouterPort], networks: Sequence[str] = (), hops: int = 1) -> list[Direction]:
    """Return both directions between two ports, each to random addresses of the network behind its far port."""
    if not networks:
        return list(pairs(ports, hops))
    drawn = [(networks[1],), (networks[0],)]
    return [
        direction.model_copy(update={"destinations": behind})
        for direction, behind in zip(pairs(ports, hops), drawn, strict=True)
    ]


def _moved(ports: Sequence[RouterPort], first: int, macs: Sequence[str]) -> list[RouterPort]:
    """Return the same ports for the generator's ports from ``first`` on and a forwarder with other MACs."""
    return [
        port.model_copy(update={"index": port.index + first, "dut_mac": mac})
        for port, mac in zip(ports, macs, strict=True)
    ]


def _pix_measurer(
    generator: TrafficGenerator, deployed: DeployedDut, directions: Sequence[Direction]
) -> GeneratorMeasurer:
    probes = [
        ThreadProbe(f"vCPU {vcpu} of the DUT", tid, deployed.exclusive_cores[vcpu])
        for vcpu, tid in deployed.vcpu_tids.items()
        if vcpu in deployed.exclusive_cores
    ]
    return GeneratorMeasurer(generator, directions, probes=probes)
