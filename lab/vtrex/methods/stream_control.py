"""Single streams of running traffic: pause, resume, change; and what a profile will send, before it is started."""

from __future__ import annotations

import math
from typing import Any

from lab.vtrex import params as p
from lab.vtrex import schedule
from lab.vtrex.chains import Span
from lab.vtrex.generator import Generator
from lab.vtrex.methods.traffic import apply_rates, asked_factor, others_l1_bps, running_profiles
from lab.vtrex.port import ALL, PAUSE, TX, Port, Profile, Running
from lab.vtrex.rates import highest
from lab.vtrex.rpc import INVALID_PARAMS, RpcError, refuse
from lab.vtrex.streams import Stream


def _chosen(generator: Generator, params: p.Params, action: str) -> tuple[Port, Profile, Running, list[Stream]]:
    """Return the running streams that ``stream_ids`` names."""
    port = generator.owned_port(params)
    if params.get("profile_id") == ALL:
        raise refuse(f"{action} needs one profile_id; '*' names all of them")
    profile, running = running_profiles(generator, port, params, action, (TX, PAUSE))[0]
    known = {stream.stream_id: stream for stream in running.streams}
    chosen = []
    for stream_id in p.array(params, "stream_ids"):
        if not isinstance(stream_id, int) or isinstance(stream_id, bool):
            raise RpcError(INVALID_PARAMS, "an element of 'stream_ids' is an integer")
        if stream_id not in known:
            raise refuse(f"stream {stream_id} is not sent by profile_id({profile.name})")
        chosen.append(known[stream_id])
    if not chosen:
        raise refuse("field 'stream_ids' names no stream")
    return port, profile, running, chosen


def _tell(generator: Generator, port: Port, profile: Profile, running: Running) -> None:
    """Let the engine know, unless the whole profile is paused: then it learns it when that goes on."""
    if profile.active == TX:
        apply_rates(generator, port, running)


def pause_streams(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Pause single streams, which must be continuous."""
    port, profile, running, chosen = _chosen(generator, params, "pause_streams")
    if any(not stream.plan.is_continuous for stream in chosen):
        raise refuse(" pause is supported when all streams are in continues mode ")
    running.paused |= {stream.stream_id for stream in chosen}
    _tell(generator, port, profile, running)
    return {}


def resume_streams(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Let single streams go on, also those that were to start paused."""
    port, profile, running, chosen = _chosen(generator, params, "resume_streams")
    running.paused -= {stream.stream_id for stream in chosen}
    _tell(generator, port, profile, running)
    return {}


def update_streams(generator: Generator, params: p.Params) -> dict[str, float]:
    """Change the multiplier of single streams."""
    port, profile, running, chosen = _chosen(generator, params, "update_streams")
    if p.string(p.mapping(params, "mul"), "op") != "abs":
        raise refuse("update_streams takes absolute multipliers only")
    ids = {stream.stream_id for stream in chosen}
    others = others_l1_bps(port, profile) + sum(
        load.l1_bps * (running.factor if load.scales else 1.0)
        for stream, load in zip(running.streams, schedule.loads(port, running.streams), strict=True)
        if stream.stream_id not in ids
    )
    factor = asked_factor(port, chosen, params, others_l1_bps=others)
    before = dict(running.factors)
    running.factors |= dict.fromkeys(ids, factor)
    try:
        schedule.rates_pps(port, running)
    except RpcError:
        running.factors = before
        raise
    _tell(generator, port, profile, running)
    return {"multiplier": factor}


def validate(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return the highest rates of the port's streams at multiplier 1 and how long they take, in microseconds.

    ``expected_duration`` is -1 for what goes on until it is stopped, otherwise the time from the start to the last
    frame of the first turn of each stream.
    """
    port = generator.owned_port(params)
    enabled = [
        [stream for stream in profile.streams.values() if stream.enabled]
        for profile in generator.profiles(port, params)
    ]
    streams = [each for each in enabled if each]
    if not streams:
        raise refuse("there is no enabled stream on this port")
    demands = [schedule.demands(port, each) for each in streams]
    most = [sum(values) for values in zip(*(highest(each) for each in demands), strict=True)]
    fixed = [sum(values) for values in zip(*(highest(each, 0.0) for each in demands), strict=True)]
    names = ("max_pps", "max_bps_l2", "max_bps_l1"), ("min_pps", "min_bps_l2", "min_bps_l1")
    rate = dict(zip(names[0] + names[1], most + fixed, strict=True))
    for bound in ("max", "min"):
        rate[f"{bound}_line_util"] = rate[f"{bound}_bps_l1"] / port.line_rate_bps * 100
    turns = [(each[turn.place], turn) for each in streams for turn in schedule.turns(port, each)]
    end_us = max(turn.end_us for _, turn in turns)
    events = [event for stream, turn in turns for event in _changes(stream, turn, port.line_rate_bps)]
    return {
        "rate": rate,
        "graph": {
            "expected_duration": end_us if math.isfinite(end_us) else -1,
            "events_count": len(events),
            "events": sorted(events, key=lambda event: event["time_usec"]),
        },
    }


def _changes(stream: Stream, turn: Span, line_rate_bps: float) -> list[dict[str, Any]]:
    """Return by how much the rate changes as a stream begins and ends; none for one whose rate does not scale."""
    load = stream.load(line_rate_bps)
    if not load.scales:
        return []
    names, values = ("diff_pps", "diff_bps_l2", "diff_bps_l1"), (load.rate_pps, load.l2_bps, load.l1_bps)
    return [
        {"time_usec": time_us, "stream_id": stream.stream_id}
        | {name: sign * value for name, value in zip(names, values, strict=True)}
        for time_us, sign in ((turn.begin_us, 1.0), (turn.end_us, -1.0))
        if math.isfinite(time_us)
    ]


METHODS = {
    "pause_streams": pause_streams,
    "resume_streams": resume_streams,
    "update_streams": update_streams,
    "validate": validate,
}
