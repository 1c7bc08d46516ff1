"""Consoles through a baseboard controller: IPMI serial over LAN (IPMI 2.0, section 15), by ipmitool as a child.

A process of its own, because SOL wants its acknowledgements in time for the whole run, whatever the lab's threads do,
and because pyghmi has one event loop and one session for all threads of a process, which the power driver uses, too;
its SOL also cuts four characters too many out of a packet that was sent again with more in it. ipmitool waits for the
controller to take each packet and sends again what was taken in part, so nothing written is lost.

Controllers often say nothing when they forget a session (a reset, another one's "deactivate"), and ipmitool looks after
it every 15 s and gives up after 40. So a console that is waited for and is silent is looked after here (``check``).

The password goes through a pipe: it is in no file, no environment and no process list.
"""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import tempfile
import tty
from typing import IO

from lab.errors import LabError
from lab.machines.consoles.stream import DescriptorStream, Mark, StreamLost
from lab.machines.deadline import Deadline
from lab.process import dying_with_parent
from lab.testbed.consoles import SolConsole
from lab.testbed.secrets import Login, login

# IPMI 2.0, table 22-20: 17 is HMAC-SHA256 with AES, which not all have; all have 3, HMAC-SHA1 with AES. Asking a
# controller for its list takes 3 s where it does not answer that.
_CIPHER_SUITES = (17, 3)
RETRIES = 2  # of a packet; a controller that is silent is given up after 6 s
_OPENING_LIMIT_S = 20.0
_COMMAND_LIMIT_S = 10.0
_ESCAPE = b"~"

_OPERATIONAL = b"[SOL Session operational.  Use ~? for help]\n"
_TAKEN = "already active on another session"
_OTHER_CIPHER = ("invalid authentication", "invalid integrity", "invalid confidentiality", "no matching cipher")
_REASONS = {
    "RAKP 2 HMAC is invalid": "the password is wrong: correct the credentials",
    "unauthorized name": "there is no such user: correct the credentials",
    "unauthorized role": "the user may not be an administrator: give him the right",
    "Get Auth Capabilities error": "no answer: check the address, and whether the controller has IPMI over LAN enabled",
    "payload disabled": "serial over LAN is disabled: enable it in the controller",
    "type disabled": "serial over LAN is disabled for the user: enable it in the controller",
    "limit reached": "all serial-over-LAN sessions are in use: end one",
    "without encryption": "the controller refuses encrypted serial over LAN: allow it there",
    "No response to keepalive": "the controller does not answer any more",
    "Error sending SOL data": "the controller takes no characters any more",
}


