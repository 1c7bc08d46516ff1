"""What is at the other ends comes and goes: the guest behind the ports, and the clients that drive them."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.dut.testpmd import Testpmd
from lab.dut.testpmd_process import PROGRAM
from lab.process import dying_with_parent
from tests.vtrex.serving import Rpc, Server, client_command, connected, run_client
from tests.vtrex.test_fields import stream
from tests.vtrex.test_lifecycle import until

MACS = ("52:54:00:12:01:00", "52:54:00:12:01:01")
PEERS = ("02:00:00:00:00:00", "02:00:00:00:00:01")
QUEUE = 256
BURST = 200  # fits every queue on the way, so that none is lost however long one of the processes does not run
NOW = {"type": "raw", "value": 1, "op": "abs"}
LINK_CHANGED = 8  # TRex's event type
# No frame is too late; a guest that does not run for a while loses none, but one that is away does.
PATIENT = ("--late-us", "1000000", "--full-wait-us", "200000")


class Guest:
    """dpdk-testpmd on virtio-user devices, in the place of a machine: it is started, killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: Testpmd | None = None

    def start(self) -> None:
        sockets = [self._folder / f"v{number}" for number in (0, 1)]
        log = self._folder / "testpmd.log"
        self._running = Testpmd(sockets, MACS, PEERS, core=1, housekeeping_core=0, queue_size=QUEUE, log=log)
        self._running.start()

    def kill(self) -> None:
        if self._running is not None:
            self._running._process.kill()  # as a crash does: it says good-bye to nobody
            self._running.close()
            self._running = None


@pytest.fixture
def guest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    if shutil.which(PROGRAM) is None:
        pytest.skip(f"needs {PROGRAM}")
    guest = Guest(tmp_path_factory.mktemp("v"))
    yield guest
    guest.kill()


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


def test_a_guest_that_is_killed_and_started_again_gets_frames_again(
    guest: Guest, start_server: Callable[..., Server]
) -> None:
    folder = guest._folder
    server = start_server("--port", f"vhost:{folder}/v0", "--port", f"vhost:{folder}/v1", "--core", "0", *PATIENT)
    guest.start()
    with connected(server) as rpc:
        rpc.reset(0, 1)
        rpc.call("get_async_events", session_id=1)
        assert until(lambda: links(rpc) == [True, True])
        endless = {"type": "continuous", "rate": {"type": "pps", "value": 5000}}
        rpc.call("add_stream", port_id=0, stream_id=1, stream=stream([], mode=endless))
        rpc.call("start_traffic", port_id=0, mul=NOW, duration=-1)
        assert until(lambda: counters(rpc)[1] > 500)

        guest.kill()
        assert until(lambda: links(rpc) == [False, False])
        assert rpc.call("get_port_status", port_id=0)["state"] == "TX"
        down = counters(rpc)

        guest.start()
        assert until(lambda: links(rpc) == [True, True])
        assert until(lambda: counters(rpc)[1] > down[1] + 500)
        rpc.call("stop_traffic", port_id=0)
        seen = report(rpc)
        assert seen["intended_packets"] == seen["sent_packets"] + seen["queue_full"] + seen["too_late"]
        assert seen["queue_full"] > 0  # while nobody was there
        assert seen["sent_packets"] == counters(rpc)[0]

        rpc.call("remove_all_streams", port_id=0)
        before = settled_counters(rpc)
        rpc.call("add_stream", port_id=0, stream_id=2, stream=stream([], frames=BURST))
        rpc.call("start_traffic", port_id=0, mul=NOW, duration=-1)
        rpc.wait_idle(0)
        assert until(lambda: counters(rpc)[1] == before[1] + BURST)
        assert counters(rpc)[0] == before[0] + BURST
        events = rpc.call("get_async_events", session_id=1)["data"]
    ups = [event["data"]["attr"]["link"]["up"] for event in events if event["type"] == LINK_CHANGED]
    assert ups.count(False) >= 2
    assert ups[-2:] == [True, True]
    guest.kill()
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
        client.add_streams([STLStream(packet=STLPktBuilder(pkt=udp(64)), mode=STLTXSingleBurst(total_pkts=9))], ports=0)
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
