"""Any method with any parameters: an answer, never a fault of the server, and the next request works."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.vtrex.methods import METHODS
from tests.vtrex.serving import Rpc
from tests.vtrex.test_fields import stream

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats()
    | st.sampled_from([0, 1, -1, "_", "*", "start", "stats", "latency", "inc", "flow_var", "raw", "abs", "continuous"])
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "attr", "capture_id", "command", "dst_addr", "dst_mac", "duration", "enabled", "filter", "filtered", "force",
    "ipg_usec", "key", "limit", "mode", "mul", "offset", "pg_id", "pgids", "pkt_limit", "pkts", "profile_id",
    "resolved_mac", "rx", "session_id", "snaplen", "src_addr", "start_at_ts", "stream", "stream_id", "ticket_id", "tx",
    "type", "user", "vlan",
]  # fmt: skip
STREAM_FIELDS = [*stream([]), "packet", "mode", "vm", "flow_stats", "random_seed"]
SETTINGS = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def check(rpc: Rpc, method: str, params: dict[str, Any]) -> None:
    reply = rpc.send(rpc.request(method, params | {"api_h": rpc.api_h}))
    assert reply.get("error", {}).get("code") != -32603, (method, params, reply)


@SETTINGS
@given(
    st.sampled_from(sorted({*METHODS} - {"shutdown"})),
    st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=6),
    st.sampled_from([0, 1]) | ANYTHING,
)
def test_any_method_with_any_parameters(rpc: Rpc, method: str, params: dict[str, Any], port_id: Any) -> None:
    handler = rpc.handlers[0] if port_id == 0 else rpc.handlers[1]
    check(rpc, method, params | {"port_id": port_id, "handler": handler})
    rpc.reset(0, 1)


@SETTINGS
@given(st.dictionaries(st.sampled_from(STREAM_FIELDS), ANYTHING, max_size=3), ANYTHING)
def test_any_stream(rpc: Rpc, changes: dict[str, Any], inner: Any) -> None:
    for definition in (
        stream([], **changes),
        stream([{"type": "flow_var", "name": "a", "size": 4, "op": "inc", "init_value": inner, "max_value": inner}]),
        stream([], mode={"type": "continuous", "rate": {"type": "pps", "value": inner}}),
        stream([], flow_stats={"enabled": True, "stream_id": inner, "rule_type": "latency"}),
    ):
        check(rpc, "add_stream", {"port_id": 0, "handler": rpc.handlers[0], "stream_id": 1, "stream": definition})
        mul = {"type": "raw", "op": "abs", "value": 1}
        check(rpc, "start_traffic", {"port_id": 0, "handler": rpc.handlers[0], "mul": mul, "duration": 0})
        rpc.reset(0)
