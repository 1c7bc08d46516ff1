"""Check 1: a CAS ping-pong returns the latency that went in."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from lab.simulation import native
from lab.simulation.scene import JITTER_ONE, PS_PER_NS, Protocol, Timing
from lab.simulation.validation.check import Check
from lab.simulation.validation.random_scenes import TYPICAL
from lab.simulation.workload.ping_pong import EXCHANGES, ping_pong

ONE_WAY_NS = (16, 23, 32.4, 51, 73, 114, 147, 197)
"""From Zen 4, one core complex, to 7R13, the other socket (nviennot/core-to-core-latency)."""
JITTERS = (0.15, 0.2)
HOMES_NS = (0, 30)
DURATION_PS = 400_000_000
LIMIT = 0.08


def ping_pongs() -> Check:
    """Play with all latencies, protocols, jitters, and differences by home."""
    errors = {}
    for one_way_ns, protocol, jitter, home_ns in product(ONE_WAY_NS, Protocol, JITTERS, HOMES_NS):
        if home_ns > one_way_ns:
            continue
        timing = replace(TYPICAL, protocol=protocol, jitter=round(jitter * JITTER_ONE), home_ps=home_ns * PS_PER_NS)
        found_ns = one_way_of_ping_pong_ns(timing, one_way_ns)
        errors[f"{one_way_ns} ns, {protocol.name}, jitter {jitter}"] = abs(found_ns / one_way_ns - 1)
    where, worst = max(errors.items(), key=lambda each: each[1])
    return Check(
        number=1,
        name="CAS ping-pong returns its input latency",
        holds=worst <= LIMIT,
        figure=f"worst error {worst:.1%} ({where}) of {len(errors)}",
        value=worst,
        relation="at most",
        limit=LIMIT,
        unit="of the latency",
    )


def one_way_of_ping_pong_ns(timing: Timing, one_way_ns: float) -> float:
    """Return half the round trip of a simulated ping-pong, locked instruction included, in ns."""
    scene = ping_pong(timing, int(one_way_ns * PS_PER_NS), 1, DURATION_PS)
    outcome = native.simulate(scene)
    exchanges = outcome.window(0, EXCHANGES) + outcome.window(1, EXCHANGES)
    return (scene.end_ps - scene.warm_ps) / exchanges / PS_PER_NS
