"""Telnet (RFC 854) as a console server speaks it: bytes of the line, with negotiation of options in between."""

from __future__ import annotations

import re
import threading
from typing import Literal

from lab.machines.consoles.stream import DescriptorStream

# RFC 854, "TELNET command structure".
SE, SB, WILL, WONT, DO, DONT, IAC = 240, 250, 251, 252, 253, 254, 255
BINARY = 0  # RFC 856
SUPPRESS_GO_AHEAD = 3  # RFC 858
_WANTED = (BINARY, SUPPRESS_GO_AHEAD)

_State = Literal["data", "command", "option", "subnegotiation", "subnegotiation command"]


class Negotiation:
    """The telnet side of a connection: takes the commands out of what arrives, and answers them.

    Binary transmission and no go-ahead are wanted in both directions, all else is refused: the line's bytes are wanted
    as they are. An answer is given only to what changes something (RFC 854, "General considerations"; RFC 1143), so
    that no loop can begin.
    """

    def __init__(self) -> None:
        # By option, what this side does and what the far end does: True, False, or None while it has been asked.
        self._own: dict[int, bool | None] = dict.fromkeys(_WANTED)
        self._far: dict[int, bool | None] = dict.fromkeys(_WANTED)
        self._state: _State = "data"
        self._verb = 0
        self._after_return = False

    @staticmethod
    def opening() -> bytes:
        """Return what is sent first: the offers."""
        return bytes(byte for option in _WANTED for verb in (WILL, DO) for byte in (IAC, verb, option))

    def encode(self, data: bytes) -> bytes:
        """Write bytes of the line: 255 twice, and a carriage return alone with a NUL unless sending is binary."""
        data = data.replace(b"\xff", b"\xff\xff")
        return data if self._own[BINARY] else re.sub(rb"\r(?!\n)", b"\r\0", data)

    def decode(self, data: bytes) -> tuple[bytes, bytes]:
        """Take in what arrived, in pieces of any size; returns the bytes of the line, and what has to be answered."""
        plain, answer = bytearray(), bytearray()
        for byte in data:
            if self._state == "data":
                self._take(byte, plain)
            elif self._state == "option":
                self._state = "data"
                answer += self._answer(self._verb, byte)
            elif self._state == "subnegotiation":  # of an option that was refused: without meaning
                self._state = "subnegotiation command" if byte == IAC else "subnegotiation"
            elif self._state == "subnegotiation command":
                self._state = "data" if byte == SE else "subnegotiation"
            else:
                self._command(byte, plain)
        return bytes(plain), bytes(answer)

    def _take(self, byte: int, plain: bytearray) -> None:
        after_return, self._after_return = self._after_return, byte == 0x0D
        if byte == IAC:
            self._state = "command"
        elif not (byte == 0 and after_return and not self._far[BINARY]):  # CR NUL is a carriage return alone
            plain.append(byte)

    def _command(self, byte: int, plain: bytearray) -> None:
        """Take the byte behind an IAC; commands without an option mean nothing here."""
        self._state = "data"
        if byte == IAC:
            plain.append(IAC)
        elif byte == SB:
            self._state = "subnegotiation"
        elif byte in (WILL, WONT, DO, DONT):
            self._state, self._verb = "option", byte

    def _answer(self, verb: int, option: int) -> bytes:
        """Answer one request or one answer of the far end about an option."""
        asks_own = verb in (DO, DONT)
        known = self._own if asks_own else self._far
        wish = verb in (DO, WILL)
        agree, refuse = (WILL, WONT) if asks_own else (DO, DONT)
        if option not in _WANTED:
            return bytes((IAC, refuse, option)) if wish else b""
        before, known[option] = known[option], wish
        if before is None or before == wish:
            return b""
        return bytes((IAC, agree if wish else refuse, option))


class TelnetStream:
    """A stream (lab.machines.consoles.stream.ByteStream) within telnet."""

    def __init__(self, connection: DescriptorStream) -> None:
        """Take over a connection and make the first offers; StreamLost where it broke already."""
        self._connection = connection
        self._negotiation = Negotiation()
        self._writing = threading.Lock()  # answers are written by whoever reads
        connection.write(Negotiation.opening())

    def fileno(self) -> int:
        """Return the descriptor of the connection."""
        return self._connection.fileno()

    def read(self) -> bytes:
        """Return what has come of the line."""
        plain, answer = self._negotiation.decode(self._connection.read())
        if answer:
            with self._writing:
                self._connection.write(answer)
        return plain

    def write(self, data: bytes) -> None:
        """Hand over bytes for the line."""
        with self._writing:
            self._connection.write(self._negotiation.encode(data))

    def check(self) -> None:
        """Do nothing: the kernel watches the connection."""

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
