"""Building images: from sources alone at every run, with packages of others only when asked to."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from lab import paths
from lab.errors import LabError, UsageError, near_misses
from lab.images.catalogue import BUILDER, shown


def build(directory: Path = paths.FIRMWARE_IMAGES) -> None:
    """Bring every image that has a Makefile up to date; make(1) finds out what is newer than what.

    Raises:
        LabError: make is missing, or a build failed, with its last line.

    """
    for makefile in sorted(directory.glob("*/Makefile")):
        _make(makefile.parent)


def build_named(name: str, directory: Path = paths.FIRMWARE_IMAGES) -> None:
    """Build the images of one folder of firmware-images, by its Makefile or its build.py.

    A build.py fetches what it needs over the network, once.

    Raises:
        UsageError: there is no such folder.
        LabError: the build failed, with its last line.

    """
    folder = directory / name
    known = [path.parent.name for file in ("Makefile", BUILDER) for path in directory.glob(f"*/{file}")]
    if name not in known:
        raise UsageError(f"unknown image {name!r} in {shown(directory)}: {near_misses(name, known)}")
    if (folder / BUILDER).exists():
        _run(folder, [sys.executable, str(folder / BUILDER)], f"python3 {shown(folder / BUILDER)}")
    else:
        _make(folder)


def _make(folder: Path) -> None:
    if shutil.which("make") is None:
        raise LabError("make is not installed: run 'apt-get install make gcc binutils'")
    _run(folder, ["make", "-C", str(folder)], f"make -C {shown(folder)}")


def _run(folder: Path, command: list[str], shown_command: str) -> None:
    with FileLock(paths.state_dir() / f"build-{folder.name}.lock"):  # two runs may start at once
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if "error" in line.lower()] or done.stderr.splitlines()
        reason = said[0] if said else f"it ended with code {done.returncode}"
        raise LabError(f"the images of {folder.name} cannot be built: {reason}: run '{shown_command}' to see all")
