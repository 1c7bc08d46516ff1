"""The SSH connection against a real sshd: commands, files, and every way in which it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import LabError, TestbedUnreachable, UsageError
from lab.machines.ssh import SshHost
from lab.testbed.access import Credentials
from tests.machines.sshd import Sshd


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with Sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


def test_commands_and_files(sshd: Sshd, tmp_path: Path) -> None:
    there = tmp_path / "it's there"
    with SshHost(sshd.access()) as host:
        assert host.tell(["printf", "%s|", "two words", "a$b"]) == "two words|a$b|"
        host.put("text", str(there), mode=0o600)
        assert (there.read_text(), there.stat().st_mode & 0o777) == ("text", 0o600)
        host.get(str(there), tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == b"text"
        done = host.run("echo out; echo error >&2; exit 3")
        assert done == (3, "out\n", "error\n")
        with pytest.raises(LabError, match=r"ended with code 1.*No such file"):
            host.tell(["cat", "/nonexistent/file"])
        with pytest.raises(LabError, match=r"did not end within 0.3 s"):
            host.run("sleep 5", timeout_s=0.3)


def test_a_file_that_finds_no_room_is_not_left_behind(sshd: Sshd) -> None:
    with SshHost(sshd.access()) as host, pytest.raises(LabError, match="/dev/full/x cannot be written"):
        host.put("text", "/dev/full/x")


def test_what_refuses_says_why(sshd: Sshd, tmp_path: Path) -> None:
    empty = tmp_path / "known_hosts"
    empty.touch()
    with pytest.raises(TestbedUnreachable, match=r"host key is not in .*known_hosts"):
        SshHost(sshd.access(known_hosts=empty))
    other = sshd.key.with_suffix(".pub").read_text()
    empty.write_text(f"[127.0.0.1]:{sshd.port} {other}")
    with pytest.raises(TestbedUnreachable, match="the host key has changed"):
        SshHost(sshd.access(known_hosts=empty))
    with pytest.raises(TestbedUnreachable, match="the login is refused"):
        SshHost(sshd.access(user="nobody"))
    with pytest.raises(TestbedUnreachable, match="unable to connect"):
        SshHost(sshd.access(port=1))
    (tmp_path / "key").write_text("none")
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(LabError, match="is no private key"):
        SshHost(sshd.access(key=Credentials(file=tmp_path / "key")))
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        SshHost(sshd.access(key=Credentials(file=tmp_path / "key")))
