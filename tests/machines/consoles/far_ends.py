"""What consoles lead to in tests: a machine on a pseudo-terminal, and a real console server in front of it."""

from __future__ import annotations

import os
import pty
import select
import socket
import threading
import time
import tty
from pathlib import Path

from lab.rackbox.child import Child

FIFO_BYTES = 16


class SerialMachine:
    """The machine at the far end of a serial line: echoes, and answers each line with it in capitals and a prompt.

    It looks at its receiver once a millisecond, whose FIFO has 16 bytes: of what came meanwhile the rest is lost. It
    counts what it lost, as a UART's overrun bit tells.
    """

    def __init__(self) -> None:
        self.lost_bytes = 0
        self.heard = b""
        self._own, self._line = pty.openpty()
        tty.setraw(self._line)
        self.device = Path(os.ttyname(self._line))
        self._ending = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def say(self, data: bytes) -> None:
        os.write(self._own, data)

    def close(self) -> None:
        self._ending = True
        self._thread.join()
        os.close(self._own)
        os.close(self._line)

    def _serve(self) -> None:
        line = b""
        while not self._ending:
            if not select.select([self._own], [], [], 0.02)[0]:
                continue
            data = os.read(self._own, 4096)
            self.lost_bytes += max(0, len(data) - FIFO_BYTES)
            data = data[:FIFO_BYTES]
            self.heard += data
            self.say(data.replace(b"\r", b"\r\n"))
            line += data
            while b"\r" in line:
                command, line = line.split(b"\r", 1)
                self.say(command.upper() + b"\r\npix> ")
            time.sleep(0.001)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Ser2net(Child):
    """ser2net with one serial device on one port of 127.0.0.1, which one client at a time may have."""

    def __init__(self, folder: Path, device: Path, port: int, *, telnet: bool) -> None:
        accepter = f"telnet(rfc2217),tcp,127.0.0.1,{port}" if telnet else f"tcp,127.0.0.1,{port}"
        config = folder / f"ser2net-{port}.yaml"
        config.write_text(
            f"connection: &line\n  accepter: {accepter}\n  connector: serialdev,{device},115200n81,local\n"
        )
        log = folder / "ser2net.log"
        super().__init__("ser2net", ["ser2net", "-n", "-d", "-c", str(config)], log, lambda: listens(port))


def listens(port: int) -> bool:
    """Look in the kernel's table, since a connection would take the line."""
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(row.split()[1].endswith(f":{port:04X}") and row.split()[3] == "0A" for row in rows)
