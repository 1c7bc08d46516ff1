"""A port's receive queue and its capture port."""

from __future__ import annotations

from typing import Any

from lab.vtrex import params as p
from lab.vtrex.generator import Generator
from lab.vtrex.methods.captures import MAX_FRAMES, describe_frames
from lab.vtrex.port import Port
from lab.vtrex.rpc import refuse


def set_rx_feature(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Switch the receive queue; no other feature can be switched on."""
    port = generator.port(params)
    kind, enabled = p.string(params, "type"), p.boolean(params, "enabled")
    if kind != "queue":
        if enabled:
            raise refuse(f"rx feature '{kind}' is not supported by this generator; 'queue' is")
        return {}
    if not enabled:
        generator.reception.remove_queue(port.index)
        return {}
    size = p.integer(params, "size")
    if not 0 < size <= MAX_FRAMES:
        raise refuse(f"size of the RX queue is {size}, expected 1 to {MAX_FRAMES}")
    generator.reception.set_queue(port.index, size)
    return {}


def get_rx_queue_pkts(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Take the frames out of the port's receive queue."""
    return {"pkts": describe_frames(generator.reception.take(generator.port(params).index))}


def _in_service(generator: Generator, params: p.Params, action: str) -> Port:
    port = generator.owned_port(params)
    if not port.service:
        raise refuse(f"{action} is possible in service mode only; switch it on for port {port.index}")
    return port


def start_capture_port(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Join the port to a PAIR socket that the client has bound."""
    port = _in_service(generator, params, "start_capture_port")
    generator.reception.start_port(port.index, p.string(params, "endpoint"), p.string(params, "bpf_filter", ""))
    return {}


def stop_capture_port(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Part the port from the client's socket."""
    generator.reception.stop_port(_in_service(generator, params, "stop_capture_port").index)
    return {}


def set_capture_port_bpf(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Change which frames go to the client's socket."""
    port = _in_service(generator, params, "set_capture_port_bpf")
    generator.reception.filter_port(port.index, p.string(params, "bpf_filter", ""))
    return {}


METHODS = {
    "set_rx_feature": set_rx_feature,
    "get_rx_queue_pkts": get_rx_queue_pkts,
    "start_capture_port": start_capture_port,
    "stop_capture_port": stop_capture_port,
    "set_capture_port_bpf": set_capture_port_bpf,
}
