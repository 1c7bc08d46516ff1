"""TRex over SSH, against a real sshd and a release in which vtrex stands behind TRex's command line."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import paths
from lab.errors import GeneratorError, LabError, TestbedUnreachable, UsageError
from lab.machines.links import Links
from lab.methods.trial import TrialRequest
from lab.testbed import Testbed
from lab.traffic import trex_host
from lab.traffic.combined import CombinedGenerator
from lab.traffic.measurer import GeneratorMeasurer
from lab.traffic.serving import serving
from lab.traffic.trex_server import TrexServer
from lab.vtrex import trex_config
from tests.machines.sshd import Sshd
from tests.traffic.test_combined import FOUR
from tests.traffic.test_load import BOTH
from tests.traffic.trex_hosts import PROGRAM, cabled_host, rack, release

pytestmark = [
    pytest.mark.skipif(not (paths.NATIVE / "vtrex-engine").exists(), reason="vtrex-engine is not built"),
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
]

REQUEST = TrialRequest(frame_size_bytes=128, rate_pps=2_000.0, duration_s=0.3)


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with cabled_host(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture(scope="module")
def trex(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A release that is unpacked by the first test that starts it."""
    folder = tmp_path_factory.mktemp("release")
    return {**release(folder), "folder": str(folder / "opt" / "trex")}


@pytest.fixture
def said() -> list[str]:
    return []


def started(bed: Testbed, run_dir: Path, said: list[str]) -> TrexServer:
    return trex_host.start(bed, "trex-a", run_dir, said.append)


def test_a_release_is_installed_started_measured_with_and_ended(
    sshd: Sshd, trex: dict[str, Any], tmp_path: Path, said: list[str]
) -> None:
    bed = rack(sshd.access(), trex)
    server = started(bed, tmp_path, said)
    try:
        assert any("installing TRex v3.08" in line for line in said)
        state = Path(server._state)
        pid = int((state / "pid").read_text().split()[0])
        assert os.getsid(pid) == pid
        config = trex_config.load(state / "trex_cfg.yaml")
        assert (config.zmq_rpc_port, config.zmq_pub_port, config.c) == (4501, 4500, 1)
        assert [info.dest_mac for info in config.port_info] == [bytes([2, 0, 0, 0, 1, n]) for n in (0, 1)]
        assert [info.src_mac for info in config.port_info] == [bytes([2, 0, 0, 0, 0, n]) for n in (0, 1)]
        generator = server.connect()
        assert generator.info().version == "v3.08"
        trial = GeneratorMeasurer(generator, BOTH).measure(REQUEST)
        assert [d.received_frames for d in trial.directions] == [d.sent_frames for d in trial.directions]
        assert all(d.sent_frames > 0 for d in trial.directions)
        generator.close()
    finally:
        server.stop()
    assert not Path(f"/proc/{pid}").exists()
    assert not (state / "pid").exists()
    assert "vtrex" in (tmp_path / "trex-a.log").read_text()
    assert sorted(path.name for path in Path(trex["folder"]).parent.iterdir()) == ["trex"]


@pytest.mark.timeout(60)
def test_what_a_killed_run_left_is_ended_and_what_dies_in_a_trial_ends_it(
    sshd: Sshd, trex: dict[str, Any], tmp_path: Path, said: list[str]
) -> None:
    left = started(rack(sshd.access(), trex), tmp_path, said)
    assert left._machine is not None
    left._machine.close()  # all that its owner's end does
    pid = int((Path(left._state) / "pid").read_text().split()[0])
    assert Path(f"/proc/{pid}").exists()
    said.clear()
    here = {"version": "v3.08", "folder": trex["folder"]}  # it is unpacked there: no tarball is needed
    server = started(rack(sshd.access(), here), tmp_path, said)
    try:
        assert [line for line in said if "an earlier run left" in line] == said
        assert not Path(f"/proc/{pid}").exists()
        generator = server.connect()
        pid = int((Path(server._state) / "pid").read_text().split()[0])
        threading.Timer(1.0, os.kill, (pid, signal.SIGKILL)).start()
        begun_s = time.monotonic()
        with pytest.raises(GeneratorError, match=r"TRex on trex-a, .* ended with exit code \d+ \(.+\) during 'run'"):
            GeneratorMeasurer(generator, BOTH).measure(REQUEST.model_copy(update={"duration_s": 3600.0}))
        assert time.monotonic() - begun_s < 30
        generator.close()
        server.restart()
        server.connect().close()
    finally:
        server.stop()


