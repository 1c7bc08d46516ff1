"""Start, stop and change the traffic of profiles."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from lab.vtrex import params as p
from lab.vtrex import rates, schedule
from lab.vtrex.events import Event
from lab.vtrex.generator import Generator
from lab.vtrex.port import ALL, PAUSE, PROFILE, STREAMS, TX, Port, Profile, Running
from lab.vtrex.rpc import RpcError, refuse
from lab.vtrex.streams import Stream

LONGEST_S = 1e8  # three years
LATEST_START_S = 60


def wrong_state(profile: Profile, action: str) -> RpcError:
    """Return the error of a command that does not fit the state of a profile."""
    return refuse(
        f"command '{action}' cannot be executed on current state: '{profile.state} on profile_id({profile.name})."
    )


def asked_factor(
    port: Port, streams: Sequence[Stream], params: p.Params, *, now: float = 0.0, others_l1_bps: float = 0.0
) -> float:
    """Return the factor that ``mul`` asks for.

    Args:
        port: of the streams.
        streams: what is to be multiplied.
        params: the request; ``mul``, ``force``.
        now: the present factor, for add and sub.
        others_l1_bps: what else the port sends.

    Raises:
        RpcError: it means nothing, or more than the line rate without ``force``.

    """
    mul = p.mapping(params, "mul")
    demands = schedule.demands(port, streams)
    op = p.string(mul, "op")
    factor = rates.factor_for(demands, p.string(mul, "type"), p.number(mul, "value"), port.line_rate_bps)
    if op not in ("abs", "add", "sub"):
        raise refuse(f"multiplier op '{op}' is none of abs, add, sub")
    factor = {"abs": factor, "add": now + factor, "sub": now - factor}[op]
    if not factor > 0:
        raise refuse(f"the new multiplier would be {factor:g}; it must be above 0")
    expected = rates.highest(demands, factor)[2] + others_l1_bps
    if expected > port.line_rate_bps * rates.LINE_RATE_TOLERANCE and not p.boolean(params, "force", False):
        raise refuse(
            f"Expected L1 B/W: '{expected / 1e9:.4g} Gbps' exceeds port line rate: '{port.speed_gbps:g} Gbps', "
            "use force to ignore"
        )
    return factor


def others_l1_bps(port: Port, profile: Profile) -> float:
    """Return the line load of the port's other profiles."""
    return sum(
        rates.highest(schedule.expected(port, other.running), other.running.factor)[2]
        for other in port.active
        if other is not profile and other.running is not None
    )


def duration_of(params: p.Params) -> float:
    """Return ``duration`` in seconds, below 0: until stopped."""
    duration_s = p.number(params, "duration", -1)
    if duration_s > LONGEST_S:
        raise refuse(f"duration is {duration_s:g} s; at most {LONGEST_S:g} are possible, and -1 for ever")
    return duration_s


def check_link(generator: Generator, port: Port, params: p.Params) -> None:
    """Refuse to send to nobody, unless forced."""
    generator.tick()
    if not port.link_up and not p.boolean(params, "force", False):
        raise refuse(f"port {port.index} has no link: nobody is at the other end, use force to ignore")


def free_slot(port: Port) -> int:
    """Return a profile number of the engine."""
    slot = port.free_slot()
    if slot is None:
        raise refuse(f"port {port.index} sends as many profiles at a time as it can: {len(port.active)}")
    return slot


def _check_lengths(generator: Generator, port: Port, running: Running) -> None:
    longest = generator.engine.port_counters()[port.index].longest_frame_bytes
    for stream in running.streams:
        if stream.longest_bytes > longest:
            raise refuse(
                f"stream {stream.stream_id} has packets of {stream.longest_bytes} bytes; what port {port.index} is "
                f"made of can send {longest}"
            )


def begin(generator: Generator, port: Port, profile: Profile, running: Running, start_ns: int) -> None:
    """Hand streams to the engine; the profile's state is the caller's to set."""
    _check_lengths(generator, port, running)
    specs = schedule.packed(port, running, generator.flows)
    active = {each.index for each in generator.ports if each.active}
    joined = generator.trial.joins(port.index, time.monotonic(), active=active)
    before = generator.trial.snapshot()
    generator.engine.start(
        port.index, running.slot, specs, duration_s=running.duration_s, new_trial=not joined, start_ns=start_ns
    )
    generator.trial.started(port.index, joined=joined, before=before)
    profile.running = running


