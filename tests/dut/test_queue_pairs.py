"""Ports with several queue pairs: QEMU, the vhost-user server and the image agree, and each core gets its own."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import images
from lab.dut.deploy import deploy
from lab.process import dying_with_parent
from lab.testbed import Testbed, load

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes a network namespace: needs root")

START_LIMIT_S = 20.0


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[list[Path]]:
    """Serve two vhost-user ports of two queue pairs each by dpdk-testpmd."""
    found = [tmp_path / "v0", tmp_path / "v1"]
    command = ["dpdk-testpmd", "-l", "0,1", "--no-huge", "-m", "256", "--no-pci", f"--file-prefix=pairs{os.getpid()}"]
    for number, path in enumerate(found):
        command += ["--vdev", f"net_vhost{number},iface={path},queues=2"]
    # Receiving only, from both queue pairs; its standard input stays open, or it ends.
    command += ["--", "--nb-cores=1", "--forward-mode=rxonly", "--rxq=2", "--txq=2", "--total-num-mbufs=8192"]
    with (
        (tmp_path / "testpmd.log").open("wb") as log,
        subprocess.Popen(dying_with_parent(command), stdin=subprocess.PIPE, stdout=log, stderr=log) as server,
    ):
        try:
            end_s = time.monotonic() + START_LIMIT_S
            while not all(path.exists() for path in found):
                assert server.poll() is None, (tmp_path / "testpmd.log").read_text(errors="replace")[-500:]
                assert time.monotonic() < end_s, "dpdk-testpmd made no sockets"
                time.sleep(0.05)
            yield found
        finally:
            server.kill()


def two_pairs() -> Testbed:
    """Return the virtual testbed with two exclusive cores, each of which has a queue pair of both ports."""
    testbed = load("virtual")
    machine = testbed.dut.machine.model_copy(update={"exclusive_cores": 2, "ring_length": 64, "batch": 16})
    ports = tuple(port.model_copy(update={"qgms": (1, 2)}) for port in testbed.dut.ports)
    node = testbed.dut.model_copy(update={"machine": machine, "ports": ports})
    return testbed.model_copy(update={"nodes": {**testbed.nodes, "dut": node}})


def test_each_core_has_a_queue_pair_of_each_port(
    sockets: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIXLAB_ACCELERATOR", "tcg")
    images.build()
    image, testbed = images.find("pix-padded"), two_pairs()
    with deploy(testbed, image, vhost_sockets=sockets, run_dir=tmp_path, progress=lambda step: None) as deployed:
        dut = deployed.dut
        told = [json.loads(line) for line in dut.command("qgm json")]
        assert [(pair["core"], pair["port"], pair["queue"]) for pair in told] == [
            (pair.core, pair.port, pair.queue) for pair in testbed.dut.queue_pairs()
        ]
        assert len(told) == 4
        dut.start()
        assert [(port["state"], port["link"]) for port in dut.ports()] == [("started", "up")] * 2
        assert [qgm.qgm for qgm in dut.counters().qgms] == [1, 2]
