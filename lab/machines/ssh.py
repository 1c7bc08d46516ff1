"""A machine that is reached by SSH: commands and files. Its host key is always verified."""

from __future__ import annotations

import io
import shlex
import socket
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import paramiko

from lab.errors import LabError, TestbedUnreachable
from lab.testbed.access import SshAccess
from lab.testbed.secrets import secret

CONNECT_LIMIT_S = 8.0
COMMAND_LIMIT_S = 60.0


class Completed(NamedTuple):
    """A command that has ended: its exit code and what it printed."""

    code: int
    out: str
    error: str


class SshHost:
    """A connection to a machine; a context manager."""

    def __init__(self, access: SshAccess) -> None:
        """Connect.

        Raises:
            TestbedUnreachable: nobody answers, the host key is not the known one, or the login is refused.
            UsageError: a key or password is not where the testbed says.

        """
        self.where = f"{access.user}@{access.address} port {access.port}"
        self._client = paramiko.SSHClient()
        if access.known_hosts.is_file():
            self._client.load_host_keys(str(access.known_hosts))
        self._client.set_missing_host_key_policy(paramiko.RejectPolicy())
        what = f"SSH to {self.where}"
        key = None if access.key is None else _key(secret(access.key, what), what)
        password = None if access.password is None else secret(access.password, what)
        given = key is not None or password is not None
        try:
            self._client.connect(
                access.address,
                port=access.port,
                username=access.user,
                pkey=key,
                password=password,
                timeout=CONNECT_LIMIT_S,
                banner_timeout=CONNECT_LIMIT_S,
                auth_timeout=CONNECT_LIMIT_S,
                allow_agent=not given,
                look_for_keys=not given,
            )
        except paramiko.BadHostKeyException as error:
            raise TestbedUnreachable(
                f"{what}: the host key has changed, it is not the one in {access.known_hosts}: if the machine was "
                f"installed anew, replace its line there; if not, somebody is in between"
            ) from error
        except paramiko.AuthenticationException as error:
            raise TestbedUnreachable(f"{what}: the login is refused: check user and key in the testbed file") from error
        except (paramiko.SSHException, OSError, socket.gaierror) as error:
            self._client.close()
            raise TestbedUnreachable(f"{what}: {_problem(error, access)}") from error

    def run(self, command: Sequence[str] | str, timeout_s: float = COMMAND_LIMIT_S) -> Completed:
        """Run a command and wait for its end.

        Args:
            command: words, or a text that the user's shell there reads.
            timeout_s: for all of it.

        Raises:
            LabError: the connection broke, or the command did not end in time.

        """
        text = command if isinstance(command, str) else shlex.join(command)
        try:
            _, out, error = self._client.exec_command(text, timeout=timeout_s)
            said, complained = out.read(), error.read()
            return Completed(
                out.channel.recv_exit_status(), said.decode(errors="replace"), complained.decode(errors="replace")
            )
        except TimeoutError as problem:
            raise LabError(f"{self.where}: {_short(text)} did not end within {timeout_s:g} s") from problem
        except (paramiko.SSHException, OSError, EOFError) as problem:
            raise LabError(f"{self.where}: the connection broke: {problem}") from problem

    def tell(self, command: Sequence[str] | str, timeout_s: float = COMMAND_LIMIT_S) -> str:
        """Run a command that must succeed and return what it printed; LabError with its complaint where it does not."""
        done = self.run(command, timeout_s)
        if done.code != 0:
            text = command if isinstance(command, str) else shlex.join(command)
            said = " ".join((done.error or done.out).split()) or "it said nothing"
            raise LabError(f"{self.where}: {_short(text)} ended with code {done.code}: {said}")
        return done.out

    def put(self, content: Path | str | bytes, path: str, mode: int = 0o644) -> None:
        """Write a file there, whole or not at all: a file of this machine, a text or bytes.

        Raises:
            LabError: it cannot be written; with the reason (SFTP tells no more than "Failure" of a full disk).

        """
        part = f"{path}.part"
        try:
            with self._client.open_sftp() as files:
                if isinstance(content, Path):
                    files.put(str(content), part)
                else:
                    data = content.encode() if isinstance(content, str) else content
                    files.putfo(io.BytesIO(data), part)
                files.chmod(part, mode)
                files.posix_rename(part, path)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise LabError(f"{self.where}: {path} cannot be written: {self._why(path, error)}") from error

    def get(self, path: str, to: Path) -> None:
        """Copy a file from there; LabError where that cannot be."""
        try:
            with self._client.open_sftp() as files:
                files.get(path, str(to))
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise LabError(f"{self.where}: {path} cannot be read: {error}") from error

    def open(self) -> paramiko.SSHClient:
        """Return the connection itself, for what the calls above do not do (a channel that stays)."""
        return self._client

    def close(self) -> None:
        """End the connection. May be called twice."""
        self._client.close()

    def __enter__(self) -> SshHost:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _why(self, path: str, error: BaseException) -> str:
        """Say why a file could not be written: SFTP has one word for most."""
        folder = path.rsplit("/", 1)[0] or "/"
        free = self.run(f"df --output=avail -B1 {shlex.quote(folder)} | tail -1").out.strip()
        self.run(["rm", "-f", f"{path}.part"])
        return f"{error} ({free} bytes are free in {folder})" if free.isdigit() else str(error)


def _key(text: str, what: str) -> paramiko.PKey:
    kinds = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
    for kind in kinds:
        try:
            return kind.from_private_key(io.StringIO(text + "\n"))
        except (paramiko.SSHException, ValueError):
            continue
    raise LabError(f"{what}: what the testbed names as key is no private key without a passphrase: correct it")


def _problem(error: Exception, access: SshAccess) -> str:
    if "not found in known_hosts" in str(error):
        return (
            f"its host key is not in {access.known_hosts}: compare it with the machine's own and add it "
            f"(ssh-keyscan -p {access.port} {access.address})"
        )
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"{text[0].lower()}{text[1:]}: check the address, and whether sshd runs there"


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
