"""A stream as a client defined it: checked once, then packed for the engine at each start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
SRC_MAC_FROM_PACKET = 1
DST_MAC_FROM_PACKET = 2
DST_MAC_MASK = 6


@dataclass(frozen=True)
class FlowRule:
    """The ``flow_stats`` of a stream."""

    pg_id: int
    kind: m.FlowKind


@dataclass(frozen=True)
class Stream:
    """One stream; ``frame`` is without FCS and not yet marked or addressed."""

    stream_id: int
    json: Mapping[str, Any]
    frame: bytes
    program: FieldProgram
    rate_kind: str
    rate_value: float
    total_frames: int  # 0 = continuous
    gap_before_us: float
    flags: int
    enabled: bool
    rule: FlowRule | None

    def load(self, line_rate_bps: float) -> Load:
        """Return what the stream sends at multiplier 1 on a line of this rate."""
        size_bytes = self.program.mean_length_bytes(len(self.frame)) + FCS_BYTES
        rate_pps = stream_rate_pps(self.rate_kind, self.rate_value, size_bytes, line_rate_bps)
        return Load(rate_pps, size_bytes, self.rule is None or self.rule.kind is not m.FlowKind.LATENCY)

    def packed(self, rate_pps: float, src: bytes, dst: bytes, flow: int, generation: int, verify: bytes = b"") -> bytes:
        """Return the stream_spec for the engine.

        Args:
            rate_pps: frames a second to send.
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
        spec = m.STREAM.pack(
            rate_pps, self.gap_before_us, self.total_frames, flow, len(frame), kind, generation, bool(verify),
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
    kind = p.string(mode, "type")
    if kind not in ("continuous", "single_burst"):
        raise refuse(f"stream mode '{kind}' is not supported by this generator, only continuous and single_burst")
    if p.integer(stream, "next_stream_id", -1, low=-1) != -1:
        raise refuse("chained streams (next_stream_id) are not supported by this generator")
    if not p.boolean(stream, "self_start", True) or p.boolean(stream, "start_paused", False):
        raise refuse("streams that do not start by themselves are not supported by this generator")
    flags = p.integer(stream, "flags", 0)
    if flags & 8:
        raise refuse("dummy streams are not supported by this generator")
    rate = p.mapping(mode, "rate")
    gap_before_us = p.number(stream, "isg", 0.0)
    if not 0 <= gap_before_us <= LONGEST_GAP_US:
        raise refuse(f"isg is {gap_before_us:g} us, expected 0 to {LONGEST_GAP_US:g}")
    seed = p.integer(stream, "random_seed", 0) or stream_id
    program = compile_program(p.mapping(stream, "vm", {}), frame, seed)
    result = Stream(
        stream_id=stream_id,
        json=dict(stream),
        frame=frame,
        program=program,
        rate_kind=p.string(rate, "type"),
        rate_value=p.number(rate, "value"),
        total_frames=p.integer(mode, "total_pkts", low=1) if kind == "single_burst" else 0,
        gap_before_us=gap_before_us,
        flags=flags,
        enabled=p.boolean(stream, "enabled", True),
        rule=_rule(p.mapping(stream, "flow_stats", {"enabled": False}), frame, program),
    )
    result.load(line_rate_bps)
    return result


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
