"""One run at a time; a killed run leaves nothing that blocks the next. On this machine and over SSH, with real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import paths
from lab.errors import LabError, TestbedBusy, TestbedQuarantined
from lab.testbed import Testbed, lease
from lab.testbed.lease import LeaseLost
from lab.testbed.resources import FileLease
from tests.machines.sshd import Sshd
from tests.testbed.holder import bed, holding, ssh_lease


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXLAB_STATE", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with Sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture(params=["file", "ssh"])
def testbed(request: pytest.FixtureRequest, tmp_path: Path) -> Testbed:
    if request.param == "file":
        return bed(FileLease(driver="file"))
    sshd: Sshd = request.getfixturevalue("sshd")
    return bed(ssh_lease(sshd.access(), f"{tmp_path}/shared leases", 2.0))


def far(sshd: Sshd, tmp_path: Path, expiry_s: float) -> Testbed:
    return bed(ssh_lease(sshd.access(), f"{tmp_path}/leases", expiry_s))


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = process.communicate(timeout=20)
    return process.returncode, said


def test_second_run_is_told_who_holds_it(testbed: Testbed) -> None:
    with lease.take(testbed, "the first run") as mine:
        assert mine.pid == os.getpid()
        said = f"in use by {mine.owner} .process {mine.pid}. since .* for the first run: .*pixlab lease break bench"
        with pytest.raises(TestbedBusy, match=said), lease.take(testbed, "b"):
            pass
        assert lease.look(testbed).holder == mine
        with lease.take(testbed.model_copy(update={"name": "other"}), "b"):
            pass
    assert lease.look(testbed).holder is None


def test_given_back_at_the_end_and_after_an_error(testbed: Testbed) -> None:
    with pytest.raises(KeyError), lease.take(testbed, "a"):
        raise KeyError
    with lease.take(testbed, "b"):
        pass


def test_killed_it_is_free_at_once_on_this_machine() -> None:
    testbed = bed(FileLease(driver="file"))
    holder = holding(testbed)
    with pytest.raises(TestbedBusy, match=f"process {holder.pid}"), lease.take(testbed, "b"):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with lease.take(testbed, "the second run"):
        pass


def test_killed_it_expires_over_ssh(sshd: Sshd, tmp_path: Path) -> None:
    testbed = far(sshd, tmp_path, 1.0)
    holder = holding(testbed)
    with pytest.raises(TestbedBusy, match=f"process {holder.pid}"), lease.take(testbed, "b"):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    killed_s = time.monotonic()
    while lease.look(testbed).holder is not None:
        assert time.monotonic() - killed_s < 10.0
        time.sleep(0.1)
    with lease.take(testbed, "the second run"):
        pass


def test_programs_started_meanwhile_do_not_hold_it() -> None:
    testbed = bed(FileLease(driver="file"))
    with lease.take(testbed, "a"):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        with lease.take(testbed, "b"):
            pass
    finally:
        child.kill()
        child.wait()


def test_who_loses_it_is_told_in_whatever_it_waits(testbed: Testbed) -> None:
    with pytest.raises(LeaseLost, match=r"the lease of testbed 'bench' is lost: broken by .*@") as told:
        with lease.take(testbed, "the first run"):
            broken = lease.end(testbed, "broken")
            assert broken is not None
            assert broken.purpose == "the first run"
            threading.Event().wait(20.0)
        pytest.fail("it went on")
    assert (told.value.exit_code, told.value.given_back) == (13, False)
    assert lease.end(testbed, "broken") is None


def test_a_broken_lease_is_lost_also_where_the_telling_was_swallowed(testbed: Testbed) -> None:
    with pytest.raises(LeaseLost), lease.take(testbed, "the first run"):
        lease.end(testbed, "released")
        try:
            time.sleep(20.0)
        except LabError as error:
            assert isinstance(error, LeaseLost)
            assert error.given_back


def test_quarantine(testbed: Testbed) -> None:
    with lease.take(testbed, "the run that found it"):
        lease.quarantine(testbed, "three boots failed:\nno DHCP request")
    said = "testbed 'bench' was set aside by .*@.* on 20.*: three boots failed: no DHCP request: mend it, then"
    with pytest.raises(TestbedQuarantined, match=said) as refused, lease.take(testbed, "the next run"):
        pass
    assert refused.value.exit_code == 18
    aside = lease.look(testbed).quarantine
    assert aside is not None
    assert lease.restore(testbed) == aside
    assert lease.restore(testbed) is None
    with lease.take(testbed, "the next run"):
        pass


def test_no_place_to_keep_it(tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    testbed = bed(ssh_lease(sshd.access(), f"{tmp_path}/file/x", 10.0))
    said = "the lease of testbed 'bench' cannot be kept in .*/file/x of 127.0.0.1: .*[Nn]ot a directory"
    with pytest.raises(LabError, match=said), lease.take(testbed, "a"):
        pass
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "leases").touch()
    with pytest.raises(LabError, match=r"cannot be kept in .*: make it a folder"):
        lease.look(bed(FileLease(driver="file")))


def test_the_connection_may_break_and_come_back(sshd: Sshd, tmp_path: Path) -> None:
    testbed = far(sshd, tmp_path, 3.0)
    holder = holding(testbed)
    cut(sshd)
    time.sleep(0.5)
    sshd.start()
    time.sleep(3.0)
    assert holder.poll() is None, holder.communicate()
    with pytest.raises(TestbedBusy), lease.take(testbed, "b"):
        pass
    cut(sshd)
    try:
        code, said = ended(holder)
    finally:
        sshd.start()
    assert code == 13
    assert "it could not be renewed for 3 s: SSH to" in said
    assert len(said.splitlines()) == 1


def cut(sshd: Sshd) -> None:
    """Kill sshd and all its connections."""
    listener = sshd.pid
    children = Path(f"/proc/{listener}/task/{listener}/children").read_text().split()
    sshd.stop()
    for child in children:
        os.kill(int(child), signal.SIGKILL)


JUMPING = """
import subprocess, sys, threading, time
from lab.testbed.lease.heartbeat import Heartbeat, listen, now_s
from lab.testbed.lease.model import LeaseLost, new_holder
from lab.testbed.lease.ssh_place import SshPlace
from tests.testbed.holder import ssh_lease
from lab.errors import LabError
from lab.testbed.access import SshAccess

