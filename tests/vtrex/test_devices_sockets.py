"""Ports on unix sockets: far ends that come, go, come again, read nothing, or send what is no frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.vtrex.serving import Rpc, Server, connected
from tests.vtrex.test_devices import link_is_up, received, send_burst
from tests.vtrex.test_fields import FRAME
from tests.vtrex.test_honesty import RAW, continuous
from tests.vtrex.unix_peers import DgramPeer, StreamPeer, frame, silent, wait

KINDS = ("dgram", "stream", "stream,server")


@dataclass(frozen=True)
class Line:
    """A port, and how its far end is played."""

    kind: str
    rpc: Rpc
    folder: Path

    def join(self) -> DgramPeer | StreamPeer:
        """Begin a far end, and wait for the link."""
        peer = (
            DgramPeer(self.folder / "a", self.folder / "b")
            if self.kind == "dgram"
            else StreamPeer(self.folder / "s", listens=self.kind == "stream")
        )
        wait(lambda: link_is_up(self.rpc, 0))
        return peer

    def part(self, peer: DgramPeer | StreamPeer) -> None:
        """End the far end, and wait until the port has noticed."""
        peer.close()
        wait(lambda: not link_is_up(self.rpc, 0))


@pytest.fixture(scope="module", params=KINDS)
def line(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    folder = tmp_path_factory.mktemp("l")
    dgram = f"dgram:{folder}/a,{folder}/b"
    port = dgram if request.param == "dgram" else request.param.replace("stream", f"stream:{folder}/s")
    server = Server("--port", port, "--late-us", "1000000")
    try:
        with connected(server) as rpc:
            rpc.reset(0)
            yield Line(request.param, rpc, folder)
    finally:
        ended = server.stop()
    assert ended == (0, "")


def test_a_far_end_may_go_and_come_again_and_counters_go_on(line: Line) -> None:
    wait(lambda: not link_is_up(line.rpc, 0))
    line.rpc.call("get_async_events", user="test", session_id=1)
    came, sent = (line.rpc.call("get_port_stats", port_id=0)[name] for name in ("ipackets", "opackets"))
    for round_number in (1, 2, 3):
        peer = line.join()
        with line.rpc.capturing(0, limit=10) as frames:
            for number in range(5):
                peer.send(frame(number))
            wait(lambda: received(line.rpc, 0) == came + 5 * round_number)  # noqa: B023
        assert frames == [frame(number) for number in range(5)]
        send_burst(line.rpc, 0, 7)
        assert peer.receive(7) == [FRAME] * 7
        assert line.rpc.call("get_port_stats", port_id=0)["opackets"] == sent + 7 * round_number
        line.part(peer)
    events = line.rpc.call("get_async_events", user="test", session_id=1)["data"]
    links = [event["data"]["attr"]["link"]["up"] for event in events if "attr" in event.get("data", {})]
    assert links == [True, False] * 3


@pytest.mark.parametrize("size_bytes", [60, 9014])
def test_a_far_end_that_reads_nothing_is_a_full_queue_and_loses_nothing_that_was_taken(
    line: Line, size_bytes: int
) -> None:
    peer = line.join()
    send_burst(line.rpc, 0, 40_000, rate_pps=1e6, frame=frame(1, size_bytes))
    port = line.rpc.call("pixlab_get_trial_report")["ports"][0]
    assert port["sent_packets"] > 0
    assert port["queue_full"] > 0
    assert port["sent_packets"] + port["queue_full"] + port["too_late"] == 40_000
    # A stream takes 32 long frames in parts: the last one that counts as sent waits for the rest of it.
    assert peer.receive(port["sent_packets"]) == [frame(1, size_bytes)] * port["sent_packets"]
    assert silent(peer)
    line.part(peer)


def test_a_far_end_that_goes_in_the_middle_of_traffic_stops_nothing(line: Line) -> None:
    peer = line.join()
    line.rpc.reset(0)
    line.rpc.call("add_stream", port_id=0, stream_id=1, stream=continuous(2000))
    line.rpc.call("start_traffic", port_id=0, mul=RAW, duration=1.0)
    peer.receive(10)
    line.part(peer)
    line.rpc.wait_idle(0)
    port = line.rpc.call("pixlab_get_trial_report")["ports"][0]
    assert 10 <= port["sent_packets"] < 2000
    assert port["sent_packets"] + port["queue_full"] + port["too_late"] == port["intended_packets"] == 2000
    again = line.join()
    send_burst(line.rpc, 0, 3)
    assert again.receive(3) == [FRAME] * 3
    line.part(again)


def test_what_is_no_frame_is_left_out_and_counted(line: Line) -> None:
    peer = line.join()
    before = line.rpc.call("get_port_stats", port_id=0)
    with line.rpc.capturing(0, limit=10) as frames:
        for sent in (frame(1), b"short", frame(2), bytes(30_000), frame(3, size_bytes=9014)):
            peer.send(sent)
        wait(lambda: received(line.rpc, 0) == before["ipackets"] + 3)
    assert frames == [frame(1), frame(2), frame(3, size_bytes=9014)]
    assert line.rpc.call("get_port_stats", port_id=0)["ierrors"] == before["ierrors"] + 2
    line.part(peer)


@pytest.mark.parametrize("line", KINDS[1:], indirect=True)
def test_a_length_that_is_none_ends_the_connection_and_only_that(line: Line) -> None:
    peer = line.join()
    before = received(line.rpc, 0)
    peer.send(frame(1))
    peer.socket.sendall(b"GET / HTTP/1.0\r\n")
    assert peer.socket.recv(1) == b""
    peer.close()
    peer = line.join()
    peer.send(frame(2))
    wait(lambda: received(line.rpc, 0) == before + 2)
    line.part(peer)