def start_traffic(generator: Generator, params: p.Params) -> dict[str, float]:
    """Start the streams of a profile."""
    port = generator.owned_port(params)
    if params.get("profile_id") == ALL:
        raise refuse("start_traffic needs one profile_id; '*' names all of them")
    profile = generator.profiles(port, params)[0]
    generator.collect_ended()
    if profile.state != STREAMS or port.pcap is not None:
        raise wrong_state(port.pcap or profile, "start")
    check_link(generator, port, params)
    p.integer(params, "core_mask", 2**64 - 1)  # a port has one core, whatever the mask says
    streams = [stream for stream in profile.streams.values() if stream.enabled]
    if not streams:
        raise refuse("there is no enabled stream on this port")
    duration_s = duration_of(params)
    factor = asked_factor(port, streams, params, others_l1_bps=others_l1_bps(port, profile))
    now_s, start_at_s = time.monotonic(), p.number(params, "start_at_ts", 0)
    if start_at_s > now_s + LATEST_START_S:
        raise refuse(f"start_at_ts is {start_at_s - now_s:.0f} s ahead; at most {LATEST_START_S} s are")
    start_at_s = start_at_s or (now_s + generator.start_delay_s if generator.start_delay_s else 0.0)
    running = Running(streams, factor, duration_s, free_slot(port))
    running.paused = {stream.stream_id for stream in streams if stream.plan.start_paused}
    begin(generator, port, profile, running, int(max(start_at_s, 0) * 1e9))
    profile.active = TX
    generator.events.emit(Event.PROFILE_STARTED, port_id=port.index, profile_id=profile.name)
    generator.events.emit(Event.PORT_STARTED, port_id=port.index)
    return {"multiplier": factor, "ts": max(now_s, start_at_s)}


def stop_traffic(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Stop a profile, or all of them; nothing happens where there is no traffic."""
    port = generator.owned_port(params)
    profiles = [each for each in generator.profiles(port, params) if each.active]
    generator.collect_ended()
    is_default = p.string(params, "profile_id", PROFILE) in (PROFILE, ALL)
    for profile in [*profiles, *([port.pcap] if port.pcap and is_default else [])]:
        if profile.active is None or profile.running is None:
            continue
        is_file = profile is port.pcap
        generator.engine.stop(port.index, profile.running.slot)
        generator.set_ended(port, profile)
        if not is_file:
            generator.events.emit(Event.PROFILE_STOPPED, port_id=port.index, profile_id=profile.name)
        if not port.active:
            generator.events.emit(Event.PORT_STOPPED, port_id=port.index)
    return {}


def running_profiles(
    generator: Generator, port: Port, params: p.Params, action: str, states: tuple[str, ...]
) -> list[tuple[Profile, Running]]:
    """Return the profiles that a request names with their traffic; of all (``*``) those in one of the states.

    Raises:
        RpcError: a named one is in another state, or none is in one of them.

    """
    generator.collect_ended()
    found = [
        (profile, profile.running)
        for profile in generator.profiles(port, params)
        if profile.active in states and profile.running is not None
    ]
    if not found:
        raise wrong_state(port.pcap or next(iter(generator.profiles(port, params)), Profile(PROFILE)), action)
    return found


def apply_rates(generator: Generator, port: Port, running: Running) -> None:
    """Tell the engine the rates as they are now, 0 for streams that are paused."""
    told = schedule.rates_pps(port, running)
    for place, stream in enumerate(running.streams):
        if stream.stream_id in running.paused:
            told[place] = 0.0
    generator.engine.set_rates(port.index, running.slot, told)


def pause_traffic(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Pause profiles of continuous streams."""
    port = generator.owned_port(params)
    found = running_profiles(generator, port, params, "pause", (TX,))
    if any(not stream.plan.is_continuous for _, running in found for stream in running.streams):
        raise refuse(" pause is supported when all streams are in continues mode ")
    for profile, running in found:
        generator.engine.set_rates(port.index, running.slot, [0.0] * len(running.streams))
        profile.active = PAUSE
        generator.events.emit(Event.PROFILE_PAUSED, port_id=port.index, profile_id=profile.name)
    generator.events.emit(Event.PORT_PAUSED, port_id=port.index)
    return {}


def resume_traffic(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Let paused profiles go on, with all their streams."""
    port = generator.owned_port(params)
    for profile, running in running_profiles(generator, port, params, "resume", (PAUSE,)):
        running.paused.clear()
        apply_rates(generator, port, running)
        profile.active = TX
        generator.events.emit(Event.PROFILE_RESUMED, port_id=port.index, profile_id=profile.name)
    generator.events.emit(Event.PORT_RESUMED, port_id=port.index)
    return {}


def update_traffic(generator: Generator, params: p.Params) -> dict[str, float]:
    """Change the multiplier of running profiles."""
    port = generator.owned_port(params)
    factor = 1.0
    for profile, running in running_profiles(generator, port, params, "update", (TX,)):
        others = others_l1_bps(port, profile)
        factor = asked_factor(port, running.streams, params, now=running.factor, others_l1_bps=others)
        before = running.factor, running.factors
        running.factor, running.factors = factor, {}
        try:
            apply_rates(generator, port, running)
        except RpcError:
            running.factor, running.factors = before
            raise
    return {"multiplier": factor}


def remove_rx_filters(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Accept: flows are told apart by what stands in the frames; there are no filters to remove."""
    generator.owned_port(params)
    return {}


METHODS = {
    "start_traffic": start_traffic,
    "stop_traffic": stop_traffic,
    "pause_traffic": pause_traffic,
    "resume_traffic": resume_traffic,
    "update_traffic": update_traffic,
    "remove_rx_filters": remove_rx_filters,
}
