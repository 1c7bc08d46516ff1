"""A stream as a client defined it: checked once, then packed for the engine at each start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lab.vtrex import frames
from lab.vtrex import messages as m
from lab.vtrex import params as p
from lab.vtrex.fields import FieldProgram, compile_program
from lab.vtrex.rates import Load, stream_rate_pps
from lab.vtrex.rpc import refuse

FCS_BYTES = 4
LATENCY_HEADER_BYTES = 16
LONGEST_GAP_US = 1e9
MOST_FRAMES = 2**48
SRC_MAC_FROM_PACKET = 1
DST_MAC_FROM_PACKET = 2
DST_MAC_MASK = 6
DUMMY = 8


@dataclass(frozen=True)
class FlowRule:
    """The ``flow_stats`` of a stream."""

    pg_id: int
    kind: m.FlowKind


@dataclass(frozen=True)
class Plan:
    """When a stream sends, but for its rate.

    Gaps count from the last frame before them: of the stream that this one follows, or of the burst before.
    """

    gap_before_us: float = 0.0
    burst_frames: int = 0  # 0: continuous
    bursts: int = 1  # 0: without end
    burst_gap_us: float = 0.0
    next_id: int | None = None  # the stream that begins when this one has ended
    loops: int = 0  # the stream ends so often until nothing follows it any more; 0: something always does
    self_start: bool = True
    start_paused: bool = False

    @property
    def is_continuous(self) -> bool:
        """Tell whether it sends until it is stopped, without bursts."""
        return self.burst_frames == 0


@dataclass(frozen=True)
class Stream:
    """One stream; ``frame`` is without FCS and not yet marked or addressed."""

    stream_id: int
    json: Mapping[str, Any]
    frame: bytes
    program: FieldProgram
    rate_kind: str
    rate_value: float
    plan: Plan
    flags: int
    enabled: bool
    rule: FlowRule | None

    @property
    def longest_bytes(self) -> int:
        """Length of its longest frames, without FCS."""
        return self.program.lengths_bytes[1] if self.program.lengths_bytes else len(self.frame)

    def load(self, line_rate_bps: float) -> Load:
        """Return what the stream sends at multiplier 1 on a line of this rate."""
        size_bytes = self.program.mean_length_bytes(len(self.frame)) + FCS_BYTES
        rate_pps = stream_rate_pps(self.rate_kind, self.rate_value, size_bytes, line_rate_bps)
        latency = self.rule is not None and self.rule.kind is m.FlowKind.LATENCY
        return Load(rate_pps, size_bytes, scales=not latency and not self.is_dummy)

    @property
    def is_dummy(self) -> bool:
        """Tell whether it is a delay that sends nothing."""
        return bool(self.flags & DUMMY)

    def packed(
        self,
        rate_pps: float,
        follower: int,
        src: bytes,
        dst: bytes,
        flow: int,
        generation: int,
        verify: bytes = b"",
    ) -> bytes:
        """Return the stream_spec for the engine.

        Args:
            rate_pps: frames a second to send.
            follower: index of the stream that begins after this one, NO_STREAM for none.
            src: the port's own MAC address, used unless the stream has one of its own.
            dst: the port's destination MAC address, likewise.
            flow: engine's flow index, NO_FLOW for none.
            generation: ``flow_seq`` of the latency header.
            verify: verify_spec; empty: its frames are counted only.

        """
        frame = frames.set_macs(
            self.frame,
            None if self.flags & SRC_MAC_FROM_PACKET else src,
            dst if self.flags & DST_MAC_MASK == 0 else None,
        )
        kind = self.rule.kind if self.rule else m.FlowKind.NONE
        if kind is not m.FlowKind.NONE:
            frame = frames.mark(frame, hw_id=flow if kind is m.FlowKind.STATS else None, payload_varies=bool(verify))
        plan = self.plan
        spec = m.STREAM.pack(
            rate_pps, plan.gap_before_us, plan.burst_gap_us, plan.burst_frames, plan.bursts, follower, plan.loops,
            flow, len(frame), kind, generation, plan.self_start, plan.start_paused, self.is_dummy, bool(verify),
            *self.program.counts(),
        )  # fmt: skip
        return spec + self.program.packed() + verify + frame


def parse(stream_id: int, stream: Mapping[str, Any], line_rate_bps: float) -> Stream:
    """Check the ``stream`` of an add_stream request.

    Raises:
        RpcError: something is missing, malformed, or not supported by this generator.

    """
    frame = _frame(p.mapping(stream, "packet"))
    mode = p.mapping(stream, "mode")
    rate = p.mapping(mode, "rate")
    seed = p.integer(stream, "random_seed", 0) or stream_id
    program = compile_program(p.mapping(stream, "vm", {}), frame, seed)
    result = Stream(
        stream_id=stream_id,
        json=dict(stream),
        frame=frame,
        program=program,
        rate_kind=p.string(rate, "type"),
        rate_value=p.number(rate, "value"),
        plan=_plan(stream, mode),
        flags=p.integer(stream, "flags", 0),
        enabled=p.boolean(stream, "enabled", True),
        rule=_rule(p.mapping(stream, "flow_stats", {"enabled": False}), frame, program),
    )
    result.load(line_rate_bps)
    return result


def _plan(stream: p.Params, mode: p.Params) -> Plan:
    kind = p.string(mode, "type")
    if kind == "continuous":
        plan = Plan()
    elif kind == "single_burst":
        plan = Plan(burst_frames=p.integer(mode, "total_pkts", low=1, high=MOST_FRAMES))
    elif kind == "multi_burst":
        plan = Plan(
            burst_frames=p.integer(mode, "pkts_per_burst", low=1, high=MOST_FRAMES),
            bursts=p.integer(mode, "count", high=2**32 - 1),
            burst_gap_us=_gap_us(mode, "ibg"),
        )
    else:
        raise refuse(f"stream mode '{kind}' is none of continuous, single_burst, multi_burst")
    next_id = p.integer(stream, "next_stream_id", -1, low=-1)
    return replace(
        plan,
        gap_before_us=_gap_us(stream, "isg"),
        next_id=None if next_id == -1 else next_id,
        loops=p.integer(stream, "action_count", 0, high=2**16 - 1),
        self_start=p.boolean(stream, "self_start", True),
        start_paused=p.boolean(stream, "start_paused", False),
    )


def _gap_us(params: p.Params, name: str) -> float:
    gap_us = p.number(params, name, 0.0)
    if not 0 <= gap_us <= LONGEST_GAP_US:
        raise refuse(f"{name} is {gap_us:g} us, expected 0 to {LONGEST_GAP_US:g}")
    return gap_us


def _frame(packet: p.Params) -> bytes:
    frame = p.binary(packet, "binary")
    if not frames.ETHER_BYTES <= len(frame) <= m.MAX_FRAME_BYTES:
        raise refuse(f"packet has {len(frame)} bytes, expected {frames.ETHER_BYTES} to {m.MAX_FRAME_BYTES}")
    return frames.pad(frame)


def _rule(rule: p.Params, frame: bytes, program: FieldProgram) -> FlowRule | None:
    if not p.boolean(rule, "enabled", False):
        return None
    kinds = {"stats": m.FlowKind.STATS, "latency": m.FlowKind.LATENCY}
    kind = kinds.get(p.string(rule, "rule_type", "stats"))
    if kind is None:
        raise refuse(f"flow_stats rule_type '{rule['rule_type']}' is not supported by this generator")
    if p.boolean(rule, "ieee_1588", False):
        raise refuse("flow_stats with ieee_1588 needs a NIC with time stamps; this generator has none")
    at = frames.headers(frame)
    if at is None:
        raise refuse("flow_stats needs an IPv4 or IPv6 packet with at most two VLAN tags")
    shortest = program.lengths_bytes[0] if program.lengths_bytes else len(frame)
    if kind is m.FlowKind.LATENCY and at.end + LATENCY_HEADER_BYTES > shortest:
        raise refuse(f"a latency stream needs {LATENCY_HEADER_BYTES} bytes of payload behind its headers")
    if kind is m.FlowKind.LATENCY and at.version == 6:
        program.finish_transport(at)
    return FlowRule(p.integer(rule, "stream_id", high=2**32 - 1), kind)
