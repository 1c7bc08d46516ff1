"""Frames in a trial that are not test frames: the modifiers of RFC 2544 section 11. Their loss is nobody's loss.

Filters (section 11.4) are configured in a DUT; none of ours has them.
"""

from __future__ import annotations

from collections.abc import Sequence

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether

from lab.methods.trial import FCS_BYTES, TrialRequest
from lab.models import Model
from lab.traffic.frames import TTL, UDP_DISCARD
from lab.traffic.models import EngineReport, Stream, TrafficResult
from lab.traffic.router import SHORTEST_FRAME_BYTES, RouterPort

BROADCAST_MAC = "ff:ff:ff:ff:ff:ff"


class Broadcast(Model):
    """A share of the bulk frames is addressed to everybody, evenly distributed among the others (section 11.1).

    They are UDP to the discard port, of the same size, and nothing that a router has to process.
    """

    share: float = 0.01

    def apply(self, streams: Sequence[Stream], request: TrialRequest) -> tuple[list[Stream], list[Stream]]:
        """Return the streams that are left, and those of the modifier, which have no pg_ids yet."""
        left, own = [], []
        for stream in streams:
            if stream.tagged:
                left.append(stream)
                continue
            frames = None if stream.frames is None else round(stream.frames * self.share)
            rest = None if stream.frames is None or frames is None else stream.frames - frames
            left.append(stream.model_copy(update={"rate_pps": stream.rate_pps * (1 - self.share), "frames": rest}))
            if frames == 0:
                continue
            update = {
                "frame": _broadcast(stream),
                "rate_pps": stream.rate_pps * self.share,
                "frames": frames,
                "sweeps": (),
                "arrival": None,
            }
            own.append(stream.model_copy(update=update))
        return left, own


class Queries(Model):
    """Management queries of the DUT itself, at ``rate_pps`` from each of the ports (section 11.2: one a second).

    The query is an ICMP echo request for the address of the DUT's port, as there is no protocol of management that all
    DUTs speak; its answer is a single frame.
    """

    ports: tuple[RouterPort, ...]
    rate_pps: float = 1.0

    def apply(self, streams: Sequence[Stream], request: TrialRequest) -> tuple[list[Stream], list[Stream]]:
        """Return the streams, and those of the modifier, which have no pg_ids yet."""
        frames = max(1, round(self.rate_pps * request.total_s))
        return list(streams), [
            Stream(
                pg_id=0,
                tx_port=port.index,
                rx_port=port.index,
                frame=_query(port),
                rate_pps=self.rate_pps,
                frames=frames,
            )
            for port in self.ports
        ]


Modifier = Broadcast | Queries


def modified(
    streams: Sequence[Stream], modifiers: Sequence[Modifier], request: TrialRequest
) -> tuple[tuple[Stream, ...], tuple[Stream, ...]]:
    """Apply modifiers to the streams of a trial.

    Returns:
        The streams of test frames, and those of all modifiers, with pg_ids that no other stream has.

    """
    extra: list[Stream] = []
    for modifier in modifiers:
        left, own = modifier.apply(streams, request)
        streams, extra = left, extra + own
    first = max((stream.pg_id for stream in streams), default=0) + 1
    numbered = (stream.model_copy(update={"pg_id": first + k}) for k, stream in enumerate(extra))
    return tuple(streams), tuple(numbered)


def without_refused(traffic: TrafficResult, extra: Sequence[Stream]) -> TrafficResult:
    """Take the frames of modifiers out of those that the far side of a port refused: what they fell short of."""
    if traffic.engine is None or not extra:
        return traffic
    sent = {count.pg_id: count.sent_frames for count in traffic.streams}
    ports = []
    for port in traffic.engine.ports:
        own = [stream for stream in extra if stream.tx_port == port.port]
        short = sum(max(0, s.intended_frames(traffic.duration_s) - sent[s.pg_id]) for s in own)
        refused = max(0, port.refused_frames - short)
        ports.append(port.model_copy(update={"refused_frames": refused}))
    engine: EngineReport = traffic.engine.model_copy(update={"ports": tuple(ports)})
    return traffic.model_copy(update={"engine": engine})


def _broadcast(stream: Stream) -> bytes:
    source = Ether(stream.frame)
    head = (
        Ether(src=source.src, dst=BROADCAST_MAC)
        / IP(src="0.0.0.0", dst="255.255.255.255", ttl=TTL)
        / UDP(sport=UDP_DISCARD, dport=UDP_DISCARD, chksum=0)
    )
    return bytes(head / bytes(stream.size_bytes - FCS_BYTES - len(head)))


def _query(port: RouterPort) -> bytes:
    packet = (
        Ether(src=port.tester_mac, dst=port.dut_mac)
        / IP(src=port.tester_address, dst=port.dut_address, ttl=TTL)
        / ICMP(type="echo-request", id=port.index, seq=1)
    )
    return bytes(packet).ljust(SHORTEST_FRAME_BYTES, b"\0")
