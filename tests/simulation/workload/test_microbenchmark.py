"""Microbenchmarks with a known answer."""

from dataclasses import replace

import pytest

from lab.simulation import native
from lab.simulation.scene import NEVER, Protocol
from lab.simulation.workload.microbenchmark import EXCHANGES, ping_pong, ring
from tests.simulation.scenes import TIMING

END_PS = 1_000_000_000


@pytest.mark.parametrize("one_way_ns", [16, 26.7, 32.4, 58, 107, 114, 147, 197])
@pytest.mark.parametrize("protocol", list(Protocol))
def test_a_ping_pong_returns_its_latency_within_8_percent(one_way_ns: float, protocol: Protocol) -> None:
    scene = ping_pong(replace(TIMING, protocol=protocol), int(one_way_ns * 1000), 1, END_PS)
    outcome = native.simulate(scene)
    exchanges = outcome.window(0, EXCHANGES) + outcome.window(1, EXCHANGES)
    assert (scene.end_ps - scene.warm_ps) / exchanges == pytest.approx(one_way_ns * 1000, rel=0.08)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("entries", [1, 4, 256])
def test_a_ring_delivers_every_message_once_and_in_order(packed: bool, entries: int) -> None:
    messages = 2000
    outcome = native.simulate(ring(TIMING, 50_000, packed, entries, messages, seed=3, end_ps=NEVER))
    sent, received = outcome.stats
    assert sent[EXCHANGES] == received[EXCHANGES] == messages
    assert received[1] == 0


def test_a_far_ring_is_slower_than_a_near_one() -> None:
    def rate(transfer_ps: int) -> int:
        return native.simulate(ring(TIMING, transfer_ps, False, 256, 1 << 40, seed=1, end_ps=END_PS)).stats[1][
            EXCHANGES
        ]

    assert rate(100_000) < rate(20_000)
