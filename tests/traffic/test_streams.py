"""What streams a request becomes: bursts, steps, a counted tagged frame, mixes, IPv6."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet6 import UDP, IPv6
from scapy.layers.l2 import Ether

from lab.errors import UsageError
from lab.methods.trial import LoadStep, TrialRequest, burst, line_rate_pps, mix_line_rate_pps
from lab.traffic.load import Direction
from lab.traffic.measurer import direction_counts
from lab.traffic.models import EngineReport, PortReport, Stream, StreamCount, TrafficResult
from lab.traffic.steps import step_counts
from lab.traffic.streams import streams_for
from tests.traffic.test_load import BOTH, A, B

SIX = (
    A.model_copy(update={"first_host": "2001:db8:1::1"}),
    B.model_copy(update={"first_host": "2001:db8:2::1"}),
)


def due_s(streams: list[Stream]) -> list[tuple[float, int]]:
    """Return when each frame of streams is due, with its size."""
    return sorted(
        (stream.begin_s + number / stream.rate_pps, stream.size_bytes)
        for stream in streams
        for number in range(stream.frames or 0)
    )


def test_a_burst_is_so_many_frames_in_each_direction_at_the_full_rate() -> None:
    request = burst(64, 1000, 2e6, directions=2)
    streams = streams_for(request, BOTH)
    assert [(s.frames, s.rate_pps, s.begin_s) for s in streams] == [(1000, 1e6, 0.0)] * 2
    assert request.total_s == pytest.approx(1000 / 1e6)
    assert [s.intended_frames(request.total_s) for s in streams] == [1000, 1000]


def test_a_burst_with_tagged_frames_is_no_longer_for_them() -> None:
    request = burst(64, 1001, 2e6, directions=2).model_copy(update={"tagged": True, "tagged_rate_pps": 10_000})
    streams = streams_for(request, BOTH)
    assert [s.frames for s in streams if s.tx_port == 0] == [991, 10]
    assert sum(s.rate_pps for s in streams) == pytest.approx(2e6)


@given(st.lists(st.tuples(st.floats(2000.0, 1e6), st.floats(0.01, 0.1)), min_size=2, max_size=4))
def test_every_step_begins_where_the_one_before_it_ends(loads: list[tuple[float, float]]) -> None:
    steps = [LoadStep(rate_pps=rate_pps, duration_s=duration_s) for rate_pps, duration_s in loads]
    request = TrialRequest(
        frame_size_bytes=64,
        rate_pps=steps[0].rate_pps,
        duration_s=steps[0].duration_s,
        tagged=False,
        steps=tuple(steps[1:]),
    )
    streams = [s for s in streams_for(request, BOTH) if s.tx_port == 1]
    assert [s.step for s in streams] == list(range(len(steps)))
    for stream, load in zip(streams, steps, strict=True):
        assert stream.frames == round(load.rate_pps / 2 * load.duration_s)
    for before, after in itertools.pairwise(streams):
        last_s = before.begin_s + ((before.frames or 0) - 1) / before.rate_pps
        assert after.begin_s - last_s == pytest.approx(1 / before.rate_pps, rel=0.51)  # half a frame of rounding


def test_a_step_without_load_is_a_pause() -> None:
    pause = (LoadStep(rate_pps=0.0, duration_s=0.5), LoadStep(rate_pps=100.0, duration_s=1.0))
    request = TrialRequest(frame_size_bytes=64, rate_pps=100.0, duration_s=1.0, tagged=False, steps=pause)
    streams = streams_for(request, BOTH[:1])
    assert [(s.step, s.begin_s) for s in streams] == [(0, 0.0), (2, 1.5)]


def test_one_tagged_frame_comes_on_top_of_the_whole_load() -> None:
    request = TrialRequest(frame_size_bytes=64, rate_pps=2000.0, duration_s=1.2, tagged_frames=1, tagged_after_s=0.6)
    bulk, tagged = streams_for(request, BOTH)[:2]
    assert (bulk.rate_pps, bulk.frames, bulk.tagged) == (1000.0, None, False)
    assert (tagged.frames, tagged.begin_s, tagged.tagged) == (1, 0.6, True)
    with pytest.raises(ValueError, match="leave one of them away"):
        streams_for(request.model_copy(update={"burst_frames": 10}), BOTH)


def test_the_tagged_frames_may_be_the_whole_load() -> None:
    request = TrialRequest(frame_size_bytes=64, rate_pps=200.0, duration_s=1.0, tagged_only=True)
    streams = streams_for(request, BOTH)
    assert [(s.rate_pps, s.tagged, s.frames) for s in streams] == [(100.0, True, None)] * 2


def test_a_mix_keeps_the_order_of_its_sizes() -> None:
    mix = (64, 64, 570, 64, 1518)
    request = TrialRequest(frame_size_bytes=456, rate_pps=2000.0, duration_s=0.0135, tagged=False, mix_bytes=mix)
    forth = [s for s in streams_for(request, BOTH) if s.tx_port == 0]
    frames = due_s(forth)
    assert [size for _, size in frames] == list(itertools.islice(itertools.cycle(mix), round(1000 * 0.0135)))
    distances_s = {round(after - before, 9) for (before, _), (after, _) in itertools.pairwise(frames)}
    assert distances_s == {0.001}


def test_the_line_rate_of_a_mix_is_by_the_mean_of_its_sizes() -> None:
    assert mix_line_rate_pps([64], 10.0) == line_rate_pps(64, 10.0)
    assert mix_line_rate_pps([64] * 7 + [570] * 4 + [1518], 10.0) == pytest.approx(10e9 * 12 / (8 * (4246 + 240)))


def ipv6_direction() -> Direction:
    return Direction(tx=SIX[0], rx=SIX[1])


@pytest.mark.parametrize("size_bytes", [66, 128, 1280, 1518])
def test_a_frame_over_ipv6_has_its_size_and_a_checksum_that_is_right(size_bytes: int) -> None:
    request = TrialRequest(frame_size_bytes=size_bytes, rate_pps=1000.0, duration_s=1.0, tagged=False)
    (stream,) = streams_for(request, (ipv6_direction(),))
    assert stream.arrival is None
    packet = Ether(stream.frame)
    assert (len(stream.frame), packet[IPv6].hlim, packet[IPv6].plen) == (size_bytes - 4, 64, size_bytes - 58)
    checksum = packet[UDP].chksum
    del packet[UDP].chksum
    assert Ether(bytes(packet))[UDP].chksum == checksum != 0
    for sweep in stream.sweeps:
        field = stream.frame[sweep.offset_bytes : sweep.offset_bytes + 4]
        assert int.from_bytes(field, "big") == sweep.first == 1


def test_a_frame_that_is_too_short_for_its_headers_is_refused() -> None:
    request = TrialRequest(frame_size_bytes=64, rate_pps=1000.0, duration_s=1.0, tagged=False)
    with pytest.raises(UsageError, match="a UDP frame over IPv6 has no room in 64 bytes: ask for 66"):
        streams_for(request, (ipv6_direction(),))
    tagged = request.model_copy(update={"frame_size_bytes": 66, "tagged_only": True, "tagged": True})
    with pytest.raises(UsageError, match="ask for 82"):
        streams_for(tagged, (ipv6_direction(),))


def test_a_direction_speaks_one_version_of_ip() -> None:
    with pytest.raises(ValueError, match="two versions of IP"):
        Direction(tx=A, rx=SIX[1])
    with pytest.raises(ValueError, match="networks of IPv4"):
        Direction(tx=SIX[0], rx=SIX[1], destinations=("16.0.0.0/4",))


def test_refused_frames_belong_to_the_step_that_fell_short() -> None:
    steps = (LoadStep(rate_pps=1000.0, duration_s=1.0),)
    request = TrialRequest(frame_size_bytes=64, rate_pps=2000.0, duration_s=1.0, tagged=False, steps=steps)
    streams = streams_for(request, BOTH[:1])
    traffic = TrafficResult(
        started_at_s=0.0,
        duration_s=request.total_s,
        settled=True,
        streams=(
            StreamCount(pg_id=1, sent_frames=1900, received_frames=1850),
            StreamCount(pg_id=2, sent_frames=1000, received_frames=1000),
        ),
        engine=EngineReport(
            ports=(PortReport(port=0, intended_frames=3000, sent_frames=2900, refused_frames=100, unknown_frames=0),),
            cores=(),
        ),
    )
    directions = direction_counts(streams, traffic)
    first, second = step_counts(streams, traffic, directions)
    assert (first.sent_frames, first.lost_frames, second.sent_frames, second.lost_frames) == (2000, 150, 1000, 0)
    assert directions[0].lost_frames == 150
