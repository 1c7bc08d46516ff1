"""``python -m lab.rackbox.server FOLDER LOG NETWORK PORT``: the process that is the box's server.

It has the chassis (power) behind the unix socket ``power`` of the folder, and the serial port, which is there with
power and without, on TCP port PORT of 127.0.0.1 for a controller's serial over LAN. QEMU is its child and ends with it.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import sys
from pathlib import Path

from lab.errors import LabError
from lab.rackbox.chassis import Chassis
from lab.rackbox.child import Child
from lab.rackbox.hardware import Hardware
from lab.rackbox.machine import ask, failed

HARDWARE = "hardware.json"
POWER = "power"
SERIAL = "serial"


class Line:
    """The serial line between the machine and who listens at its far end: one of each, the latest that came.

    What is sent while nobody is at the other end is lost, as on a line.
    """

    def __init__(self, machine: socket.socket, far_end: socket.socket, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._ends: dict[str, socket.socket] = {}
        for end, listener in (("machine", machine), ("far end", far_end)):
            selector.register(listener, selectors.EVENT_READ, lambda end=end, at=listener: self._joined(end, at))

    def _joined(self, end: str, listener: socket.socket) -> None:
        self._left(end)
        connection, _ = listener.accept()
        self._ends[end] = connection
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._came(end, connection))

    def _left(self, end: str) -> None:
        connection = self._ends.pop(end, None)
        if connection is not None:
            self._selector.unregister(connection)
            connection.close()

    def _came(self, end: str, connection: socket.socket) -> None:
        try:
            data = connection.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._left(end)
            return
        other = "far end" if end == "machine" else "machine"
        if other in self._ends:
            try:
                self._ends[other].sendall(data)
            except OSError:
                self._left(other)


def _answer(listener: socket.socket, chassis: Chassis) -> None:
    """Do what one controller asks for."""
    connection, _ = listener.accept()
    with connection, contextlib.suppress(OSError):
        connection.settimeout(5.0)
        words = connection.makefile("r", encoding="utf-8").readline().split()
        try:
            answer = chassis.ask(words)
        except LabError as error:
            answer = failed(str(error))
        connection.sendall(answer.encode() + b"\n")


def _unix(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()
    return listener


def serve(folder: Path, log: Path, network: str, port: int) -> None:
    """Be the server until killed.

    Args:
        folder: the box's, with the file hardware.json.
        log: for what QEMU says.
        network: file of the server's network namespace.
        port: of 127.0.0.1, for the serial line.

    """
    hardware = Hardware.model_validate_json((folder / HARDWARE).read_text(encoding="utf-8"))
    chassis = Chassis(hardware, folder, log, lambda command: ["nsenter", f"--net={network}", "--", *command])
    selector = selectors.DefaultSelector()
    power = _unix(folder / POWER)
    far_end = socket.create_server(("127.0.0.1", port))
    Line(_unix(folder / SERIAL), far_end, selector)
    selector.register(power, selectors.EVENT_READ, lambda: _answer(power, chassis))
    while True:
        for key, _ in selector.select():
            if key.fileobj in {other.fileobj for other in selector.get_map().values()}:  # not closed by one before
                key.data()


def start(folder: Path, log: Path, network: str, port: int) -> Child:
    """Start it, in the network of the calling thread; arguments of ``serve``. LabError: it did not start."""
    command = [sys.executable, "-m", "lab.rackbox.server", str(folder), str(log), network, str(port)]
    return Child("the server of the box", command, log, lambda: bool(ask(str(folder / POWER), ["state"])))


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
