"""The boot service: DHCP and TFTP by dnsmasq, for exactly one machine and the files of one image."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from lab.errors import LabError
from lab.models import Model
from lab.netboot.network import CLIENT, IPV6_NETWORK, SERVER, TAP, BootNetwork
from lab.process import dying_with_parent

# iPXE's option 175.176, "no-pxedhcp": do not wait two seconds for a second DHCP server that only knows about PXE.
_NO_PROXY_DHCP = "--dhcp-option=encap:175,176,1b"


class ServedFile(Model):
    """A file as it lies in the served folder, and when it was last sent in full (Unix time; None: it was not)."""

    name: str
    size_bytes: int
    sha256: str
    sent_at_s: float | None


class ServedRecord(Model):
    """What the boot service handed out, to whom, and when (Unix time, None for what did not happen).

    ``files`` begins with the one that DHCP names.
    """

    files: tuple[ServedFile, ...]
    mac: str
    ip: str
    requested_at_s: float | None
    address_given_at_s: float | None

    @property
    def sent(self) -> tuple[ServedFile, ...]:
        """The files that were sent in full."""
        return tuple(file for file in self.files if file.sent_at_s is not None)

    @property
    def sent_at_s(self) -> float | None:
        """When the last of the files that were sent had been sent; None where none was."""
        return max((file.sent_at_s for file in self.sent if file.sent_at_s is not None), default=None)


class BootService:
    """dnsmasq in the boot network's namespace, answering one machine; a context manager."""

    def __init__(
        self, network: BootNetwork, files: Mapping[str, Path | str], mac: str, directory: Path, log: Path
    ) -> None:
        """Copy files into a folder of their own and serve them.

        Args:
            network: where.
            files: by the name under which each is served, a file to copy or a text to write; DHCP names the first.
            mac: the machine that gets them.
            directory: an existing folder for the served copies.
            log: what dnsmasq says goes there, with time stamps.

        Raises:
            LabError: dnsmasq is missing or did not start.

        """
        if shutil.which("dnsmasq") is None:
            raise LabError("dnsmasq is not installed: run 'apt-get install dnsmasq-base'")
        self._mac = mac.lower()
        root = directory / "tftp"
        root.mkdir()
        self._files = [_put(root / name, content) for name, content in files.items()]
        self._events: dict[str, float] = {}
        self._lines: list[str] = []
        self._log = log.open("a", encoding="utf-8")
        self._started = threading.Event()
        command = network.enter(_command(self._mac, root, self._files[0].name, directory / "dhcp-leases", network.ipv6))
        self._process = subprocess.Popen(
            dying_with_parent(command),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._started.wait(5.0):
            self.close()
            raise LabError(f"dnsmasq did not start: {self._lines[-1] if self._lines else 'it said nothing'}")

    def forget(self) -> None:
        """Begin a new boot: what was served before does not count for it."""
        self._events.clear()

    def record(self) -> ServedRecord:
        """Return what has been served so far; the digests are those of the served copies as they lie there now."""
        return ServedRecord(
            files=tuple(self._served(file) for file in self._files),
            mac=self._mac,
            ip=CLIENT,
            requested_at_s=self._events.get("requested"),
            address_given_at_s=self._events.get("given"),
        )

    def diagnosis(self) -> str:
        """Say in words how far the machine came, for the message of a boot that failed."""
        if "requested" not in self._events:
            return f"no DHCP request came from {self._mac}: its PXE ROM did not run, or its boot NIC has no link"
        if "given" not in self._events:
            return f"{self._mac} asked for an address and did not take the offered one"
        sent = [file.name for file in self._files if str(file) in self._events]
        if not sent:
            return f"{self._mac} took the address {CLIENT} and did not fetch {self._files[0].name} by TFTP"
        return f"{' and '.join(sent)} was sent to {self._mac} in full"

    def close(self) -> None:
        """End the service."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._log.close()

    def __enter__(self) -> BootService:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _served(self, file: Path) -> ServedFile:
        data = file.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        return ServedFile(name=file.name, size_bytes=len(data), sha256=digest, sent_at_s=self._events.get(str(file)))

    def _read(self) -> None:
        """Stamp each line with the time that it came at: dnsmasq itself has seconds only."""
        assert self._process.stderr is not None
        patterns = {
            "requested": re.compile(rf"DHCPDISCOVER\({TAP}\) {self._mac}"),
            "given": re.compile(rf"DHCPACK\({TAP}\) {re.escape(CLIENT)} {self._mac}"),
        }
        for file in self._files:
            patterns[str(file)] = re.compile(rf"sent {re.escape(str(file))} to {re.escape(CLIENT)}")
        for line in self._process.stderr:
            now_s = time.time()
            self._log.write(f"{now_s:.6f} {line.rstrip()}\n")
            self._log.flush()
            self._lines.append(line.rstrip())
            if "TFTP root is" in line:  # the last thing that dnsmasq says before it serves
                self._started.set()
            for event, pattern in patterns.items():
                if pattern.search(line):
                    self._events[event] = now_s


def _put(file: Path, content: Path | str) -> Path:
    """Put a copy into the served folder, which nobody changes while it is served."""
    if isinstance(content, Path):
        shutil.copyfile(content, file)
    else:
        file.write_text(content, encoding="ascii")
    file.chmod(0o444)
    return file


def _command(mac: str, root: Path, file: str, leases: Path, ipv6: bool) -> list[str]:
    """Write dnsmasq's command line: no configuration of the host is read, no DNS, nobody but ``mac`` is answered."""
    command = ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--no-resolv", "--no-hosts"]
    command += [f"--interface={TAP}", "--bind-interfaces", f"--listen-address={SERVER}", f"--dhcp-leasefile={leases}"]
    command += [
        f"--dhcp-range={CLIENT},static,255.255.255.0",
        f"--dhcp-host={mac},{CLIENT}",
        "--dhcp-ignore=tag:!known",
    ]
    # iPXE asks for IPv6 routers, whatever DHCP says, and waits for 16 s when none answers: so one does.
    command += [f"--dhcp-range={IPV6_NETWORK},ra-only", "--enable-ra"] if ipv6 else []
    command += ["--enable-tftp", f"--tftp-root={root}", f"--dhcp-boot={file}", _NO_PROXY_DHCP]
    return command
