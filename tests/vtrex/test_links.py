"""A link that goes down in a trial, for however short a time, makes it one that does not count."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import paths
from lab.dut.model import ModelForwarder
from lab.machines import cores
from lab.testbed.behaviour import Behaviour
from lab.vtrex.device_checks import in_netns
from lab.vtrex.judgement import reasons
from lab.vtrex.messages import Percentiles, TrialCounters, TrialPort
from tests.vtrex.namespace import LINKS, namespace
from tests.vtrex.serving import PATIENT, Rpc, Server, connected
from tests.vtrex.test_honesty import RAW, continuous
from tests.vtrex.test_lifecycle import until

MACS = ("52:54:00:7a:00:00", "52:54:00:7a:00:01")
PEERS = ("02:00:00:7a:00:00", "02:00:00:7a:00:01")
WENT_DOWN = "the link of port {} went down during the trial"


def trial(rpc: Rpc, duration_s: float, meanwhile: Callable[[], None]) -> dict[str, Any]:
    """Send from port 0, do something once frames flow, and return the report."""
    rpc.reset(0, 1)
    rpc.call("add_stream", port_id=0, stream_id=1, stream=continuous(2_000))
    sent = rpc.call("get_port_stats", port_id=0)["opackets"]
    rpc.call("start_traffic", port_id=0, mul=RAW, duration=duration_s, force=True)
    assert until(lambda: rpc.call("get_port_stats", port_id=0)["opackets"] > sent + 20)
    meanwhile()
    rpc.wait_idle(0)
    report: dict[str, Any] = rpc.call("pixlab_get_trial_report")
    return report


def links_down(report: dict[str, Any]) -> list[int]:
    """Return the ports whose links are named as a reason."""
    assert [bool(port["link_downs"]) for port in report["ports"]] == [
        any(f"link of port {port} " in reason for reason in report["invalid"]) for port in (0, 1)
    ]
    return [port["port_id"] for port in report["ports"] if port["link_downs"]]


def process_of(tid: int) -> int:
    found = re.search(r"Tgid:\s+(\d+)", Path(f"/proc/{tid}/status").read_text())
    assert found is not None
    return int(found[1])


def model_on(sockets: list[Path], log: Path) -> ModelForwarder:
    plan = cores.plan(1)
    return ModelForwarder(
        sockets, MACS, PEERS, behaviour=Behaviour(), core=plan.exclusive[0], housekeeping_core=plan.housekeeping,
        queue_size=256, log=log,
    )  # fmt: skip


def without_far_end(rpc: Rpc) -> dict[str, Any]:
    rpc.reset(0, 1)
    rpc.call("add_stream", port_id=0, stream_id=1, stream=continuous(1_000))
    rpc.call("start_traffic", port_id=0, mul=RAW, duration=0.1, force=True)
    rpc.wait_idle(0)
    report: dict[str, Any] = rpc.call("pixlab_get_trial_report")
    return report


def test_a_vhost_user_device_that_is_killed_and_one_that_is_not_there(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, start_server: Callable[..., Server]
) -> None:
    folder = tmp_path_factory.mktemp("l")
    sockets = [paths.runtime_dir() / f"{folder.name}-links-{os.getpid()}-{number}" for number in range(2)]
    words = [word for path in sockets for word in ("--port", f"vhost:{path}")]
    server = start_server(*words, *PATIENT[:2], "--core", str(cores.plan(1).generator))
    with connected(server) as rpc:
        with model_on(sockets, tmp_path / "log") as model:
            model.start()
            assert until(lambda: rpc.call("get_port_status", port_id=1)["attr"]["link"]["up"])
            assert links_down(trial(rpc, 0.5, lambda: None)) == []
            report = trial(rpc, 1.0, lambda: os.kill(process_of(model.forwarding_tid), signal.SIGKILL))
            assert links_down(report) == [0, 1]
            assert all(any(WENT_DOWN.format(port) in reason for reason in report["invalid"]) for port in (0, 1))
            assert report["ports"][0]["link_down_at_ns"] < report["duration_ns"]
        report = without_far_end(rpc)
        assert "the link of port 0 was down when the trial began" in report["invalid"]
        assert not any("port 1" in reason for reason in report["invalid"])  # it takes no part
    assert server.stop() == (0, "")


@pytest.fixture(scope="module")
def netns() -> Iterator[str]:
    with namespace(*LINKS) as file:
        yield file


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_an_interface_that_is_set_down_for_a_moment(netns: str, start_server: Callable[..., Server]) -> None:
    server = start_server("--port", "af_packet:far0", "--port", "af_packet:far1", "--netns", netns, *PATIENT)

    def ip(*words: str) -> None:
        subprocess.run(in_netns(netns, ["ip", "link", "set", *words]), check=True, timeout=10)

    def flap(name: str) -> Callable[[], None]:
        def down_and_up() -> None:
            ip(name, "down")
            ip(name, "up")

        return down_and_up

    def is_up() -> bool:
        return bool(rpc.call("get_port_status", port_id=0)["attr"]["link"]["up"])

    with connected(server) as rpc:
        assert links_down(trial(rpc, 0.2, lambda: None)) == []
        for name, port in (
            ("far0", 0),
            ("near0", 0),
            ("near1", 1),
        ):  # of either end, and of the port that only receives
            report = trial(rpc, 0.5, flap(name))
            assert links_down(report) == [port], name
            assert report["ports"][port]["link_down_at_ns"] > 0
        assert until(is_up)
        ip("near0", "down")
        assert until(lambda: not is_up())
        ip("near0", "up")
        assert until(is_up)
        assert links_down(trial(rpc, 0.2, lambda: None)) == []
    assert server.stop() == (0, "")


def test_a_socket_whose_far_end_closes_it(tmp_path: Path, start_server: Callable[..., Server]) -> None:
    path = tmp_path / "s"
    server = start_server("--port", f"stream:{path},server", "--port", f"dgram:{tmp_path}/a,{tmp_path}/b")
    with connected(server) as rpc:
        far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        far.connect(str(path))
        assert until(lambda: rpc.call("get_port_status", port_id=0)["attr"]["link"]["up"])
        assert any(WENT_DOWN.format(0) in reason for reason in trial(rpc, 0.5, far.close)["invalid"])
    assert server.stop() == (0, "")


PORT = TrialPort(0, 1, 10, 10, 0, 0, 10, 0, Percentiles(0, 0, 0, 0), Percentiles(0, 0, 0, 0))
ENDED = TrialCounters(1, 0, 1_000_000_000, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("port", "says"),
    [
        (PORT._replace(link_downs=1, link_down_at_ns=250_000_000), [WENT_DOWN.format(0) + ", 250 ms after its begin"]),
        (
            PORT._replace(link_downs=3, link_down_at_ns=1_400_000_000),
            [WENT_DOWN.format(0) + ", 1400 ms after its begin, 3 times in all"],
        ),
        (PORT._replace(link_downs=1, link_down_at_ns=1_600_000_000), []),  # the trial was over
        (PORT._replace(link_downs=1), ["the link of port 0 was down when the trial began"]),
        (PORT._replace(link_downs=1, took_part=0), []),
        (PORT, []),
    ],
)
def test_what_is_said_of_a_link(port: TrialPort, says: list[str]) -> None:
    assert reasons(ENDED, [port], [], 10_000.0) == says
