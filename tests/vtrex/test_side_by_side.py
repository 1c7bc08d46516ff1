"""Servers that were started in different ways: from a file, with TRex's options, and several on one machine."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from scapy.layers.l2 import ARP, Ether

from lab.process import dying_with_parent
from lab.vtrex.cli import main
from lab.vtrex.settings import is_local
from tests.vtrex.serving import READY, Rpc, Server, connected, run_client
from tests.vtrex.test_fields import stream
from tests.vtrex.test_lifecycle import until

CONFIG = """\
- version: 2
  interfaces: [wire, wire]
  port_bandwidth_gb: 25
  zmq_rpc_port: 0
  zmq_pub_port: 0
  prefix: test_side_by_side
  stack: legacy
  port_info:
    - {src_mac: 02:00:00:00:00:0a, dest_mac: 02:00:00:00:00:0b}
    - {ip: 198.18.1.2, default_gw: 198.18.1.1, vlan: 100}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "trex_cfg.yaml"
    file.write_text(CONFIG)
    return file


def all_received(rpc: Rpc, frames: int) -> bool:
    """Tell whether port 1 has so many frames; more is an error."""
    received = int(rpc.call("get_port_stats", port_id=1)["ipackets"])
    assert received <= frames
    return received == frames


def test_ports_begin_with_the_addresses_of_the_file(config: Path, start_server: Callable[..., Server]) -> None:
    server = start_server("--cfg", str(config))
    with connected(server) as rpc:
        first, second = (rpc.call("get_port_status", port_id=port_id)["attr"] for port_id in (0, 1))
        assert first["speed"] == 25.0
        assert first["layer_cfg"]["ether"] == {
            "src": "02:00:00:00:00:0a",
            "dst": "02:00:00:00:00:0b",
            "state": "configured",
        }
        assert first["layer_cfg"]["ipv4"] == {"state": "none"}
        assert second["layer_cfg"]["ether"]["state"] == "unconfigured"
        assert second["layer_cfg"]["ipv4"] == {"state": "unresolved", "src": "198.18.1.2", "dst": "198.18.1.1"}
        assert second["vlan"] == {"tags": [100]}
    code, errors = server.stop()
    assert code == 0
    assert errors == f"vtrex: note: {config}: without effect here: stack\n"


def test_frames_carry_the_addresses_of_the_file(config: Path, start_server: Callable[..., Server]) -> None:
    with connected(start_server("--cfg", str(config))) as rpc:
        rpc.reset(0)
        with rpc.capturing(1, 1) as frames:
            rpc.call("add_stream", port_id=0, stream_id=1, stream=stream([], frames=1, flags=0))
            rpc.call("start_traffic", port_id=0, mul={"type": "raw", "value": 1, "op": "abs"}, duration=-1)
            rpc.wait_idle(0)
    (frame,) = frames
    assert (Ether(frame).dst, Ether(frame).src) == ("02:00:00:00:00:0b", "02:00:00:00:00:0a")


def test_a_port_answers_for_its_address_of_the_file(config: Path, start_server: Callable[..., Server]) -> None:
    asks = Ether(src="02:00:00:00:00:0a", dst="ff:ff:ff:ff:ff:ff") / ARP(
        hwsrc="02:00:00:00:00:0a", psrc="198.18.1.1", pdst="198.18.1.2"
    )
    with connected(start_server("--cfg", str(config))) as rpc:
        rpc.reset(0)
        packet = {"binary": base64.b64encode(bytes(asks)).decode(), "use_port_src_mac": False}
        with rpc.capturing(0, 1) as frames:
            rpc.call("push_pkts", port_id=0, pkts=[packet | {"use_port_dst_mac": False}], force=True, ipg_usec=1)
            assert until(lambda: rpc.call("capture", command="status")[0]["matched"] == 1)
    (answer,) = frames
    assert (Ether(answer)[ARP].op, Ether(answer)[ARP].psrc) == (2, "198.18.1.2")


def t_rex_64(words: Sequence[str]) -> subprocess.Popen[str]:
    command = dying_with_parent([sys.executable, "-m", "lab.vtrex.t_rex_64", *words])
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class TrexProcess:
    """A server that was started as TRex is."""

    def __init__(self, config: Path) -> None:
        self.process = t_rex_64(
            ["-i", "--stl", "-c", "1", "--cfg", str(config), "--no-ofed-check", "--software", "--iom", "0"]
        )
        assert self.process.stdout is not None
        ready = READY.fullmatch(self.process.stdout.readline())
        assert ready is not None
        self.rpc_port, self.async_port = int(ready[1]), int(ready[2])


