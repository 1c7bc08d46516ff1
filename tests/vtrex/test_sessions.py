"""Who owns a port, and who hears of it: several official clients at once, clients that look on, clients that die."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lab.process import dying_with_parent
from lab.vtrex.events import MAX_QUEUED, Event, EventQueues
from tests.vtrex.serving import IMPORTS, PRELUDE, Rpc, RpcFailure, Server, connected, run_client

KEEP = """
stream = STLStream(packet=STLPktBuilder(pkt=udp(64)), mode=STLTXCont(pps=10))
client.reset(ports=[0])
client.add_streams([stream], ports=[0])
deadline = time.monotonic() + 15
while client.get_acquired_ports() and time.monotonic() < deadline:
    time.sleep(0.05)
try:
    client.add_streams([stream], ports=[0])
    refused = False
except Exception:
    refused = True
answer([client.get_acquired_ports(), [str(event) for event in client.get_events()], refused])
"""
TAKE = """
deadline = time.monotonic() + 15
while not rpc("get_stream_list", port_id=0, profile_id="_"):  # the other is ready
    time.sleep(0.05)
    assert time.monotonic() < deadline
try:
    client.acquire(ports=[0])
    refused = False
except STLError:
    refused = True
client.acquire(ports=[0], force=True)
answer([refused, client.get_acquired_ports()])
"""


@pytest.mark.parametrize("generation", [4, 5])
def test_whoever_loses_a_port_by_force_is_told(start_server: Callable[..., Server], generation: int) -> None:
    server = start_server("--wire")
    with ThreadPoolExecutor() as pool:
        loser = pool.submit(run_client, server, KEEP, generation=generation)
        winner = pool.submit(run_client, server, TAKE)
        assert winner.result() == [True, [0]]
        acquired, events, refused = loser.result()
    assert acquired == []
    assert any("[warning]" in event and "by another session" in event for event in events), events
    assert refused


def test_two_clients_use_a_port_each(wire_server: Server) -> None:
    script = """
        client.reset(ports=[PORT])
        burst = STLStream(packet=STLPktBuilder(pkt=udp(64)), mode=STLTXSingleBurst(total_pkts=100 + PORT, pps=1000))
        client.add_streams([burst], ports=[PORT])
        sent = []
        for _ in range(5):
            client.clear_stats(ports=[PORT])
            client.start(ports=[PORT])
            client.wait_on_traffic(ports=[PORT])
            sent.append(client.get_stats(ports=[PORT])[PORT]["opackets"])
        answer([sent, client.get_acquired_ports(), client.is_connected()])
        """
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(run_client, wire_server, script.replace("PORT", str(port))) for port in (0, 1)]
        assert [result.result() for result in both] == [[[100 + port] * 5, [port], True] for port in (0, 1)]


def test_a_client_without_a_port_may_look_on_but_not_touch(wire_server: Server) -> None:
    with connected(wire_server) as owner:
        owner.reset(0, 1)
        seen = run_client(
            wire_server,
            """
            refused = 0
            for touch in (lambda: client.acquire(ports=[0]), lambda: client.remove_all_streams(ports=[0]),
                          lambda: rpc("stop_traffic", port_id=0, handler="none", profile_id="_"),
                          lambda: rpc("release", port_id=0, handler="none")):
                try:
                    touch()
                except (STLError, AssertionError):
                    refused += 1
            answer([refused, client.get_port_info([0])[0]["status"], client.get_stats(ports=[0])[0]["opackets"] >= 0])
            """,
        )
        assert seen == [4, "IDLE", True]
        assert owner.call("get_owner", port_id=0) == {"owner": "test"}


def test_a_client_that_is_killed_leaves_its_port_to_whoever_takes_it_by_force(wire_server: Server) -> None:
    program = PRELUDE.replace("IMPORTS", IMPORTS[5]) + textwrap.dedent(
        """
        client.reset(ports=[0])
        client.add_streams([STLStream(packet=STLPktBuilder(pkt=udp(64)), mode=STLTXCont(pps=1000))], ports=[0])
        client.start(ports=[0])
        print("RUNNING", flush=True)
        time.sleep(60)
        """
    )
    command = [sys.executable, "-c", program, str(wire_server.rpc_port), str(wire_server.async_port)]
    client = subprocess.Popen(dying_with_parent(command), stdout=subprocess.PIPE, text=True)
    assert client.stdout is not None
    assert any("RUNNING" in line for line in client.stdout)
    os.kill(client.pid, signal.SIGKILL)
    client.wait()
    client.stdout.close()
    with connected(wire_server) as rpc:
        assert rpc.call("get_port_status", port_id=0)["state"] == "TX"
        with pytest.raises(RpcFailure, match="already taken"):
            rpc.call("acquire", port_id=0, user="other", session_id=5, force=False)
    seen = run_client(
        wire_server,
        """
        before = client.get_port_info([0])[0]["status"]
        client.reset(ports=[0])
        answer([before, client.get_port_info([0])[0]["status"], client.get_acquired_ports()])
        """,
    )
    assert seen == ["TRANSMITTING", "IDLE", [0]]


def test_a_client_connects_again_and_again(wire_server: Server) -> None:
    script = """
        states = []
        for _ in range(5):
            client.reset(ports=[0])
            client.disconnect()
            client.connect()
            states.append(client.is_connected())
        answer(states)
        """
    for generation in (4, 5):
        assert run_client(wire_server, script, generation=generation) == [True] * 5


def test_each_session_counts_its_own_events_without_a_hole(rpc: Rpc) -> None:
    def take(session: int) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = rpc.call("get_async_events", session_id=session)["data"]
        return events

    first = take(70001)
    for _ in range(3):
        rpc.acquire(0)
    first += take(70001)
    second = take(70002)
    for _ in range(3):
        rpc.acquire(1)
    first += take(70001)
    second += take(70002)
    for events, count in ((first, 6), (second, 3)):
        assert [event["seq"] for event in events] == list(range(count))
    assert [event["data"]["force"] for event in first] == [True] * 6


def test_a_session_that_asks_for_nothing_does_not_grow_for_ever() -> None:
    queues = EventQueues(itertools.repeat(0.0).__next__, lambda event, data: None)
    queues.open(1)
    for _ in range(MAX_QUEUED + 1):
        queues.emit(Event.PORT_STARTED, port_id=0)
    assert queues.take(1) == []
    queues.emit(Event.PORT_STARTED, port_id=0)
    assert [event["seq"] for event in queues.take(1)] == [0]  # from the start: a client takes that, but no hole
