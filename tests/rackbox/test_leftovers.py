"""A lab that is killed leaves no process, no namespace and, after the next start, no folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab import paths
from lab.rackbox.folder import BoxFolder, clean_up

_RAISES = """
import os, subprocess, sys, time
from pathlib import Path
from lab.machines.ssh import SshHost
from lab.rackbox import machine, raised
from lab.testbed import load
with raised(load("rackbox"), Path(sys.argv[1])):
    folder = os.environ["PIXLAB_RACKBOX"]
    machine.ask(folder + "/power", ["on"])
    with SshHost(load("rackbox").generator.machine.ssh) as host:
        host.tell("setsid sleep 1000.%d > /dev/null 2>&1 < /dev/null &" % os.getpid())
    print(folder, flush=True)
    time.sleep(100)
"""


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of boxes of other labs of this machine are not this test's."""
    monkeypatch.setenv("PIXLAB_RUNTIME", str(tmp_path / "r"))


def test_killed_lab_leaves_nothing(tmp_path: Path) -> None:
    lab = subprocess.Popen([sys.executable, "-c", _RAISES, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert lab.stdout is not None
    with lab.stdout as said:
        folder = Path(said.readline().strip())
    assert folder.parent == paths.runtime_dir()
    mine = _processes_with(folder, f"1000.{lab.pid}")
    assert {"qemu-system-x86_64", "ipmi_sim", "sleep"} <= {_name(pid) for pid in mine}
    assert clean_up() == []  # it is in use
    os.kill(lab.pid, signal.SIGKILL)
    lab.wait()
    deadline_s = time.monotonic() + 5.0
    while any(_name(pid) for pid in mine) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert [_name(pid) for pid in mine if _name(pid)] == []
    assert folder.exists()
    assert clean_up() == [folder]
    assert not folder.exists()


def test_only_a_process_of_the_box_itself_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = BoxFolder()
    listed, other = (subprocess.Popen(["sleep", "100"]) for _ in range(2))
    try:
        folder.add_process(listed.pid)
        with (folder.path / "processes").open("a") as file:
            file.write(f"{other.pid} 1\n")  # its number was another process's before
        (folder.path / "owner").write_text(f"{os.getpid()} 1\n")  # as was this one's
        assert clean_up() == [folder.path]
        assert listed.wait(5.0) == -signal.SIGKILL
        assert other.poll() is None
    finally:
        for process in (listed, other):
            process.kill()
            process.wait()


def _processes_with(*marks: object) -> list[int]:
    """Return the processes on whose command line a mark is, or which hold a namespace of the box."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if any(str(mark) in words for mark in marks) and int(file.parent.name) != os.getpid():
            found.append(int(file.parent.name))
    for line in (Path(str(marks[0])) / "processes").read_text().splitlines():
        found.append(int(line.split()[0]))
    return sorted(set(found))


def _name(pid: int) -> str:
    """Return the name of a running process; empty: there is none, or it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return "" if lines[2].split()[1] == "Z" else Path(f"/proc/{pid}/exe").readlink().name
    except OSError:
        return ""
