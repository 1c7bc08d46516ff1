"""A baseboard controller that speaks Redfish: sushy-tools' emulator, which switches a machine by a command."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import bcrypt

from lab.rackbox.certificate import write_certificate
from lab.rackbox.child import Child
from lab.testbed.boots import Firmware
from lab.testbed.secrets import Login

_ANSWER_LIMIT_S = 0.2
# The emulator checks the password with every request; 2^4 rounds are the fewest that bcrypt takes.
_BCRYPT_ROUNDS = 4


class RedfishEmulator(Child):
    """A process that serves Redfish for one machine, by HTTPS with a login.

    ``certificate`` is the file with the certificate that it shows.
    """

    def __init__(
        self,
        directory: Path,
        *,
        address: str,
        port: int,
        login: Login,
        program: Sequence[str],
        firmware: Firmware = "uefi",
        system: str = "dut",
        https: bool = True,
    ) -> None:
        """Start it and wait until it takes connections.

        Args:
            directory: for its certificate, its configuration, its state and its log; is created.
            address: IP address to listen at.
            port: TCP port.
            login: of its only user.
            program: command line that is called with ``on``, ``off``, ``state`` (prints the word on or off), ``reset``
                or ``boot pxe`` added, and ends with code 0 when it was done. Requests wait for its end.
            firmware: what the machine boots with.
            system: name of the system, the last part of its URI.
            https: with TLS, or without.

        Raises:
            LabError: it did not come up.

        """
        directory.mkdir(parents=True, exist_ok=True)
        self.certificate = directory / "certificate.pem"
        key, htpasswd, config = directory / "key.pem", directory / "htpasswd", directory / "config.json"
        if https:
            write_certificate(self.certificate, key, address)
        htpasswd.touch(mode=0o600)
        digest = bcrypt.hashpw(login.password.encode(), bcrypt.gensalt(_BCRYPT_ROUNDS))
        htpasswd.write_text(f"{login.user}:{digest.decode()}\n", encoding="utf-8")
        settings = {
            "address": address,
            "port": port,
            "certificate": str(self.certificate) if https else None,
            "key": str(key),
            "htpasswd": str(htpasswd),
            "state": str(directory / "state"),
            "program": list(program),
            "firmware": firmware,
            "system": system,
        }
        config.write_text(json.dumps(settings), encoding="utf-8")
        super().__init__(
            f"the Redfish controller at {address} port {port}",
            [sys.executable, "-m", "lab.rackbox.redfish_server", str(config)],
            directory / "redfish.log",
            lambda: _listens(address, port),
        )


def _listens(address: str, port: int) -> bool:
    socket.create_connection((address, port), _ANSWER_LIMIT_S).close()
    return True
