"""Runs a trial: streams from the request, the generator, what disturbed it, and the counts of each direction."""

from __future__ import annotations

from collections.abc import Sequence

from lab.methods.trial import (
    DirectionCount,
    LatencyRecord,
    ReorderingRecord,
    TrialRequest,
    TrialResult,
)
from lab.methods.validity import ValidityLimits, judge
from lab.metrics.order.accumulator import order_detail
from lab.metrics.order.model import OrderDetail
from lab.metrics.reordering import analyse
from lab.traffic.arrivals import arrivals
from lab.traffic.disturbance import ThreadProbe
from lab.traffic.load import Direction
from lab.traffic.losses import loss_times
from lab.traffic.models import EngineReport, Stream, TaggedRecord, TrafficResult
from lab.traffic.modifiers import Modifier, modified, without_refused
from lab.traffic.protocol import TrafficGenerator
from lab.traffic.steps import step_counts
from lab.traffic.streams import streams_for


class GeneratorMeasurer:
    """The Measurer of a testbed: a generator, the directions of its traffic, and probes of the DUT's cores."""

    def __init__(
        self,
        generator: TrafficGenerator,
        directions: Sequence[Direction],
        *,
        probes: Sequence[ThreadProbe] = (),
        modifiers: Sequence[Modifier] = (),
        limits: ValidityLimits | None = None,
    ) -> None:
        """Bind a generator to directions of traffic.

        Args:
            generator: connected, with all ports taken.
            directions: each with its own sending port.
            probes: of the threads whose disturbance makes the DUT lose frames (vCPUs on this host).
            modifiers: what is sent besides the test frames, in every trial (RFC 2544 section 11).
            limits: of a valid trial; None takes the defaults.

        """
        self._generator = generator
        self._directions = tuple(directions)
        self._probes = tuple(probes)
        self._modifiers = tuple(modifiers)
        self._limits = limits or ValidityLimits()
        self._missing_before = 0  # frames of the last trial that did not arrive in it

    def measure(self, request: TrialRequest) -> TrialResult:
        """Run one trial; see Measurer.measure. The result says itself whether it is valid."""
        streams, extra = modified(streams_for(request, self._directions), self._modifiers, request)
        for probe in self._probes:
            probe.begin()
        traffic = self._generator.run((*streams, *extra), request.total_s, residual_s=request.residual_s)
        traffic = without_refused(traffic, extra)
        disturbances = tuple(probe.end() for probe in self._probes)
        if traffic.engine is not None:
            disturbances += traffic.engine.cores
        directions, late_frames = without_late_frames(direction_counts(streams, traffic), self._missing_before)
        self._missing_before = sum(direction.lost_frames for direction in directions)
        invalid = list(traffic.engine.invalid) if traffic.engine else []
        invalid += [sentence for record in traffic.tagged for sentence in contradictions(record)]
        if late_frames:
            invalid.append(f"{late_frames} frames of the trial before arrived only now: the DUT had held them")
        result = TrialResult(
            request=request,
            started_at_s=traffic.started_at_s,
            duration_s=traffic.duration_s,
            directions=directions,
            latency=tuple(_latency(s, r) for s, r in _tagged(streams, traffic) if r.count),
            reordering=tuple(
                _reordering(s, r, traffic, detailed=request.order_detail) for s, r in _tagged(streams, traffic)
            ),
            disturbances=disturbances,
            loss_times=loss_times(streams, traffic),
            steps=step_counts(streams, traffic, directions) if request.steps else (),
            settled=traffic.settled,
            invalid=tuple(invalid),
        )
        return result.model_copy(update={"invalid": judge(result, self._limits)})


def without_late_frames(
    directions: tuple[DirectionCount, ...], missing_before: int
) -> tuple[tuple[DirectionCount, ...], int]:
    """Tell frames that a DUT held over the end of a trial from stale ones that it should never send.

    A virtual CPU that does not run for a tenth of a second at the end of a trial lets frames arrive in the next one.
    They can be no more than were missing; who sends again what had arrived is wrong.

    Args:
        directions: counts of a trial.
        missing_before: frames of the trial before that were sent and had not arrived.

    Returns:
        The counts without frames that are merely late, and how many these are.

    """
    stale = sum(wrong.frames for count in directions for wrong in count.wrong if wrong.kind == "stale")
    if not 0 < stale <= missing_before:
        return directions, 0
    return tuple(
        count.model_copy(update={"wrong": tuple(wrong for wrong in count.wrong if wrong.kind != "stale")})
        for count in directions
    ), stale


