"""A TRex host of a box: a namespace of processes whose first is sshd. What runs there ends with it."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lab import paths
from lab.errors import LabError
from lab.rackbox import release
from lab.rackbox.child import Child

_ANSWER_LIMIT_S = 0.2
# DPDK keeps files there by process ids, which several TRex hosts have alike; sshd(8) needs its folder.
_OWN_RUN = "mount -t tmpfs tmpfs /run; mkdir /run/sshd"


class TrexMachine(Child):
    """sshd on the machine, which lets the user of the lab in by one key."""

    def __init__(
        self, address: str, port: int, *, directory: Path, key: Path, cables: Path, cores: Sequence[int]
    ) -> None:
        """Start it inside the calling thread's network.

        Args:
            address: to listen at.
            port: TCP port.
            directory: for its configuration, its host key and its log; is created.
            key: private key that is let in; its public half lies beside it.
            cables: folder with the sockets of the data ports.
            cores: the host's cores that all of it runs on.

        Raises:
            LabError: a program is missing, or it did not come up.

        """
        self._where = address if port == 22 else f"[{address}]:{port}"
        program = shutil.which("sshd") or "/usr/sbin/sshd"
        if not Path(program).exists():
            raise LabError("sshd is not installed: run 'apt-get install openssh-server'")
        directory.mkdir()
        make_key(directory / "host_key")
        self._host_key = (directory / "host_key.pub").read_text(encoding="ascii")
        config = directory / "sshd_config"
        config.write_text(_config(address, port, directory, key, cables), encoding="utf-8")
        own_processes = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]
        words = [*own_processes, "sh", "-ec", f'{_OWN_RUN}; exec "$0" "$@"', program, "-D", "-e", "-f", str(config)]
        super().__init__(
            f"sshd of the TRex host {address}",
            ["taskset", "--cpu-list", ",".join(map(str, cores)), *words],
            directory / "sshd.log",
            lambda: _listens(address, port),
        )

    @property
    def known_host(self) -> str:
        """Its line for known_hosts."""
        return f"{self._where} {self._host_key}"


def make_key(path: Path) -> None:
    """Make a private key (mode 0600) and, beside it, its public half ``.pub``; LabError where that cannot be."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "rackbox", "-f", str(path)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise LabError(f"no SSH key can be made: {error}: run 'apt-get install openssh-client'") from error


def _config(address: str, port: int, directory: Path, key: Path, cables: Path) -> str:
    environment = {
        release.PYTHON: sys.executable,
        release.CABLES: cables,
        "PYTHONPATH": paths.ROOT,
        # What the lab keeps on a TRex host, and where the testbed says that the release is unpacked to.
        "PIXLAB_STATE": directory / "state",
        "PIXLAB_RACKBOX": cables.parent,
    }
    given = " ".join(f'"{name}={value}"' for name, value in environment.items())
    return "\n".join(
        [
            f"ListenAddress {address}:{port}",
            f"HostKey {directory / 'host_key'}",
            "PidFile none",
            f"AuthorizedKeysFile {key}.pub",
            f"AllowUsers {getpass.getuser()}",
            "StrictModes no",  # the folder is the box's own, which only its owner may enter
            "UsePAM no",
            "PasswordAuthentication no",
            "PermitRootLogin prohibit-password",
            f"SetEnv {given}",
            "Subsystem sftp internal-sftp",
            "",
        ]
    )


def _listens(address: str, port: int) -> bool:
    socket.create_connection((address, port), _ANSWER_LIMIT_S).close()
    return True
