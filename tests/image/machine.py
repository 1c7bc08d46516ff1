"""A machine for tests of the image: QEMU under plain TCG, PXE boot from its own DHCP and TFTP server, frame sockets.

Nothing but QEMU is needed: no privileges, no network namespace. Each data port is a pair of unix datagram sockets that
carry one Ethernet frame without FCS per datagram.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import struct
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

PROMPT = b"pix> "
BOOT_DEADLINE_S = 120.0
COMMAND_DEADLINE_S = 20.0
FRAME_SIZE_MAX = 65536


class RouterMachine(Protocol):
    """A machine that runs the image, booted or hosted: commands and frames in and out."""

    def command(self, line: str) -> list[str]: ...
    def ok(self, line: str) -> None: ...
    def objects(self, line: str) -> list[dict[str, Any]]: ...
    def send(self, port: int, frame: bytes) -> object: ...
    def receive(self, port: int, timeout_s: float = 5.0) -> bytes: ...
    def is_silent(self, port: int, duration_s: float = 0.3) -> bool: ...


def data_port(folder: Path, number: int) -> list[str]:
    """Return QEMU's options for a data port whose peer is a socket in the folder."""
    mine, theirs = folder / f"peer{number}", folder / f"port{number}"
    return [
        "-netdev",
        f"dgram,id=d{number},local.type=unix,local.path={theirs},remote.type=unix,remote.path={mine}",
        "-device",
        f"virtio-net-pci,netdev=d{number},disable-legacy=on,mrg_rxbuf=off,rx_queue_size=1024,tx_queue_size=1024,"
        f"romfile=,mac=52:54:00:00:00:{number + 1:02x},addr={4 + number}",
    ]


