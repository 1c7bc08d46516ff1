"""The computed DUT and the native one, behind a real generator, come to the same for the same behaviour and request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import paths
from lab.dut.computed import ComputedDut
from lab.dut.model import ModelForwarder
from lab.methods.trial import LoadStep, LossTimes, TrialRequest, TrialResult, burst
from lab.testbed.behaviour import Behaviour, Picks
from lab.traffic.measurer import GeneratorMeasurer
from tests.traffic.behind_a_model import measuring

Testbed = tuple[GeneratorMeasurer, ModelForwarder]


@pytest.fixture(scope="module")
def testbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Testbed]:
    if not (paths.NATIVE / "vtrex-engine").exists() or not (paths.NATIVE / "model-dut").exists():
        pytest.skip("native programs are not built: run 'make native'")
    with measuring(tmp_path_factory.mktemp("computed")) as running:
        running[0].measure(request(2000.0, 0.1))  # links are up
        yield running


def request(rate_pps: float, duration_s: float, *steps: LoadStep) -> TrialRequest:
    return TrialRequest(frame_size_bytes=64, rate_pps=rate_pps, duration_s=duration_s, tagged=False, steps=steps)


def both(testbed: Testbed, behaviour: Behaviour, asked: TrialRequest) -> tuple[TrialResult, TrialResult]:
    """Run a trial on each; the native one numbers its frames from 0, as the computed one does."""
    measurer, model = testbed
    model.behave(behaviour)
    return measurer.measure(asked), ComputedDut(behaviour).measure(asked)


def counts(result: TrialResult) -> list[tuple[int, int, int]]:
    return [(d.intended_frames, d.sent_frames, d.received_frames) for d in result.directions]


@pytest.mark.parametrize(
    "lose",
    [
        Picks(frames=(5, 1000, 1005, 2100), burst_frames=20),
        Picks(every=30, burst_frames=3),
        Picks(ratio=0.01, burst_frames=4),
    ],
    ids=["listed", "every", "chance"],
)
def test_the_same_frames_are_lost(testbed: Testbed, lose: Picks) -> None:
    asked = request(20_000.0, 0.2, LoadStep(rate_pps=4000.0, duration_s=0.2))
    native, computed = both(testbed, Behaviour(lose=lose, seed=7), asked)
    assert counts(native) == counts(computed)
    assert native.steps == computed.steps
    assert native.lost_frames > 0

    def rounded(times: LossTimes) -> dict[str, object]:
        told = times.model_dump(exclude={"source", "frame_time_s"})
        return {name: round(value, 7) if isinstance(value, float) else value for name, value in told.items()}

    assert [rounded(times) for times in native.loss_times] == [rounded(times) for times in computed.loss_times]


def test_of_a_burst_as_many_are_dropped_as_find_no_room(testbed: Testbed) -> None:
    """The server takes a frame in 100 s: no pause of a core lets another one in, and what waits never arrives."""
    behaviour = Behaviour(capacity_pps=0.01, queue_frames=64)
    native, computed = both(testbed, behaviour, burst(64, 100, 100_000.0, 2))
    assert native.sent_frames == computed.sent_frames == 200
    assert sum(truth.lost_capacity for truth in testbed[1].truth()) == computed.lost_frames == 136


def test_of_a_load_above_the_capacity_as_much_is_lost_but_for_the_queue(testbed: Testbed) -> None:
    behaviour = Behaviour(capacity_pps=20_000.0, queue_frames=500)
    native, computed = both(testbed, behaviour, request(30_000.0, 0.5))
    assert computed.lost_frames == pytest.approx(4500, abs=2)
    assert native.lost_frames == pytest.approx(computed.lost_frames, abs=500)


def test_the_same_frames_are_reordered(testbed: Testbed) -> None:
    """All frames of a direction have the same addresses where all are tagged: none overtakes another unseen."""
    behaviour = Behaviour(move=Picks(frames=(0, 99, 500, 1900), burst_frames=2), move_places=5)
    asked = request(4_000.0, 1.0).model_copy(update={"tagged": True, "tagged_only": True})
    native, computed = both(testbed, behaviour, asked)
    assert counts(native) == counts(computed)
    told = ("sent", "received", "duplicates", "lost", "reordered", "ratio", "extent_max", "extent_mean", "complete")
    for ours, theirs in zip(computed.reordering, native.reordering, strict=True):
        assert ours.reordered == 8
        assert ours.model_dump(include=set(told)) == theirs.model_dump(include=set(told))
