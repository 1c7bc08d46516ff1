"""Ports on network interfaces: a veth pair in a namespace, and what cannot be."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator

import pytest

from tests.vtrex.namespace import VETH_PAIR, namespace
from tests.vtrex.serving import PATIENT, RpcFailure, Server, connected
from tests.vtrex.test_fields import stream
from tests.vtrex.test_frame_kinds import flow, udp
from tests.vtrex.test_honesty import continuous, run
from tests.vtrex.test_lifecycle import serve

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


@pytest.fixture(scope="module")
def netns() -> Iterator[str]:
    with namespace(*VETH_PAIR, "link add idle type veth peer name other") as file:
        yield file


def test_frames_cross_a_veth_pair_both_ways_and_are_counted(netns: str, start_server: Callable[..., Server]) -> None:
    options = ["--netns", netns, *PATIENT]
    server = start_server("--port", "af_packet:far0", "--port", "af_packet:far1", *options)
    with connected(server) as rpc:
        rpc.reset(0, 1)
        rpc.call("add_stream", port_id=0, stream_id=1, stream=continuous(2000, pg_id=1))
        rpc.call("add_stream", port_id=1, stream_id=1, stream=continuous(1000, pg_id=2, rule="latency"))
        run(rpc, 0.3, 0, 1)
        flows = rpc.call("get_pgid_stats", pgids=[1, 2])["flow_stats"]
        latency = rpc.call("pixlab_get_latency", pg_id=2)
    assert (flows["1"]["tp"]["0"], flows["1"]["rp"]["1"]) == (600, 600)
    assert (flows["2"]["tp"]["1"], flows["2"]["rp"]["0"]) == (300, 300)
    assert latency["count"] == 300
    assert server.stop() == (0, "")


def test_frames_that_an_interface_would_drop_are_refused(netns: str, start_server: Callable[..., Server]) -> None:
    server = start_server("--port", "af_packet:far0", "--port", "af_packet:far1", "--netns", netns)
    longest = 1514  # of an Ethernet interface, without FCS
    with connected(server) as rpc:
        rpc.reset(0, 1)
        rpc.call("add_stream", port_id=0, stream_id=1, stream=stream([], 20, udp(longest), flow_stats=flow(1, "stats")))
        assert run(rpc, -1, 0)["ports"][1]["rx_packets"] == 20
        rpc.call("add_stream", port_id=0, stream_id=2, stream=stream([], 20, udp(longest + 1)))
        with pytest.raises(
            RpcFailure, match="stream 2 has packets of 1515 bytes; what port 0 is made of can send 1514"
        ):
            run(rpc, -1, 0)
        with pytest.raises(RpcFailure, match="expected 14 to 1514"):
            rpc.call("push_pkts", port_id=0, pkts=[{"binary": base64.b64encode(udp(longest + 1)).decode()}])
        rpc.call("remove_stream", port_id=0, stream_id=2)
        assert run(rpc, -1, 0)["ports"][0]["sent_packets"] == 20
    assert server.stop() == (0, "")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--port", "af_packet:"], "af_packet:IFACE"),
        (["--port", "af_packet:nowhere0"], "no such interface here"),
        (["--port", "af_packet:far0,qpairs=2"], "no comma"),
        (["--port", "af_packet:far9", "--netns", "NETNS"], "there are: lo, "),
        (["--port", "af_packet:idle", "--netns", "NETNS"], "ip link set idle up"),
        (["--port", "af_packet:far0", "--netns", "no-such-namespace"], "/run/netns/no-such-namespace"),
        (["--port", "vhost:/tmp/x", "--netns", "NETNS"], "--netns is for ports af_packet"),
    ],
)
def test_an_interface_that_cannot_be_is_one_clear_line(netns: str, options: list[str], says: str) -> None:
    done = serve(*(netns if option == "NETNS" else option for option in options))
    assert done.returncode == 11
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
