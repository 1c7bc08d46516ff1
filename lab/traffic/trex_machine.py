"""A machine on which a TRex server runs: one that is reached by SSH, or the one that the lab runs on."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import paramiko

from lab.errors import LabError
from lab.machines.ssh import COMMAND_LIMIT_S, Completed, SshHost
from lab.process import dying_with_parent


class Launched(Protocol):
    """A program that was started and is watched."""

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when it has ended, or can no longer be seen."""
        ...

    def end(self, timeout_s: float) -> str:
        """Wait for its end and say how it ended; empty where it still runs after ``timeout_s``."""
        ...


class Machine(Protocol):
    """What is done on the machine of a TRex server; all calls as of SshHost."""

    where: str

    def run(self, command: Sequence[str] | str, timeout_s: float = COMMAND_LIMIT_S) -> Completed:
        """Run a command and wait for its end."""
        ...

    def tell(self, command: Sequence[str] | str, timeout_s: float = COMMAND_LIMIT_S) -> str:
        """Run a command that must succeed and return what it printed."""
        ...

    def put(self, content: Path | str | bytes, path: str, mode: int = 0o644) -> None:
        """Write a file, whole or not at all."""
        ...

    def get(self, path: str, to: Path) -> None:
        """Copy a file from there."""
        ...

    def launch(self, command: str) -> Launched:
        """Start a program, by a shell text that becomes it and prints nothing, and watch it."""
        ...

    def close(self) -> None:
        """Let go of it; what was launched there is not ended. May be called twice."""
        ...


class SshMachine(SshHost):
    """A machine that is reached by SSH. What is launched there outlives the connection: it is found by its pid file."""

    def launch(self, command: str) -> Launched:
        """Start a program; its channel ends with it."""
        transport = self.open().get_transport()
        try:
            if transport is None:
                raise LabError(f"{self.where}: the connection broke")
            channel = transport.open_session(timeout=COMMAND_LIMIT_S)
            channel.exec_command(command)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise LabError(f"{self.where}: the connection broke: {error}") from error
        return _OverSsh(channel)


class _OverSsh:
    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel

    def fileno(self) -> int:
        return self._channel.fileno()

    def end(self, timeout_s: float) -> str:
        if not self._channel.status_event.wait(timeout_s):
            return ""
        code = self._channel.recv_exit_status()
        return f"ended with exit code {code}" if code >= 0 else "can no longer be seen: its SSH connection broke"


class LocalMachine:
    """The machine that the lab runs on. What is launched dies with the thread that launched it."""

    where = "this machine"

    def __init__(self, enter: Callable[[Sequence[str]], list[str]] = list) -> None:
        """Say by what every command is put into a network namespace; as it stands: the lab's own."""
        self._enter = enter

    def run(self, command: Sequence[str] | str, timeout_s: float = COMMAND_LIMIT_S) -> Completed:
        """Run a command and wait for its end; LabError where it does not end in time."""
        words = ["sh", "-c", command] if isinstance(command, str) else list(command)
        try:
            done = subprocess.run(
                self._enter(words), capture_output=True, text=True, errors="replace", timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise LabError(f"{words[-1]!r} did not end within {timeout_s:g} s") from error
        return Completed(done.returncode, done.stdout, done.stderr)

    def tell(self, command: Sequence[str] | str, timeout_s: float = COMMAND_LIMIT_S) -> str:
        """Run a command that must succeed; LabError with its complaint where it does not."""
        done = self.run(command, timeout_s)
        if done.code != 0:
            text = command if isinstance(command, str) else " ".join(command)
            said = " ".join((done.error or done.out).split()) or "it said nothing"
            raise LabError(f"{text[:60]!r} ended with code {done.code}: {said}")
        return done.out

    def put(self, content: Path | str | bytes, path: str, mode: int = 0o644) -> None:
        """Write a file, whole or not at all; LabError where that cannot be."""
        part = Path(f"{path}.part")
        try:
            if isinstance(content, Path):
                shutil.copyfile(content, part)
            else:
                part.write_bytes(content.encode() if isinstance(content, str) else content)
            part.chmod(mode)
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise LabError(f"{path} cannot be written: {error.strerror}") from error

    def get(self, path: str, to: Path) -> None:
        """Copy a file; LabError where that cannot be."""
        try:
            shutil.copyfile(path, to)
        except OSError as error:
            raise LabError(f"{path} cannot be read: {error.strerror}") from error

    def launch(self, command: str) -> Launched:
        """Start a program."""
        return _OfOurs(subprocess.Popen(dying_with_parent(self._enter(["sh", "-c", command]))))

    def close(self) -> None:
        """Do nothing."""


class _OfOurs:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._pidfd = os.pidfd_open(process.pid)

    def fileno(self) -> int:
        return self._pidfd

    def end(self, timeout_s: float) -> str:
        if not select.select([self._pidfd], [], [], timeout_s)[0]:
            return ""
        return f"ended with exit code {self._process.wait()}"

    def __del__(self) -> None:
        os.close(self._pidfd)
