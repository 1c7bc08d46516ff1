"""Captures in the engine: start, fetch, stop, remove, list."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from lab.vtrex import messages as m
from lab.vtrex.engine import Engine


@dataclass(frozen=True)
class CapturedFrame:
    """A frame as it was sent or received; ``time_s`` is CLOCK_MONOTONIC, ``wire_bytes`` without the FCS."""

    time_s: float
    index: int
    port_id: int
    sent: bool
    wire_bytes: int
    data: bytes


def start(
    engine: Engine, *, limit: int, snaplen_bytes: int, tx_ports: int, rx_ports: int, cyclic: bool, bpf: str
) -> m.CaptureState:
    """Begin to keep frames of the ports in the two bit masks that match the pcap filter ``bpf``."""
    text = bpf.encode()
    head = m.CAPTURE_START.pack(limit, snaplen_bytes, tx_ports, rx_ports, cyclic, len(text))
    return m.CaptureState(*m.CAPTURE.unpack(engine.ask(m.Op.CAPTURE_START, head + text)))


def stop(engine: Engine, capture_id: int) -> m.CaptureState:
    """Stop a capture; what it holds can still be fetched."""
    return m.CaptureState(*m.CAPTURE.unpack(engine.ask(m.Op.CAPTURE_STOP, struct.pack("<I", capture_id))))


def remove(engine: Engine, capture_id: int) -> None:
    """Forget a capture and what it holds."""
    engine.ask(m.Op.CAPTURE_REMOVE, struct.pack("<I", capture_id))


def status(engine: Engine) -> list[m.CaptureState]:
    """Return all captures."""
    return [m.CaptureState(*values) for values in m.CAPTURE.iter_unpack(engine.ask(m.Op.CAPTURE_STATUS))]


def fetch(engine: Engine, capture_id: int, limit: int, snaplen_bytes: int) -> tuple[list[CapturedFrame], int]:
    """Take the oldest frames out of a capture; returns them and how many are left."""
    reply = engine.ask(m.Op.CAPTURE_FETCH, m.CAPTURE_FETCH_REQUEST.pack(capture_id, limit, snaplen_bytes))
    now_ticks, now_ns, count, left = m.CAPTURE_FETCH.unpack_from(reply)
    frames = []
    at = m.CAPTURE_FETCH.size
    for _ in range(count):
        ticks, index, port_id, sent, wire_bytes, length = m.CAPTURED.unpack_from(reply, at)
        at += m.CAPTURED.size
        time_s = now_ns / 1e9 - (now_ticks - ticks) / engine.tsc_hz
        frames.append(CapturedFrame(time_s, index, port_id, bool(sent), wire_bytes, reply[at : at + length]))
        at += length
    return frames, left
