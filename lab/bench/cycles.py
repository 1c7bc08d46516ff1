"""Busy cycles a packet of the image's forwarding engine, beside those of dpdk-testpmd, in turns in one run."""

from __future__ import annotations

import ipaddress
import statistics
from collections.abc import Iterator

from lab.bench.contenders import Contender
from lab.bench.model import BenchResult
from lab.bench.rig import with_testpmd
from lab.bench.turns import in_turns
from lab.dut.protocol import Dut
from lab.errors import LabError
from lab.methods.repeat import TooDisturbed
from lab.methods.trial import TrialRequest
from lab.microbench.path import AWAY_SHARE, away_ns
from lab.traffic.router import RouterPort

FRAME_SIZE_BYTES = 64
ROUNDS = 10
TRIAL_S = 0.25
ATTEMPTS = 12
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
    with with_testpmd("fe-cycles", NETWORKS) as rig:
        routes = sum(
            add_routes(rig.deployed.dut, network, port) for network, port in zip(NETWORKS, rig.ports, strict=True)
        )
        cycles, c2c_ns = in_turns([rig.pix, *rig.others], cycles_a_packet, rounds=ROUNDS, words=in_words)
    yield BenchResult(
        bench="fe-cycles",
        value=statistics.median(cycles["PIX"]),
        unit="cycles/packet",
        against="dpdk-testpmd, mac mode",
        ratio=statistics.median(a / b for a, b in zip(cycles["PIX"], cycles["testpmd"], strict=True)),
        runs=len(cycles["PIX"]),
        c2c_latency_ns=c2c_ns,
        note=f"{RATE_PPS / 1e6:g} Mpps of {FRAME_SIZE_BYTES} bytes, {routes} routes, random destinations",
    )


def add_routes(dut: Dut, network: str, port: RouterPort) -> int:
    """Add a route to each part of ``ROUTE_LENGTH`` of a network, by the tester at a port; returns how many."""
    parts = list(ipaddress.IPv4Network(network).subnets(new_prefix=ROUTE_LENGTH))
    for part in parts:
        dut.route_add(str(part), port.tester_address)
    return len(parts)


def in_words(cycles: float) -> str:
    """Say cycles a packet in the progress."""
    return f"{cycles:.0f} cycles a packet"


def cycles_a_packet(contender: Contender) -> float:
    """Return the busy cycles of a packet of a contender that forwards, from a trial under the bench's load.

    They are cycles of a clock, so whatever takes the core away counts like work: in the trial each polling thread had
    its core nearly all of the time.

    Raises:
        TooDisturbed: every attempt was disturbed.
        LabError: it forwarded nothing.

    """
    request = TrialRequest(frame_size_bytes=FRAME_SIZE_BYTES, rate_pps=RATE_PPS, duration_s=TRIAL_S, tagged=False)
    for _ in range(ATTEMPTS):
        contender.clear()
        lost_ns = away_ns(contender.measurer.measure(request))
        cycles, packets = contender.counted()
        if packets == 0:
            raise LabError(f"{contender.name} forwarded nothing: is the generator's traffic meant for it?")
        if lost_ns <= AWAY_SHARE * TRIAL_S * 1e9:
            return cycles / packets
    raise TooDisturbed(f"{contender.name}: a polling thread was off its core for {lost_ns / 1e6:.0f} ms of a trial")
