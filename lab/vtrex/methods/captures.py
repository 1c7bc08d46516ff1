"""The capture method: one request with five commands."""

from __future__ import annotations

import base64
from typing import Any

from lab.vtrex import captures
from lab.vtrex import params as p
from lab.vtrex.generator import Capture, Generator
from lab.vtrex.messages import CaptureState
from lab.vtrex.rpc import INVALID_PARAMS, RpcError, refuse
from lab.vtrex.sinks import open_sink
from lab.vtrex.taps import BUFFERED_FRAMES

MAX_FRAMES = 100_000
MAX_FETCH = 500


def _mask(generator: Generator, params: p.Params, name: str) -> int:
    mask = 0
    for index in p.array(params, name, []):
        if not isinstance(index, int) or not 0 <= index < len(generator.ports):
            raise refuse(f"capture on port {index!r}: there is no such port")
        mask |= 1 << index
    return mask


def _ports(mask: int) -> list[int]:
    return [index for index in range(mask.bit_length()) if mask >> index & 1]


def _start(generator: Generator, params: p.Params) -> dict[str, Any]:
    limit, endpoint = p.integer(params, "limit"), p.string(params, "endpoint", "")
    if not endpoint and not 0 < limit <= MAX_FRAMES:
        raise refuse(f"limit of a capture is {limit}, expected 1 to {MAX_FRAMES}")
    tx_ports, rx_ports = _mask(generator, params, "tx"), _mask(generator, params, "rx")
    if not tx_ports | rx_ports:
        raise refuse("a capture needs at least one port in 'tx' or 'rx'")
    mode = p.string(params, "mode", "fixed")
    if mode not in ("fixed", "cyclic"):
        raise refuse(f"capture mode '{mode}' is none of fixed, cyclic")
    bpf = p.string(params, "filter", "")
    sink = open_sink(generator.taps.context, endpoint) if endpoint else None
    try:
        state = _start_engine(generator, params, tx_ports, rx_ports, mode, bpf)
    except BaseException:
        if sink is not None:
            sink.close()
        raise
    if sink is not None:
        generator.taps.add(state, sink, limit)
    generator.captures[state.id] = Capture(bpf, endpoint)
    return {"capture_id": state.id, "start_ts": state.start_monotonic_ns / 1e9}


def _start_engine(
    generator: Generator, params: p.Params, tx_ports: int, rx_ports: int, mode: str, bpf: str
) -> CaptureState:
    to_endpoint = bool(p.string(params, "endpoint", ""))
    return captures.start(
        generator.engine,
        limit=BUFFERED_FRAMES if to_endpoint else p.integer(params, "limit"),
        snaplen_bytes=p.integer(params, "snaplen", 0, high=65535),
        tx_ports=tx_ports,
        rx_ports=rx_ports,
        cyclic=to_endpoint or mode == "cyclic",
        bpf=bpf,
    )


def _fetch(generator: Generator, params: p.Params) -> dict[str, Any]:
    capture_id = _capture_id(generator, params)
    limit = min(p.integer(params, "pkt_limit"), MAX_FETCH)
    fetched, pending = captures.fetch(generator.engine, capture_id, limit, p.integer(params, "snaplen", 0, high=65535))
    start_ts = next(state for state in captures.status(generator.engine) if state.id == capture_id).start_monotonic_ns
    return {"pending": pending, "start_ts": start_ts / 1e9, "pkts": describe_frames(fetched)}


def describe_frames(frames: list[captures.CapturedFrame]) -> list[dict[str, Any]]:
    """Return captured frames as clients get them."""
    return [
        {
            "ts": frame.time_s,
            "binary": base64.b64encode(frame.data).decode(),
            "port": frame.port_id,
            "index": frame.index,
            "wirelen": frame.wire_bytes,
            "origin": "TX" if frame.sent else "RX",
        }
        for frame in frames
    ]


def _stop(generator: Generator, params: p.Params) -> dict[str, Any]:
    capture_id = _capture_id(generator, params)
    captures.stop(generator.engine, capture_id)
    generator.taps.flush(capture_id)
    kept = captures.stop(generator.engine, capture_id).kept
    return {"pkt_count": kept, "endpoint": generator.captures[capture_id].endpoint}


def _remove(generator: Generator, params: p.Params) -> dict[str, Any]:
    capture_id = _capture_id(generator, params)
    generator.taps.end(capture_id)
    captures.remove(generator.engine, capture_id)
    del generator.captures[capture_id]
    return {}


def _describe(state: CaptureState, bpf: str) -> dict[str, Any]:
    return {
        "id": state.id,
        "state": "ACTIVE" if state.active else "STOPPED",
        "matched": state.matched,
        "fetched": state.fetched,
        "count": state.kept,
        "bytes": state.bytes,
        "limit": state.limit,
        "mode": "cyclic" if state.cyclic else "fixed",
        "filter": {"tx": _ports(state.tx_ports), "rx": _ports(state.rx_ports), "bpf": bpf},
    }


def _status(generator: Generator, params: p.Params) -> list[dict[str, Any]]:
    known = generator.captures
    return [_describe(state, known[state.id].bpf) for state in captures.status(generator.engine) if state.id in known]


def _capture_id(generator: Generator, params: p.Params) -> int:
    capture_id = p.integer(params, "capture_id", high=2**32 - 1)
    if capture_id not in generator.captures:
        raise refuse(f"capture ID {capture_id} does not exist")
    return capture_id


COMMANDS = {"start": _start, "fetch": _fetch, "stop": _stop, "remove": _remove, "status": _status}


def capture(generator: Generator, params: p.Params) -> Any:
    """Run one of the capture commands."""
    command = p.string(params, "command")
    if command not in COMMANDS:
        raise RpcError(INVALID_PARAMS, f"capture command '{command}' is none of {', '.join(COMMANDS)}")
    return COMMANDS[command](generator, params)


METHODS = {"capture": capture}
