"""What a running system tells of itself, by which it is proved to be the image that was asked for."""

from __future__ import annotations

import re

from lab.dut.pix import version_of
from lab.dut.shell import Shell
from lab.errors import DutError
from lab.images import Manifest
from lab.images.manifest import LinuxManifest
from lab.models import Model


class Identity(Model):
    """``sha256`` is the digest of the file that the system was booted from, None where it does not know it.

    ``name`` and ``version`` are those of the manifest where the system does not tell them.
    """

    name: str
    version: str
    build_id: str
    sha256: str | None


def identify(shell: Shell, image: Manifest) -> Identity:
    """Ask the running system what it is.

    Raises:
        DutError: it does not tell.

    """
    if not isinstance(image, LinuxManifest):
        told = version_of(shell)
        return Identity(
            name=str(told.get("name")),
            version=str(told.get("version")),
            build_id=str(told.get("build_id")),
            sha256=str(told["sha256"]),
        )
    lines = shell.tell(image.version_command)
    match = next(filter(None, (re.search(image.version_pattern, line) for line in lines)), None)
    if match is None:
        raise DutError(
            f"the DUT does not tell its build id: {image.version_command!r} printed {lines}, and {image.name}'s "
            f"manifest expects version_pattern {image.version_pattern!r}"
        )
    groups = {key: value for key, value in match.groupdict().items() if value is not None}
    return Identity(
        name=groups.get("name", image.name),
        version=groups.get("version", image.version),
        build_id=groups.get("build_id", ""),
        sha256=None,
    )