def test_two_hosts_are_one_generator(sshd: Sshd, trex: dict[str, Any], tmp_path: Path, said: list[str]) -> None:
    bed = rack(sshd.access(), trex, hosts=2)
    with serving(bed, Links(), tmp_path, said.append) as servers:
        generator = servers.connect()
        assert isinstance(generator, CombinedGenerator)
        trial = GeneratorMeasurer(generator, FOUR).measure(REQUEST)
        assert [d.tx_port for d in trial.directions] == [0, 1, 2, 3]
        assert all(d.received_frames == d.sent_frames > 0 for d in trial.directions)
        generator.close()


def test_a_server_of_others_is_refused_and_left_alone(
    sshd: Sshd, trex: dict[str, Any], tmp_path: Path, said: list[str]
) -> None:
    with socket.create_server(("127.0.0.1", 4501)) as theirs:
        with pytest.raises(GeneratorError, match="did not start listens on port 4501: end it there, or"):
            started(rack(sshd.access(), trex), tmp_path, said)
        socket.create_connection(theirs.getsockname()).close()


def refused(bed: Testbed, tmp_path: Path, error: type[LabError]) -> str:
    """Return the one line by which a start is refused."""
    with pytest.raises(error) as caught:
        trex_host.start(bed, "trex-a", tmp_path, print)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_tarball_of_another_digest_is_not_unpacked(sshd: Sshd, tmp_path: Path) -> None:
    wrong = {**release(tmp_path), "sha256": "0" * 64, "folder": str(tmp_path / "opt" / "trex")}
    assert f"not the testbed's {'0' * 64}" in refused(rack(sshd.access(), wrong), tmp_path, UsageError)
    assert not (tmp_path / "opt").exists()


def test_a_release_of_which_there_is_nothing(sshd: Sshd, tmp_path: Path) -> None:
    none = {"version": "v3.08", "folder": str(tmp_path / "none")}
    assert "no TRex release in" in refused(rack(sshd.access(), none), tmp_path, GeneratorError)


@pytest.mark.parametrize("size_mib", [1, 4])
def test_a_full_disk_is_one_line_and_leaves_nothing(sshd: Sshd, tmp_path: Path, size_mib: int) -> None:
    """The tarball does not fit into the smaller one; what is in it does not fit into the larger."""
    full = tmp_path / "full"
    full.mkdir()
    trex = {**release(tmp_path, padding=os.urandom(3 << 20)), "folder": str(full / "trex")}
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "none", str(full)], check=True)
    try:
        message = refused(rack(sshd.access(), trex), tmp_path, GeneratorError)
        assert "bytes are free" in message
        assert list(full.iterdir()) == []
    finally:
        subprocess.run(["umount", str(full)], check=True)


@pytest.mark.parametrize("version", ["v2.88", "v2.93"])
def test_a_release_that_no_client_speaks_to_is_refused_before_anything_is_done(
    sshd: Sshd, tmp_path: Path, version: str
) -> None:
    between = {"version": version, "folder": str(tmp_path / "trex")}
    assert "v2.87" in (message := refused(rack(sshd.access(), between), tmp_path, GeneratorError))
    assert "v2.94" in message


def test_another_release_than_the_testbed_names(sshd: Sshd, trex: dict[str, Any], tmp_path: Path) -> None:
    other = {**trex, "version": "v3.02"}
    assert "is v3.08, but the testbed names v3.02" in refused(rack(sshd.access(), other), tmp_path, GeneratorError)


def test_a_program_that_ends_is_told_with_its_last_words(sshd: Sshd, tmp_path: Path) -> None:
    broken = {
        **release(tmp_path, PROGRAM.replace("exec", "echo no huge pages here; exit 7;")),
        "folder": str(tmp_path / "t"),
    }
    message = refused(rack(sshd.access(), broken), tmp_path, GeneratorError)
    assert "ended with exit code 7 (no huge pages here) before it answered" in message


def test_a_changed_host_key_and_a_silent_sshd(sshd: Sshd, trex: dict[str, Any], tmp_path: Path) -> None:
    other = tmp_path / "known_hosts"
    key = (sshd.key.with_suffix(".pub")).read_text()
    other.write_text(f"[127.0.0.1]:{sshd.port} {key}")
    bed = rack(sshd.access(known_hosts=other), trex)
    assert "the host key has changed" in refused(bed, tmp_path, TestbedUnreachable)
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = free.getsockname()[1]
    bed = rack(sshd.access(port=nobody, known_hosts=sshd.known_hosts), trex)
    assert "check the address, and whether sshd runs there" in refused(bed, tmp_path, TestbedUnreachable)
