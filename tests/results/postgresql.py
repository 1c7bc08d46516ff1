"""A PostgreSQL server of its own for tests: a new cluster in a temporary folder, on a unix socket alone."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PASSWORD = "geheim"
_USER = "postgres"  # of the Debian package; neither initdb nor postgres runs as root
_PATIENCE_S = 30.0


class Server:
    """A server that runs."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self._folder = folder
        self._process = process

    def url(self, password: str = PASSWORD, database: str = "postgres") -> str:
        return f"postgresql://pix:{password}@/{database}?host={self._folder}"

    def stop(self) -> None:
        """End it at once, as a crash does not but a restart of its host does."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(_PATIENCE_S)


@contextmanager
def server() -> Iterator[Server]:
    """Start a server; end it and remove what it wrote."""
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    folder = Path(tempfile.mkdtemp(prefix=f"pixlab-pg-{os.getpid()}-", dir="/tmp"))  # others may not enter pytest's own
    user = _USER if os.getuid() == 0 else None
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    password, data = folder / "password", folder / "data"
    password.write_text(PASSWORD)
    password.chmod(0o644)
    try:
        make = (binaries / "initdb", "-D", data, "-U", "pix", "-A", "scram-sha-256", f"--pwfile={password}", "-N")
        subprocess.run(make, user=user, group=user, cwd=folder, check=True, capture_output=True, timeout=60)
        with (folder / "log").open("wb") as log:
            begin = (binaries / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-F")
            process = subprocess.Popen(begin, user=user, group=user, cwd=folder, stdout=log, stderr=log)
        running = Server(folder, process)
        try:
            _wait(folder, process)
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(folder)


def _wait(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until it takes connections: the last line of its pid file then says so."""
    until_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until_s and process.poll() is None:
        pid_file = folder / "data" / "postmaster.pid"
        if pid_file.exists() and pid_file.read_text().split()[-1:] == ["ready"]:
            return
        time.sleep(0.05)
    raise AssertionError(f"PostgreSQL did not start: {(folder / 'log').read_text()}")
