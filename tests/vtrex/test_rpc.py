"""What comes from a client, however broken, is answered."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.vtrex.rpc import MAX_REQUEST_BYTES, RpcError, pack, serve_wire

JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def echo(method: str, params: Mapping[str, Any]) -> Any:
    if method == "fail":
        raise RpcError(-32000, "cannot be done")
    return [method, dict(params)]


def ask(wire: bytes) -> Any:
    return json.loads(serve_wire([wire], echo))


def request(method: str | None = "m", **changes: Any) -> dict[str, Any]:
    whole = {"jsonrpc": "2.0", "id": "1", "method": method, "params": {"a": 1}} | changes
    return {key: value for key, value in whole.items() if value is not None}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", -32700),
        ("[" * 100_000, -32700),
        ("7", -32600),
        ('"text"', -32600),
        (json.dumps(request(jsonrpc=None)), -32600),
        (json.dumps(request(jsonrpc="1.0")), -32600),
        (json.dumps(request(id=None)), -32600),
        (json.dumps(request(method=None)), -32600),
        (json.dumps(request(params=None)), -32000),
        (json.dumps(request(params=[])), -32000),
        (json.dumps(request("fail")), -32000),
        (" " * (MAX_REQUEST_BYTES + 1), -32600),
    ],
)
def test_broken_requests_get_the_code_of_trex(text: str, code: int) -> None:
    assert ask(text.encode())["error"]["code"] == code


def test_batches_are_answered_in_order_and_one_gets_a_bare_object() -> None:
    assert ask(b"[]") is None
    assert ask(json.dumps([request()]).encode())["result"] == ["m", {"a": 1}]
    answers = ask(json.dumps([request(id="1"), request("fail", id="2"), 7, request(id="4")]).encode())
    assert [answer["id"] for answer in answers] == ["1", "2", None, "4"]
    assert [answer.get("error", {}).get("code") for answer in answers] == [None, -32000, -32600, None]


def test_a_compressed_request_gets_a_compressed_answer_and_a_bomb_an_error() -> None:
    wire = pack(json.dumps(request()).encode(), compressed=True)
    reply = serve_wire([wire], echo)
    assert reply[:4] == wire[:4]
    assert json.loads(zlib.decompress(reply[8:]))["result"] == ["m", {"a": 1}]
    assert (
        json.loads(zlib.decompress(serve_wire([pack(b" " * 10**8, compressed=True)], echo)[8:]))["error"]["code"]
        == -32600
    )
    assert ask(wire[:8] + b"not zlib")["error"]["code"] == -32700


def test_a_batch_that_takes_too_long_is_answered_without_being_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(method: str, params: Mapping[str, Any]) -> Any:
        time.sleep(0.03)
        return "done"

    monkeypatch.setattr("lab.vtrex.rpc.MAX_BATCH_S", 0.05)
    answers = json.loads(serve_wire([json.dumps([request(id=str(number)) for number in range(5)]).encode()], slow))
    assert [answer["id"] for answer in answers] == ["0", "1", "2", "3", "4"]
    assert answers[0]["result"] == "done"
    assert "split it" in answers[-1]["error"]["specific_err"]


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_nothing_that_a_client_sends_raises(wire: bytes) -> None:
    reply = serve_wire([wire], echo)
    if not reply.startswith(bytes.fromhex("ABE85CEA")):
        json.loads(reply)
