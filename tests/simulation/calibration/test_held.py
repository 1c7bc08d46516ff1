"""Curves become numbers of the machine; a kind without a jump keeps its prior and says so."""

import pytest

from lab.simulation.calibration.capacity import FILLERS, Curve, Filler
from lab.simulation.calibration.held import held, ranges
from lab.simulation.facts import HostFacts
from lab.simulation.machine import host

HOST_PRIORS = host(
    HostFacts(tsc_hz=2.6e9, c2c_latency_ns_low=60, c2c_latency_ns_median=60, c2c_latency_ns_high=60)
).ranges
FITS: dict[Filler, int] = {"nops": 224, "registers": 160, "stores": 56, "loads": 10}


def curves(fits: dict[Filler, int], rounds: int = 5) -> list[Curve]:
    """Return curves that double after these counts; 0: no jump."""
    return [
        Curve(
            filler=filler,
            round=number,
            counts=tuple(range(1, 257)),
            ticks=tuple(700.0 if 0 < fits[filler] < count else 350.0 for count in range(1, 257)),
        )
        for number in range(rounds)
        for filler in fits
    ]


def test_a_core_of_2013_is_found() -> None:
    found = held(curves(FITS))
    assert {filler: each.median for filler, each in found.most.items()} == FITS
    assert found.line() == "reorder buffer 224; physical registers 160; store buffer 56; line fill buffers 10"
    known = ranges(found, HOST_PRIORS)
    assert (known["store_buffer"].low, known["store_buffer"].high) == (56, 56)
    assert (known["misses"].low, known["misses"].median, known["misses"].high) == (8, 9, 10)
    assert (known["window"].low, known["window"].high) == (56, 112)
    assert known["window"].median == pytest.approx(224 / 3)
    assert all(each.source.startswith("measured") for each in known.values())


def test_fewer_buffers_than_the_prior_has_are_believed() -> None:
    known = ranges(held(curves({**FITS, "loads": 6})), HOST_PRIORS)
    assert (known["misses"].low, known["misses"].high) == (6, 6)


@pytest.mark.parametrize("filler", FILLERS)
def test_what_does_not_jump_keeps_its_prior(filler: Filler) -> None:
    found = held(curves({**FITS, filler: 0}))
    assert set(found.most) == set(FILLERS) - {filler}
    assert found.unknown == {filler: "5 of 5 curves have no jump"}
    assert "unknown, its prior stays (5 of 5 curves have no jump)" in found.line()
    number = {"stores": "store_buffer", "loads": "misses"}.get(filler, "window")
    assert set(ranges(found, HOST_PRIORS)) == {"store_buffer", "misses", "window"} - {number}


def test_half_of_the_curves_is_too_few() -> None:
    still = {**FITS, "stores": 0}
    assert "stores" not in held(curves(FITS, 2) + curves(still, 2)).most
    found = held(curves(FITS, 3) + curves(still, 2))
    assert found.most["stores"].median == 56
    assert found.unknown == {}


def test_curves_of_two_states_are_a_spread() -> None:
    found = held(curves({**FITS, "stores": 28}, 5) + curves(FITS, 5))
    stores = ranges(found, HOST_PRIORS)["store_buffer"]
    assert (stores.low, stores.median, stores.high) == (28, 42, 56)


def test_without_a_probe_all_priors_stay() -> None:
    found = held([], "the probe is not built")
    assert found.unknown == dict.fromkeys(FILLERS, "the probe is not built")
    assert found.line() == "unknown, the priors stay (the probe is not built)"
    assert ranges(found, HOST_PRIORS) == {}
