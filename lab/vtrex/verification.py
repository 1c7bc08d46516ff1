"""Verification of received frames (engine/verify.h): what a client says of their arrival, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab.vtrex import frames
from lab.vtrex import messages as m
from lab.vtrex.engine import Engine
from lab.vtrex.rpc import refuse
from lab.vtrex.streams import Stream

SIGNATURE_BYTES = 16
MAX_WRITES = 16  # MAX_IDENTITY_FIELDS of engine/signature.h
KINDS = ("wrong_content", "stale", "duplicate", "misdelivered")
"""In the order of the engine's enum wrong_kind."""


@dataclass(frozen=True)
class Arrival:
    """How the frames of a flow look where they arrive: the port, the addresses of its link, the routers on the way."""

    rx_port: int
    src: bytes
    dst: bytes
    hops: int

    def packed(self) -> bytes:
        """Return the verify_spec for the engine."""
        return m.VERIFY.pack(self.src, self.dst, self.rx_port, self.hops)


def check(stream: Stream, hops: int) -> None:
    """Refuse a stream whose frames the engine cannot verify.

    Raises:
        RpcError: why not.

    """
    frame = stream.frame
    at = frames.headers(frame)
    if at is None or at.version != 4 or at.protocol != frames.UDP:
        raise refuse("verification needs UDP over IPv4 with at most two VLAN tags")
    offset, end = at.network, len(frame) - SIGNATURE_BYTES
    if at.end > end:
        raise refuse(f"verification needs {SIGNATURE_BYTES} bytes of payload behind the headers")
    if frame[offset + 8] <= hops:
        raise refuse(f"the TTL of {frame[offset + 8]} does not last for {hops} hops")
    if stream.program.lengths_bytes is not None or stream.program.fixes_transport:
        raise refuse("verification allows neither trim_pkt_size nor the checksum of a transport header")
    if len(stream.program.writes) > MAX_WRITES:
        raise refuse(f"verification allows {MAX_WRITES} writes of the field engine, not {len(stream.program.writes)}")
    for write in stream.program.writes:
        first, behind = write.offset, write.offset + write.size
        if first < offset + 12 or behind > end:
            raise refuse(
                f"the field engine writes bytes {first} to {behind - 1} of the frame; what is verified may change only "
                f"in its bytes {offset + 12} to {end - 1}"
            )


def report(engine: Engine) -> list[dict[str, Any]]:
    """Return what was found in the last or running trial, an entry for each direction."""
    return [
        {
            "tx_port": direction.tx_port,
            "rx_port": direction.rx_port,
            "flows": direction.flows,
            "good": direction.good,
            "reordered": direction.reordered,
            "wrong": {
                kind: {"frames": count, "first": _sample(sample)}
                for kind, count, sample in zip(KINDS, direction.wrong, direction.first, strict=True)
                if count
            },
        }
        for direction in engine.verified()
    ]


def _sample(sample: m.WrongSample) -> dict[str, Any]:
    return {"port": sample.port, "length_bytes": sample.length, "reason": _reason(sample), "hex": sample.head.hex()}


def _reason(sample: m.WrongSample) -> str:
    """Say in a few words what is wrong with the content; empty for another kind."""
    at = sample.offset
    found = f"{sample.head[at]:#04x}, " if at < len(sample.head) else ""
    return {
        m.WrongReason.NONE: "",
        m.WrongReason.LENGTH: f"{sample.length} bytes long, expected {sample.expected}",
        m.WrongReason.BYTE: f"byte {at} is {found}expected {sample.expected:#04x}",
        m.WrongReason.CHECKSUM: "its IPv4 header checksum is wrong",
        m.WrongReason.SIGNATURE: "its addresses, number or signature were changed",
    }[m.WrongReason(sample.reason)]