class Machine:
    """One booted machine: console lines in and out, frames in and out. A context manager; everything ends with it."""

    def __init__(self, image: Path, folder: Path, ports: int = 2, cores: int = 2, *, disk: Path | None = None) -> None:
        """Boot the image (a PXE network bootstrap program), or a disk, and return when its prompt has come."""
        self.log = b""
        self._unread = b""
        self._folder = folder
        self._peers = [self._listen(number) for number in range(ports)]
        console, self.debugger = folder / "console", folder / "debugger"
        command = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "qemu64,-svm", "-smp", str(cores), "-m", "256M"]
        command += ["-machine", "pc", "-nodefaults", "-display", "none", "-serial", f"unix:{console},server=on,wait=on"]
        if disk is not None:
            command += ["-drive", f"file={disk},format=raw"]
        else:
            # A modern card, which is no port all the same. With IPv6, of which QEMU's network tells a router: iPXE
            # waits for one for 13 s where none answers.
            command += ["-netdev", f"user,id=boot,tftp={image.parent},bootfile={image.name}"]
            command += ["-device", "virtio-net-pci,netdev=boot,disable-legacy=on,addr=3"]
        command += ["-chardev", f"socket,id=gdb,path={self.debugger},server=on,wait=off", "-gdb", "chardev:gdb"]
        for number in range(ports):
            command += data_port(folder, number)
        self._qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            self._console = self._connect(console)
            self._read_until(PROMPT, BOOT_DEADLINE_S)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Machine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the machine and its sockets."""
        self._qemu.kill()
        self._qemu.wait()
        if self._qemu.stderr is not None:
            self._qemu.stderr.close()
        for peer in self._peers:
            peer.close()

    def _listen(self, number: int) -> socket.socket:
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        patience = struct.pack("@ll", int(COMMAND_DEADLINE_S), 0)  # settimeout() would wait for room busily
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)
        peer.bind(str(self._folder / f"peer{number}"))
        return peer

    def _connect(self, path: Path) -> socket.socket:
        deadline = time.monotonic() + COMMAND_DEADLINE_S
        console = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        while True:
            try:
                console.connect(str(path))
                return console
            except OSError:
                if self._qemu.poll() is not None or time.monotonic() > deadline:
                    stderr = self._qemu.stderr.read() if self._qemu.poll() is not None and self._qemu.stderr else b""
                    raise RuntimeError(f"QEMU does not start: {stderr.decode()}") from None
                time.sleep(0.05)

    def _read_until(self, text: bytes, deadline_s: float) -> bytes:
        """Return what the console says up to the first such text; what follows is kept for the next call."""
        deadline = time.monotonic() + deadline_s
        while text not in self._unread:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not select.select([self._console], [], [], left_s)[0]:
                raise TimeoutError(f"no {text!r} within {deadline_s:.0f} s, the console said: {self._unread[-2000:]!r}")
            part = self._console.recv(65536)
            if not part:
                raise ConnectionError(f"the console closed after: {self._unread[-2000:]!r}")
            self._unread += part
            self.log += part
        end = self._unread.index(text) + len(text)
        got, self._unread = self._unread[:end], self._unread[end:]
        return got

    def command(self, line: str) -> list[str]:
        """Run a command and return its output lines."""
        self._console.sendall(line.encode() + b"\r")
        got = self._read_until(b"\r\n" + PROMPT if line else PROMPT, COMMAND_DEADLINE_S).decode()
        echoed, *output = got.removesuffix(PROMPT.decode()).split("\r\n")
        if echoed != line:
            raise AssertionError(f"sent {line!r}, echoed {echoed!r}")
        return output[:-1]

    def type(self, keys: bytes) -> list[str]:
        """Type these bytes, which end a line, and return the lines that come until the prompt, echo included."""
        self._console.sendall(keys)
        got = self._read_until(b"\r\n" + PROMPT, COMMAND_DEADLINE_S).decode()
        return got.removesuffix(PROMPT.decode()).split("\r\n")[:-1]

    def read_line_that_begins(self, text: bytes) -> str:
        """Wait for a line that comes without a command, and return it. The next command works as usual."""
        self._read_until(b"\r\n" + text, COMMAND_DEADLINE_S)
        return self._read_until(b"\r\n", COMMAND_DEADLINE_S).decode().strip()

    def begin(self, line: str) -> None:
        """Type a command and return at once; `end` waits for it."""
        self._console.sendall(line.encode() + b"\r")

    def listen(self, duration_s: float) -> None:
        """Take what the console says for a while, for later reads: unread, it soon blocks the machine that writes."""
        deadline = time.monotonic() + duration_s
        while (left_s := deadline - time.monotonic()) > 0:
            if select.select([self._console], [], [], left_s)[0]:
                part = self._console.recv(65536)
                if not part:
                    raise ConnectionError("the console closed")
                self._unread += part
                self.log += part

    def end(self) -> list[str]:
        """Wait for the command that `begin` typed, and return what it said since the last read."""
        return (
            self._read_until(b"\r\n" + PROMPT, COMMAND_DEADLINE_S).decode().removesuffix(PROMPT.decode()).splitlines()
        )

    def ok(self, line: str) -> None:
        """Run a command that has to say nothing but ok."""
        answer = self.command(line)
        assert answer == ["ok"], f"{line}: {answer}"

    def objects(self, line: str) -> list[dict[str, Any]]:
        """Run a listing command with `json` and return its objects."""
        return [json.loads(text) for text in self.command(f"{line} json")]

    def reboot(self) -> None:
        """Reboot by the shell and return when the prompt has come again."""
        self._console.sendall(b"reboot\r")
        self._read_until(b"rebooting\r\n", COMMAND_DEADLINE_S)
        self._read_until(PROMPT, BOOT_DEADLINE_S)

    def send(self, port: int, frame: bytes) -> None:
        """Have a frame (without FCS) arrive at a port; raises TimeoutError if the port takes none any more."""
        try:
            self._peers[port].sendto(frame, str(self._folder / f"port{port}"))
        except BlockingIOError:
            said = self._console.recv(65536) if select.select([self._console], [], [], 0)[0] else b""
            raise TimeoutError(f"port {port} takes no frames; the console said {said!r}") from None

    def receive(self, port: int, timeout_s: float = 5.0) -> bytes:
        """Return the next frame that left a port; raises TimeoutError if none comes."""
        if self.is_silent(port, timeout_s):
            raise TimeoutError(f"no frame left port {port} within {timeout_s} s")
        return self._peers[port].recv(FRAME_SIZE_MAX)

    def take_all(self, port: int) -> list[bytes]:
        """Return the frames that have left a port and wait to be received."""
        frames = []
        with contextlib.suppress(BlockingIOError):
            while True:
                frames.append(self._peers[port].recv(FRAME_SIZE_MAX, socket.MSG_DONTWAIT))
        return frames

    def is_silent(self, port: int, duration_s: float = 0.3) -> bool:
        """Return whether no frame leaves a port for a while."""
        return not select.select([self._peers[port]], [], [], duration_s)[0]

    def all_silent(self, duration_s: float) -> bool:
        """Return whether no frame leaves any port for a while."""
        return not select.select(self._peers, [], [], duration_s)[0]

    def busy_s(self) -> float:
        """Return the processor time that QEMU has used so far, in seconds."""
        fields = Path(f"/proc/{self._qemu.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100.0
