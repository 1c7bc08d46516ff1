"""The schedule of streams that follow each other, held against a plain simulation of it."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import PcapNgWriter

from lab.vtrex.chains import check_pace, demands, followers, length_us, spans
from lab.vtrex.pcap_files import Record, gaps_us, read
from lab.vtrex.rates import Load, highest
from lab.vtrex.rpc import RpcError
from lab.vtrex.streams import Plan

rates = st.floats(1.0, 1e6)
plans = st.builds(
    Plan,
    gap_before_us=st.floats(0, 1e4),
    burst_frames=st.integers(0, 50),
    bursts=st.integers(1, 5),
    burst_gap_us=st.floats(0, 1e4),
)


def departures_us(plan: Plan, rate_pps: float) -> list[float]:
    """Return when each frame of a stream with bursts is due, frame by frame."""
    times: list[float] = []
    for _ in range(plan.bursts):
        at_us = times[-1] + plan.burst_gap_us if times else plan.gap_before_us
        for _ in range(plan.burst_frames):
            times.append(at_us)
            at_us += 1e6 / rate_pps
    return times


@given(plans.filter(lambda plan: plan.burst_frames > 0), rates)
def test_a_stream_lasts_from_its_first_frame_to_its_last(plan: Plan, rate_pps: float) -> None:
    times = departures_us(plan, rate_pps)
    assert length_us(plan, rate_pps) == pytest.approx(times[-1] - times[0], abs=1e-3)


@given(st.lists(st.tuples(plans, rates), min_size=1, max_size=8))
def test_each_stream_of_a_chain_begins_its_gap_after_the_last_frame_before(chain: list[tuple[Plan, float]]) -> None:
    after: list[int | None] = [*range(1, len(chain)), None]
    turns = spans([plan for plan, _ in chain[:1]] + [_later(plan) for plan, _ in chain[1:]], after, _rates(chain))
    assert [turn.place for turn in turns] == list(range(len(turns)))
    assert len(turns) == next((i + 1 for i, (plan, _) in enumerate(chain) if plan.is_continuous), len(chain))
    for before, turn in pairwise(turns):
        assert turn.begin_us == before.end_us + chain[turn.place][0].gap_before_us


def _later(plan: Plan) -> Plan:
    return Plan(**(vars(plan) | {"self_start": False}))


def _rates(chain: list[tuple[Plan, float]]) -> list[float]:
    return [rate_pps for _, rate_pps in chain]


@given(st.lists(st.tuples(plans, rates), min_size=1, max_size=8))
def test_the_highest_rate_is_that_of_the_busiest_moment(streams: list[tuple[Plan, float]]) -> None:
    loads = [Load(rate_pps, 64, scales=True) for _, rate_pps in streams]
    turns = spans([plan for plan, _ in streams], [None] * len(streams), _rates(streams))
    at_begin = [
        sum(
            loads[other.place].rate_pps
            for other in turns
            if other.begin_us <= turn.begin_us < other.end_us or other.begin_us == turn.begin_us
        )
        for turn in turns
    ]
    assert highest(demands(turns, list(loads)))[0] == pytest.approx(max(at_begin))


def test_a_loop_needs_time_but_not_much() -> None:
    once = Plan(burst_frames=1, next_id=1)
    assert followers({1: once}) == [0]
    with pytest.raises(RpcError, match="takes 0 us"):
        check_pace([once], [0], [1.0])
    check_pace([Plan(burst_frames=1, gap_before_us=0.2, next_id=1)], [0], [1.0])
    check_pace([Plan(burst_frames=1, loops=1, next_id=1)], [0], [1.0])  # is over before it comes back
    assert spans([Plan()], [None], [1.0])[0].end_us == math.inf


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=20), st.floats(0.1, 10), st.floats(0, 100))
def test_gaps_of_a_file_are_divided_and_never_too_small(steps: list[float], speedup: float, least_us: float) -> None:
    records = [Record(sum(steps[:i]), b"") for i in range(len(steps) + 1)]
    gaps = gaps_us(records, -1, least_us, speedup)
    assert gaps[1:] == pytest.approx([max(least_us, step / speedup) for step in steps], abs=1e-3)
    assert gaps_us(records, 50.0, 0.0, speedup) == [50.0 / speedup] * len(records)


def test_a_pcapng_file_is_read_with_its_times(tmp_path: Path) -> None:
    path = tmp_path / "some.pcapng"
    writer = PcapNgWriter(str(path))
    for number in range(3):
        packet = Ether() / IP() / UDP() / bytes(20 + number)
        packet.time = 1000 + number * 0.0005
        writer.write(packet)
    writer.close()
    records = read(str(path))
    assert [len(record.frame) for record in records] == [62, 63, 64]
    assert [record.time_us for record in records] == pytest.approx([0, 500, 1000], abs=1)
