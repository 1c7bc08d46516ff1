"""The rack in a box, raised for real: networks, a server behind controllers, a TRex host."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lab.errors import TestbedUnreachable as Unreachable
from lab.machines.consoles import open_console
from lab.machines.deadline import Deadline
from lab.machines.power import connect
from lab.machines.ssh import SshHost
from lab.rackbox import machine, raised, release
from lab.rackbox.chassis import POST_S
from lab.testbed import Testbed, load
from lab.testbed.access import SshAccess
from lab.testbed.resources import Server, TrexHost

_BOOT_LIMIT_S = 60.0


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def bed(run_dir: Path) -> Iterator[Testbed]:
    """The testbed, with its box around this thread."""
    with raised(load("rackbox"), run_dir):
        yield load("rackbox")


@pytest.fixture
def folder(bed: Testbed) -> Path:
    return Path(os.environ["PIXLAB_RACKBOX"])


@pytest.fixture
def access(bed: Testbed) -> SshAccess:
    trex = bed.generator.machine
    assert isinstance(trex, TrexHost)
    assert trex.ssh is not None
    return trex.ssh


def test_everything_is_removed(tmp_path: Path) -> None:
    network, cores = Path("/proc/self/ns/net").readlink(), os.sched_getaffinity(0)
    with raised(load("rackbox"), tmp_path):
        folder = Path(os.environ["PIXLAB_RACKBOX"])
        assert Path("/proc/self/ns/net").readlink() != network
        pids = [int(line.split()[0]) for line in (folder / "processes").read_text().splitlines()]
        assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    assert Path("/proc/self/ns/net").readlink() == network
    assert os.sched_getaffinity(0) == cores
    assert not folder.exists()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert "PIXLAB_RACKBOX" not in os.environ
    assert (tmp_path / "rackbox-sshd.log").exists()


def test_nothing_leads_out(bed: Testbed) -> None:
    routes = subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout
    assert sorted(line.split()[0] for line in routes.splitlines()) == ["192.0.2.0/24", "198.51.100.0/24"]


def test_trex_host_is_a_machine_with_a_verified_key(access: SshAccess, tmp_path: Path) -> None:
    with SshHost(access) as host:
        assert host.tell(["readlink", "/proc/self/ns/net"]).strip() != str(Path("/proc/self/ns/net").readlink())
        assert "sshd" in host.tell(["cat", "/proc/1/comm"])
    nobody = tmp_path / "known_hosts"
    nobody.write_text("")
    with pytest.raises(Unreachable, match="host key is not in"):
        SshHost(access.model_copy(update={"known_hosts": nobody}))


def test_release_is_the_one_that_the_testbeds_name(tmp_path: Path) -> None:
    release.write(tmp_path / "trex.tar")
    digest = hashlib.sha256((tmp_path / "trex.tar").read_bytes()).hexdigest()
    for name in ("rackbox", "rackbox-uefi"):
        trex = load(name).generator.machine
        assert isinstance(trex, TrexHost)
        assert trex.release is not None
        assert (trex.release.sha256, trex.release.version) == (digest, release.VERSION)


def test_release_starts_on_the_trex_host(access: SshAccess, folder: Path) -> None:
    with SshHost(access) as host:
        host.tell(["tar", "-xf", str(folder / "trex.tar"), "-C", str(folder)])
        assert "--cfg FILE" in host.tell([str(folder / release.VERSION / "t-rex-64"), "--help"])


def test_server_boots_what_it_is_told_to_for_one_start(bed: Testbed, tmp_path: Path) -> None:
    server = bed.dut.machine
    assert isinstance(server, Server)
    power = connect(server.power)
    console = open_console(server.console, tmp_path / "console.log")
    try:
        assert power.state() == "off"
        power.on()
        console.read_until("Boot failed: not a bootable disk", Deadline(_BOOT_LIMIT_S))
        power.boot_from_network()
        power.boot_from_network()  # said twice is said once
        power.reset()
        console.read_until("Booting from ROM", Deadline(_BOOT_LIMIT_S))
        console.read_until("iPXE initialising devices", Deadline(_BOOT_LIMIT_S))
        console.read_until("Configuring (net0 52:54:00:12:0b:ff)", Deadline(_BOOT_LIMIT_S))
        time.sleep(POST_S)
        power.reset()
        console.read_until("Boot failed: not a bootable disk", Deadline(_BOOT_LIMIT_S))
        assert power.state() == "on"
        power.off()
        assert power.state() == "off"
    finally:
        console.close()
        power.close()


def test_machine_says_why_it_cannot(folder: Path) -> None:
    def complaint(*words: str) -> str:
        done = subprocess.run([folder / "machine", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stdout == ""
        return done.stderr

    assert complaint("reset") == "pixlab: the machine is off: it cannot be reset\n"
    assert "did you mean 'reset'?" in complaint("rest")
    assert machine.failure(machine.failed("a\nb")) == "a b"


def test_no_secret_can_be_read_by_others(bed: Testbed, folder: Path, run_dir: Path) -> None:
    password = (folder / "bmc").read_text().strip().partition(":")[2]
    assert len(password) == 16
    server = bed.dut.machine
    assert isinstance(server, Server)
    with closing(open_console(server.console, run_dir / "console.log")), closing(connect(server.power)) as power:
        assert power.state() == "off"
        processes = [*Path("/proc").glob("[0-9]*/cmdline"), *Path("/proc").glob("[0-9]*/environ")]
        readable = [file for file in [*processes, *run_dir.iterdir()] if password.encode() in _content(file)]
    assert readable == []
    assert folder.stat().st_mode & 0o077 == 0
    holders = [file for file in folder.rglob("*") if file.is_file() and password.encode() in _content(file)]
    assert {file.name for file in holders} >= {"bmc", "lan.conf"}
    assert all(file.stat().st_mode & 0o077 == 0 for file in holders)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # it has ended
        return b""
