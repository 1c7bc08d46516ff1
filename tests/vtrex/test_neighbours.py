"""The clients' own services against a real host: a kernel answers ARP, ICMP and neighbour discovery on a veth pair."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from lab.vtrex.device_checks import in_netns
from tests.vtrex.namespace import namespace
from tests.vtrex.serving import Server, run_client

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

HOST = (
    "link add gen0 type veth peer name host0",
    "link add gen1 type veth peer name host1",
    "link set gen0 up",
    "link set gen1 up",
    "link set host0 up",
    "link set host1 up",
    "addr add 192.0.2.1/24 dev host0",
)
IPV6 = "echo 0 > /proc/sys/net/ipv6/conf/host0/disable_ipv6; ip -6 addr add 2001:db8::1/64 dev host0 nodad"

COMMON = """
def texts(records):
    return [record["formatted_string"] if isinstance(record, dict) else str(record) for record in records]

client.reset(ports=[0])
client.set_service_mode(ports=[0])
client.set_l3_mode(port=0, src_ipv4="192.0.2.9", dst_ipv4="192.0.2.1")
resolved = rpc("get_port_status", port_id=0)["attr"]["layer_cfg"]["ether"]["dst"]
pings = texts(client.ping_ip(src_port=0, dst_ip="192.0.2.1", count=2, interval_sec=0.1))
"""
MORE = """
nobody = texts(client.ping_ip(src_port=0, dst_ip="192.0.2.77", count=1, timeout_sec=1))
client.conf_ipv6(port=0, enabled=True, src_ipv6="2001:db8::9")
own = rpc("get_port_status", port_id=0)["attr"]["layer_cfg"]["ipv6"]
found = [reply["ipv6"] for reply in client.scan6(ports=[0], timeout=1)[0]]
six = texts(client.ping_ip(src_port=0, dst_ip="2001:db8::1", count=1))
client.conf_ipv6(port=0, enabled=False)
answer([resolved, pings, nobody, own, found, six])
"""


@contextmanager
def host(start_server: Callable[..., Server]) -> Iterator[tuple[Server, str]]:
    """Yield a server whose port 0 faces a host, and the host's MAC address."""
    with namespace(*HOST) as netns:
        subprocess.run(in_netns(netns, ["sh", "-c", IPV6]), check=True)
        shown = subprocess.run(in_netns(netns, ["ip", "-j", "link", "show", "host0"]), check=True, capture_output=True)
        server = start_server("--port", "af_packet:gen0", "--port", "af_packet:gen1", "--netns", netns)
        yield server, json.loads(shown.stdout)[0]["address"]
        assert server.stop() == (0, "")


def test_api_5_resolves_pings_and_scans(start_server: Callable[..., Server]) -> None:
    with host(start_server) as (server, mac):
        resolved, pings, nobody, own, found, six = run_client(server, COMMON + MORE)
    assert resolved == mac
    assert len(pings) == 2
    assert all(ping.startswith("Reply from 192.0.2.1: bytes=64") for ping in pings)
    assert nobody == ["Request timed out."]
    assert own == {"enabled": True, "src": "2001:db8::9"}
    assert "2001:db8::1" in found
    assert six[0].startswith("Reply from 2001:db8::1: bytes=64")


def test_api_4_resolves_and_pings(start_server: Callable[..., Server]) -> None:
    with host(start_server) as (server, mac):
        resolved, pings = run_client(server, COMMON + "answer([resolved, pings])", generation=4)
    assert resolved == mac
    assert len(pings) == 2
    assert all(ping.startswith("Reply from 192.0.2.1: bytes=64") for ping in pings)
