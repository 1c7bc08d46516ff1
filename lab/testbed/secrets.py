"""Reading secrets from where a testbed says that they are found."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from pathlib import Path
from typing import NamedTuple

from lab.errors import UsageError
from lab.testbed.access import Credentials

_COMMAND_LIMIT_S = 30.0


class Login(NamedTuple):
    """A user name and a password. What prints it, prints no password."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login(user={self.user!r})"


def secret(credentials: Credentials, what: str) -> str:
    """Return a secret, without white space around it.

    Args:
        credentials: where it is found.
        what: it is for, for the error: "the BMC dut-bmc.lab2.example".

    Raises:
        UsageError: it is not there, or others may read its file. The message never has the secret.

    """
    if credentials.environment is not None:
        value = os.environ.get(credentials.environment, "")
        where = f"the environment variable {credentials.environment}"
    elif credentials.file is not None:
        value, where = _of_file(credentials.file, what), f"the file {credentials.file}"
    else:
        assert credentials.command is not None, "the model's own check"
        value, where = _of_command(credentials.command, what), f"the output of the command {credentials.command!r}"
    if not value.strip():
        raise UsageError(f"no credentials for {what}: {where} is empty: put them there")
    return value.strip()


def login(credentials: Credentials, what: str) -> Login:
    """Return a user name and a password, which are written ``user:password``; arguments and errors as of ``secret``."""
    user, colon, password = secret(credentials, what).partition(":")
    if not colon or "\n" in password:
        raise UsageError(f"the credentials for {what} are not written user:password, on one line: correct them")
    return Login(user, password)


def _of_file(file: Path, what: str) -> str:
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        if mode & 0o077:
            raise UsageError(f"others may read the credentials for {what}: run 'chmod 600 {file}'")
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"no credentials for {what}: the file {file}: {problem.lower()}: write it") from error


def _of_command(command: str, what: str) -> str:
    try:
        done = subprocess.run(
            shlex.split(command), capture_output=True, text=True, timeout=_COMMAND_LIMIT_S, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"no credentials for {what}: the command {command!r} cannot be run: {error}") from error
    if done.returncode != 0:
        raise UsageError(
            f"no credentials for {what}: the command {command!r} ended with code {done.returncode}: "
            f"{' '.join(done.stderr.split()) or 'it said nothing'}"
        )
    return done.stdout
