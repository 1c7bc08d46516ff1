"""The boot service: DHCP and TFTP by dnsmasq, and HTTP, for exactly one server and the files of one image."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from lab.errors import LabError
from lab.netboot import bootstrap, diagnosis, dnsmasq, http_server
from lab.netboot.place import Place
from lab.netboot.process import ServingProcess
from lab.netboot.record import ServedFile, ServedRecord
from lab.netboot.trail import Firmware, Trail

Transfer = Literal["tftp", "http"]


class BootService:
    """dnsmasq, and where it is wanted an HTTP server, answering one server; a context manager."""

    def __init__(
        self,
        place: Place,
        files: Mapping[str, Path | str],
        mac: str,
        directory: Path,
        log: Path,
        *,
        firmware: Firmware = "bios",
        transfer: Transfer = "tftp",
    ) -> None:
        """Copy files into a folder of their own and serve them.

        Args:
            place: where.
            files: by the name under which each is served, a file to copy or a text to write; DHCP names the first.
            mac: the server that gets them.
            directory: an existing folder for the served copies.
            log: what dnsmasq and the HTTP server say is added there, with time stamps.
            firmware: what the server has.
            transfer: how a server loads its first file whose PXE ROM is iPXE; another one always uses TFTP.

        Raises:
            LabError: dnsmasq is missing or did not start.

        """
        if shutil.which("dnsmasq") is None:
            raise LabError("dnsmasq is not installed: run 'apt-get install dnsmasq-base'")
        self._mac, self._place, self._firmware = mac.lower(), place, firmware
        self._root = directory / "tftp"
        self._root.mkdir()
        self._files = [_put(self._root / name, content) for name, content in files.items()]
        program = bootstrap.program(firmware) if bootstrap.is_script(self._files[0]) else None
        if program is not None:
            self._files.append(_put(self._root / program.name, program))
        endings = {file.name: (f"/{file.name}", file.stat().st_size) for file in self._files}
        self._trail = Trail(self._mac, endings, "" if place.client is None else str(place.client))
        self._log = log.open("a", encoding="utf-8")
        self._servers: list[ServingProcess] = []
        try:
            self._serve(directory / "dhcp-leases", program, transfer)
        except BaseException:
            self.close()
            raise

    def forget(self) -> None:
        """Begin a new boot: what was served before does not count for it."""
        self._trail.forget()

    def record(self) -> ServedRecord:
        """Return what has been served so far; the digests are those of the served copies as they lie there now."""
        return ServedRecord(
            files=tuple(self._served(file) for file in self._files),
            mac=self._mac,
            ip=self._trail.ip,
            requested_at_s=self._trail.requested_at_s,
            address_given_at_s=self._trail.given_at_s,
        )

    def diagnosis(self) -> str:
        """Say in words how far the server came, for the message of a boot that failed."""
        ended = [server.obituary() for server in self._servers if server.obituary()]
        if ended:
            return ended[0]
        return diagnosis.of_service(
            self._trail,
            self._mac,
            [file.name for file in self._files],
            firmware=self._firmware,
            proxy=self._place.client is None,
            moving=self._moving(),
        )

    def close(self) -> None:
        """End the service. May be called twice."""
        for server in self._servers:
            server.close()
        self._log.close()

    def __enter__(self) -> BootService:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _serve(self, leases: Path, program: Path | None, transfer: Transfer) -> None:
        name, scripted = self._files[0].name, bootstrap.is_script(self._files[0])
        plain = program.name if program else None if scripted else name
        first = dnsmasq.FirstFile(name, plain)
        if transfer == "http" or self._firmware == "uefi":
            url = self._serve_http()
            if transfer == "http":
                first = first._replace(ipxe=f"{url}/{name if scripted else self._script(url, name)}")
            if plain and self._firmware == "uefi":
                first = first._replace(uefi_http=f"{url}/{plain}")
        command = dnsmasq.command(self._place, self._mac, self._firmware, first, self._root, leases)
        # What it says last before it serves.
        self._servers.append(ServingProcess("dnsmasq", self._place.enter(command), "TFTP root is", self._read))

    def _serve_http(self) -> str:
        """Start the HTTP server and return the URL of the folder."""
        address = str(self._place.address.ip)
        command = [sys.executable, str(Path(http_server.__file__)), str(self._root), address]
        server = ServingProcess("the HTTP server", self._place.enter(command), "HTTP port ", self._read)
        self._servers.append(server)
        return f"http://{address}:{server.ready_line.rsplit(' ', 1)[1]}"

    def _script(self, url: str, name: str) -> str:
        """Put the script beside the files that starts one from an URL; return its name."""
        script = bootstrap.script(f"{url}/{name}", name, str(self._place.address.ip), "# Written by pixlab.")
        return _put(self._root / f"{name}.ipxe", script).name

    def _served(self, file: Path) -> ServedFile:
        data = file.read_bytes()
        at_s = self._trail.sent_at_s.get(file.name)
        digest = hashlib.sha256(data).hexdigest()
        return ServedFile(name=file.name, size_bytes=len(data), sha256=digest, sent=at_s is not None, sent_at_s=at_s)

    def _read(self, line: str, now_s: float) -> None:
        """Take in a line: dnsmasq itself has seconds only, so it is stamped here."""
        self._log.write(f"{now_s:.6f} {line}\n")
        self._log.flush()
        self._trail.read(line, now_s)

    def _moving(self) -> dict[str, str]:
        """Return the files that are being sent, of which dnsmasq says nothing, and how far they were read (proc(5))."""
        found = {}
        sizes = {str(file): file.stat().st_size for file in self._files}
        for server in self._servers:
            for descriptor in Path(f"/proc/{server.pid}/fd").glob("*"):
                try:
                    path = str(descriptor.readlink())
                    facts = Path(f"/proc/{server.pid}/fdinfo/{descriptor.name}").read_text(encoding="ascii")
                except OSError:
                    continue  # closed meanwhile
                if path in sizes:
                    read_bytes = int(facts.split("pos:", 1)[1].split()[0])
                    found[Path(path).name] = f"{read_bytes} of {sizes[path]} bytes"
        return found


def _put(file: Path, content: Path | str) -> Path:
    """Put a copy into the served folder, which nobody changes while it is served."""
    if isinstance(content, Path):
        shutil.copyfile(content, file)
    else:
        file.write_text(content, encoding="ascii")
    file.chmod(0o444)
    return file
