"""Start, stop and change traffic; single packets."""

from __future__ import annotations

import time
from typing import Any

from lab.vtrex import frames, rates
from lab.vtrex import messages as m
from lab.vtrex import params as p
from lab.vtrex.events import Event
from lab.vtrex.generator import Generator
from lab.vtrex.port import PAUSE, PROFILE, STREAMS, TX, Port, Running
from lab.vtrex.rpc import INVALID_PARAMS, RpcError, refuse
from lab.vtrex.streams import Stream

LONGEST_S = 1e8  # three years
MAX_PUSH_S = 2.0  # clients give up on a request after three seconds


def _wrong_state(port: Port, action: str) -> RpcError:
    return refuse(f"command '{action}' cannot be executed on current state: '{port.state} on profile_id({PROFILE}).")


def _loads(port: Port, streams: list[Stream]) -> list[rates.Load]:
    return [stream.load(port.line_rate_bps) for stream in streams]


def _factor(port: Port, streams: list[Stream], params: p.Params, *, now: float = 0.0) -> float:
    """Return the factor that ``mul`` asks for; ``now`` is the present one, for add and sub."""
    mul = p.mapping(params, "mul")
    loads = _loads(port, streams)
    op = p.string(mul, "op")
    factor = rates.factor_for(loads, p.string(mul, "type"), p.number(mul, "value"), port.line_rate_bps)
    if op not in ("abs", "add", "sub"):
        raise refuse(f"multiplier op '{op}' is none of abs, add, sub")
    factor = {"abs": factor, "add": now + factor, "sub": now - factor}[op]
    if not factor > 0:
        raise refuse(f"the new multiplier would be {factor:g}; it must be above 0")
    expected = rates.total_l1_bps(loads, factor)
    if expected > port.line_rate_bps * rates.LINE_RATE_TOLERANCE and not p.boolean(params, "force", False):
        raise refuse(
            f"Expected L1 B/W: '{expected / 1e9:.4g} Gbps' exceeds port line rate: '{port.speed_gbps:g} Gbps', "
            "use force to ignore"
        )
    return factor


def start_traffic(generator: Generator, params: p.Params) -> dict[str, float]:
    """Start all streams of a port."""
    port = generator.owned_port(params)
    generator.check_profile(params)
    generator.collect_ended()
    if port.state != STREAMS:
        raise _wrong_state(port, "start")
    generator.tick()
    if not port.link_up and not p.boolean(params, "force", False):
        raise refuse(f"port {port.index} has no link: nobody is at the other end, use force to ignore")
    streams = [stream for stream in port.streams.values() if stream.enabled]
    if not streams:
        raise refuse("there is no enabled stream on this port")
    duration_s = p.number(params, "duration", -1)
    if duration_s > LONGEST_S:
        raise refuse(f"duration is {duration_s:g} s; at most {LONGEST_S:g} are possible, and -1 for ever")
    factor = _factor(port, streams, params)
    now_s, start_at_s = time.monotonic(), p.number(params, "start_at_ts", 0)
    if start_at_s > now_s + 60:
        raise refuse(f"start_at_ts is {start_at_s - now_s:.0f} s ahead; at most 60 s are")
    start_at_s = start_at_s or (now_s + generator.start_delay_s if generator.start_delay_s else 0.0)
    _start_engine(generator, port, Running(streams, factor, duration_s), int(start_at_s * 1e9))
    generator.events.emit(Event.PROFILE_STARTED, port_id=port.index, profile_id=PROFILE)
    generator.events.emit(Event.PORT_STARTED, port_id=port.index)
    return {"multiplier": factor, "ts": max(now_s, start_at_s)}


def _start_engine(generator: Generator, port: Port, running: Running, start_ns: int) -> None:
    packed = []
    scaled = rates.scaled_rates_pps(_loads(port, running.streams), running.factor)
    for stream, rate_pps in zip(running.streams, scaled, strict=True):
        group = generator.flows.find(stream.rule.pg_id) if stream.rule else None
        flow, generation = (m.NO_FLOW, 0) if group is None else (group.flow, generator.flows.next_start(group))
        verify = b"" if group is None or group.arrival is None else group.arrival.packed()
        packed.append(stream.packed(rate_pps, port.mac, port.peer_mac, flow, generation, verify))
    joined = generator.trial.joins(port.index, time.monotonic(), any_active=generator.any_active())
    before = generator.trial.snapshot()
    generator.engine.start(
        port.index, packed, duration_s=running.duration_s, new_trial=not joined, paused=False, start_ns=start_ns
    )
    generator.trial.started(port.index, joined=joined, before=before)
    port.running, port.active = running, TX