class _Bmc:
    """ipmitool's commands to one controller."""

    def __init__(self, console: SolConsole, account: Login, suite: int) -> None:
        self._console = console
        self._account = account
        self._suite = suite

    def start(self, words: list[str], terminal: int, errors: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start a command on a terminal or pipe; it dies with the thread that starts it."""
        password, writer = os.pipe()
        try:
            os.write(writer, self._account.password.encode() + b"\n")
            command = ["ipmitool", "-v", "-I", "lanplus", "-C", str(self._suite), "-H", self._console.address]
            command += ["-p", str(self._console.port), "-U", self._account.user, "-f", f"/dev/fd/{password}"]
            return subprocess.Popen(
                dying_with_parent([*command, "-N", "1", "-R", str(RETRIES), *words]),
                stdin=terminal,
                stdout=terminal,
                stderr=errors,
                pass_fds=(password,),
                env={"PATH": os.environ.get("PATH", os.defpath)},  # not the testbed's secrets
            )
        finally:
            os.close(password)
            os.close(writer)

    def tell(self, *words: str) -> str:
        """Run a command; returns what it printed, nothing when it failed."""
        with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as errors:
            process = self.start(list(words), said.fileno(), errors)
            try:
                code = process.wait(_COMMAND_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
            said.seek(0)
            return "" if code else said.read().decode(errors="replace").strip()

    def owner(self) -> str:
        """Return the session that has the console; empty where unknown (Get Payload Instance Info, chapter 24)."""
        return " ".join(self.tell("raw", "0x06", "0x4b", "0x01", "0x01").split()[:4])


class SolStream(DescriptorStream):
    """A running ``ipmitool sol activate``, on a pseudo-terminal."""

    def __init__(self, bmc: _Bmc) -> None:
        """Activate the console; StreamLost, with ipmitool's words, where that cannot be."""
        self._bmc = bmc
        self._at_line_start = True
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by _end
        own, its = pty.openpty()
        super().__init__(own)
        try:
            tty.setraw(its)
            self._process = bmc.start(["sol", "activate"], its, self._errors)
        finally:
            os.close(its)
        try:
            self._early = self._await_operational()
        except BaseException:
            self._end()
            raise
        self._owner = bmc.owner()

    def read(self) -> bytes:
        """Return what has come."""
        if self._early:
            data, self._early = self._early, b""
            return data
        try:
            return super().read()
        except StreamLost as error:  # a terminal that nobody has any more is an I/O error
            raise StreamLost(self._complaint()) from error

    def write(self, data: bytes) -> None:
        """Hand over bytes; what ipmitool takes for its escape character is written twice."""
        escaped = bytearray()
        for byte in data:
            escaped += _ESCAPE if self._at_line_start and byte == _ESCAPE[0] else b""
            escaped.append(byte)
            self._at_line_start = byte in b"\r\n"
        super().write(bytes(escaped))

    def check(self) -> None:
        """Ask the controller whose the console is; end the connection when it is not this one's any more."""
        if self._owner and self._bmc.owner() != self._owner:
            self._errors.write(b"the controller has ended the session, or does not answer\n")
            self._process.kill()

    def close(self) -> None:
        """Give the console back to the controller, unless it has taken it already."""
        ended = self._process.poll() is not None
        self._end()
        if not ended:
            self._bmc.tell("sol", "deactivate")

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._errors.close()
        super().close()

    def _await_operational(self) -> bytes:
        """Wait for ipmitool's word that the console is there; returns what came behind it."""
        deadline, said = Deadline(_OPENING_LIMIT_S), b""
        ready = select.poll()
        ready.register(self.fileno(), select.POLLIN)
        while _OPERATIONAL not in said:
            if not ready.poll(deadline.remaining_s * 1e3):
                raise StreamLost(f"no console within {_OPENING_LIMIT_S:g} s")
            try:
                said += super().read()
            except StreamLost as error:
                raise StreamLost(self._complaint(said.decode(errors="replace"))) from error
        return said.partition(_OPERATIONAL)[2]

    def _complaint(self, said: str = "") -> str:
        """Return why ipmitool ended, in words that tell what to do."""
        self._process.kill()  # it has closed its terminal
        self._process.wait()
        self._errors.seek(0)
        said += self._errors.read().decode(errors="replace")
        lines = [line.strip() for line in said.splitlines() if line.strip() and "IANA PEN" not in line]
        for sign, reason in _REASONS.items():
            if sign in said:
                return reason
        return "; ".join(lines[-2:]) or "ipmitool ended without a word"


def connect_sol(console: SolConsole, mark: Mark) -> SolStream:
    """Activate the console of a controller; takes it from whoever has it, and remarks on that.

    Raises:
        StreamLost: the controller does not answer, refuses the login, or has no serial over LAN.
        LabError: ipmitool is missing, or the credentials are not where the testbed says.

    """
    if shutil.which("ipmitool") is None:
        raise LabError("ipmitool is not installed: run 'apt-get install ipmitool'")
    account = login(console.credentials, f"the controller {console.address}")
    for suite in _CIPHER_SUITES:
        bmc = _Bmc(console, account, suite)
        try:
            return SolStream(bmc)
        except StreamLost as loss:
            if _TAKEN in str(loss):
                mark("another session has the console: it is deactivated and taken")
                bmc.tell("sol", "deactivate")
                return SolStream(bmc)
            if suite == _CIPHER_SUITES[-1] or not any(sign in str(loss) for sign in _OTHER_CIPHER):
                raise
    raise AssertionError("the last suite returns or raises")
