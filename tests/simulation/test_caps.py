"""Caps are those that were published, fall with the frame size and stay below line rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.simulation import machines
from lab.simulation.caps import Traffic, caps_pps, line_rate_pps

MACHINES = {name: machines.load(name) for name in machines.names()}
NICS = [name for name, machine in MACHINES.items() if machine.nics is not None]
TRAFFIC: tuple[Traffic, ...] = ("both ways", "tx batched", "tx single")


def caps(name: str, share: float, ports: int, size_bytes: int, traffic: Traffic) -> dict[str, float]:
    machine = MACHINES[name]
    assert machine.nics is not None
    numbers = {key: each.quantile(share) for key, each in machine.ranges.items()}
    nics = machine.nics
    return caps_pps(numbers, ports, nics.ports_per_card, nics.line_rate_gbps, size_bytes, traffic)


@given(
    st.sampled_from(NICS),
    st.floats(0, 1),
    st.integers(1, 16),
    st.integers(64, 9000),
    st.integers(1, 500),
    st.sampled_from(TRAFFIC),
)
def test_no_cap_rises_with_the_frame_size(
    name: str, share: float, ports: int, size_bytes: int, more_bytes: int, traffic: Traffic
) -> None:
    small, large = (caps(name, share, ports, size, traffic) for size in (size_bytes, size_bytes + more_bytes))
    assert small.keys() == large.keys()
    assert all(0 < large[key] <= small[key] for key in small)


@given(st.sampled_from(NICS), st.floats(0, 1), st.integers(1, 16), st.integers(64, 9000), st.sampled_from(TRAFFIC))
def test_the_lowest_cap_is_at_most_line_rate_and_more_cards_never_lower_it(
    name: str, share: float, ports: int, size_bytes: int, traffic: Traffic
) -> None:
    found, with_another = (min(caps(name, share, count, size_bytes, traffic).values()) for count in (ports, ports + 1))
    nics = MACHINES[name].nics
    assert nics is not None
    assert found <= ports * line_rate_pps(nics.line_rate_gbps, size_bytes)
    assert found <= with_another


@pytest.mark.parametrize(
    ("traffic", "low", "high"), [("both ways", 17.5, 21.3), ("tx batched", 34.7, 36.4), ("tx single", 22.9, 24.0)]
)
def test_an_x520_card_moves_at_64_bytes_what_was_published(traffic: Traffic, low: float, high: float) -> None:
    for share, mpps in ((0, low), (1, high)):
        assert caps("e5-2670x2", share, 2, 64, traffic)["pcie"] == pytest.approx(mpps * 1e6)
        assert caps("e5-2670x2", share, 8, 64, traffic)["pcie"] == pytest.approx(4 * mpps * 1e6)


def test_batched_doorbells_let_two_cards_of_the_i7_send_at_line_rate() -> None:
    found = caps("i7-4770k", 0.5, 4, 64, "tx batched")
    assert min(found, key=lambda key: round(found[key], -5)) == "line rate"
    assert min(caps("i7-4770k", 0.5, 4, 64, "tx single").values()) < 0.9 * found["line rate"]


def test_the_device_limits_an_xl710_with_small_frames_only() -> None:
    small, large = (caps("xl710", 0.5, 2, size, "tx batched") for size in (64, 512))
    assert min(small, key=lambda key: small[key]) == "device"
    assert small["device"] == 37e6
    assert min(large, key=lambda key: large[key]) in ("line rate", "pcie")
