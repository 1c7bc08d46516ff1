"""Baselines beside measured rates: below every cap, simulated once for all sizes, moved by what must move them."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from lab.baselines import Baselines, of_server
from lab.errors import UsageError
from lab.images import PixManifest, find
from lab.simulation import native
from lab.simulation.calibration.calibrate import from_measurement
from lab.simulation.calibration.points import FITTED
from lab.simulation.caps import caps_pps, line_rate_pps
from lab.simulation.facts import HostFacts
from lab.simulation.layout import default
from lab.simulation.machine import host
from lab.simulation.machines import load
from lab.simulation.prediction import Question, predict
from lab.simulation.prediction.frame_sizes import forget, predict_forwarding
from lab.simulation.scene import Outcome, Scene
from lab.simulation.workload.case import Case
from tests.simulation.calibration.synthetic import measurement

SIZES = (64, 128, 256, 512, 1024, 1280, 1518)
FACTS = HostFacts(tsc_hz=2.6e9, c2c_latency_ns_low=55, c2c_latency_ns_median=58, c2c_latency_ns_high=62)
TALK = load("e5-2670x2")


def talk(size: int, layout: Literal["padded", "packed"] = "packed") -> Question:
    return Question(TALK, "ipv4-routing", default(layout, 8), Case(frame_size_bytes=size), seeds=(1,))


def of_host(facts: HostFacts, size: int = 64) -> Question:
    return Question(
        host(facts), "virtio", default("padded", 2), Case(ports=2, cores=1, frame_size_bytes=size), seeds=(1,)
    )


def test_no_baseline_exceeds_a_cap() -> None:
    best = {name: each.high for name, each in TALK.ranges.items()}
    for size in SIZES:
        for question in (talk(size), of_host(FACTS, size)):
            found = predict_forwarding(question).rate_pps
            assert 0 < found.low <= found.median <= found.high
            assert found.high <= question.case.ports * line_rate_pps(10, size) * (1 + 1e-12)
        assert predict_forwarding(talk(size)).rate_pps.high <= min(caps_pps(best, 8, 2, 10, size).values())


def test_a_larger_frame_is_predicted_as_if_it_had_been_simulated() -> None:
    """Within a tenth: ports offer less of larger frames, and cards near their cap leave cores less to do at once."""
    for question in (talk(256), talk(256, "padded"), of_host(FACTS, 256)):
        quick, thorough = predict_forwarding(question), predict(question, jobs=2)
        assert quick.rate_pps.median == pytest.approx(thorough.rate_pps.median, rel=0.1)


def test_another_frame_size_needs_no_new_simulation(monkeypatch: pytest.MonkeyPatch) -> None:
    simulate, runs = native.simulate, 0

    def counted(scene: Scene) -> Outcome:
        nonlocal runs
        runs += 1
        return simulate(scene)

    forget()
    first = predict_forwarding(of_host(FACTS))
    monkeypatch.setattr(native, "simulate", counted)
    for size in SIZES:
        predict_forwarding(of_host(FACTS, size))
    assert runs == 0
    forget()
    assert predict_forwarding(of_host(FACTS)) == first
    assert runs >= first.draws


def test_a_generator_farther_away_lowers_the_baseline_of_the_host() -> None:
    far = HostFacts(tsc_hz=2.6e9, c2c_latency_ns_low=104, c2c_latency_ns_median=106, c2c_latency_ns_high=108)
    assert predict_forwarding(of_host(far)).rate_pps.median < predict_forwarding(of_host(FACTS)).rate_pps.median


def test_both_machines_and_layouts_stand_beside_a_rate() -> None:
    bands = Baselines(FACTS, ports=2, cores=1, speed_gbps=10.0, elfs=()).bands(64)
    assert [(band.machine, band.layout) for band in bands] == [
        ("host", "padded"),
        ("host", "packed"),
        ("e5-2670x2", "padded"),
        ("e5-2670x2", "packed"),
    ]
    assert bands[3].median_pps < bands[2].low_pps
    assert bands[3].limited_by == "coherence"


def test_a_band_names_the_calibration_that_it_was_made_with() -> None:
    machine = host(FACTS)
    truth = {name: each.median for name, each in machine.ranges.items()}
    frozen, _ = from_measurement(measurement(machine, truth, FITTED), None, 16, 2)
    priors = Baselines(FACTS, ports=2, cores=1, speed_gbps=10.0, elfs=())
    known, other = (replace(priors, frozen=each).bands(64) for each in (frozen, None))
    assert [band.calibration for band in known] == [frozen.digest, frozen.digest, None, None]
    assert {band.calibration for band in other} == {None}
    assert known[0].median_pps != other[0].median_pps


def test_a_server_of_a_rack_is_predicted_as_the_machine_that_it_is() -> None:
    image = find("pix-padded")
    assert isinstance(image, PixManifest)
    of_rack = of_server(image, "e5-2670x2", ports=8, cores=8, speed_gbps=10)
    bands = {(band.machine, band.layout): band for band in of_rack.bands(64)}
    padded, packed = bands["host", "padded"], bands["host", "packed"]
    assert padded.median_pps == pytest.approx(bands["e5-2670x2", "padded"].median_pps, rel=0.3)  # other offsets
    assert packed.high_pps < padded.low_pps
    with pytest.raises(UsageError, match="did you mean 'e5-2670x2'"):
        of_server(image, "e5-2670", ports=8, cores=8, speed_gbps=10)
