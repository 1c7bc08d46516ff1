from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from lab.methods.trial import TrialRequest, line_rate_pps
from lab.traffic.frames import udp_frame
from lab.traffic.load import Direction, PortAddresses
from lab.traffic.streams import streams_for

A = PortAddresses(port=0, mac="02:00:00:00:00:0a", dut_mac="02:00:00:00:00:0b", first_host="198.18.128.1", hosts=250)
B = PortAddresses(port=1, mac="02:00:00:00:00:0b", dut_mac="02:00:00:00:00:0a", first_host="198.19.128.1", hosts=250)
BOTH = (Direction(tx=A, rx=B, hops=0), Direction(tx=B, rx=A, hops=0))
"""Of a wire: frames arrive as they were sent."""


@pytest.mark.parametrize("size_bytes", [64, 128, 256, 512, 1024, 1280, 1518])
def test_a_test_frame_has_the_size_with_fcs_and_valid_headers(size_bytes: int) -> None:
    frame = udp_frame(BOTH[0], size_bytes)
    assert len(frame) == size_bytes - 4
    packet = Ether(frame)
    assert (packet.src, packet.dst) == (A.mac, A.dut_mac)
    assert packet[IP].len == size_bytes - 18
    assert (packet[IP].src, packet[IP].dst, packet[UDP].dport) == (A.first_host, B.first_host, 9)
    fresh = packet[IP].copy()
    del fresh.chksum
    assert IP(bytes(fresh)).chksum == packet[IP].chksum


@given(
    rate_pps=st.floats(min_value=1.0, max_value=3e7),
    tagged=st.booleans(),
    tagged_rate_pps=st.floats(min_value=1.0, max_value=1e6),
)
def test_the_streams_carry_exactly_the_load_that_was_asked_for(
    rate_pps: float, tagged: bool, tagged_rate_pps: float
) -> None:
    request = TrialRequest(
        frame_size_bytes=64, rate_pps=rate_pps, duration_s=1.0, tagged=tagged, tagged_rate_pps=tagged_rate_pps
    )
    streams = streams_for(request, BOTH)
    assert sum(s.rate_pps for s in streams) == pytest.approx(rate_pps)
    assert len({s.pg_id for s in streams}) == len(streams) == (4 if tagged else 2)
    for stream in streams:
        assert stream.rate_pps > 0
        assert stream.size_bytes == 64
    for port in (0, 1):
        assert sum(s.rate_pps for s in streams if s.tx_port == port) == pytest.approx(rate_pps / 2)


def test_bulk_frames_visit_every_host_of_both_sides() -> None:
    request = TrialRequest(frame_size_bytes=64, rate_pps=1000.0, duration_s=1.0, tagged=False)
    source, destination = streams_for(request, BOTH)[0].sweeps
    assert (source.count, destination.count) == (250, 250)
    frame = udp_frame(BOTH[0], 64)
    for sweep in (source, destination):
        field = frame[sweep.offset_bytes : sweep.offset_bytes + 4]
        assert int.from_bytes(field, "big") == sweep.first


def test_line_rate_at_10_gigabit() -> None:
    assert round(line_rate_pps(64, 10.0)) == 14_880_952
    assert round(line_rate_pps(1518, 10.0)) == 812_744


def test_random_destinations_lie_in_their_networks_and_are_the_same_every_time() -> None:
    request = TrialRequest(frame_size_bytes=64, rate_pps=1000.0, duration_s=1.0, tagged=False)
    one = Direction(tx=A, rx=B, hops=0, destinations=("16.0.0.0/4",))
    _, sweep = streams_for(request, (one,))[0].sweeps
    assert (sweep.random, sweep.first, sweep.count, sweep.values) == (True, 16 << 24, 1 << 28, ())
    networks = ("198.51.100.0/24", "203.0.113.8/32", "20.0.0.0/8")
    several = Direction(tx=A, rx=B, hops=0, destinations=networks)
    drawn = streams_for(request, (several,))[0].sweeps[1].values
    assert len(drawn) == 65535
    assert drawn == streams_for(request, (several.model_copy(),))[0].sweeps[1].values
    shares = [sum(ipaddress.IPv4Address(value) in ipaddress.IPv4Network(n) for value in drawn) for n in networks]
    assert sum(shares) == 65535
    assert all(share > 20000 for share in shares)


def test_random_destinations_may_be_a_range() -> None:
    request = TrialRequest(frame_size_bytes=64, rate_pps=1000.0, duration_s=1.0, tagged=False)
    direction = Direction(tx=A, rx=B, destinations=("1.0.0.0-126.255.255.255",))
    _, sweep = streams_for(request, (direction,))[0].sweeps
    assert (sweep.random, sweep.first, sweep.count) == (True, 1 << 24, 126 << 24)
    with pytest.raises(ValueError, match="ends before it begins"):
        Direction(tx=A, rx=B, destinations=("9.0.0.0-1.0.0.0",))


def test_a_destination_that_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="host bits"):
        Direction(tx=A, rx=B, destinations=("16.0.0.1/4",))
