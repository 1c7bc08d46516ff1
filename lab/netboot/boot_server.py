"""Files for one server on a boot server that is there already, put there by SSH and taken away afterwards."""

from __future__ import annotations

import posixpath
import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from lab.errors import LabError
from lab.machines.ssh import SshHost
from lab.netboot import bootstrap, diagnosis
from lab.netboot.record import ServedFile, ServedRecord
from lab.netboot.trail import Trail
from lab.testbed.boots import BootServer

_ENTRIES = "by-mac"
_OWN_FOLDER = ".pixlab"
_MARK = "# Put here by pixlab for the time of a run"


class PlacedFiles:
    """An entry for one MAC, and its files in a folder beside it; a context manager.

    A connection is made for each thing to do: a run lasts for hours, and what is to be done here is over in seconds.
    """

    def __init__(self, boot: BootServer, files: Mapping[str, Path | str], log: Path) -> None:
        """Put the files and then the entry there, over what a run that was killed has left.

        Args:
            boot: where, and for which MAC.
            files: by name, a file or a text; the entry has the first one booted.
            log: what was put there, and what the boot server's own log says, is added to it with time stamps.

        Raises:
            TestbedUnreachable: nobody answers there.
            LabError: they cannot be put there, or the entry is somebody else's.

        """
        self._boot, self._log = boot, log
        stem = posixpath.join(_ENTRIES, boot.mac.replace(":", "-"))
        self._entry = posixpath.join(boot.directory, f"{stem}.ipxe")
        self._folder = posixpath.join(boot.directory, f"{stem}{_OWN_FOLDER}")
        self._names = list(files)
        sizes = {
            name: len(content) if isinstance(content, str) else content.stat().st_size
            for name, content in files.items()
        }
        self._trail = Trail(boot.mac, {name: (f"{stem}{_OWN_FOLDER}/{name}", sizes[name]) for name in files})
        self._log_bytes, self._log_rest = 0, ""
        self._placed = True
        with SshHost(boot.ssh) as host:
            self._require_ours(host)
            folder = shlex.quote(self._folder)
            host.tell(f"rm -rf {folder} && mkdir -p {folder}")
            for name, content in files.items():
                host.put(content, posixpath.join(self._folder, name))
            host.put(_entry(boot, f"{stem}{_OWN_FOLDER}/{self._names[0]}"), self._entry)
            self._note(f"put {', '.join(files)} into {self._folder} of {host.where}, and the entry {self._entry}")
            self._skip_log(host)

    def forget(self) -> None:
        """Begin a new boot: what the boot server's log says so far does not count for it."""
        self._trail.forget()
        if self._boot.log is not None:
            with SshHost(self._boot.ssh) as host:
                self._skip_log(host)

    def record(self) -> ServedRecord:
        """Return what lies there now, and what of it was sent as far as the boot server's log is read.

        Raises:
            LabError: it cannot be asked, or a file is gone.

        """
        with SshHost(self._boot.ssh) as host:
            self._read_log(host)
            listed = shlex.join(posixpath.join(self._folder, name) for name in self._names)
            told = host.tell(f"sha256sum {listed} && stat --format=%s {listed}").splitlines()
        digests = [line.split()[0].lstrip("\\") for line in told[: len(self._names)]]
        sizes = [int(line) for line in told[len(self._names) :]]
        return ServedRecord(
            files=tuple(
                ServedFile(name=name, size_bytes=size, sha256=sha256, sent=self._sent(name))
                for name, sha256, size in zip(self._names, digests, sizes, strict=True)
            ),
            mac=self._boot.mac,
            ip=self._trail.ip,
            requested_at_s=None,  # its clock is another one, and its log is read afterwards
            address_given_at_s=None,
        )

    def diagnosis(self) -> str:
        """Say in a clause how far the server came, as far as the boot server's log is read."""
        if self._boot.log is None:
            return (
                f"what {self._boot.mac} fetched from {self._boot.ssh.address} is not known: name a log of that boot "
                "server in the testbed (boot.log)"
            )
        try:
            with SshHost(self._boot.ssh) as host:
                self._read_log(host)
        except LabError as error:
            return f"what {self._boot.mac} fetched is not known ({error})"
        seen = diagnosis.of_files(self._trail, self._boot.mac, self._names, moving={})
        if seen:
            return seen
        if self._trail.requested_at_s is None:
            return f"{self._boot.log} of {self._boot.ssh.address} tells of no request of {self._boot.mac}"
        return f"{self._boot.mac} asked {self._boot.ssh.address} for an address and did not fetch {self._names[0]}"

    def close(self) -> None:
        """Take the entry and the files away. May be called twice."""
        if not self._placed:
            return
        self._placed = False
        with SshHost(self._boot.ssh) as host:
            host.tell(["rm", "-rf", self._entry, self._folder])
            self._note(f"removed {self._entry} and {self._folder}")

    def __enter__(self) -> PlacedFiles:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _sent(self, name: str) -> bool | None:
        return None if self._boot.log is None else name in self._trail.sent_at_s

    def _require_ours(self, host: SshHost) -> None:
        """Raise LabError for an entry that is there and was not put there by the lab."""
        path = shlex.quote(self._entry)
        found = host.tell(f"if test -e {path}; then head -n 2 {path}; else echo {shlex.quote(_MARK)}; fi")
        if _MARK not in found:
            raise LabError(
                f"{host.where}: {self._entry} is there and was not written by the lab: move it away, or ask who else "
                f"boots {self._boot.mac}"
            )

    def _skip_log(self, host: SshHost) -> None:
        if self._boot.log is not None:
            self._log_bytes = int(host.tell(["stat", "--dereference", "--format=%s", self._boot.log]))
            self._log_rest = ""

    def _read_log(self, host: SshHost) -> None:
        """Take in what was added to the log since it was read last; a log that was begun anew is read from its top."""
        if self._boot.log is None:
            return
        log = shlex.quote(self._boot.log)
        told = host.tell(
            f"size=$(stat --dereference --format=%s {log}) || exit; begin={self._log_bytes}; "
            '[ "$size" -ge "$begin" ] || begin=0; echo "$size"; '
            f'tail -c "+$((begin + 1))" {log} | head -c "$((size - begin))"'
        )
        size, _, added = told.partition("\n")
        self._log_bytes = int(size)
        whole, _, self._log_rest = (self._log_rest + added).rpartition("\n")
        for line in whole.splitlines():
            self._trail.read(line, time.time())
            if self._boot.mac in line or self._boot.mac.replace(":", "-") in line:
                self._note(line)

    def _note(self, text: str) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{time.time():.6f} boot server: {text}\n")


def _entry(boot: BootServer, path: str) -> str:
    """Write the iPXE script that boots a file, given by its path below the boot server's folder."""
    url = f"{boot.url}/{path}"
    where = urlsplit(url)
    beside = where.path.removeprefix("/") if where.scheme == "tftp" else None
    said = f"{_MARK} of the server {boot.mac}; it takes it away again."
    return bootstrap.script(url, beside, where.hostname or "", said)