@pytest.fixture
def as_trex(config: Path) -> Iterator[TrexProcess]:
    server = TrexProcess(config)
    yield server
    server.process.kill()
    server.process.communicate()


def test_the_official_client_uses_a_server_with_the_options_of_trex(as_trex: TrexProcess) -> None:
    sent = """
        client.acquire(force=True)
        burst = STLTXSingleBurst(total_pkts=7, pps=1000)
        client.add_streams([STLStream(packet=STLPktBuilder(pkt=udp(64)), mode=burst)], ports=0)
        client.start(ports=[0], force=True)
        client.wait_on_traffic(ports=[0])
        answer([client.get_stats()[port]["ipackets"] for port in (0, 1)])
    """
    assert run_client(as_trex, sent) == [0, 7]
    as_trex.process.terminate()
    _, errors = as_trex.process.communicate(timeout=10)
    assert as_trex.process.returncode == 0
    notes = errors.splitlines()
    assert notes[0] == "vtrex: note: without effect here: --no-ofed-check, --software"
    assert re.fullmatch(r"vtrex: note: .*: without effect here: stack", notes[1])
    assert len(notes) == 2


def test_another_mode_is_refused_in_one_line(config: Path) -> None:
    process = t_rex_64(["-f", "cap2/dns.yaml", "--cfg", str(config)])
    said, errors = process.communicate(timeout=30)
    assert (process.returncode, said) == (11, "")
    assert "-f is of TRex's stateful modes" in errors
    assert len(errors.splitlines()) == 1


def test_servers_side_by_side_do_not_meet(start_server: Callable[..., Server]) -> None:
    first, second = (start_server("--wire", "--prefix", f"test{number}") for number in (1, 2))
    with connected(first) as one, connected(second) as two:
        for rpc, frames in ((one, 30), (two, 50)):
            rpc.reset(0)
            rpc.call("add_stream", port_id=0, stream_id=1, stream=stream([], frames=frames))
            rpc.call("start_traffic", port_id=0, mul={"type": "raw", "value": 1, "op": "abs"}, duration=-1)
        for rpc, frames in ((one, 30), (two, 50)):
            rpc.wait_idle(0)
            assert until(partial(all_received, rpc, frames))
        assert first.stop() == (0, "")
        two.call("start_traffic", port_id=0, mul={"type": "raw", "value": 1, "op": "abs"}, duration=-1)
        two.wait_idle(0)
        assert until(partial(all_received, two, 100))
    assert second.stop() == (0, "")


def test_a_server_that_others_can_reach_says_so() -> None:
    command = [sys.executable, "-m", "lab.vtrex", "serve", "--wire", "--bind", "0.0.0.0"]
    command += ["--rpc-port", "0", "--async-port", "0"]
    server = subprocess.Popen(dying_with_parent(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stdout is not None and server.stderr is not None
    assert "rpc=tcp://0.0.0.0:" in server.stdout.readline()
    assert "warning: 0.0.0.0 is open to other machines" in server.stderr.readline()
    server.terminate()
    server.communicate(timeout=10)
    assert server.returncode == 0


@pytest.mark.parametrize(
    ("address", "local"),
    [
        *((address, True) for address in ("127.0.0.1", "127.9.9.9", "localhost", "[::1]", "lo")),
        *((address, False) for address in ("0.0.0.0", "*", "192.0.2.1", "[::]", "eth0")),
    ],
)
def test_which_addresses_are_local(address: str, local: bool) -> None:
    assert is_local(address) is local


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two CPUs")
def test_threads_run_on_the_cpus_of_the_file(config: Path, start_server: Callable[..., Server]) -> None:
    first, *_, last = sorted(os.sched_getaffinity(0))
    platform = f"  platform: {{master_thread_id: {last}, dual_if: [{{socket: 0, threads: [{first}]}}]}}\n"
    config.write_text(CONFIG + platform)
    server = start_server("--cfg", str(config))
    assert os.sched_getaffinity(server.process.pid) == {last}
    with connected(server) as rpc:
        assert [core["id"] for core in rpc.call("pixlab_get_trial_report")["cores"]] == [first]


def test_a_cpu_that_is_not_there_is_one_line(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(CONFIG.replace("  stack: legacy\n", "") + "  platform: {master_thread_id: 4095}\n")
    before = os.sched_getaffinity(0)
    assert main(["serve", "--cfg", str(config)]) == 11
    assert capsys.readouterr().err.startswith("vtrex: CPU 4095 is not available for housekeeping; there are: ")
    assert os.sched_getaffinity(0) == before
