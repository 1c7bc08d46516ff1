from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.vtrex.rates import Load, demand, factor_for, highest, scaled_rates_pps, stream_rate_pps
from lab.vtrex.rpc import RpcError

LINE_BPS = 10e9
loads = st.lists(st.builds(Load, st.floats(1, 1e6), st.integers(64, 1518), st.booleans()), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("kind", "value", "expected_pps"),
    [
        ("pps", 5.0, 5.0),
        ("percentage", 100.0, 14_880_952.38),
        ("bps_L1", 10e9, 14_880_952.38),
        ("bps_L2", 512e3, 1000.0),
    ],
)
def test_rates_of_a_64_byte_stream(kind: str, value: float, expected_pps: float) -> None:
    assert stream_rate_pps(kind, value, 64, LINE_BPS) == pytest.approx(expected_pps)


@given(loads, st.sampled_from(["pps", "bps", "bpsl1", "percentage"]), st.floats(1.01, 50))
def test_a_multiplier_gives_the_total_that_was_asked_for(streams: list[Load], kind: str, times: float) -> None:
    measure = {"pps": "rate_pps", "bps": "l2_bps", "bpsl1": "l1_bps", "percentage": "l1_bps"}[kind]
    asked = sum(getattr(load, measure) for load in streams) * times
    value = asked / LINE_BPS * 100 if kind == "percentage" else asked
    factor = factor_for([demand(streams)], kind, value, LINE_BPS)
    scaled = scaled_rates_pps(streams, factor)
    for load, rate_pps in zip(streams, scaled, strict=True):
        assert load.scales or rate_pps == load.rate_pps
    if any(load.scales for load in streams):
        weights = [getattr(load, measure) / load.rate_pps for load in streams]
        assert sum(w * r for w, r in zip(weights, scaled, strict=True)) == pytest.approx(asked)
        if kind in ("bpsl1", "percentage"):
            assert highest([demand(streams)], factor)[2] == pytest.approx(asked)


def test_less_than_the_latency_streams_send_is_refused() -> None:
    with pytest.raises(RpcError, match="minimum rate of 1000"):
        factor_for([demand([Load(1000.0, 64, False), Load(1.0, 64, True)])], "pps", 999.0, LINE_BPS)


@pytest.mark.parametrize(("kind", "value"), [("raw", 0.0), ("raw", -1.0), ("furlongs", 1.0)])
def test_multipliers_that_mean_nothing_are_refused(kind: str, value: float) -> None:
    with pytest.raises(RpcError):
        factor_for([demand([Load(1.0, 64, True)])], kind, value, LINE_BPS)
