"""Streams of a port: add, remove, list."""

from __future__ import annotations

from typing import Any

from lab.vtrex import params as p
from lab.vtrex.generator import Generator
from lab.vtrex.port import PROFILE, Port
from lab.vtrex.rpc import refuse
from lab.vtrex.streams import Stream, parse


def _idle_port(generator: Generator, params: p.Params, action: str) -> Port:
    port = generator.owned_port(params)
    generator.check_profile(params)
    if port.active is not None:
        generator.collect_ended()
    if port.active is not None:
        raise refuse(f"command '{action}' cannot be executed on current state: '{port.state} on profile_id({PROFILE}).")
    return port


def _stream(port: Port, params: p.Params) -> Stream:
    stream_id = p.integer(params, "stream_id")
    if stream_id not in port.streams:
        raise refuse(f"stream {stream_id} does not exists in profile_id({PROFILE})")
    return port.streams[stream_id]


def add_stream(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Add one stream."""
    port = _idle_port(generator, params, "add_stream")
    stream_id = p.integer(params, "stream_id", high=2**31 - 1)
    if stream_id in port.streams:
        raise refuse(f"stream {stream_id} already exists in profile_id({PROFILE})")
    stream = parse(stream_id, p.mapping(params, "stream"), port.line_rate_bps)
    if stream.rule is not None:
        generator.flows.add(stream.rule, port.index, stream_id)
    port.streams[stream_id] = stream
    port.max_stream_id = max(port.max_stream_id, stream_id)
    return {}


def remove_stream(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Remove one stream."""
    port = _idle_port(generator, params, "remove_stream")
    generator.remove_stream(port, _stream(port, params).stream_id)
    return {}


def remove_all_streams(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Remove all streams of the port."""
    port = _idle_port(generator, params, "remove_all_streams")
    for stream_id in list(port.streams):
        generator.remove_stream(port, stream_id)
    return {}


def get_stream_list(generator: Generator, params: p.Params) -> list[int]:
    """Return the ids of the port's streams."""
    port = generator.port(params)
    generator.check_profile(params)
    return sorted(port.streams)


def get_stream(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return one stream as it was added."""
    return {"stream": _stream(generator.port(params), params).json}


def get_all_streams(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Return all streams as they were added."""
    port = generator.port(params)
    generator.check_profile(params)
    streams = {str(stream_id): stream.json for stream_id, stream in port.streams.items()}
    return {"profiles": {PROFILE: streams}} if params.get("profile_id") == "*" else {"streams": streams}


def get_profile_list(generator: Generator, params: p.Params) -> list[str]:
    """Return the port's profiles: always the default one."""
    generator.port(params)
    return [PROFILE]


METHODS = {
    "add_stream": add_stream,
    "remove_stream": remove_stream,
    "remove_all_streams": remove_all_streams,
    "get_stream_list": get_stream_list,
    "get_stream": get_stream,
    "get_all_streams": get_all_streams,
    "get_profile_list": get_profile_list,
}
