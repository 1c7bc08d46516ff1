"""Frames that belong to no stream: single packets, files of packets."""

from __future__ import annotations

from typing import Any

from lab.vtrex import frames, pcap_files
from lab.vtrex import params as p
from lab.vtrex.events import Event
from lab.vtrex.generator import Generator
from lab.vtrex.methods.traffic import begin, check_link, duration_of, free_slot, wrong_state
from lab.vtrex.port import PCAP_TX, Profile, Running
from lab.vtrex.rpc import INVALID_PARAMS, RpcError, refuse
from lab.vtrex.streams import DST_MAC_FROM_PACKET, LONGEST_GAP_US, SRC_MAC_FROM_PACKET

SRC_FROM_FILE, DST_FROM_FILE = 1 << 31, 1 << 30  # bits of push_remote's count
MAX_PUSH_S = 1.0  # the server answers nobody else meanwhile


def push_pkts(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Send single packets at once."""
    port = generator.port(params)
    gap_us = p.number(params, "ipg_usec", 0)
    packets = p.array(params, "pkts")
    if gap_us < 0 or gap_us * len(packets) > MAX_PUSH_S * 1e6:
        raise refuse(f"{len(packets)} packets {gap_us:g} us apart take longer than {MAX_PUSH_S:g} s")
    longest = generator.engine.port_counters()[port.index].longest_frame_bytes
    pushed = []
    for packet in packets:
        if not isinstance(packet, dict):
            raise RpcError(INVALID_PARAMS, "an element of 'pkts' is an object")
        frame = p.binary(packet, "binary")
        if not frames.ETHER_BYTES <= len(frame) <= longest:
            raise refuse(f"packet has {len(frame)} bytes, expected {frames.ETHER_BYTES} to {longest}")
        src = port.mac if p.boolean(packet, "use_port_src_mac", False) else None
        dst = port.peer_mac if p.boolean(packet, "use_port_dst_mac", False) else None
        pushed.append(frames.set_macs(frames.pad(frame), src, dst))
    sent, at_s = generator.engine.push(port.index, pushed, int(gap_us))
    return {"sent": sent, "ts": at_s}


def push_remote(generator: Generator, params: p.Params) -> dict[str, Any]:
    """Send a file of the server's machine, on a port that is otherwise idle."""
    port = generator.owned_port(params)
    generator.collect_ended()
    if port.active:
        raise wrong_state(port.active[0], "push_remote")
    if p.boolean(params, "is_dual", False):
        raise refuse("dual mode needs ERF files, which this generator does not read; use a pcap file a port")
    speedup, count = p.number(params, "speedup", 1.0), p.integer(params, "count", 1, high=2**32 - 1)
    gap_us, minimum_us = p.number(params, "ipg_usec", -1), p.number(params, "min_ipg_usec", 0)
    if not speedup > 0 or not -1 <= gap_us <= LONGEST_GAP_US or not 0 <= minimum_us <= LONGEST_GAP_US:
        raise refuse(f"speedup must be above 0, ipg_usec and min_ipg_usec at most {LONGEST_GAP_US:g}")
    check_link(generator, port, params)
    flags = (SRC_MAC_FROM_PACKET if count & SRC_FROM_FILE else 0) | (
        DST_MAC_FROM_PACKET if count & DST_FROM_FILE else 0
    )
    records = pcap_files.read(p.string(params, "pcap_filename"))
    gaps = pcap_files.gaps_us(records, gap_us, minimum_us, speedup)
    streams = pcap_files.chain(records, gaps, count & ~(SRC_FROM_FILE | DST_FROM_FILE), flags)
    duration_s = duration_of(params)
    profile = Profile("a file")
    running = Running(streams, 1.0, duration_s if duration_s > 0 else -1.0, free_slot(port))
    begin(generator, port, profile, running, 0)
    profile.active, port.pcap = PCAP_TX, profile
    generator.events.emit(Event.PORT_STARTED, port_id=port.index)
    return {}


METHODS = {
    "push_remote": push_remote,
    "push_pkts": push_pkts,
}