def direction_counts(streams: Sequence[Stream], traffic: TrafficResult) -> tuple[DirectionCount, ...]:
    """Add up the streams of each direction, and what the link's far side refused of it.

    Args:
        streams: what was asked.
        traffic: what came of it.

    Returns:
        One count for each (tx_port, rx_port), in the order of first appearance.

    """
    counted = {c.pg_id: c for c in traffic.streams}
    refused = _refused(streams, traffic.engine)
    verified = {(v.tx_port, v.rx_port): v for v in traffic.engine.verification} if traffic.engine else {}
    sending_s = {port.port: port.sending_s for port in traffic.engine.ports} if traffic.engine else {}
    # Beside IPv4 there may be IPv6, which nobody verifies.
    complete = verified.keys() - {(s.tx_port, s.rx_port) for s in streams if s.arrival is None}
    totals: dict[tuple[int, int], DirectionCount] = {}
    for stream in streams:
        key = (stream.tx_port, stream.rx_port)
        before = totals.get(key) or DirectionCount(
            tx_port=stream.tx_port,
            rx_port=stream.rx_port,
            intended_frames=0,
            sent_frames=refused.get(key, 0),
            received_frames=0,
            refused_frames=refused.get(key, 0),
            verified=key in complete,
            reordered_frames=verified[key].reordered_frames if key in complete else None,
            wrong=verified[key].wrong if key in verified else (),
            sending_s=sending_s.get(stream.tx_port),
        )
        count = counted[stream.pg_id]
        totals[key] = before.model_copy(
            update={
                "intended_frames": before.intended_frames + stream.intended_frames(traffic.duration_s),
                "sent_frames": before.sent_frames + count.sent_frames,
                "received_frames": before.received_frames + count.received_frames,
            }
        )
    for key, found in verified.items():
        if found.wrong and key not in totals:  # stale ones of a direction that this trial has not
            totals[key] = DirectionCount(
                tx_port=found.tx_port,
                rx_port=found.rx_port,
                intended_frames=0,
                sent_frames=0,
                received_frames=0,
                verified=True,
                wrong=found.wrong,
            )
    return tuple(totals.values())


def _refused(streams: Sequence[Stream], engine: EngineReport | None) -> dict[tuple[int, int], int]:
    """Share what was refused at a sending port among the directions from there: nobody knows whose frames they were."""
    shares: dict[tuple[int, int], int] = {}
    for port in engine.ports if engine else ():
        keys = list(dict.fromkeys((s.tx_port, s.rx_port) for s in streams if s.tx_port == port.port))
        for number, key in enumerate(keys):
            shares[key] = port.refused_frames // len(keys) + (number < port.refused_frames % len(keys))
    return shares


def _tagged(streams: Sequence[Stream], traffic: TrafficResult) -> list[tuple[Stream, TaggedRecord]]:
    by_id = {s.pg_id: s for s in streams}
    return [(by_id[record.pg_id], record) for record in traffic.tagged]


def _latency(stream: Stream, record: TaggedRecord) -> LatencyRecord:
    return LatencyRecord(
        tx_port=stream.tx_port,
        rx_port=stream.rx_port,
        count=record.count,
        min_ns=record.min_ns,
        max_ns=record.max_ns,
        mean_ns=record.mean_ns,
        hdr=record.latency_hdr,
        source=record.latency_source,
        variation=record.variation,
    )


def _detail(record: TaggedRecord, size_bytes: int) -> OrderDetail | None:
    log = arrivals(record)
    if log is None:
        return None
    return order_detail(log.numbers, times_ns=log.times_ns, size_bytes=size_bytes, complete=log.complete)


def _reordering(stream: Stream, record: TaggedRecord, traffic: TrafficResult, *, detailed: bool) -> ReorderingRecord:
    found = record.sequence
    if found is not None:
        return ReorderingRecord(
            tx_port=stream.tx_port,
            rx_port=stream.rx_port,
            sent=found.numbered_frames,
            received=found.distinct_frames + found.duplicates + found.too_old,
            duplicates=found.duplicates,
            lost=found.lost_frames,
            reordered=found.reordered,
            ratio=found.reordered / found.distinct_frames if found.distinct_frames else 0.0,
            extent_max=found.extent_max,
            extent_mean=found.extent_mean,
            complete=found.exact,
            source="vtrex-sequence",
            detail=_detail(record, stream.size_bytes) if detailed else None,
        )
    sent = next(c.sent_frames for c in traffic.streams if c.pg_id == stream.pg_id)
    received = next(c.received_frames for c in traffic.streams if c.pg_id == stream.pg_id)
    unique = max(0, received - record.duplicates)
    return ReorderingRecord(
        tx_port=stream.tx_port,
        rx_port=stream.rx_port,
        sent=sent,
        received=received,
        duplicates=record.duplicates,
        lost=max(0, sent - unique),
        reordered=record.out_of_order,
        ratio=record.out_of_order / unique if unique else 0.0,
        extent_max=0,
        extent_mean=0.0,
        complete=False,
        source="trex-counters",
    )


def contradictions(record: TaggedRecord) -> tuple[str, ...]:
    """Compare what the generator found in the order of arrival with what the recorded arrivals say.

    Args:
        record: of a tagged stream; nothing is compared where the log was full or the generator's counts have limits.

    Returns:
        One sentence where they differ: then one of the two is wrong, and nobody knows which.

    """
    found, log = record.sequence, arrivals(record)
    if found is None or log is None or not found.exact or not log.complete:
        return ()
    order = analyse(log.numbers)
    logged = (order.received - order.duplicates, order.reordered, order.extent_max)
    tracked = (found.distinct_frames, found.reordered, found.extent_max)
    if logged == tracked:
        return ()
    told = "received, {} reordered, greatest extent {}"
    return (
        f"the generator contradicts itself on pg_id {record.pg_id}: {tracked[0]} {told.format(*tracked[1:])}; "
        f"but by its log {logged[0]} {told.format(*logged[1:])}",
    )
