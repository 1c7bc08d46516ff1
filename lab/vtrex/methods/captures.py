"""The capture method: one request with five commands."""

from __future__ import annotations

import base64
from typing import Any

from lab.vtrex import captures
from lab.vtrex import params as p
from lab.vtrex.generator import Generator
from lab.vtrex.messages import CaptureState
from lab.vtrex.rpc import INVALID_PARAMS, RpcError, refuse

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
    limit = p.integer(params, "limit")
    if not 0 < limit <= MAX_FRAMES:
        raise refuse(f"limit of a capture is {limit}, expected 1 to {MAX_FRAMES}")
    if p.string(params, "endpoint", ""):
        raise refuse("captures to an endpoint are not supported by this generator; fetch them")
    tx_ports, rx_ports = _mask(generator, params, "tx"), _mask(generator, params, "rx")
    if not tx_ports | rx_ports:
        raise refuse("a capture needs at least one port in 'tx' or 'rx'")
    mode = p.string(params, "mode", "fixed")
    if mode not in ("fixed", "cyclic"):
        raise refuse(f"capture mode '{mode}' is none of fixed, cyclic")
    bpf = p.string(params, "filter", "")
    state = captures.start(
        generator.engine,
        limit=limit,
        snaplen_bytes=p.integer(params, "snaplen", 0, high=65535),
        tx_ports=tx_ports,
        rx_ports=rx_ports,
        cyclic=mode == "cyclic",
        bpf=bpf,
    )
    generator.capture_filters[state.id] = bpf
    return {"capture_id": state.id, "start_ts": state.start_monotonic_ns / 1e9}


def _fetch(generator: Generator, params: p.Params) -> dict[str, Any]:
    capture_id = _capture_id(params)
    limit = min(p.integer(params, "pkt_limit"), MAX_FETCH)
    fetched, pending = captures.fetch(generator.engine, capture_id, limit, p.integer(params, "snaplen", 0, high=65535))
    start_ts = next(state for state in captures.status(generator.engine) if state.id == capture_id).start_monotonic_ns
    packets = [
        {
            "ts": frame.time_s,
            "binary": base64.b64encode(frame.data).decode(),
            "port": frame.port_id,
            "index": frame.index,
            "wirelen": frame.wire_bytes,
            "origin": "TX" if frame.sent else "RX",
        }
        for frame in fetched
    ]
    return {"pending": pending, "start_ts": start_ts / 1e9, "pkts": packets}


def _stop(generator: Generator, params: p.Params) -> dict[str, Any]:
    return {"pkt_count": captures.stop(generator.engine, _capture_id(params)).kept, "endpoint": ""}


def _remove(generator: Generator, params: p.Params) -> dict[str, Any]:
    capture_id = _capture_id(params)
    captures.remove(generator.engine, capture_id)
    generator.capture_filters.pop(capture_id, None)
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
    return [
        _describe(state, generator.capture_filters.get(state.id, "")) for state in captures.status(generator.engine)
    ]


def _capture_id(params: p.Params) -> int:
    return p.integer(params, "capture_id", high=2**32 - 1)


COMMANDS = {"start": _start, "fetch": _fetch, "stop": _stop, "remove": _remove, "status": _status}


def capture(generator: Generator, params: p.Params) -> Any:
    """Run one of the capture commands."""
    command = p.string(params, "command")
    if command not in COMMANDS:
        raise RpcError(INVALID_PARAMS, f"capture command '{command}' is none of {', '.join(COMMANDS)}")
    return COMMANDS[command](generator, params)


METHODS = {"capture": capture}
