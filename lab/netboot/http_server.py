"""Serves the files of one folder by HTTP, and says on standard error what each client got: python http_server.py.

Runs in a process of its own (it imports nothing of the lab), so that it can be started in any network namespace. The
first line says the port; the others are those of an access log in the common log format, one when a file is asked for
("-" for the size) and one when its transfer has ended, with the bytes that the client's machine acknowledged.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import sys
import termios
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

_SILENCE_LIMIT_S = 20.0
_BLOCK_BYTES = 65536


class _Files(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"  # UEFI asks for it (UEFI 2.10 section 24.7)
    timeout = _SILENCE_LIMIT_S
    root = Path()

    def do_GET(self) -> None:
        """Send a file of the folder, and log how much of it arrived."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Send what would come before the file; UEFI asks for its size so."""
        self._answer(with_body=False)

    def log_message(self, *_: object) -> None:
        """Log nothing on its own behalf."""

    def _answer(self, *, with_body: bool) -> None:
        try:
            file = self._file().open("rb")
        except OSError:
            self.send_error(HTTPStatus.NOT_FOUND)
            self._log(HTTPStatus.NOT_FOUND, 0)
            return
        with file:
            size = file.seek(0, 2)
            file.seek(0)
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(size))
            self.end_headers()
            if with_body:
                self._log(HTTPStatus.OK, None)
                self._log(HTTPStatus.OK, self._arrived(file))
            else:
                self._log(HTTPStatus.OK, 0)

    def _file(self) -> Path:
        """Return the file that is asked for; it need not be there. Names of other folders are none."""
        name = unquote(urlsplit(self.path).path).removeprefix("/")
        if not name or "/" in name or "\0" in name:
            raise FileNotFoundError(name)
        return self.root / name

    def _arrived(self, file: BinaryIO) -> int:
        """Send the file; return how many of its bytes the other end has acknowledged."""
        written = arrived = 0
        try:
            while block := file.read(_BLOCK_BYTES):
                self.connection.sendall(block)
                written += len(block)
                arrived = max(arrived, written - self._unacknowledged())
            limit_s = time.monotonic() + _SILENCE_LIMIT_S
            while arrived < written and time.monotonic() < limit_s:
                time.sleep(0.002)
                now = written - self._unacknowledged()
                if now > arrived:
                    arrived, limit_s = now, time.monotonic() + _SILENCE_LIMIT_S
        except OSError:
            self.close_connection = True
        return arrived

    def _unacknowledged(self) -> int:
        """Return the bytes in the send queue (SIOCOUTQ, tcp(7)); OSError where the connection has broken meanwhile.

        The kernel empties the queue of a connection that is reset, so the error has to be looked at afterwards.
        """
        queued = int(struct.unpack("i", fcntl.ioctl(self.connection, termios.TIOCOUTQ, bytes(4)))[0])
        error = self.connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "the connection broke")
        return queued

    def _log(self, code: int, size_bytes: int | None) -> None:
        when = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
        size = "-" if size_bytes is None else size_bytes
        sys.stderr.write(f'{self.client_address[0]} - - [{when}] "{self.requestline}" {int(code)} {size}\n')
        sys.stderr.flush()


def main() -> None:
    """Serve the folder argv[1] on a free port of the address argv[2], for ever."""
    _Files.root = Path(sys.argv[1])
    server = ThreadingHTTPServer((sys.argv[2], 0), _Files)
    server.daemon_threads = True
    sys.stderr.write(f"HTTP port {server.server_address[1]}\n")
    sys.stderr.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