class Here(SshPlace):
    def _told(self, command):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise LabError(" ".join(done.stderr.split()))
        return done.stdout.split("\\n")[:-1]

lease = ssh_lease(SshAccess(address="127.0.0.1", user="none"), sys.argv[1], 1.0)
place, began_s = Here("bench", lease), time.time()
listen()
place.take(new_holder("a", "a run"))
heartbeat = Heartbeat("bench", place, now_s())
try:
    while True:
        print(f"{time.time() - began_s:.0f}", flush=True)
        threading.Event().wait(0.2)
except LeaseLost as lost:
    print(lost)
"""


def test_a_clock_that_is_set_on_the_owners_side_changes_nothing(tmp_path: Path) -> None:
    """Its clock jumps while all goes well, and while the lease cannot be renewed; faketime has no patience with SSH."""
    clock, folder = tmp_path / "clock", tmp_path / "leases"
    set_clock(clock, "+0")
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    how = ("FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_NO_CACHE=1", f"FAKETIME_TIMESTAMP_FILE={clock}")
    command = ["env", *how, f"LD_PRELOAD={library}", sys.executable, "-c", JUMPING, str(folder)]
    with subprocess.Popen(command, cwd=paths.ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "0\n"
        set_clock(clock, "+1d")
        time.sleep(2.5)
        assert holder.poll() is None
        folder.rename(tmp_path / "away")
        folder.touch()
        set_clock(clock, "-1d")
        said = holder.communicate(timeout=20)[0].splitlines()
    assert "the lease of testbed 'bench' is lost: it could not be renewed for 1 s: " in said.pop()
    assert {round(int(seconds) / 86400) for seconds in said} >= {1, -1}


def set_clock(file: Path, by: str) -> None:
    file.with_suffix(".new").write_text(by)
    file.with_suffix(".new").replace(file)  # it is read at any moment


RACER = """
import json, os, sys
from lab.errors import TestbedBusy
from lab.testbed import Testbed, lease
testbed, alone = Testbed.model_validate_json(sys.argv[1]), sys.argv[2]
taken = 0
while taken < 100:
    try:
        with lease.take(testbed, "a race"):
            os.close(os.open(alone, os.O_CREAT | os.O_EXCL))
            taken += 1
            os.unlink(alone)
    except TestbedBusy:
        pass
"""


def test_two_processes_race(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RACER, bed(FileLease(driver="file")).model_dump_json(), str(tmp_path / "alone")]
    racers = [subprocess.Popen(command, cwd=paths.ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [racer.communicate(timeout=60)[1] for racer in racers] == ["", ""]