def stop_traffic(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Stop a port with the frames that are due now; nothing to do when it is silent."""
    port = generator.owned_port(params)
    generator.check_profile(params)
    generator.collect_ended()
    if port.active is None:
        return {}
    generator.engine.stop(port.index)
    generator.set_ended(port)
    generator.events.emit(Event.PROFILE_STOPPED, port_id=port.index, profile_id=PROFILE)
    generator.events.emit(Event.PORT_STOPPED, port_id=port.index)
    return {}


def _running(generator: Generator, port: Port, action: str, state: str) -> Running:
    generator.collect_ended()
    if port.active != state or port.running is None:
        raise _wrong_state(port, action)
    return port.running


def pause_traffic(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Pause a port that sends continuous streams without a duration."""
    port = generator.owned_port(params)
    generator.check_profile(params)
    running = _running(generator, port, "pause", TX)
    if running.duration_s >= 0 or any(stream.total_frames for stream in running.streams):
        raise refuse(" pause is supported when all streams are in continues mode ")
    generator.engine.set_rates(port.index, [0.0] * len(running.streams))
    port.active = PAUSE
    generator.events.emit(Event.PROFILE_PAUSED, port_id=port.index, profile_id=PROFILE)
    generator.events.emit(Event.PORT_PAUSED, port_id=port.index)
    return {}


def _apply_factor(generator: Generator, port: Port, running: Running, factor: float) -> None:
    scaled = rates.scaled_rates_pps(_loads(port, running.streams), factor)
    generator.engine.set_rates(port.index, scaled)


def resume_traffic(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Let a paused port go on."""
    port = generator.owned_port(params)
    generator.check_profile(params)
    running = _running(generator, port, "resume", PAUSE)
    _apply_factor(generator, port, running, running.factor)
    port.active = TX
    generator.events.emit(Event.PROFILE_RESUMED, port_id=port.index, profile_id=PROFILE)
    generator.events.emit(Event.PORT_RESUMED, port_id=port.index)
    return {}


def update_traffic(generator: Generator, params: p.Params) -> dict[str, float]:
    """Change the multiplier of running traffic."""
    port = generator.owned_port(params)
    generator.check_profile(params)
    running = _running(generator, port, "update", TX)
    factor = _factor(port, running.streams, params, now=running.factor)
    _apply_factor(generator, port, running, factor)
    running.factor = factor
    return {"multiplier": running.factor}


def remove_rx_filters(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Accept: flows are told apart by what stands in the frames; there are no filters to remove."""
    generator.owned_port(params)
    return {}


def push_pkts(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Send single packets at once."""
    port = generator.port(params)
    gap_us = p.number(params, "ipg_usec", 0)
    packets = p.array(params, "pkts")
    if gap_us < 0 or gap_us * len(packets) > MAX_PUSH_S * 1e6:
        raise refuse(f"{len(packets)} packets {gap_us:g} us apart take longer than {MAX_PUSH_S:g} s")
    pushed = []
    for packet in packets:
        if not isinstance(packet, dict):
            raise RpcError(INVALID_PARAMS, "an element of 'pkts' is an object")
        frame = p.binary(packet, "binary")
        if not frames.ETHER_BYTES <= len(frame) <= m.MAX_FRAME_BYTES:
            raise refuse(f"packet has {len(frame)} bytes, expected {frames.ETHER_BYTES} to {m.MAX_FRAME_BYTES}")
        src = port.mac if p.boolean(packet, "use_port_src_mac", False) else None
        dst = port.peer_mac if p.boolean(packet, "use_port_dst_mac", False) else None
        pushed.append(frames.set_macs(frames.pad(frame), src, dst))
    sent, at_s = generator.engine.push(port.index, pushed, int(gap_us))
    return {"sent": sent, "ts": at_s}


METHODS = {
    "start_traffic": start_traffic,
    "stop_traffic": stop_traffic,
    "pause_traffic": pause_traffic,
    "resume_traffic": resume_traffic,
    "update_traffic": update_traffic,
    "remove_rx_filters": remove_rx_filters,
    "push_pkts": push_pkts,
}
