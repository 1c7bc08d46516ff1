"""Methods about the server itself, and those that it has not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lab.vtrex.methods.refused import REASONS
from tests.vtrex.serving import Rpc, RpcFailure, Server, connected, run_client


def test_the_server_names_what_it_can_do_and_refuses_the_rest_with_a_reason(rpc: Rpc) -> None:
    supported = rpc.call("get_supported_cmds")
    assert len(supported) == len(set(supported)) > 45
    for name in REASONS:
        assert name not in supported
        with pytest.raises(RpcFailure, match="generator") as refused:
            rpc.call(name, port_id=0)
        assert refused.value.code == -32000
    with pytest.raises(RpcFailure) as unknown:
        rpc.call("no_such_method")
    assert unknown.value.code == -32601


@pytest.mark.parametrize("method", ["get_async_results", "cancel_async_task"])
def test_there_are_no_tasks_to_wait_for(rpc: Rpc, method: str) -> None:
    with pytest.raises(RpcFailure) as refused:
        rpc.call(method, port_id=0, ticket_id=1)
    assert refused.value.code == -32003


def test_utilization_tells_which_ports_a_core_works_for_and_what_memory_is_left(rpc: Rpc) -> None:
    from tests.vtrex.test_lifecycle import start_endless_traffic

    start_endless_traffic(rpc.call)
    seen = rpc.call("get_utilization")
    rpc.call("stop_traffic", port_id=0, profile_id="_")
    assert seen["cpu"][0]["ports"] == [0, -1]
    assert len(seen["cpu"][0]["history"]) == 20
    for free, total in seen["mbuf_stats"]["cpu-socket-0"].values():
        assert 0 < free <= total
    assert rpc.call("get_utilization")["cpu"][0]["ports"] == [-1, -1]


def test_the_global_configuration_can_be_read_and_set_to_what_it_is(rpc: Rpc) -> None:
    known = rpc.call("get_global_cfg")
    assert rpc.call("set_global_cfg", **known) == {}
    for change in ({"sched_max_stretch": 5.0}, {"unknown": 1}):
        with pytest.raises(RpcFailure, match="cannot be set"):
            rpc.call("set_global_cfg", **change)


@pytest.mark.parametrize("generation", [4, 5])
def test_what_a_console_shows(wire_server: Server, generation: int) -> None:
    seen: dict[str, Any] = run_client(
        wire_server,
        """
        client.reset(ports=[0, 1])
        patience = time.monotonic() + 10
        while not client.get_events() and time.monotonic() < patience:  # a thread of the client asks for them
            time.sleep(0.02)
        info = client.get_port_info([0, 1])
        utilization = client.get_util_stats()
        answer({
            "info": [[port["index"], port["status"], port["link"], port["src_mac"]] for port in info],
            "busy": [len(core["history"]) for core in utilization["cpu"]],
            "attributes": client.get_port_attr(port=0)["speed"],
            "xstats": sorted(client.get_xstats(0))[:2],
            "warnings": client.get_warnings(),
            "captures": client.get_capture_status(),
            "active": client.get_active_ports(),
            "alive": client.ping_rpc_server() is None,
            "events": [str(event) for event in client.get_events()],
        })
        """,
        generation=generation,
    )
    assert [port[:3] for port in seen["info"]] == [[0, "IDLE", "UP"], [1, "IDLE", "UP"]]
    assert seen["busy"] == [20]
    assert seen["attributes"] == 10.0
    assert len(seen["xstats"]) == 2
    assert seen["warnings"] == []
    assert not seen["captures"]
    assert seen["active"] == []
    assert seen["events"]


def test_a_client_may_shut_the_server_down_but_not_over_the_head_of_others(start_server: Callable[..., Server]) -> None:
    server = start_server("--wire")
    with connected(server) as rpc:
        rpc.acquire(0)
        with pytest.raises(RpcFailure, match="owned by test"):
            rpc.call("shutdown", user="somebody", force=False)
        assert rpc.call("ping")
        assert rpc.call("shutdown", user="somebody", force=True) == {}
    assert server.process.wait(timeout=10) == 0
    assert server.stop() == (0, "")


def test_the_official_client_shuts_the_server_down(start_server: Callable[..., Server]) -> None:
    server = start_server("--wire")
    gone = 'client.server_shutdown(); answer("done"); sys.stdout.flush(); __import__("os")._exit(0)'
    run_client(server, gone)  # to disconnect would take the client a dozen seconds
    assert server.process.wait(timeout=10) == 0
    assert server.stop() == (0, "")
