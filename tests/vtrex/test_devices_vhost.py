"""vhost-user from both ends: dpdk-testpmd plays a guest that goes and comes again."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab import paths
from lab.dut.testpmd_process import PROGRAM
from lab.process import dying_with_parent
from tests.vtrex.serving import PATIENT, Rpc, Server, connected
from tests.vtrex.test_devices import link_is_up, received, send_burst
from tests.vtrex.unix_peers import wait

pytestmark = pytest.mark.skipif(
    shutil.which(PROGRAM) is None or not (paths.NATIVE / "vtrex-engine").exists(),
    reason="needs dpdk-testpmd and the vtrex engine",
)


@contextmanager
def guest(socket: Path, folder: Path, *, server: bool) -> Iterator[None]:
    """Run a guest that sends back what it gets; it makes the socket when it is the ``server``."""
    words = ["--lcores", "0@0,1@0", "--main-lcore", "0", "--no-huge", "-m", "128", "--iova-mode=va", "--no-pci"]
    words += ["--no-shconf", "--no-telemetry", "--single-file-segments", f"--file-prefix=pixlab-{os.getpid()}"]
    words += ["--vdev", f"net_virtio_user0,path={socket},queue_size=256,server={int(server)}"]
    words += ["--", "--auto-start", "--nb-cores=1", "--forward-mode=macswap", "--no-numa", "--total-num-mbufs=8192"]
    with (folder / "testpmd.log").open("ab") as log:
        process = subprocess.Popen(
            dying_with_parent(["stdbuf", "--output=L", PROGRAM, *words, "--stats-period=3600"]),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "RUNTIME_DIRECTORY": str(folder)},
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def echoed(rpc: Rpc, frames: int) -> None:
    """Send frames until so many have come back (a guest takes a moment to begin), then exactly that many more."""
    deadline = time.monotonic() + 10
    while True:
        before = received(rpc, 0)
        send_burst(rpc, 0, 1)
        time.sleep(0.05)
        if received(rpc, 0) > before:
            break
        assert time.monotonic() < deadline, "nothing comes back"
    time.sleep(0.1)
    before = received(rpc, 0)
    send_burst(rpc, 0, frames, rate_pps=2000)
    wait(lambda: received(rpc, 0) >= before + frames)
    assert received(rpc, 0) == before + frames


@pytest.mark.parametrize("client", [False, True], ids=["server", "client"])
def test_a_guest_may_go_and_come_again(
    tmp_path_factory: pytest.TempPathFactory, start_server: Callable[..., Server], client: bool
) -> None:
    folder = tmp_path_factory.mktemp("v")
    server = start_server("--port", f"vhost:{folder}/v{',client' if client else ''}", *PATIENT)
    with connected(server) as rpc:
        for _ in range(2):
            assert not link_is_up(rpc, 0)
            before = received(rpc, 0)
            with guest(folder / "v", folder, server=client):
                wait(lambda: link_is_up(rpc, 0))
                echoed(rpc, 300)
            assert received(rpc, 0) >= before + 300  # they go on from where they were
            wait(lambda: not link_is_up(rpc, 0))
            if client:
                (folder / "v").unlink(missing_ok=True)  # as QEMU does at its end
    assert server.stop() == (0, "")
