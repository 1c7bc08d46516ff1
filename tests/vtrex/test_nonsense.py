"""Nonsense on both sockets: tests/vtrex/fuzz_rpc.py in short, and what it must never do."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable

import pytest
import zmq

from tests.vtrex.fuzz_rpc import Pipeline, fuzz, half_open, next_client
from tests.vtrex.serving import Rpc, RpcFailure, Server, connected


def test_a_few_thousand_messages_and_half_open_connections(start_server: Callable[..., Server]) -> None:
    server = start_server("--wire")
    opened = half_open(server, 600)
    said: list[str] = []
    fuzz(server, 1500, seed=int(time.time()), report=said.append)
    for connection in opened:
        connection.close()
    next_client(server, 5)
    assert server.stop() == (0, ""), said


@pytest.mark.parametrize("parts", [[b"", b"{}"], [b"{}", b"{}", b"{}"]])
def test_a_message_of_several_parts_is_an_invalid_request(rpc: Rpc, parts: list[bytes]) -> None:
    rpc._socket.send_multipart(parts)
    assert b'"code":-32600' in rpc._socket.recv()
    assert rpc.call("ping")


def test_a_client_that_dies_with_requests_under_way_wedges_nobody(wire_server: Server) -> None:
    context = zmq.Context()
    for _ in range(20):
        gone = Pipeline(context, wire_server)
        for _ in range(20):
            gone.send([b'{"jsonrpc":"2.0","id":"1","method":"ping","params":{}}'])
        gone.close()
    context.term()
    with connected(wire_server) as rpc:
        assert rpc.call("ping")


def test_a_peer_that_is_gone_before_its_malformed_message_is_read_costs_nobody_an_answer(wire_server: Server) -> None:
    context = zmq.Context()
    with connected(wire_server) as busy, connected(wire_server) as rpc:
        packets = [{"binary": "A" * 80}] * 2
        push = {"port_id": 0, "pkts": packets, "force": False, "ipg_usec": 400_000, "api_h": busy.api_h}
        busy._socket.send_json(busy.request("push_pkts", push))  # the server is busy for a while
        gone = context.socket(zmq.DEALER)
        gone.connect(f"tcp://127.0.0.1:{wire_server.rpc_port}")
        gone.send(b"no envelope")
        time.sleep(0.1)
        gone.close(linger=0)
        assert "result" in json.loads(busy._socket.recv())
        assert rpc.call("ping")
    context.term()


def test_a_message_longer_than_any_request_ends_its_connection_only(wire_server: Server) -> None:
    context = zmq.Context()
    long = context.socket(zmq.REQ)
    long.setsockopt(zmq.LINGER, 0)
    long.setsockopt(zmq.RCVTIMEO, 500)
    long.connect(f"tcp://127.0.0.1:{wire_server.rpc_port}")
    long.send(bytes(20 << 20))
    with pytest.raises(zmq.Again):
        long.recv()
    long.close()
    context.term()
    with connected(wire_server) as rpc:
        assert rpc.call("ping")


def test_half_a_request_in_raw_tcp_holds_nobody_up(wire_server: Server) -> None:
    with socket.create_connection(("127.0.0.1", wire_server.rpc_port)) as raw:
        raw.sendall(b"\xff\0\0\0\0\0\0\0\1\x7f\3\0NULL" + bytes(48) + b"\4\x19\5READY")
        with connected(wire_server) as rpc:
            assert rpc.call("ping")


def test_packets_far_apart_do_not_hold_the_others_up(rpc: Rpc) -> None:
    packets = [{"binary": "A" * 80}] * 20
    with pytest.raises(RpcFailure, match="take longer than 1 s"):
        rpc.call("push_pkts", port_id=0, pkts=packets, force=False, ipg_usec=100_000)
