"""What is at the other ends comes and goes: the machine behind the ports, and the clients that drive them."""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from lab import images
from lab.dut.deploy import deploy
from lab.dut.deployed import DeployedDut
from lab.errors import LabError
from lab.process import dying_with_parent
from lab.testbed import load
from tests.vtrex.serving import Rpc, Server, client_command, connected, run_client
from tests.vtrex.test_fields import stream
from tests.vtrex.test_lifecycle import until

BURST = 200  # fits every queue on the way, so that none is lost however long one of the processes does not run
NOW = {"type": "raw", "value": 1, "op": "abs"}
# No frame is too late; a machine that does not run for a while loses none, but one that is away does.
PATIENT = ("--late-us", "1000000", "--full-wait-us", "200000")


def links(rpc: Rpc) -> list[bool]:
    return [rpc.call("get_port_status", port_id=port_id)["attr"]["link"]["up"] for port_id in (0, 1)]


def counters(rpc: Rpc) -> tuple[int, int]:
    """Return how many frames port 0 has sent and port 1 has received."""
    sent, received = (rpc.call("get_port_stats", port_id=port_id) for port_id in (0, 1))
    return sent["opackets"], received["ipackets"]


def settled_counters(rpc: Rpc) -> tuple[int, int]:
    """Return the counters once nothing is under way any more."""
    last = counters(rpc)
    while True:
        time.sleep(0.3)
        now = counters(rpc)
        if now == last:
            return now
        last = now


def report(rpc: Rpc) -> dict[str, Any]:
    found: dict[str, Any] = rpc.call("pixlab_get_trial_report")["ports"][0]
    return found


def qemu_pid(deployed: DeployedDut) -> int:
    thread = next(iter(deployed.vcpu_tids.values()))
    found = re.search(r"Tgid:\s+(\d+)", Path(f"/proc/{thread}/status").read_text())
    assert found is not None
    return int(found[1])


def send(rpc: Rpc, mac: str, mode: dict[str, object]) -> None:
    """Send from port 0 what the router forwards to port 1."""
    frame = Ether(dst=mac, src="02:00:00:00:00:00") / IP(src="198.18.128.1", dst="198.19.128.1") / UDP() / bytes(22)
    packet = {"binary": base64.b64encode(bytes(frame)).decode(), "meta": ""}
    rpc.call("remove_all_streams", port_id=0)
    rpc.call("add_stream", port_id=0, stream_id=1, stream=stream([], mode=mode, packet=packet))
    rpc.call("start_traffic", port_id=0, mul=NOW, duration=-1)


def mac_of(deployed: DeployedDut) -> str:
    return str(deployed.dut.ports()[0]["mac"])


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace: needs root")
def test_a_machine_that_is_killed_and_booted_again_forwards_again(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, start_server: Callable[..., Server]
) -> None:
    images.build()
    testbed, image = load("virtual"), images.find("pix-padded")
    sockets = [tmp_path_factory.mktemp("q") / name for name in ("v0", "v1")]
    options = [word for socket in sockets for word in ("--port", f"vhost:{socket}")]
    server = start_server(*options, "--core", "0", *PATIENT)

    def machine() -> AbstractContextManager[DeployedDut]:
        return deploy(testbed, image, vhost_sockets=sockets, run_dir=tmp_path, progress=lambda step: None)

    with connected(server) as rpc:
        rpc.reset(0, 1)
        with pytest.raises(LabError, match="closed its console"), machine() as deployed:
            deployed.dut.start()
            send(rpc, mac_of(deployed), {"type": "continuous", "rate": {"type": "pps", "value": 5000}})
            assert until(lambda: counters(rpc)[1] > 500)
            os.kill(qemu_pid(deployed), signal.SIGKILL)
            assert until(lambda: links(rpc) == [False, False])
            deployed.dut.ports()  # does not answer any more
        down = counters(rpc)
        with machine() as deployed:
            deployed.dut.start()
            assert until(lambda: links(rpc) == [True, True])
            assert until(lambda: counters(rpc)[1] > down[1] + 500)
            rpc.call("stop_traffic", port_id=0)
            seen = report(rpc)
            assert seen["intended_packets"] == seen["sent_packets"] + seen["queue_full"] + seen["too_late"]
            assert seen["queue_full"] > 0  # while no machine was there
            before = settled_counters(rpc)
            burst = {"type": "single_burst", "total_pkts": BURST, "rate": {"type": "pps", "value": 10_000}}
            send(rpc, mac_of(deployed), burst)
            rpc.wait_idle(0)
            assert until(lambda: counters(rpc)[1] >= before[1] + BURST)
            assert settled_counters(rpc) == (before[0] + BURST, before[1] + BURST)
    assert server.stop() == (0, "")


@pytest.fixture
def official_client() -> Iterator[Callable[[Server, str], subprocess.Popen[str]]]:
    """Start scripts with the official client that a test does not wait for."""
    started: list[subprocess.Popen[str]] = []

    def start(server: Server, script: str) -> subprocess.Popen[str]:
        command = dying_with_parent(client_command(server, script))
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
        return started[-1]

    yield start
    for process in started:
        with process:
            process.kill()


def test_a_client_that_is_killed_leaves_traffic_that_the_next_one_stops(
    start_server: Callable[..., Server], official_client: Callable[[Server, str], subprocess.Popen[str]]
) -> None:
    server = start_server("--wire")
    crashing = """
        client.acquire(ports=[0, 1], force=True)
        client.add_streams([STLStream(packet=STLPktBuilder(pkt=udp(64)), mode=STLTXCont(pps=1000))], ports=[0, 1])
        client.start(ports=[0, 1])
        print("sends", flush=True)
        import time
        time.sleep(60)
    """
    client = official_client(server, crashing)
    assert client.stdout is not None
    while client.stdout.readline() != "sends\n":
        assert client.poll() is None
    client.kill()
    client.wait()
    with connected(server) as rpc:
        status = rpc.call("get_port_status", port_id=0)
        assert status["state"] == "TX"
        assert status["owner"] != ""
        before = counters(rpc)
        assert until(lambda: counters(rpc)[1] > before[1] + 100)  # it goes on, as with TRex
    found = run_client(
        server,
        """
        try:
            client.acquire(ports=[0])
            refused = ""
        except STLError as error:
            refused = str(error)
        client.reset(ports=[0, 1])
        idle = not client.get_active_ports()
        burst = STLTXSingleBurst(total_pkts=9, pps=1000)
        client.add_streams([STLStream(packet=STLPktBuilder(pkt=udp(64)), mode=burst)], ports=0)
        client.clear_stats()
        client.start(ports=[0])
        client.wait_on_traffic(ports=[0])
        stats = client.get_stats()
        answer([refused, idle, stats[0]["opackets"], stats[1]["ipackets"]])
        """,
    )
    assert "already taken" in found[0]
    assert found[1:] == [True, 9, 9]
    assert server.stop() == (0, "")
