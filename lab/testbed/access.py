"""How the machines of a testbed are reached: addresses, and where secrets are found. Never a secret itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from lab.document import Record

Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]*$")]
TcpPort = Annotated[int, Field(ge=1, le=65535)]


def _expanded(path: Path) -> Path:
    """Put in the home folder for ``~`` and the environment for ``$NAME``, so that no file names a user's folder."""
    return Path(os.path.expandvars(path.expanduser()))


LocalPath = Annotated[Path, AfterValidator(_expanded)]
"""A path on the machine that runs the lab; ``~`` and ``$NAME`` are put in."""


LocalText = Annotated[str, AfterValidator(lambda text: text if "://" in text else str(_expanded(Path(text))))]
"""A path of the same kind, or an URL, which stays as it is."""


class Credentials(Record):
    """Where a secret is found. Exactly one of the three is given; lab.testbed.secrets reads it.

    ``environment`` names a variable, ``file`` is a file that only its owner may read (mode 0600), and ``command`` is a
    command line whose output is the secret.
    """

    environment: str | None = None
    file: LocalPath | None = None
    command: str | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Credentials:
        if sum(value is not None for value in (self.environment, self.file, self.command)) != 1:
            raise ValueError("give exactly one of: command, environment, file")
        return self


class SshAccess(Record):
    """A machine that is reached by SSH as ``user``, with a private key or a password.

    ``key`` leads to the text of a private key (OpenSSH format), ``password`` to a password; without either the keys of
    the user's agent and home folder are tried. The host's key must be in ``known_hosts``.
    """

    address: Host
    port: TcpPort = 22
    user: str = Field(min_length=1)
    key: Credentials | None = None
    password: Credentials | None = None
    known_hosts: LocalPath = Field(default=Path("~/.ssh/known_hosts"), validate_default=True)
