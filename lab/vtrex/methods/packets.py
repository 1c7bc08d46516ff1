"""Frames that belong to no stream: single packets, files of packets."""

from __future__ import annotations

from typing import Any

from lab.vtrex import frames
from lab.vtrex import messages as m
from lab.vtrex import params as p
from lab.vtrex.generator import Generator
from lab.vtrex.rpc import INVALID_PARAMS, RpcError, refuse

MAX_PUSH_S = 1.0  # the server answers nobody else meanwhile


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
    "push_pkts": push_pkts,
}
