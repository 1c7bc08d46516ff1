"""Baselines: bands below every cap, quick for a whole report, and moved by what should move them."""

from typing import Any

import pytest

from lab.errors import UsageError
from lab.simulation import capacity, machines, native
from lab.simulation.baseline import Baseline, BaselineQuery, predict
from lab.simulation.caps import caps_pps, line_rate_pps
from lab.simulation.errors import SimulationError
from lab.simulation.facts import HostFacts
from lab.simulation.machine import Range
from lab.simulation.scene import Outcome, Scene

TALK = machines.load("e5-2670x2")
SIZES = (64, 128, 256, 512, 1024, 1280, 1518)
FACTS = HostFacts(tsc_hz=2.6e9, c2c_latency_ns_low=55, c2c_latency_ns_median=58, c2c_latency_ns_high=62)
TALK_QUERY: dict[str, Any] = {"machine": TALK.name, "layout": "padded", "ports": 8, "cores": 8}
HOST_QUERY: dict[str, Any] = {"machine": "host", "layout": "padded", "ports": 2, "cores": 1, "host": FACTS}


def ask(query: dict[str, Any], **changes: Any) -> Baseline:
    base = {"frame_size_bytes": 64, "line_rate_gbps": 10.0, "seeds": (1,)}
    return predict(BaselineQuery.model_validate({**base, **query, **changes}))


@pytest.mark.parametrize("query", [TALK_QUERY, HOST_QUERY])
@pytest.mark.parametrize("layout", ["padded", "packed"])
def test_no_baseline_exceeds_a_cap(query: dict[str, Any], layout: str) -> None:
    for size in SIZES:
        found = ask(query, layout=layout, frame_size_bytes=size)
        assert 0 < found.throughput_pps_low <= found.throughput_pps_median <= found.throughput_pps_high
        assert found.throughput_pps_high <= query["ports"] * line_rate_pps(10, size) * (1 + 1e-12)
        if query["machine"] == TALK.name:
            best = {name: each.high for name, each in TALK.ranges.items()}
            assert found.throughput_pps_high <= min(caps_pps(best, 8, 2, 10, size).values())


def test_the_cards_move_at_64_bytes_what_was_published() -> None:
    numbers = {name: each.median for name, each in TALK.ranges.items()}
    assert caps_pps(numbers, 8, 2, 10, 64)["pcie"] == pytest.approx(4 * 19.4e6)
    assert caps_pps(numbers, 1, 2, 10, 64)["pcie"] == pytest.approx(19.4e6)
    assert line_rate_pps(10, 64) == pytest.approx(14.88e6, rel=1e-3)


def test_false_sharing_lowers_the_baseline_of_eight_cores_and_is_named() -> None:
    padded, packed = ask(TALK_QUERY), ask(TALK_QUERY, layout="packed")
    assert packed.throughput_pps_median < padded.throughput_pps_low
    assert packed.limited_by == "coherence"


def test_one_core_alone_takes_the_cycles_that_were_measured() -> None:
    found = ask({**TALK_QUERY, "ports": 4, "cores": 1}, cycles_per_packet=400)
    clock = TALK.ranges["clock"]
    assert clock.low * 1e9 / 400 * 0.97 <= found.throughput_pps_low
    assert found.throughput_pps_high <= clock.high * 1e9 / 400 * 1.03
    assert found.limited_by == "cpu"
    assert "measured" in found.parameters["work"].source


def test_a_generator_farther_away_lowers_the_baseline_of_the_host() -> None:
    far = HostFacts(tsc_hz=2.6e9, c2c_latency_ns_low=104, c2c_latency_ns_median=106, c2c_latency_ns_high=108)
    assert ask(HOST_QUERY, host=far).throughput_pps_median < ask(HOST_QUERY).throughput_pps_median


def test_another_frame_size_needs_no_new_simulation(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = 0
    simulate = native.simulate

    def counted(scene: Scene) -> Outcome:
        nonlocal runs
        runs += 1
        return simulate(scene)

    monkeypatch.setattr(native, "simulate", counted)
    capacity.forget()
    for size in SIZES:
        ask(HOST_QUERY, frame_size_bytes=size)
    assert runs == capacity.DRAWS_PER_SEED


def test_the_same_question_has_the_same_answer() -> None:
    first = ask(HOST_QUERY)
    capacity.forget()
    assert ask(HOST_QUERY) == first


def test_every_parameter_has_a_source() -> None:
    for query in (TALK_QUERY, HOST_QUERY):
        assert all(parameter.source for parameter in ask(query).parameters.values())
    with pytest.raises(ValueError, match="without a source"):
        Range(1, 2, 3, "ns", "")
    with pytest.raises(ValueError, match="low <= median"):
        Range(-1, 2, 3, "ns", "prior")


def test_questions_that_cannot_be_answered_are_refused() -> None:
    with pytest.raises(UsageError, match="host facts"):
        ask({**HOST_QUERY, "host": None})
    with pytest.raises(SimulationError, match="9 cores for 8 ports"):
        ask(TALK_QUERY, cores=9)
