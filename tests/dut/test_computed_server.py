"""The computed server drops the very frames that the native one drops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lab.dut.computed.server import Server
from lab.testbed.behaviour import Behaviour
from tests.dut.capacity_in_c import ServerInC, build

NOISE = {"noise_ratio": 0.05}
BIMODAL = {"slow_pps": 31_017.31, "slow_share": 0.3}
HYSTERESIS = {"overloaded_pps": 43_111.73, "recovery_pps": 40_003.1}
BEHAVIOURS: dict[str, dict[str, float]] = {
    "steady": {},
    "noise": NOISE,
    "bimodal": BIMODAL,
    "hysteresis": HYSTERESIS,
    "all": {**NOISE, **BIMODAL, **HYSTERESIS},
}
# Rates of no simple ratio to the capacities, so that no frame comes at the very moment at which another one leaves:
# the last bit of a sum would decide there.
LOADS = st.lists(
    st.tuples(st.floats(5_003.7, 400_009.3), st.integers(1, 400), st.floats(0, 0.02)), min_size=1, max_size=6
)


@pytest.fixture(scope="module")
def in_c(tmp_path_factory: pytest.TempPathFactory) -> ServerInC:
    return build(tmp_path_factory.mktemp("capacity"))


@pytest.mark.parametrize("name", BEHAVIOURS)
@settings(max_examples=40, deadline=None)
@example(loads=[(19_960.0, 331, 0.0), (82_579.0, 120, 0.0)], queue=30, seed=1)  # a batch ends within an interval
@given(loads=LOADS, queue=st.integers(1, 40), seed=st.integers(1, 1 << 30))
def test_it_drops_the_same_frames(
    in_c: ServerInC, name: str, loads: list[tuple[float, int, float]], queue: int, seed: int
) -> None:
    """Steps: loads one after the other with pauses between, on both. Verify: each dropped frame is the same."""
    values: dict[str, Any] = {
        "capacity_pps": 61_234.5,
        "queue_frames": queue,
        "seed": seed,
        "interval_ms": 3.0,
        **BEHAVIOURS[name],
    }
    in_c.begin(**values)
    server = Server(Behaviour(**values))
    at_s = 0.0
    for rate_pps, count, pause_s in loads:
        gap_s = 1 / rate_pps
        native = [number for number in range(count) if in_c.admit(at_s + number * gap_s) is None]
        dropped = []
        for batch in server.offer(at_s, gap_s, count):
            found = batch.positions(np.arange(batch.dropped))
            assert found.tolist() == [batch.position(number) for number in range(batch.dropped)]
            dropped += (batch.first + found).tolist()
        assert dropped == native
        at_s += count * gap_s + pause_s
