"""A far end of a serial line that plays back: for tests of what the lab makes of an answer, good or bad."""

import socket
import threading
from pathlib import Path


class FarEnd:
    """Listens on a socket as QEMU's console does; answers each line that arrives, echo first."""

    def __init__(self, path: Path, answers: dict[str, str]) -> None:
        self.asked: list[str] = []
        self._answers = answers
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        self._server.listen(1)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _serve(self) -> None:
        try:
            line, _ = self._server.accept()
        except OSError:  # closed before anybody came
            return
        with line:
            buffer = b""
            while data := line.recv(1000):
                line.sendall(data.replace(b"\r", b"\r\n"))
                buffer += data
                while b"\r" in buffer:
                    command, buffer = buffer.split(b"\r", 1)
                    self.asked.append(command.decode())
                    answer = self._answers.get(command.decode(), "")
                    if answer == "HANG UP":
                        return
                    if answer != "SILENCE":
                        line.sendall(answer.replace("\n", "\r\n").encode() + b"pix> ")
