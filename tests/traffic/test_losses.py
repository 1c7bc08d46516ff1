"""When frames were lost, from a real generator through a DUT that says which ones it lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import paths
from lab.dut.model import ModelForwarder
from lab.methods.trial import LoadStep, TrialRequest
from lab.testbed.behaviour import Behaviour, Picks
from lab.traffic.losses import loss_times
from lab.traffic.measurer import GeneratorMeasurer
from lab.traffic.models import LossRecord, TrafficResult
from lab.traffic.streams import streams_for
from tests.traffic.behind_a_model import measuring
from tests.traffic.test_load import BOTH

Testbed = tuple[GeneratorMeasurer, ModelForwarder]


@pytest.fixture(scope="module")
def testbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Testbed]:
    if not (paths.NATIVE / "vtrex-engine").exists() or not (paths.NATIVE / "model-dut").exists():
        pytest.skip("native programs are not built: run 'make native'")
    with measuring(tmp_path_factory.mktemp("losses")) as running:
        yield running


REQUEST = TrialRequest(
    frame_size_bytes=64,
    rate_pps=20_000.0,
    duration_s=0.2,
    tagged=False,
    steps=(LoadStep(rate_pps=4_000.0, duration_s=0.3),),
)
"""Frames 0 to 1999 of each direction every 0.1 ms, frames 2000 to 2599 every 0.5 ms."""


def test_the_lost_frames_of_each_step_and_when_they_were_due(testbed: Testbed) -> None:
    measurer, model = testbed
    model.behave(Behaviour(lose=Picks(frames=(1900, 1990, 2100), burst_frames=20)))
    trial = measurer.measure(REQUEST)
    assert [(s.step, s.tx_port, s.sent_frames, s.lost_frames) for s in trial.steps] == [
        (0, 0, 2000, 30),
        (0, 1, 2000, 30),
        (1, 0, 600, 30),
        (1, 1, 600, 30),
    ]
    assert [(t.step, t.tx_port, t.lost_frames, t.longest_frames) for t in trial.loss_times] == [
        (0, 0, 30, 20),
        (0, 1, 30, 20),
        (1, 0, 30, 20),
        (1, 1, 30, 20),
    ]
    for times in trial.loss_times:
        frame_s = 1e-4 if times.step == 0 else 5e-4
        first, longest, last = (1900, 1900, 1999) if times.step == 0 else (0, 100, 119)
        assert times.exact
        assert times.frame_time_s == pytest.approx(frame_s)
        assert times.first_lost_at_s == pytest.approx(first * frame_s, abs=1e-8)
        assert times.longest_at_s == pytest.approx(longest * frame_s)
        assert times.last_lost_at_s == pytest.approx(last * frame_s)


def test_frames_that_found_no_room_belong_to_the_load_under_which_they_were_sent(testbed: Testbed) -> None:
    """The DUT does not read its rings while the first load lasts: these take a ring of frames each, and no more."""
    measurer, model = testbed
    model.behave(Behaviour())
    model.stop()
    trial = measurer.measure(REQUEST.model_copy(update={"duration_s": 3.0}))
    model.start()
    first = [step for step in trial.steps if step.step == 0]
    refused = sum(direction.refused_frames for direction in trial.directions)
    assert refused > 0
    assert [step.sent_frames for step in first] == [30_000, 30_000]
    assert sum(step.lost_frames for step in trial.steps) == trial.lost_frames >= refused
    assert sum(times.lost_frames for times in trial.loss_times) == trial.lost_frames


def test_nothing_lost_is_told_as_well(testbed: Testbed) -> None:
    measurer, model = testbed
    model.start()
    model.behave(Behaviour())
    measurer.measure(REQUEST)  # frames of the trial before may come
    trial = measurer.measure(REQUEST)
    assert [(t.lost_frames, t.first_lost_at_s, t.exact) for t in trial.loss_times] == [(0, None, True)] * 4


def test_the_streams_of_one_load_are_put_together() -> None:
    request = TrialRequest(frame_size_bytes=64, rate_pps=1000.0, duration_s=1.0, tagged_rate_pps=100.0)
    streams = streams_for(request, BOTH[:1])

    def record(pg_id: int, at_s: float | None, frames: int, frame_time_s: float, due_s: float) -> LossRecord:
        number = None if at_s is None else round(at_s / frame_time_s)
        return LossRecord(
            pg_id=pg_id,
            tx_port=0,
            rx_port=1,
            numbered_frames=100,
            lost_frames=frames,
            first_lost=number,
            last_lost=number,
            longest_first=number,
            longest_frames=frames,
            first_lost_at_s=at_s,
            last_lost_at_s=at_s,
            longest_at_s=at_s,
            first_due_s=due_s,
            frame_time_s=frame_time_s,
            exact=True,
        )

    def told(*losses: LossRecord) -> TrafficResult:
        return TrafficResult(started_at_s=0.0, duration_s=1.0, settled=True, streams=(), losses=losses)

    bulk, tagged = record(1, 0.5, 3, 1 / 900, 2.0), record(2, 0.25, 1, 0.01, 2.5)
    (times,) = loss_times(streams, told(bulk, tagged))
    assert (times.lost_frames, times.first_lost_at_s, times.last_lost_at_s) == (4, 0.5, 0.75)
    assert (times.longest_at_s, times.longest_frames, times.frame_time_s) == (0.75, 1, 0.01)
    assert loss_times(streams, told(bulk)) == ()  # half of what was lost is no answer
    (times,) = loss_times(streams, told(record(1, None, 0, 1 / 900, 0.0), record(2, None, 0, 0.01, 0.0)))
    assert (times.lost_frames, times.longest_at_s) == (0, None)
