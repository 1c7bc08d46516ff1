"""A real sshd on loopback, with keys of its own, for tests of what speaks SSH."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
from pathlib import Path

from lab.rackbox.child import Child
from lab.testbed.access import Credentials, SshAccess


class Sshd:
    """sshd on a free port of 127.0.0.1, which lets the user in by a key; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.key = folder / "user_key"
        for key in (self.key, folder / "host_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        (folder / "authorized_keys").write_text(self.key.with_suffix(".pub").read_text())
        (folder / "authorized_keys").chmod(0o600)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.known_hosts = folder / "known_hosts"
        host_key = (folder / "host_key.pub").read_text()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {host_key}")
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile none\n"
            f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
            "PermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n"
            f"SetEnv PIXLAB_STATE={folder}/state\n"
        )
        self.start()

    def start(self) -> None:
        Path("/run/sshd").mkdir(exist_ok=True)
        command = [shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-e", "-f", str(self._folder / "sshd_config")]
        self._child = Child("sshd", command, self._folder / "sshd.log", self._serves)

    def _serves(self) -> bool:
        socket.create_connection(("127.0.0.1", self.port), 1.0).close()
        return True

    def access(self, **values: object) -> SshAccess:
        given = {
            "address": "127.0.0.1",
            "port": self.port,
            "user": getpass.getuser(),
            "key": Credentials(file=self.key),
            "known_hosts": self.known_hosts,
        }
        return SshAccess.model_validate({**given, **values})

    @property
    def pid(self) -> int:
        """Of the listening process; each connection has children of it."""
        return self._child.pid

    def stop(self) -> None:
        self._child.stop()

    def __enter__(self) -> Sshd:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()
