"""Busy cycles a packet of the image's forwarding engine, beside those of dpdk-testpmd, in turns in one run."""

from __future__ import annotations

import ipaddress
import statistics
from collections.abc import Iterator

from lab.bench.contenders import Contender, forwarding
from lab.bench.model import BenchResult
from lab.bench.rig import say, with_testpmd
from lab.dut.protocol import Dut
from lab.errors import LabError
from lab.methods.trial import TrialRequest
from lab.simulation import host
from lab.traffic.router import RouterPort

FRAME_SIZE_BYTES = 64
ROUNDS = 10
TRIAL_S = 0.5
PROBE_S = 0.2
RATE_PPS = 6e6
ROUTE_LENGTH = 24
NETWORKS = ("100.64.0.0/15", "100.66.0.0/15")
"""Behind each port 512 routes of that length, to which the load is random (addresses of RFC 6598, in nobody's way)."""


def fe_cycles() -> Iterator[BenchResult]:
    """Offer both the same steady load in turn, the image with a thousand routes.

    Yields:
        The median of the QGM's busy cycles a packet; ``ratio`` is over testpmd's, so below 1 is better than it.

    Raises:
        LabError: something does not start, or forwards nothing.

    """
    cycles: dict[str, list[float]] = {}
    c2c_ns = []
    with with_testpmd("fe-cycles", NETWORKS) as rig:
        routes = sum(
            add_routes(rig.deployed.dut, network, port) for network, port in zip(NETWORKS, rig.ports, strict=True)
        )
        turns = [rig.pix, *rig.others]
        for number in range(ROUNDS):
            c2c_ns.append(host.measure(PROBE_S).c2c_latency_ns_median)
            for contender in turns if number % 2 == 0 else reversed(turns):
                cycles.setdefault(contender.name, []).append(cycles_a_packet(contender))
            told = ", ".join(f"{name} {values[-1]:.0f}" for name, values in cycles.items())
            say(f"round {number + 1}: cycles a packet: {told}, c2c {c2c_ns[-1]:.0f} ns")
    yield BenchResult(
        bench="fe-cycles",
        value=statistics.median(cycles["PIX"]),
        unit="cycles/packet",
        against="dpdk-testpmd, mac mode",
        ratio=statistics.median(a / b for a, b in zip(cycles["PIX"], cycles["testpmd"], strict=True)),
        runs=ROUNDS,
        c2c_latency_ns=statistics.median(c2c_ns),
        note=f"{RATE_PPS / 1e6:g} Mpps of {FRAME_SIZE_BYTES} bytes, {routes} routes, random destinations",
    )


def add_routes(dut: Dut, network: str, port: RouterPort) -> int:
    """Add a route to each part of ``ROUTE_LENGTH`` of a network, by the tester at a port; returns how many."""
    parts = list(ipaddress.IPv4Network(network).subnets(new_prefix=ROUTE_LENGTH))
    for part in parts:
        dut.route_add(str(part), port.tester_address)
    return len(parts)


def cycles_a_packet(contender: Contender) -> float:
    """Return the busy cycles of a packet while a contender forwards the bench's load for a trial.

    Raises:
        LabError: it forwarded nothing.

    """
    request = TrialRequest(frame_size_bytes=FRAME_SIZE_BYTES, rate_pps=RATE_PPS, duration_s=TRIAL_S, tagged=False)
    with forwarding(contender):
        contender.clear()
        contender.measurer.measure(request)
        cycles, packets = contender.counted()
    if packets == 0:
        raise LabError(f"{contender.name} forwarded nothing: is the generator's traffic meant for it?")
    return cycles / packets
