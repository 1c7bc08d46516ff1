"""A real sshd on loopback, with keys of its own, for tests of what speaks SSH."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import time
from pathlib import Path

from lab.process import dying_with_parent
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
        program = shutil.which("sshd") or "/usr/sbin/sshd"
        command = [program, "-D", "-e", "-f", str(self._folder / "sshd_config")]
        with (self._folder / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen(dying_with_parent(command), stdin=subprocess.DEVNULL, stderr=log)
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
                return
            except OSError:
                time.sleep(0.01)
        raise AssertionError("sshd did not start: " + (self._folder / "sshd.log").read_text())

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
        return self._process.pid

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Sshd:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()
