"""How the counts of a run become those of a trial, on results as a generator would return them."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence

import numpy as np
import pytest

from lab.methods.trial import Disturbance, TrialRequest, WrongFrames
from lab.traffic.measurer import GeneratorMeasurer, direction_counts, without_late_frames
from lab.traffic.models import (
    CapturedFrame,
    EngineReport,
    GeneratorInfo,
    PortReport,
    SentFrame,
    SequenceRecord,
    Stream,
    StreamCount,
    TaggedRecord,
    TrafficResult,
)
from lab.traffic.streams import streams_for
from tests.traffic.test_load import BOTH

REQUEST = TrialRequest(frame_size_bytes=64, rate_pps=4000.0, duration_s=1.0, tagged=True, tagged_rate_pps=500.0)


def engine(refused: tuple[int, int], gap_max_ns: int = 0) -> EngineReport:
    return EngineReport(
        ports=tuple(
            PortReport(port=i, intended_frames=2000, sent_frames=2000 - r, refused_frames=r, unknown_frames=0)
            for i, r in enumerate(refused)
        ),
        cores=(Disturbance(who="generator", core=0, gap_max_ns=gap_max_ns, gap_total_ns=gap_max_ns),),
    )


class Recorded:
    """A generator that returns one recorded result."""

    def __init__(self, result: TrafficResult) -> None:
        self.result = result

    def info(self) -> GeneratorInfo:
        raise NotImplementedError

    def run(self, streams: Sequence[Stream], duration_s: float, *, residual_s: float = 0.0) -> TrafficResult:
        return self.result

    def exchange(
        self, frames: Sequence[SentFrame], capture_ports: Sequence[int], *, wait_s: float = 0.3, expect: int = 0
    ) -> tuple[CapturedFrame, ...]:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def result(counts: dict[int, tuple[int, int]], **more: object) -> TrafficResult:
    return TrafficResult(
        started_at_s=1.0,
        duration_s=1.0,
        settled=True,
        streams=tuple(StreamCount(pg_id=i, sent_frames=s, received_frames=r) for i, (s, r) in counts.items()),
        **more,  # type: ignore[arg-type]
    )


FULL = {1: (1500, 1500), 2: (500, 500), 3: (1500, 1500), 4: (500, 500)}


def test_frames_that_the_dut_had_no_room_for_are_sent_and_lost() -> None:
    counts = {**FULL, 1: (1400, 1400)}
    forth, back = direction_counts(streams_for(REQUEST, BOTH), result(counts, engine=engine((100, 0))))
    assert (forth.intended_frames, forth.sent_frames, forth.received_frames, forth.lost_frames) == (
        2000,
        2000,
        1900,
        100,
    )
    assert (back.sent_frames, back.lost_frames) == (2000, 0)


def test_frames_refused_at_a_port_are_shared_by_its_directions() -> None:
    """Each of them is lost once, whichever way it would have gone."""
    forth, back = BOTH
    elsewhere = forth.model_copy(update={"rx": forth.tx.model_copy(update={"port": 2})})
    directions = (forth, back, elsewhere)
    counts = dict.fromkeys(range(1, 7), (100, 100))
    counted = direction_counts(streams_for(REQUEST, directions), result(counts, engine=engine((101, 0))))
    assert [count.refused_frames for count in counted] == [51, 0, 50]
    assert sum(count.lost_frames for count in counted) == 101


def test_late_frames_are_none_of_the_dut_s_own_making() -> None:
    """No more of them than were missing before: the trial is repeated. More: they had arrived already."""
    for stale, lost in ((30, 30), (31, 30), (1, 0)):
        wrong = WrongFrames(kind="stale", frames=stale, port=1, reason="", first_hex="00")
        before = direction_counts(streams_for(REQUEST, BOTH), result(FULL))
        counts = (before[0].model_copy(update={"wrong": (wrong,)}), before[1])
        kept, late = without_late_frames(counts, lost)
        assert (late, kept[0].wrong) == ((stale, ()) if stale <= lost else (0, (wrong,)))


def test_a_surplus_in_one_direction_hides_no_loss_in_the_other() -> None:
    counts = {**FULL, 1: (1500, 1450), 3: (1500, 1550)}
    trial = GeneratorMeasurer(Recorded(result(counts)), BOTH).measure(REQUEST)
    assert trial.lost_frames == 50
    assert any("more received than sent" in reason for reason in trial.invalid)


def test_a_generator_that_falls_short_makes_the_trial_invalid() -> None:
    counts = {**FULL, 1: (1400, 1400)}
    trial = GeneratorMeasurer(Recorded(result(counts, engine=engine((0, 0)))), BOTH).measure(REQUEST)
    assert trial.lost_frames == 0
    assert any("short" in reason for reason in trial.invalid)


def tagged_record(order: list[int], **sequence: int) -> TaggedRecord:
    """Return a record of frames that came in this order; ``sequence`` changes what the generator says of it."""

    def packed(values: list[int], kind: str) -> str:
        return base64.b64encode(zlib.compress(np.array(values, dtype=kind).tobytes())).decode()

    usual = {"numbered_frames": 6, "distinct_frames": 5, "lost_frames": 1, "duplicates": 1, "reordered": 1}
    return TaggedRecord(
        pg_id=2,
        count=6,
        min_ns=1,
        max_ns=2,
        mean_ns=1.5,
        latency_hdr="",
        latency_source="vtrex-tsc",
        arrivals=packed(order, "<u4"),
        arrival_times=packed(list(range(len(order))), "<u8"),
        arrival_delays=packed([1] * len(order), "<u4"),
        arrivals_recorded=len(order),
        arrivals_received=6,
        sequence=SequenceRecord(**usual | {"extent_max": 1} | sequence, extent_mean=1.0),
    )


def test_the_generators_account_of_order_becomes_a_reordering_record() -> None:
    tagged = tagged_record([0, 2, 1, 3, 3, 5])
    counts = {**FULL, 2: (6, 6)}
    trial = GeneratorMeasurer(Recorded(result(counts, tagged=(tagged,))), BOTH).measure(REQUEST)
    (record,) = trial.reordering
    assert (record.sent, record.duplicates, record.lost, record.reordered) == (6, 1, 1, 1)
    assert record.received == 6
    assert record.complete
    assert record.detail is None
    assert not any("contradicts" in reason for reason in trial.invalid)


def test_all_of_the_order_is_told_where_that_is_asked_for() -> None:
    """Of frames 0, 2, 1, 3, 5 number 1 comes one place, 1 ns and one frame late; the log has no duplicates."""
    asked = REQUEST.model_copy(update={"order_detail": True})
    tagged = tagged_record([0, 2, 1, 3, 5])
    trial = GeneratorMeasurer(Recorded(result({**FULL, 2: (6, 6)}, tagged=(tagged,))), BOTH).measure(asked)
    detail = trial.reordering[0].detail
    assert detail is not None
    assert (detail.arrivals, detail.reordered, detail.complete) == (5, 1, False)
    assert detail.extent.counts == ((1, 1),)
    assert detail.late_time_ns is not None and detail.late_time_ns.counts == ((1, 1),)
    assert detail.byte_offset is not None and detail.byte_offset.counts == ((64, 1),)
    assert dict(detail.displacement.counts) == {-1: 1, 0: 3, 1: 1}


def test_a_generator_without_a_log_gives_no_detail() -> None:
    asked = REQUEST.model_copy(update={"order_detail": True})
    tagged = tagged_record([]).model_copy(update={"arrivals": None})
    trial = GeneratorMeasurer(Recorded(result({**FULL, 2: (6, 6)}, tagged=(tagged,))), BOTH).measure(asked)
    assert trial.reordering[0].detail is None


@pytest.mark.parametrize(
    ("order", "sequence", "contradicts"),
    [
        pytest.param([0, 2, 1, 3, 3, 5], {}, False, id="agree"),
        pytest.param([0, 2, 1, 3, 5], {}, False, id="log-was-full"),
        pytest.param([0, 1, 2, 3, 3, 5], {}, True, id="order"),
        pytest.param([0, 2, 1, 3, 4, 5], {}, True, id="count"),
        pytest.param([0, 1, 2, 3, 3, 5], {"too_old": 1}, False, id="beyond-its-window"),
    ],
)
def test_a_generator_that_contradicts_itself_makes_the_trial_invalid(
    order: list[int], sequence: dict[str, int], contradicts: bool
) -> None:
    tagged = (tagged_record(order, **sequence),)
    trial = GeneratorMeasurer(Recorded(result({**FULL, 2: (6, 6)}, tagged=tagged)), BOTH).measure(REQUEST)
    assert any("contradicts itself on pg_id 2" in reason for reason in trial.invalid) == contradicts
    assert trial.reordering[0].complete == ("too_old" not in sequence)
