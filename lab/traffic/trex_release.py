"""A release of TRex on its machine: found where it lies, or unpacked there from a tarball whose digest is right."""

from __future__ import annotations

import hashlib
import shlex
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from lab import paths
from lab.errors import GeneratorError, LabError, UsageError
from lab.testbed.resources import TrexRelease
from lab.traffic.trex_machine import Machine

MARK = ".pixlab-release"
"""In a folder that the lab unpacked: the digest of the tarball."""
_FETCH_LIMIT_S = 30.0  # of silence
_UNPACK_LIMIT_S = 600.0


def provide(machine: Machine, release: TrexRelease, progress: Callable[[str], None]) -> str:
    """Return the folder of a release on its machine; it is unpacked there where it is not.

    A folder that somebody else made is used as it is, and never changed or removed.

    Raises:
        UsageError: the tarball is not there, cannot be fetched, or is another one than its digest says.
        GeneratorError: there is no release and no tarball, or it cannot be unpacked (disk full, a wrong archive).

    """
    folder = absolute(machine, release.folder)
    program = shlex.quote(f"{folder}/{release.program}")
    found = machine.run(f"cat {shlex.quote(folder)}/{MARK} 2>/dev/null; test -x {program} && echo usable").out.split()
    usable = "usable" in found
    mark = next((word for word in found if word != "usable"), "")
    if usable and (mark in ("", release.sha256) or release.sha256 is None):
        return folder
    if release.tarball is None:
        raise GeneratorError(
            f"{machine.where}: there is no TRex release in {folder} (no {release.program}): unpack it there, "
            "or give release.tarball and release.sha256 in the testbed"
        )
    if not mark and machine.run(["test", "-e", folder]).code == 0:
        raise GeneratorError(
            f"{machine.where}: {folder} is there, and has no {release.program}: remove it, or name another folder"
        )
    progress(f"installing TRex {release.version} in {folder} on {machine.where}")
    _install(machine, release, fetched(release), folder)
    return folder


def fetched(release: TrexRelease) -> Path:
    """Return the tarball on this machine, with the right digest; one that is an URL is fetched once, and kept.

    Raises:
        UsageError: it is not there, cannot be fetched, or is another one than its digest says.

    """
    assert release.tarball is not None and release.sha256 is not None, "the model's own check"
    if "://" not in release.tarball:
        file = Path(release.tarball)
        _check(file, release)
        return file
    cache = paths.state_dir() / "releases"
    cache.mkdir(exist_ok=True)
    kept = cache / f"{release.sha256}.tar"
    if not kept.exists():
        part = kept.with_suffix(".part")
        try:
            _fetch(release.tarball, part)
            _check(part, release)
            part.replace(kept)
        finally:
            part.unlink(missing_ok=True)
    _check(kept, release)
    return kept


def _fetch(url: str, file: Path) -> None:
    try:
        with urllib.request.urlopen(url, timeout=_FETCH_LIMIT_S) as answer, file.open("wb") as out:
            while piece := answer.read(1 << 20):
                out.write(piece)
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = error if isinstance(error, urllib.error.HTTPError) else getattr(error, "reason", error)
        raise UsageError(f"the TRex release {url} cannot be fetched: {reason}: correct release.tarball") from error


def _check(file: Path, release: TrexRelease) -> None:
    try:
        with file.open("rb") as tarball:
            digest = hashlib.file_digest(tarball, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(
            f"the TRex release {file}: {(error.strerror or '').lower()}: correct release.tarball"
        ) from error
    if digest != release.sha256:
        raise UsageError(
            f"the TRex release {release.tarball} has the sha256 {digest}, not the testbed's {release.sha256}: "
            "it is damaged or another one; nothing was unpacked"
        )


def _install(machine: Machine, release: TrexRelease, tarball: Path, folder: str) -> None:
    """Unpack beside the folder, and rename when all is there."""
    beside = f"{folder}.part"
    quoted = shlex.quote(beside)
    try:
        make = f"rm -rf {quoted} && mkdir -p {quoted}/unpacked"
        free = machine.tell(f"{make} && df --output=avail -B1 {quoted} | tail -1").strip()
        needed = tarball.stat().st_size
        if free.isdigit() and int(free) < needed:
            raise LabError(f"the tarball needs {needed} bytes")
        machine.put(tarball, f"{beside}/tarball")
        unpack = (
            f"cd {quoted} && echo '{release.sha256}  tarball' | sha256sum --check --quiet",
            "tar -xf tarball --no-same-owner --strip-components=1 -C unpacked",
            f"test -x unpacked/{shlex.quote(release.program)} || {{ echo no {release.program} in it; exit 1; }}",
            f"echo {release.sha256} > unpacked/{MARK}",
            # What is replaced is ours: its mark names another tarball.
            f"rm -rf {shlex.quote(folder)} && mv -T unpacked {shlex.quote(folder)}",
        )
        machine.tell(" && ".join(unpack), _UNPACK_LIMIT_S)
    except LabError as error:
        free = machine.run(f"df --output=avail -B1 {quoted} | tail -1; rm -rf {quoted}").out.strip()
        raise GeneratorError(
            f"{machine.where}: TRex {release.version} cannot be installed in {folder}, where {free} bytes are free: "
            f"{str(error).removeprefix(f'{machine.where}: ')}"
        ) from error
    except BaseException:
        machine.run(["rm", "-rf", beside])
        raise
    machine.run(["rm", "-rf", beside])


def absolute(machine: Machine, path: str) -> str:
    """Put in the home folder for ``~`` and the environment for ``$NAME``, as they are on that machine."""
    text = f"$HOME{path[1:]}" if path.startswith("~") else path
    escaped = "".join(f"\\{c}" if c in '"\\`' else c for c in text)
    return machine.tell(f'printf %s "{escaped}"').rstrip("/")
