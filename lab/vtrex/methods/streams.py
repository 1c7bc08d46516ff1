"""Streams of a port's profiles: add, remove, list."""

from __future__ import annotations

from typing import Any

from lab.vtrex import params as p
from lab.vtrex.generator import Generator
from lab.vtrex.methods.traffic import wrong_state
from lab.vtrex.port import ALL, PROFILE, Port, Profile
from lab.vtrex.rpc import refuse
from lab.vtrex.streams import parse

MAX_STREAMS = 65536


def _idle(generator: Generator, port: Port, profiles: list[Profile], action: str) -> list[Profile]:
    if any(profile.active for profile in profiles):
        generator.collect_ended()
    for profile in profiles:
        if profile.active is not None:
            raise wrong_state(profile, action)
    if port.pcap is not None:
        raise wrong_state(port.pcap, action)
    return profiles


def _one(generator: Generator, port: Port, params: p.Params) -> Profile:
    if params.get("profile_id") == ALL:
        raise refuse("this command needs one profile_id; '*' names all of them")
    return generator.profiles(port, params)[0]


def add_stream(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Add one stream; its profile begins with the first one."""
    port = generator.owned_port(params)
    name = p.string(params, "profile_id", PROFILE)
    if not name or name == ALL:
        raise refuse(f"a stream needs a profile_id of its own, not '{name}'")
    profile = port.profiles.get(name) or Profile(name)
    _idle(generator, port, [profile], "add_stream")
    stream_id = p.integer(params, "stream_id", high=2**31 - 1)
    if stream_id in profile.streams:
        raise refuse(f"stream {stream_id} already exists in profile_id({name})")
    if len(profile.streams) >= MAX_STREAMS:
        raise refuse(f"profile_id({name}) has {MAX_STREAMS} streams already; more are not possible")
    stream = parse(stream_id, p.mapping(params, "stream"), port.line_rate_bps)
    if stream.rule is not None:
        generator.flows.add(stream.rule, (port.index, name, stream_id))
    profile.streams[stream_id] = stream
    port.profiles[name] = profile
    port.max_stream_id = max(port.max_stream_id, stream_id)
    return {}


def remove_stream(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Remove one stream."""
    port = generator.owned_port(params)
    profile = _idle(generator, port, [_one(generator, port, params)], "remove_stream")[0]
    stream_id = p.integer(params, "stream_id")
    if stream_id not in profile.streams:
        raise refuse(f"stream {stream_id} does not exists in profile_id({profile.name})")
    generator.remove_stream(port, profile, stream_id)
    return {}


def remove_all_streams(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Remove all streams of a profile, or of all."""
    port = generator.owned_port(params)
    for profile in _idle(generator, port, generator.profiles(port, params), "remove_all_streams"):
        for stream_id in list(profile.streams):
            generator.remove_stream(port, profile, stream_id)
    return {}


def get_stream_list(generator: Generator, params: p.Params) -> list[int]:
    """Return the ids of a profile's streams, or of all."""
    port = generator.port(params)
    return sorted(stream_id for profile in generator.profiles(port, params) for stream_id in profile.streams)


def get_stream(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return one stream as it was added."""
    profile = _one(generator, generator.port(params), params)
    stream_id = p.integer(params, "stream_id")
    if stream_id not in profile.streams:
        raise refuse(f"stream {stream_id} does not exists in profile_id({profile.name})")
    return {"stream": profile.streams[stream_id].json}


def get_all_streams(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return all streams as they were added, by profile when all are asked for."""
    found = {
        profile.name: {str(stream_id): stream.json for stream_id, stream in profile.streams.items()}
        for profile in generator.profiles(generator.port(params), params)
    }
    if params.get("profile_id") == ALL:
        return {"profiles": found or {PROFILE: {}}}
    return {"streams": next(iter(found.values()))}


def get_profile_list(generator: Generator, params: p.Params) -> list[str]:
    """Return the names of the port's profiles; without any the default one's."""
    return list(generator.port(params).profiles) or [PROFILE]


METHODS = {
    "add_stream": add_stream,
    "remove_stream": remove_stream,
    "remove_all_streams": remove_all_streams,
    "get_stream_list": get_stream_list,
    "get_stream": get_stream,
    "get_all_streams": get_all_streams,
    "get_profile_list": get_profile_list,
}
